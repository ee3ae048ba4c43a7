//! Layers: content folders, their digests and how a tar becomes one.

use std::fmt;
use std::io::Read;

use oci::{Descriptor, DiffId, media_type};
use serde::{Deserialize, Serialize};

use crate::{Committed, Lease, Result, Snapshot, SnapshotId, Store};

/// Number of a layer's folder. Never used twice in a data root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LayerId(pub(crate) i64);

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A layer as the world knows it: the digest and length of its uncompressed tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Digest of the tar.
    pub diff_id: DiffId,
    /// Length of the tar in bytes.
    pub size: u64,
}

impl Layer {
    /// The descriptor of the uncompressed tar.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(media_type::LAYER, self.diff_id.0, self.size)
    }
}

impl Store {
    /// The digest and size of the top layer of a committed snapshot. Computed on first use by
    /// writing the tar once into a hash (in parallel with reading the files), then remembered.
    /// Two callers at a time share one computation.
    pub fn layer(&self, id: SnapshotId) -> Result<Layer> {
        let _ = id;
        todo!()
    }

    /// The layers of a committed snapshot, bottom first.
    pub fn layers(&self, id: SnapshotId) -> Result<Vec<Layer>> {
        let _ = id;
        todo!()
    }

    /// Unpacks a layer tar (plain, gzip, zstd, bzip2 or xz by its first bytes) on top of
    /// `parent`. With `expected`, the layer is not unpacked again where it is here already, and
    /// bytes that hash to something else are refused. The bytes of the tar are not kept: see
    /// [`apply_blob`](Self::apply_blob).
    pub fn apply(
        &self,
        tar: &mut (dyn Read + Send),
        parent: Option<SnapshotId>,
        expected: Option<DiffId>,
        lease: &Lease,
    ) -> Result<Snapshot<Committed>> {
        let _ = (tar, parent, expected, lease);
        todo!()
    }

    /// Unpacks the stored blob `layer`, whose uncompressed digest is `diff_id`, on top of
    /// `parent`. The blob stays what images with this layer list in their manifests.
    pub fn apply_blob(
        &self,
        layer: &Descriptor,
        parent: Option<SnapshotId>,
        diff_id: DiffId,
        lease: &Lease,
    ) -> Result<Snapshot<Committed>> {
        let _ = (layer, parent, diff_id, lease);
        todo!()
    }
}
