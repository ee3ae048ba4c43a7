//! Who takes how much space.

use oci::ImageId;

use crate::{Result, Store};

/// Space that an image takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUsage {
    /// Which image.
    pub id: ImageId,
    /// All its layers.
    pub size: u64,
    /// Its layers that other images have too.
    pub shared: u64,
}

impl ImageUsage {
    /// What removing the image alone would free.
    pub fn unique(&self) -> u64 {
        self.size - self.shared
    }
}

/// Space that the store takes, in bytes on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Layers of images, each counted once.
    pub layers: u64,
    /// For each image.
    pub images: Vec<ImageUsage>,
    /// Writable layers by container id.
    pub containers: Vec<(String, u64)>,
    /// Layers that only build cache records keep.
    pub build_cache: u64,
}

impl Store {
    /// Counts. Walks the writable layers of containers, nothing else.
    pub fn usage(&self) -> Result<Usage> {
        todo!()
    }
}
