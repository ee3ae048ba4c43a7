//! Images as one tar: an OCI layout that old clients can read too (docker-archive).

use std::io::{Read, Write};
use std::time::SystemTime;

use oci::{ImageConfig, ImageId, Reference};

use crate::{Image, Lease, Result, Store};

/// An image archive does not hold what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Neither `index.json` nor `manifest.json`.
    #[error("it has neither index.json nor manifest.json")]
    NoIndex,
    /// An entry that another one names is not there.
    #[error("it does not hold {0}")]
    Missing(String),
}

/// One image that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The image.
    pub image: Image,
    /// The names that the archive gave it.
    pub tags: Vec<Reference>,
}

/// How to make an image of a root file system.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Its config: `created`, `config`, `platform`; layers and history are filled in.
    pub config: ImageConfig,
    /// Text for the history entry.
    pub message: String,
    /// Its name.
    pub tag: Option<Reference>,
    /// The true time.
    pub built_at: SystemTime,
}

impl Store {
    /// Writes images as one tar that is an OCI layout and a docker-archive. The bytes depend on
    /// nothing but the images and names given.
    pub fn save(&self, images: &[(ImageId, Vec<Reference>)], out: &mut dyn Write) -> Result<()> {
        let _ = (images, out);
        todo!()
    }

    /// Reads images from a tar of either kind, compressed or not, also from a pipe.
    pub fn load(
        &self,
        archive: &mut (dyn Read + Send),
        built_at: SystemTime,
        lease: &Lease,
    ) -> Result<Vec<Loaded>> {
        let _ = (archive, built_at, lease);
        todo!()
    }

    /// Makes an image with one layer of a tar of a root file system, compressed or not.
    pub fn import(
        &self,
        rootfs: &mut (dyn Read + Send),
        options: &ImportOptions,
        lease: &Lease,
    ) -> Result<Image> {
        let _ = (rootfs, options, lease);
        todo!()
    }
}
