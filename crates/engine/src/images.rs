//! Images that are here.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::SystemTime;

use jiff::Timestamp;
use oci::{Digest, History, ImageConfig, ImageId, Platform, Reference};
use store::Store;

use crate::blocking::blocking;
use crate::error::Error;
use crate::events::{Events, Noun};
use crate::{ByteStream, Filters};

/// The images of this engine.
#[derive(Debug, Clone)]
pub struct Images {
    store: Store,
    events: Events,
}

/// One image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Digest of its config.
    pub id: ImageId,
    /// Digest of its manifest.
    pub manifest: Digest,
    /// Names, `repository:tag`.
    pub tags: Vec<Reference>,
    /// Names by digest, `repository@sha256:…`.
    pub digests: Vec<Reference>,
    /// Its config.
    pub config: ImageConfig,
    /// The image that it was built from.
    pub parent: Option<ImageId>,
    /// When it came to be here: built, loaded or imported.
    pub built: Timestamp,
    /// Bytes of all layers.
    pub size: u64,
    /// How many containers are made of it.
    pub containers: usize,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ImageListOptions {
    /// Also those without a name.
    pub all: bool,
    /// `before dangling label label! reference since until`.
    pub filters: Filters,
}

/// One step in an image's history.
#[derive(Debug, Clone)]
pub struct HistoryStep {
    /// The image that ends with this step, where there is one.
    pub id: Option<ImageId>,
    /// What the config says.
    pub entry: History,
    /// Bytes of its layer.
    pub size: u64,
    /// Names of `id`.
    pub tags: Vec<Reference>,
}

/// What removing an image did, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name was taken away.
    Untagged(String),
    /// Content was taken away.
    Deleted(String),
}

/// How a tar archive of a file system becomes an image.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Its name.
    pub reference: Option<Reference>,
    /// What the history says.
    pub message: String,
    /// Dockerfile instructions that are applied to the config: `CMD`, `ENV`, ….
    pub changes: Vec<String>,
    /// What it runs on; the host's own where nothing is said.
    pub platform: Option<Platform>,
}

/// What loading an archive did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    /// An image with a name.
    Named(Reference),
    /// An image without one.
    Unnamed(ImageId),
}

impl Images {
    pub(crate) fn new(store: Store, events: Events) -> Self {
        Self { store, events }
    }

    /// Those that match, newest first.
    pub async fn list(&self, options: ImageListOptions) -> Result<Vec<Image>, Error> {
        let keys = [
            "before",
            "dangling",
            "label",
            "label!",
            "reference",
            "since",
            "until",
        ];
        options.filters.check_keys(&keys)?;
        let this = self.clone();
        blocking(move || this.list_now(&options)).await
    }

    fn list_now(&self, options: &ImageListOptions) -> Result<Vec<Image>, Error> {
        let filters = &options.filters;
        let dangling = filters.truth("dangling")?;
        let until = filters.until()?;
        let time_of = |key: &str| match filters.values(key).first() {
            None => Ok(None),
            Some(name) => {
                let image = self.store.read(|tx| tx.find_image(name))?;
                Ok::<_, Error>(Some(time(image.built_at)))
            }
        };
        let (before, since) = (time_of("before")?, time_of("since")?);
        let images = self.store.read(|tx| tx.images())?;
        let mut list = Vec::new();
        for image in images {
            let image = self.describe(&image)?;
            let is_dangling = image.tags.is_empty();
            let fits = dangling.is_none_or(|dangling| dangling == is_dangling)
                && (options.all
                    || !is_dangling
                    || dangling.is_some()
                    || !self.is_parent(&image.id)?)
                && until.is_none_or(|until| image.built < until)
                && before.is_none_or(|before| image.built < before)
                && since.is_none_or(|since| image.built > since)
                && filters.labels(&image.config.config.labels)
                && filters.any("reference", |pattern| {
                    image.tags.iter().any(|tag| matches_pattern(tag, pattern))
                });
            if fits {
                list.push(image);
            }
        }
        Ok(list)
    }

    fn is_parent(&self, id: &ImageId) -> Result<bool, Error> {
        Ok(!self.store.read(|tx| tx.children(id))?.is_empty())
    }

    /// One, by name, id or prefix of an id.
    pub async fn inspect(&self, name: &str) -> Result<Image, Error> {
        let (this, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let image = this.store.read(|tx| tx.find_image(&name))?;
            this.describe(&image)
        })
        .await
    }

    fn describe(&self, image: &store::Image) -> Result<Image, Error> {
        let config = self.store.image_config(&image.id)?;
        let (tags, containers) = self
            .store
            .read(|tx| Ok((tx.tags(&image.id)?, tx.containers_of(&image.id)?.len())))?;
        let mut digests: Vec<Reference> = tags
            .iter()
            .map(|tag| tag.with_digest(image.manifest.digest))
            .collect();
        digests.dedup();
        Ok(Image {
            id: image.id,
            manifest: image.manifest.digest,
            tags,
            digests,
            config,
            parent: image.parent,
            built: time(image.built_at),
            size: image.size,
            containers,
        })
    }

    /// How it came to be, newest step first.
    pub async fn history(&self, name: &str) -> Result<Vec<HistoryStep>, Error> {
        let (this, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let image = this.store.read(|tx| tx.find_image(&name))?;
            let config = this.store.image_config(&image.id)?;
            let layers = match image.snapshot {
                Some(snapshot) => this.store.layers(snapshot)?,
                None => Vec::new(),
            };
            let mut sizes = layers.iter().map(|layer| layer.size);
            let mut steps: Vec<HistoryStep> = config
                .history
                .into_iter()
                .map(|entry| HistoryStep {
                    id: None,
                    size: if entry.empty_layer {
                        0
                    } else {
                        sizes.next().unwrap_or(0)
                    },
                    entry,
                    tags: Vec::new(),
                })
                .collect();
            if let Some(last) = steps.last_mut() {
                last.id = Some(image.id);
                last.tags = this.store.read(|tx| tx.tags(&image.id))?;
            }
            steps.reverse();
            Ok(steps)
        })
        .await
    }

    /// Gives it another name.
    pub async fn tag(&self, name: &str, new: Reference) -> Result<(), Error> {
        let (this, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let id = this.store.write(|tx| {
                let image = tx.find_image(&name)?;
                tx.tag(&new, &image.id)?;
                Ok(image.id)
            })?;
            this.publish("tag", &id, &new.familiar());
            Ok(())
        })
        .await
    }

    /// Takes a name away, and the image with its last name.
    pub async fn remove(
        &self,
        name: &str,
        force: bool,
        prune_parents: bool,
    ) -> Result<Vec<Removed>, Error> {
        let (this, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let removed = this.remove_now(&name, force)?;
            if prune_parents {
                this.collect();
            }
            Ok(removed)
        })
        .await
    }

    fn remove_now(&self, name: &str, force: bool) -> Result<Vec<Removed>, Error> {
        let removed = self.store.write(|tx| {
            let plan = tx.plan_removal(name, force)?;
            let containers = tx.containers_of(&plan.image.id)?;
            if !plan.delete || containers.is_empty() {
                return tx.remove_image(name, force).map(Ok);
            }
            if let Some(refusal) = refuse_removal(&containers, name, force) {
                return Ok(Err(refusal));
            }
            // A container keeps its image, without a name.
            for tag in &plan.untag {
                tx.untag(tag)?;
            }
            Ok(Ok(store::Removed {
                untagged: plan.untag,
                deleted: Vec::new(),
            }))
        });
        let removed = match removed {
            Err(store::Error::SeveralTags(image)) => Err(Error::ImageInUse {
                action: "delete",
                image,
                strength: "must be forced",
                reason: "image is referenced in multiple repositories".to_owned(),
            }),
            other => other?,
        }?;
        let mut list = Vec::new();
        for tag in &removed.untagged {
            list.push(Removed::Untagged(tag.familiar()));
        }
        for id in &removed.deleted {
            self.publish("delete", id, &id.to_string());
            list.push(Removed::Deleted(id.to_string()));
        }
        if let (Some(tag), [] | [_]) = (removed.untagged.first(), removed.deleted.as_slice()) {
            self.events.publish(
                Noun::Image,
                "untag",
                &tag.familiar(),
                attributes(&tag.familiar()),
            );
        }
        Ok(list)
    }

    /// Frees what nothing names any more, in the background.
    fn collect(&self) {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = store.gc(&store::GcPolicy::default()) {
                tracing::warn!(%error, "collecting garbage failed");
            }
        });
    }

    /// One archive of them all, both an OCI layout and a docker-archive.
    pub async fn save(&self, names: Vec<String>) -> Result<ByteStream, Error> {
        let store = self.store.clone();
        let chosen = blocking(move || choose(&store, &names)).await?;
        for (id, _) in &chosen {
            self.publish("save", id, &id.to_string());
        }
        let store = self.store.clone();
        Ok(ByteStream::spawn(move |out| Ok(store.save(&chosen, out)?)))
    }

    /// Reads such an archive, plain or compressed.
    pub async fn load(&self, archive: impl Read + Send + 'static) -> Result<Vec<Loaded>, Error> {
        let this = self.clone();
        blocking(move || {
            let mut archive = archive;
            let lease = this.store.lease();
            let loaded = this.store.load(&mut archive, SystemTime::now(), &lease)?;
            let mut list = Vec::new();
            for image in loaded {
                this.publish("load", &image.image.id, &image.image.id.to_string());
                match image.tags.is_empty() {
                    true => list.push(Loaded::Unnamed(image.image.id)),
                    false => list.extend(image.tags.into_iter().map(Loaded::Named)),
                }
            }
            Ok(list)
        })
        .await
    }

    /// Makes an image of one layer from the archive of a file system, plain or compressed.
    pub async fn import(
        &self,
        archive: impl Read + Send + 'static,
        options: ImportOptions,
    ) -> Result<ImageId, Error> {
        let name = options.reference.clone();
        let this = self.clone();
        let id = blocking(move || this.import_now(archive, options)).await?;
        let name = name.map_or(id.to_string(), |name| name.familiar());
        self.publish("import", &id, &name);
        Ok(id)
    }

    fn import_now(
        &self,
        mut archive: impl Read + Send,
        options: ImportOptions,
    ) -> Result<ImageId, Error> {
        // The same archive is the same image, whenever it is imported.
        let created = Timestamp::from_second(build::DEFAULT_EPOCH).unwrap_or_default();
        let config = ImageConfig {
            created: Some(created.to_string()),
            platform: options.platform.unwrap_or_else(Platform::host),
            ..ImageConfig::default()
        };
        let import = store::ImportOptions {
            config: build::apply_changes(config, &options.changes)?,
            message: options.message,
            tag: options.reference,
            built_at: SystemTime::now(),
        };
        let lease = self.store.lease();
        Ok(self.store.import(&mut archive, &import, &lease)?.id)
    }

    /// Removes those without a name, or with `dangling=false` all that no container uses.
    /// Filters: `dangling`, `until`, `label`, `label!`. Gives what was done and the bytes freed.
    pub async fn prune(&self, filters: Filters) -> Result<(Vec<Removed>, u64), Error> {
        filters.check_keys(&["dangling", "until", "label", "label!"])?;
        let all = filters.truth("dangling")? == Some(false);
        let until = filters.until()?;
        let this = self.clone();
        blocking(move || {
            let mut removed = Vec::new();
            for image in this.store.read(|tx| tx.images())? {
                let image = this.describe(&image)?;
                let fits = (all || image.tags.is_empty())
                    && image.containers == 0
                    && until.is_none_or(|until| image.built < until)
                    && filters.labels(&image.config.config.labels);
                if fits {
                    removed.extend(this.remove_now(&image.id.to_string(), true)?);
                }
            }
            let freed = this.store.gc(&store::GcPolicy::default())?;
            Ok((removed, freed.bytes))
        })
        .await
    }

    fn publish(&self, action: &'static str, id: &ImageId, name: &str) {
        self.events
            .publish(Noun::Image, action, &id.to_string(), attributes(name));
    }
}

fn attributes(name: &str) -> BTreeMap<String, String> {
    [("name".to_owned(), name.to_owned())].into()
}

fn time(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}

/// The images that names stand for, each with the names that it is to have in an archive. A
/// repository without a tag stands for all its tags, as in Docker.
fn choose(store: &Store, names: &[String]) -> Result<Vec<(ImageId, Vec<Reference>)>, Error> {
    let mut chosen: Vec<(ImageId, Vec<Reference>)> = Vec::new();
    store.read(|tx| {
        for name in names {
            let image = tx.find_image(name)?;
            let tag = name.parse::<Reference>().ok().filter(|reference| {
                tx.image_by_reference(reference)
                    .is_ok_and(|found| found.is_some_and(|found| found.id == image.id))
            });
            let tags = tag.filter(|tag| tag.digest().is_none());
            match chosen.iter_mut().find(|(id, _)| *id == image.id) {
                Some((_, known)) => known.extend(tags),
                None => chosen.push((image.id, tags.into_iter().collect())),
            }
        }
        Ok(())
    })?;
    Ok(chosen)
}

/// A container keeps its image from being removed, unless the removal is forced and none runs.
fn refuse_removal(containers: &[store::ContainerRecord], name: &str, force: bool) -> Option<Error> {
    let by_name = name.parse::<Digest>().is_err() && name.parse::<Reference>().is_ok();
    let refuse = |row: &store::ContainerRecord, strength, what| Error::ImageInUse {
        action: if by_name {
            "remove repository reference"
        } else {
            "delete"
        },
        image: name.to_owned(),
        strength,
        reason: format!("{what} {}", row.id.get(..12).unwrap_or(&row.id)),
    };
    let runs = |row: &&store::ContainerRecord| matches!(row.state.as_str(), "running" | "paused");
    match (containers.iter().find(runs), containers.first()) {
        (Some(row), _) => {
            let what = "image is being used by running container";
            Some(refuse(row, "cannot be forced", what))
        }
        (None, Some(row)) if !force => {
            let what = "image is being used by stopped container";
            Some(refuse(row, "must be forced", what))
        }
        _ => None,
    }
}

/// Docker's `reference` filter: a path pattern with `*` and `?` over name and tag.
fn matches_pattern(tag: &Reference, pattern: &str) -> bool {
    let full = tag.familiar();
    let name = tag.familiar_name();
    let last = name.rsplit('/').next().unwrap_or(&name);
    match pattern.rsplit_once(':') {
        Some((_, part)) if !part.contains('/') => glob(pattern, &full),
        _ => glob(pattern, &name) || glob(pattern, last),
    }
}

/// `*` stands for anything but `/`, `?` for one such character.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern.as_str();
            let end = text.find('/').unwrap_or(text.len());
            let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            places
                .take_while(|at| *at <= end)
                .any(|at| glob(rest, &text[at..]))
        }
        Some(wanted) => {
            let mut text = text.chars();
            text.next().is_some_and(|found| {
                (found == wanted || (wanted == '?' && found != '/'))
                    && glob(pattern.as_str(), text.as_str())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_patterns() {
        let tag: Reference = "ghcr.io/acme/web:v1".parse().unwrap();
        for (pattern, matches) in [
            ("web", true),
            ("w*", true),
            ("ghcr.io/*/web", true),
            ("ghcr.io/acme/web:v?", true),
            ("ghcr.io/web", false),
            ("*", true),
            ("web:v2", false),
        ] {
            assert_eq!(matches_pattern(&tag, pattern), matches, "{pattern}");
        }
        assert!(glob("*:1.*", "busybox:1.36"));
        assert!(!glob("*", "a/b"));
    }
}
