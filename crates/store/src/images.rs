//! Images and their names.

use std::collections::BTreeMap;
use std::time::SystemTime;

use oci::{Descriptor, Digest, ImageConfig, ImageId, Platform, Reference};

use crate::{Lease, Result, SnapshotId, Store, Tx, WriteTx};

/// What the store knows of an image. Its config and manifest are blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Digest of the config.
    pub id: ImageId,
    /// The manifest.
    pub manifest: Descriptor,
    /// What it runs on.
    pub platform: Platform,
    /// The stack of its layers; `None` for an image without layers.
    pub snapshot: Option<SnapshotId>,
    /// Sum of the sizes of its uncompressed layers, in bytes.
    pub size: u64,
    /// The image that it was built from, where that is known.
    pub parent: Option<ImageId>,
    /// When it was really built, loaded or imported; its config may say another time.
    pub built_at: SystemTime,
}

/// An image to be made of snapshots.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// The config; `rootfs.diff_ids` is filled in from the snapshot.
    pub config: ImageConfig,
    /// The stack of layers.
    pub snapshot: Option<SnapshotId>,
    /// Names to give it.
    pub tags: Vec<Reference>,
    /// The image that it was built from.
    pub parent: Option<ImageId>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The true time.
    pub built_at: SystemTime,
}

/// What `rmi` did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Names that were taken away.
    pub untagged: Vec<Reference>,
    /// Images that are gone: image id.
    pub deleted: Vec<ImageId>,
}

impl Store {
    /// Writes config and manifest (both deterministic), records the image and names it. Computes
    /// the digests of layers that have none yet. An image that is here already is only named and
    /// its build time updated.
    pub fn create_image(&self, image: &NewImage, lease: &Lease) -> Result<Image> {
        let _ = (image, lease);
        todo!()
    }

    /// The config of an image.
    pub fn image_config(&self, id: &ImageId) -> Result<ImageConfig> {
        let _ = id;
        todo!()
    }
}

impl Tx<'_> {
    /// The image with this id.
    pub fn image(&self, id: &ImageId) -> Result<Option<Image>> {
        let _ = id;
        todo!()
    }

    /// The image that `name` means: a full id or digest, a reference, or a prefix of an id, in
    /// this order. Fails with `ImageNotFound` or `AmbiguousId`.
    pub fn find_image(&self, name: &str) -> Result<Image> {
        let _ = name;
        todo!()
    }

    /// The image that a reference names. A digest in it is the manifest's or the config's.
    pub fn image_by_reference(&self, name: &Reference) -> Result<Option<Image>> {
        let _ = name;
        todo!()
    }

    /// The image whose manifest has this digest.
    pub fn image_by_manifest(&self, digest: &Digest) -> Result<Option<Image>> {
        let _ = digest;
        todo!()
    }

    /// All images, latest built first.
    pub fn images(&self) -> Result<Vec<Image>> {
        todo!()
    }

    /// The names of an image, sorted.
    pub fn tags(&self, id: &ImageId) -> Result<Vec<Reference>> {
        let _ = id;
        todo!()
    }

    /// All names with their images, sorted by name.
    pub fn all_tags(&self) -> Result<Vec<(Reference, ImageId)>> {
        todo!()
    }

    /// Images without a name.
    pub fn dangling_images(&self) -> Result<Vec<Image>> {
        todo!()
    }

    /// Images that were built from this one.
    pub fn children(&self, id: &ImageId) -> Result<Vec<ImageId>> {
        let _ = id;
        todo!()
    }
}

impl WriteTx<'_> {
    /// Gives an image a name. Returns the image that had it before.
    pub fn tag(&self, name: &Reference, id: &ImageId) -> Result<Option<ImageId>> {
        let _ = (name, id);
        todo!()
    }

    /// Takes a name away; the image stays. Returns what it named.
    pub fn untag(&self, name: &Reference) -> Result<Option<ImageId>> {
        let _ = name;
        todo!()
    }

    /// `docker rmi name`: a name is taken away, and the image goes with its last one; an id
    /// removes the image with all its names, which needs `force` where they are in several
    /// repositories. Containers are the caller's affair (see
    /// [`containers_of`](Tx::containers_of)); space is freed by [`Store::gc`].
    pub fn remove_image(&self, name: &str, force: bool) -> Result<Removed> {
        let _ = (name, force);
        todo!()
    }
}
