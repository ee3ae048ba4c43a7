//! Containers: rows that keep their snapshot and carry the engine's own document.

use std::time::SystemTime;

use oci::ImageId;

use crate::{Result, SnapshotId, Tx, WriteTx};

/// A container as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRecord {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Unique, without the slash.
    pub name: String,
    /// Its writable snapshot, kept as long as the row.
    pub snapshot: Option<SnapshotId>,
    /// Its image, kept as long as the row.
    pub image: Option<ImageId>,
    /// When it was made.
    pub created: SystemTime,
    /// Summary of its state, in the engine's words.
    pub state: String,
    /// Version of the document's form.
    pub version: u32,
    /// The engine's document, JSON.
    pub document: String,
}

impl Tx<'_> {
    /// The container that `name` means: full id, name, or prefix of an id, in this order. Fails
    /// with `ContainerNotFound` or `AmbiguousId`.
    pub fn find_container(&self, name: &str) -> Result<ContainerRecord> {
        let _ = name;
        todo!()
    }

    /// The container with this full id.
    pub fn container(&self, id: &str) -> Result<Option<ContainerRecord>> {
        let _ = id;
        todo!()
    }

    /// All containers, latest first.
    pub fn containers(&self) -> Result<Vec<ContainerRecord>> {
        todo!()
    }

    /// The containers of an image.
    pub fn containers_of(&self, image: &ImageId) -> Result<Vec<ContainerRecord>> {
        let _ = image;
        todo!()
    }
}

impl WriteTx<'_> {
    /// Adds a container. Fails with `NameTaken`.
    pub fn create_container(&self, container: &ContainerRecord) -> Result<()> {
        let _ = container;
        todo!()
    }

    /// Writes state, version and document of an existing container.
    pub fn update_container(&self, container: &ContainerRecord) -> Result<()> {
        let _ = container;
        todo!()
    }

    /// Renames a container. Fails with `NameTaken`.
    pub fn rename_container(&self, id: &str, name: &str) -> Result<()> {
        let _ = (id, name);
        todo!()
    }

    /// Removes the row; the snapshot becomes garbage. Returns whether there was one.
    pub fn delete_container(&self, id: &str) -> Result<bool> {
        let _ = id;
        todo!()
    }
}
