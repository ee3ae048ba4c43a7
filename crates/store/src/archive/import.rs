//! A root file system → an image with one layer.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::SystemTime;

use oci::{History, ImageConfig, Reference};

use crate::{Image, Lease, NewImage, Result, Store};

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
    /// Makes an image with one layer of a tar of a root file system, compressed or not.
    pub fn import(
        &self,
        rootfs: &mut (dyn Read + Send),
        options: &ImportOptions,
        lease: &Lease,
    ) -> Result<Image> {
        let layer = self.apply(rootfs, None, None, lease)?;
        let mut config = options.config.clone();
        config.history = vec![History {
            created: config.created.clone(),
            comment: Some(options.message.clone()),
            ..History::default()
        }];
        let image = NewImage {
            config,
            snapshot: Some(layer.id()),
            tags: options.tag.iter().cloned().collect(),
            parent: None,
            annotations: BTreeMap::new(),
            built_at: options.built_at,
        };
        self.create_image(&image, lease)
    }
}
