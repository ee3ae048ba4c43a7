//! Images that are here.

use std::io::Read;

use jiff::Timestamp;
use oci::{Digest, History, ImageConfig, ImageId, Platform, Raw, Reference};

use crate::{ByteStream, Error, Filters};

/// The images of this engine.
#[derive(Debug, Clone)]
pub struct Images {}

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
    pub config: Raw<ImageConfig>,
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
    /// What it runs on.
    pub platform: Option<Platform>,
}

/// What loading an archive did.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// An image with a name.
    Named(Reference),
    /// An image without one.
    Unnamed(ImageId),
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Images {
    /// Those that match, newest first.
    pub async fn list(&self, options: ImageListOptions) -> Result<Vec<Image>, Error> {
        let _ = options;
        todo!()
    }

    /// One, by name, id or prefix of an id.
    pub async fn inspect(&self, name: &str) -> Result<Image, Error> {
        let _ = name;
        todo!()
    }

    /// How it came to be, newest step first.
    pub async fn history(&self, name: &str) -> Result<Vec<HistoryStep>, Error> {
        let _ = name;
        todo!()
    }

    /// Gives it another name.
    pub async fn tag(&self, name: &str, new: Reference) -> Result<(), Error> {
        let _ = (name, new);
        todo!()
    }

    /// Takes a name away, and the image with its last name.
    pub async fn remove(
        &self,
        name: &str,
        force: bool,
        prune_parents: bool,
    ) -> Result<Vec<Removed>, Error> {
        let _ = (name, force, prune_parents);
        todo!()
    }

    /// One archive of them all, both an OCI layout and a docker-archive.
    pub async fn save(&self, names: Vec<String>) -> Result<ByteStream, Error> {
        let _ = names;
        todo!()
    }

    /// Reads such an archive, plain or compressed.
    pub async fn load(&self, archive: impl Read + Send + 'static) -> Result<Vec<Loaded>, Error> {
        let _ = archive;
        todo!()
    }

    /// Makes an image of one layer from the archive of a file system, plain or compressed.
    pub async fn import(
        &self,
        archive: impl Read + Send + 'static,
        options: ImportOptions,
    ) -> Result<ImageId, Error> {
        let _ = (archive, options);
        todo!()
    }

    /// Removes those without a name, or with `dangling=false` all that no container uses.
    /// Filters: `dangling`, `until`, `label`, `label!`.
    pub async fn prune(&self, filters: Filters) -> Result<(Vec<Removed>, u64), Error> {
        let _ = filters;
        todo!()
    }

    /// Bytes of all layers, each counted once.
    pub async fn layers_size(&self) -> Result<u64, Error> {
        todo!()
    }
}
