//! Volumes: folders that outlive containers. Those with names come by `-v name:/path`, those
//! without by `VOLUME`. The verbs on volumes come with the next issue.
//!
//! A volume is a document in the store and a folder. The document comes first and says whether the
//! folder is complete: an engine that died while it copied an image's content into a new volume
//! does it again before the first start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::tar::{TarOptions, UntarOptions};
use store::{Store, WriteTx};
use sys::root::{FileKind, RootDir};

use crate::blocking::blocking;
use crate::containers::Pruned;
use crate::error::IoContext as _;
use crate::events::{Events, Noun};
use crate::layout::Layout;
use crate::rows::{Row, Rows};
use crate::spec::{Mount, MountPoint, MountSource};
use crate::{Error, Filters, Id};

const KIND: &str = "volume";
const VERSION: u32 = 1;

/// The volumes of this engine.
#[derive(Clone)]
pub struct Volumes {
    store: Store,
    layout: Layout,
    events: Events,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// It was made for one container.
    pub anonymous: bool,
    /// Its content on the host.
    pub path: PathBuf,
    /// When it was made.
    pub created: Timestamp,
    /// Bytes, where they were asked for.
    pub size: Option<u64>,
    /// How many containers mount it.
    pub users: usize,
}

/// What is stored of a volume.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    created: Timestamp,
    anonymous: bool,
    /// Its folder is there and has the content that it starts with.
    ready: bool,
}

impl std::fmt::Debug for Volumes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Volumes")
    }
}

impl Volumes {
    pub(crate) fn new(store: Store, layout: Layout, events: Events) -> Self {
        Self {
            store,
            layout,
            events,
        }
    }

    /// Those that match, by name. Filters: `name`, `dangling`, `driver`, `label`.
    pub async fn list(&self, filters: Filters, size: bool) -> Result<Vec<Volume>, Error> {
        filters.check_keys(&["name", "dangling", "driver", "label"])?;
        let dangling = filters.truth("dangling")?;
        let this = self.clone();
        blocking(move || {
            let all = this.all(size)?;
            let matches = |volume: &Volume| {
                filters.any("name", |name| volume.name.contains(name))
                    && filters.any("driver", |driver| driver == "local")
                    && !filters.has("label")
                    && dangling.is_none_or(|dangling| dangling == (volume.users == 0))
            };
            Ok(all.into_iter().filter(matches).collect())
        })
        .await
    }

    /// One.
    pub async fn inspect(&self, name: &str) -> Result<Volume, Error> {
        let all = self.list(Filters::default(), false).await?;
        let found = all.into_iter().find(|volume| volume.name == name);
        found.ok_or_else(|| Error::NoSuchVolume(name.to_owned()))
    }

    /// Removes those that no container mounts: anonymous ones, with the filter `all` all.
    pub async fn prune(&self, filters: Filters) -> Result<Pruned, Error> {
        filters.check_keys(&["all", "label", "label!"])?;
        let all = filters.truth("all")?.unwrap_or(false);
        let this = self.clone();
        blocking(move || {
            let mut pruned = Pruned::default();
            for volume in this.all(true)? {
                if volume.users == 0 && (all || volume.anonymous) {
                    this.remove(&volume.name)?;
                    pruned.reclaimed += volume.size.unwrap_or(0);
                    pruned.deleted.push(volume.name);
                }
            }
            Ok(pruned)
        })
        .await
    }

    /// Removes one that no container mounts. With `force` a missing one is no error.
    pub async fn delete(&self, name: &str, force: bool) -> Result<(), Error> {
        let (this, name) = (self.clone(), name.to_owned());
        blocking(move || {
            if this.store.read(|tx| tx.document(KIND, &name))?.is_none() {
                return match force {
                    true => Ok(()),
                    false => Err(Error::NoSuchVolume(name)),
                };
            }
            let rows = Rows::new(this.store.clone()).all()?;
            let users = rows.iter().filter(|row| mounts(row, &name));
            let users: Vec<&str> = users.map(Row::id).collect();
            if users.is_empty() {
                return this.remove(&name);
            }
            Err(Error::VolumeInUse {
                containers: users.join(", "),
                volume: name,
            })
        })
        .await
    }

    fn all(&self, size: bool) -> Result<Vec<Volume>, Error> {
        let rows = Rows::new(self.store.clone()).all()?;
        let documents = self.store.read(|tx| tx.documents(KIND))?;
        let read = |document: store::Document| {
            let facts = parse(&document.body)?;
            let path = self.layout.volume(&document.key);
            let mounts = |row: &&Row| mounts(row, &document.key);
            Ok(Volume {
                anonymous: facts.anonymous,
                size: size.then(|| folder_size(&path)),
                users: rows.iter().filter(mounts).count(),
                created: facts.created,
                name: document.key,
                path,
            })
        };
        documents.into_iter().map(read).collect()
    }

    /// Settles where a mount comes from. Nothing is made yet.
    pub(crate) fn plan(&self, mount: Mount) -> Result<MountPoint, Error> {
        let (host_path, volume, anonymous) = match &mount.source {
            MountSource::Bind(bind) => (bind.source.clone(), None, false),
            MountSource::Tmpfs(_) => (PathBuf::new(), None, false),
            MountSource::Volume(asked) => {
                let name = match &asked.name {
                    Some(name) => name.clone(),
                    None => Id::random()?.to_string(),
                };
                let path = self.layout.volume(&name);
                let path = match &asked.subpath {
                    Some(subpath) => subfolder(&path, subpath)?,
                    None => path,
                };
                (path, Some(name), asked.name.is_none())
            }
        };
        Ok(MountPoint {
            mount,
            host_path,
            volume,
            anonymous,
        })
    }

    /// Writes the documents of volumes that are not there yet; part of the container's own
    /// transaction.
    pub(crate) fn record(tx: &WriteTx<'_>, points: &[MountPoint]) -> store::Result<()> {
        for point in points {
            let Some(name) = &point.volume else { continue };
            if tx.document(KIND, name)?.is_none() {
                let facts = Facts {
                    created: Timestamp::now(),
                    anonymous: point.anonymous,
                    ready: false,
                };
                tx.put_document(KIND, &print(name, &facts))?;
            }
        }
        Ok(())
    }

    /// Makes the folders of a container's volumes and fills new ones with what the image has at
    /// their targets. `image` is opened only when it is needed.
    pub(crate) fn prepare(
        &self,
        points: &[MountPoint],
        image: impl Fn() -> Result<RootDir, Error>,
    ) -> Result<(), Error> {
        for point in points {
            let Some(name) = &point.volume else { continue };
            let document = self.store.read(|tx| tx.document(KIND, name))?;
            let mut facts = match document {
                Some(document) => parse(&document.body)?,
                None => return Err(Error::NoSuchVolume(name.clone())),
            };
            if facts.ready {
                continue;
            }
            let path = self.layout.volume(name);
            clear(&path)?;
            fs::create_dir_all(&path).at("making", &path)?;
            let no_copy =
                matches!(&point.mount.source, MountSource::Volume(asked) if asked.no_copy);
            if !no_copy {
                copy_up(&image()?, &point.mount.target, &path)?;
            }
            facts.ready = true;
            self.store
                .write(|tx| tx.put_document(KIND, &print(name, &facts)))?;
            self.events.publish(Noun::Volume, "create", name, driver());
        }
        Ok(())
    }

    /// Removes the document, then the folder.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        self.store.write(|tx| tx.delete_document(KIND, name))?;
        let folder = self.layout.volumes().join(name);
        clear(&folder)?;
        self.events.publish(Noun::Volume, "destroy", name, driver());
        Ok(())
    }

    /// Removes folders that have no document.
    pub(crate) fn sweep(&self) -> Result<(), Error> {
        let folder = self.layout.volumes();
        // Folders first: a volume that is made between the two looks has its document.
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).at("reading", &folder)? {
            found.push(entry.at("reading", &folder)?.file_name());
        }
        let documents = self.store.read(|tx| tx.documents(KIND))?;
        let known: std::collections::BTreeSet<String> =
            documents.into_iter().map(|document| document.key).collect();
        found.retain(|name| name.to_str().is_none_or(|name| !known.contains(name)));
        found.iter().try_for_each(|name| clear(&folder.join(name)))
    }
}

/// Does a container mount the volume of this name?
fn mounts(row: &Row, name: &str) -> bool {
    let points = row.document.mounts.iter();
    points
        .filter_map(|point| point.volume.as_deref())
        .any(|volume| volume == name)
}

fn driver() -> std::collections::BTreeMap<String, String> {
    [("driver".to_owned(), "local".to_owned())].into()
}

fn parse(body: &str) -> Result<Facts, Error> {
    serde_json::from_str(body).map_err(|source| Error::Document {
        what: "volume document",
        source,
    })
}

fn print(name: &str, facts: &Facts) -> store::Document {
    store::Document {
        key: name.to_owned(),
        version: VERSION,
        // A struct of plain fields always serialises.
        body: serde_json::to_string(facts).unwrap_or_default(),
    }
}

/// A folder of a volume, which must not lead out of it.
fn subfolder(volume: &Path, subpath: &Path) -> Result<PathBuf, Error> {
    let text = subpath.to_string_lossy();
    let wrong = |reason: &str| Error::invalid("volume subpath", &text, reason);
    let root = RootDir::open(volume).map_err(|_| wrong("the volume is empty"))?;
    let found = root
        .resolve(subpath)
        .map_err(|_| wrong("not found in the volume"))?;
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&found));
    fs::read_link(&link).at("reading", link)
}

fn clear(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.at("removing", path),
    }
}

/// Copies the image's folder `target`, with owner and permissions of the folder itself.
fn copy_up(image: &RootDir, target: &Path, volume: &Path) -> Result<(), Error> {
    let meta = match image.meta_followed(target) {
        Ok(meta) if meta.kind == FileKind::Dir => meta,
        _ => return Ok(()),
    };
    let from = image.sub_root(target).at("opening", target)?;
    let into = RootDir::open(volume).at("opening", volume)?;
    let (mut reader, mut writer) = io::pipe().at("making", "a pipe")?;
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            let result =
                store::tar::tar_tree(&from, Path::new("."), &TarOptions::default(), &mut writer);
            drop(writer);
            result
        });
        let received =
            store::tar::untar(&mut reader, &into, Path::new("."), &UntarOptions::default());
        // A sender whose reader failed must see its pipe closed.
        drop(reader);
        match sender.join() {
            Ok(sent) => received.and(sent),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    std::os::unix::fs::chown(volume, Some(meta.uid), Some(meta.gid)).at("giving away", volume)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(meta.mode);
    fs::set_permissions(volume, mode).at("changing", volume)
}

/// Bytes of all files; what cannot be read counts nothing.
fn folder_size(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_size(&entry.path()),
            Ok(meta) => std::os::unix::fs::MetadataExt::blocks(&meta) * 512,
            Err(_) => 0,
        })
        .sum()
}
