//! Snapshots: stacks of layers. They yield overlay parameters and mount nothing.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sys::mount::Overlay;

use crate::{CommitOptions, LayerId, Lease, Result, Store};

/// Identity of a snapshot in this data root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotId(pub(crate) i64);

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Its top layer can be written.
#[derive(Debug)]
pub struct Active {
    _lease: Lease,
}

/// It never changes again.
#[derive(Debug)]
pub struct Committed {
    _lease: Lease,
}

/// A look at a committed or active snapshot, read-only.
#[derive(Debug)]
pub struct View {
    _lease: Lease,
}

/// A stack of layers in state `S`. It keeps the lease that it was got under, so it cannot be
/// collected while this value lives.
#[derive(Debug)]
pub struct Snapshot<S> {
    id: SnapshotId,
    parent: Option<SnapshotId>,
    layer: LayerId,
    state: S,
}

impl<S> Snapshot<S> {
    /// Its id.
    pub fn id(&self) -> SnapshotId {
        self.id
    }

    /// What it lies on.
    pub fn parent(&self) -> Option<SnapshotId> {
        self.parent
    }

    /// The layer on top.
    pub fn layer_id(&self) -> LayerId {
        self.layer
    }
}

impl Snapshot<Active> {
    /// The overlay with this snapshot's folder as the upper one. `volatile` is off.
    pub fn overlay(&self) -> Overlay {
        todo!()
    }

    /// The folder that changes go to, in overlay's own format. What is written here directly must
    /// not be written through a mount at the same time.
    pub fn upper(&self) -> PathBuf {
        todo!()
    }

    /// Makes it read-only for good. Nothing may have it mounted any more.
    pub fn commit(self, options: &CommitOptions) -> Result<Snapshot<Committed>> {
        let _ = (options, self.state);
        todo!()
    }

    /// Removes it at once instead of waiting for the collector.
    pub fn discard(self) -> Result<()> {
        todo!()
    }
}

impl Snapshot<Committed> {
    /// A read-only overlay of the whole stack.
    pub fn overlay(&self) -> Overlay {
        todo!()
    }

    /// The top layer's folder, in overlay's own format. Read only.
    pub fn folder(&self) -> PathBuf {
        let _ = &self.state;
        todo!()
    }
}

impl Snapshot<View> {
    /// A read-only overlay of the whole stack.
    pub fn overlay(&self) -> Overlay {
        let _ = &self.state;
        todo!()
    }
}

impl Store {
    /// A new writable snapshot on `parent`, or on nothing.
    pub fn prepare(&self, parent: Option<SnapshotId>, lease: &Lease) -> Result<Snapshot<Active>> {
        let _ = (parent, lease);
        todo!()
    }

    /// The active snapshot `id` again, for example a container's after a restart of the engine.
    pub fn active(&self, id: SnapshotId, lease: &Lease) -> Result<Snapshot<Active>> {
        let _ = (id, lease);
        todo!()
    }

    /// The committed snapshot `id`.
    pub fn committed(&self, id: SnapshotId, lease: &Lease) -> Result<Snapshot<Committed>> {
        let _ = (id, lease);
        todo!()
    }

    /// A look at snapshot `id`, which may be active (a stopped container), or at nothing at all.
    pub fn view(&self, id: Option<SnapshotId>, lease: &Lease) -> Result<Snapshot<View>> {
        let _ = (id, lease);
        todo!()
    }

    /// The top layer of `snapshot` on another parent: a row, no copy.
    pub fn rebase(
        &self,
        snapshot: &Snapshot<Committed>,
        parent: Option<SnapshotId>,
        lease: &Lease,
    ) -> Result<Snapshot<Committed>> {
        let _ = (snapshot, parent, lease);
        todo!()
    }
}
