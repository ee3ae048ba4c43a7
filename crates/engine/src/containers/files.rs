//! Files of a container from outside: `cp`, `export`.
//!
//! Every path is resolved beneath a [`RootDir`], so nothing that a container made leads out of it.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use store::Lease;
use store::tar::{TarOptions, UntarOptions};
use sys::root::{FileKind, Meta, RootDir};

use super::{Containers, PathStat, PutOptions};
use crate::blocking::blocking;
use crate::rows::Row;
use crate::sandbox::root;
use crate::{ByteStream, Error};

/// A place inside a container, found for one operation.
struct Place {
    root: RootDir,
    /// Beneath `root`.
    path: PathBuf,
    /// Keeps the layers while the place is in use.
    _lease: Lease,
}

impl Containers {
    /// Its whole file system as a tar archive.
    pub async fn export(&self, name: &str) -> Result<ByteStream, Error> {
        let row = self.find(name).await?;
        let (this, own) = (self.clone(), row.clone());
        let place = blocking(move || this.layers(&own)).await?;
        self.publish(&row, "export", &[]);
        Ok(ByteStream::spawn(move |out| tar(&place, None, out)))
    }

    /// Facts of a path, without following a link in its last component.
    pub async fn stat_path(&self, name: &str, path: &str) -> Result<PathStat, Error> {
        let row = self.find(name).await?;
        let (this, path) = (self.clone(), path.to_owned());
        blocking(move || {
            let place = this.place(&row, &path, false)?;
            stat(&place, &row, &path)
        })
        .await
    }

    /// A path and what is below it, as a tar archive whose root is the path's last component.
    pub async fn get_archive(
        &self,
        name: &str,
        path: &str,
    ) -> Result<(PathStat, ByteStream), Error> {
        let row = self.find(name).await?;
        let (this, own, path) = (self.clone(), row.clone(), path.to_owned());
        let (stat, place) = blocking(move || {
            let place = this.place(&own, &path, false)?;
            Ok((stat(&place, &own, &path)?, place))
        })
        .await?;
        let top = stat.name.clone();
        self.publish(&row, "archive-path", &[]);
        Ok((
            stat,
            ByteStream::spawn(move |out| tar(&place, Some(top), out)),
        ))
    }

    /// Unpacks a tar archive, plain or compressed, into the folder `path`.
    pub async fn put_archive(
        &self,
        name: &str,
        path: &str,
        options: PutOptions,
        archive: impl Read + Send + 'static,
    ) -> Result<(), Error> {
        let row = self.find(name).await?;
        let path = path.to_owned();
        self.change(&row, move |this, _, id| {
            let mut archive = archive;
            let own = this.0.rows.get(id)?;
            let place = this.place(&own, &path, true)?;
            let into = place.root.meta_followed(&place.path);
            let into = into.map_err(|_| no_such_path(&own, &path))?;
            if into.kind != FileKind::Dir {
                return Err(Error::BadRequest("extraction point is not a directory"));
            }
            let owner = options.copy_uid_gid.then_some((into.uid, into.gid));
            let options = UntarOptions {
                owner,
                keep_kind: options.no_overwrite_dir_non_dir,
                ..UntarOptions::default()
            };
            this.mark_changed(&own)?;
            store::tar::untar(&mut archive, &place.root, &place.path, &options)?;
            Ok(())
        })
        .await?;
        self.publish(&row, "extract-to-dir", &[]);
        Ok(())
    }

    /// From here on its files may be other than those of its image.
    fn mark_changed(&self, row: &Row) -> Result<(), Error> {
        let mut row = self.0.rows.get(row.id())?;
        match std::mem::replace(&mut row.document.ran, true) {
            true => Ok(()),
            false => self.0.rows.update(&row),
        }
    }

    /// Where `path` of a container is: in its running file system, in one of its mounts, or in its
    /// layers.
    fn place(&self, row: &Row, path: &str, write: bool) -> Result<Place, Error> {
        let path = clean(path);
        if let Some(pid) = row.document.state.pid() {
            return Ok(Place {
                root: root::of_process(pid)?,
                path,
                _lease: self.0.store.lease(),
            });
        }
        let points = row.document.mounts.iter().filter(|point| {
            !point.host_path.as_os_str().is_empty()
                && Path::new("/").join(&path).starts_with(&point.mount.target)
        });
        if let Some(point) = points.max_by_key(|point| point.mount.target.as_os_str().len()) {
            if write && point.mount.read_only {
                return Err(Error::ReadOnly("mounted volume is marked read-only"));
            }
            let full = Path::new("/").join(&path);
            let below = full.strip_prefix(&point.mount.target).unwrap_or(&path);
            return Ok(Place {
                root: RootDir::open(&point.host_path)
                    .map_err(|_| no_such_path(row, &path.to_string_lossy()))?,
                path: dotted(below),
                _lease: self.0.store.lease(),
            });
        }
        if write && row.document.options.host.read_only {
            return Err(Error::ReadOnly("container rootfs is marked read-only"));
        }
        Ok(Place {
            path,
            ..self.layers(row)?
        })
    }

    /// The layers of a container; writable if it does not run.
    fn layers(&self, row: &Row) -> Result<Place, Error> {
        let lease = self.0.store.lease();
        let id = row
            .snapshot
            .ok_or_else(|| Error::NoSuchContainer(row.id().to_owned()))?;
        let overlay = match row.document.state.pid() {
            Some(_) => self.0.store.view(Some(id), &lease)?.overlay(),
            None => self.0.store.active(id, &lease)?.overlay(),
        };
        Ok(Place {
            root: root::of_overlay(&overlay)?,
            path: PathBuf::from("."),
            _lease: lease,
        })
    }
}

/// Beneath the root, without `.` and `..` that lead nowhere; a trailing slash asks for a folder and
/// is kept as `/.`.
fn clean(path: &str) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    if (path.ends_with('/') || path.ends_with("/.")) && clean.file_name().is_some() {
        clean.push(".");
    }
    dotted(&clean)
}

fn dotted(path: &Path) -> PathBuf {
    match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path.to_owned(),
    }
}

fn no_such_path(row: &Row, path: &str) -> Error {
    Error::NoSuchPath {
        container: row.document.name.clone(),
        path: path.to_owned(),
    }
}

/// A path that ends in `.` means the folder itself: links are followed.
fn is_followed(path: &Path) -> bool {
    path == Path::new(".") || path.to_string_lossy().ends_with("/.")
}

fn stat(place: &Place, row: &Row, asked: &str) -> Result<PathStat, Error> {
    let missing = |_| no_such_path(row, asked);
    let meta = match is_followed(&place.path) {
        true => place.root.meta_followed(&place.path).map_err(missing)?,
        false => place.root.meta(&place.path).map_err(missing)?,
    };
    let link_target = match meta.kind {
        FileKind::Symlink => place.root.read_link(&place.path).map_err(missing)?,
        _ => PathBuf::new(),
    };
    let name = Path::new(asked).components().next_back();
    let name = match name {
        Some(Component::Normal(name)) => name.to_string_lossy().into_owned(),
        _ => "/".to_owned(),
    };
    Ok(PathStat {
        name,
        size: meta.size,
        mode: mode(&meta),
        modified: Timestamp::new(
            meta.modified.seconds,
            meta.modified.nanoseconds.cast_signed(),
        )
        .unwrap_or_default(),
        link_target: link_target.to_string_lossy().into_owned(),
    })
}

/// `st_mode`.
fn mode(meta: &Meta) -> u32 {
    let kind = match meta.kind {
        FileKind::File => 0o100_000,
        FileKind::Dir => 0o040_000,
        FileKind::Symlink => 0o120_000,
        FileKind::CharDevice => 0o020_000,
        FileKind::BlockDevice => 0o060_000,
        FileKind::Fifo => 0o010_000,
        FileKind::Socket => 0o140_000,
    };
    kind | meta.mode
}

fn tar(
    place: &Place,
    top: Option<String>,
    out: &mut (dyn std::io::Write + Send),
) -> Result<(), Error> {
    // `/` has no name of its own: its content goes below `/`, as Docker does it.
    let options = TarOptions {
        top: top.map(|top| if top == "/" { ".".to_owned() } else { top }),
        clamp: None,
    };
    Ok(store::tar::tar_tree(
        &place.root,
        &place.path,
        &options,
        out,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (path, expected) in [
            ("/", "."),
            ("", "."),
            ("/etc/passwd", "etc/passwd"),
            ("../../etc", "etc"),
            ("/a/../../b", "b"),
            ("/etc/", "etc/."),
            ("/etc/.", "etc/."),
        ] {
            assert_eq!(clean(path).to_str(), Some(expected), "{path}");
        }
    }
}
