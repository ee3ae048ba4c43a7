//! A store in a folder of its own, and files to fill it with.

use std::path::Path;
use std::time::{Duration, SystemTime};

use oci::{ImageConfig, Platform, Reference};
use store::{
    Active, CommitOptions, Committed, Image, Lease, NewImage, Snapshot, SnapshotId, Store,
};
use tempfile::TempDir;

/// A store that goes with the value.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) lease: Lease,
    folder: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("root")).unwrap();
        let lease = store.lease();
        Self {
            store,
            lease,
            folder,
        }
    }

    /// A committed layer with the files that `fill` makes.
    pub(crate) fn layer(
        &self,
        parent: Option<SnapshotId>,
        fill: impl FnOnce(&Path),
    ) -> Snapshot<Committed> {
        let active: Snapshot<Active> = self.store.prepare(parent, &self.lease).unwrap();
        fill(&active.upper());
        active.commit(&clamped()).unwrap()
    }

    /// An image of `snapshot`.
    pub(crate) fn image(&self, snapshot: Option<SnapshotId>, tags: &[&str]) -> Image {
        self.store
            .create_image(&new_image(snapshot, tags), &self.lease)
            .unwrap()
    }
}

pub(crate) fn new_image(snapshot: Option<SnapshotId>, tags: &[&str]) -> NewImage {
    NewImage {
        config: ImageConfig {
            platform: Platform::host(),
            ..ImageConfig::default()
        },
        snapshot,
        tags: tags.iter().map(|tag| reference(tag)).collect(),
        parent: None,
        annotations: std::collections::BTreeMap::new(),
        built_at: at(1_000_000),
    }
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A point in time.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn clamped() -> CommitOptions {
    CommitOptions {
        clamp: Some(at(315_532_801)),
        stubs: Vec::new(),
    }
}

pub(crate) fn write(root: &Path, name: &str, content: &[u8]) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

impl Fixture {
    /// Drops the lease, so that the collector may take what has no name.
    pub(crate) fn release(self) -> (Store, TempDir) {
        let Self {
            store,
            lease,
            folder,
        } = self;
        drop(lease);
        (store, folder)
    }

    /// Closes the store, so that it can be opened again.
    pub(crate) fn close(self) -> TempDir {
        let Self {
            store,
            lease,
            folder,
        } = self;
        drop((store, lease));
        folder
    }
}

/// The names in a tar, by another reader.
pub(crate) fn tar_names(tar: impl std::io::Read) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| String::from_utf8_lossy(&entry.unwrap().path_bytes()).into_owned())
        .collect()
}
