//! Snapshots: stacks of layers. They yield overlay parameters and mount nothing.

use std::fmt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sys::mount::Overlay;

use crate::error::FileResult;
use crate::store::remove_tree;
use crate::{Error, LayerId, Lease, Result, Store, Tx, WriteTx};

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
#[derive(Debug, Clone, Copy)]
pub struct Active(());

/// It never changes again.
#[derive(Debug, Clone, Copy)]
pub struct Committed(());

/// A look at a committed or active snapshot, or at nothing; read-only.
#[derive(Debug, Clone, Copy)]
pub struct View(());

/// A stack of layers in state `S`. It keeps the lease that it was got under, so it cannot be
/// collected while this value lives.
#[derive(Debug, Clone)]
pub struct Snapshot<S> {
    store: Store,
    lease: Lease,
    row: SnapshotRow,
    /// The layers below, top first.
    below: Vec<LayerId>,
    state: std::marker::PhantomData<S>,
}

/// The row of a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SnapshotRow {
    pub(crate) id: SnapshotId,
    pub(crate) parent: Option<SnapshotId>,
    pub(crate) layer: LayerId,
    pub(crate) committed: bool,
}

impl<S> Snapshot<S> {
    fn new(store: &Store, lease: &Lease, row: SnapshotRow, below: Vec<LayerId>) -> Self {
        Self {
            store: store.clone(),
            lease: lease.clone(),
            row,
            below,
            state: std::marker::PhantomData,
        }
    }

    /// Its id.
    pub fn id(&self) -> SnapshotId {
        self.row.id
    }

    /// What it lies on.
    pub fn parent(&self) -> Option<SnapshotId> {
        self.row.parent
    }

    /// The layer on top.
    pub fn layer_id(&self) -> LayerId {
        self.row.layer
    }

    /// The lease that keeps it.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Folders of the layers below, top first.
    pub(crate) fn lower(&self) -> Vec<PathBuf> {
        self.below
            .iter()
            .map(|layer| self.store.fs_path(*layer))
            .collect()
    }

    fn read_only(&self) -> Overlay {
        let own = (self.row.layer != EMPTY).then(|| self.store.fs_path(self.row.layer));
        self.store
            .overlay_of(own.into_iter().chain(self.lower()).collect())
    }
}

/// The layer that is always empty and has no row.
pub(crate) const EMPTY: LayerId = LayerId(0);

impl Snapshot<Active> {
    /// The overlay with this snapshot's folder as the upper one. `volatile` is off.
    pub fn overlay(&self) -> Overlay {
        let mut lower = self.lower();
        if lower.is_empty() {
            lower.push(self.store.fs_path(EMPTY));
        }
        Overlay {
            lower,
            upper: Some((self.upper(), self.work())),
            volatile: false,
        }
    }

    /// The folder that changes go to, in overlay's own format. What is written here directly must
    /// not be written through a mount at the same time.
    pub fn upper(&self) -> PathBuf {
        self.store.fs_path(self.row.layer)
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.store.layer_path(self.row.layer).join("work")
    }

    /// Removes it at once instead of waiting for the collector. Whatever names it (a container, a
    /// cache record) must be gone, as must every mount of it.
    pub fn discard(self) -> Result<()> {
        let SnapshotRow { id, layer, .. } = self.row;
        let sql = "DELETE FROM snapshots WHERE id = ?1";
        self.store.write(|tx| tx.execute(sql, [id.0]))?;
        remove_tree(&self.store.layer_path(layer))?;
        self.store.write(|tx| tx.delete_layer(layer))?;
        Ok(())
    }

    /// The committed snapshot with the same id, once its row says so.
    pub(crate) fn into_committed(self) -> Snapshot<Committed> {
        let row = SnapshotRow {
            committed: true,
            ..self.row
        };
        Snapshot::new(&self.store, &self.lease, row, self.below)
    }
}

impl Snapshot<Committed> {
    /// A read-only overlay of the whole stack.
    pub fn overlay(&self) -> Overlay {
        self.read_only()
    }

    /// The top layer's folder, in overlay's own format. Read only.
    pub fn folder(&self) -> PathBuf {
        self.store.fs_path(self.row.layer)
    }
}

impl Snapshot<View> {
    /// A read-only overlay of the whole stack.
    pub fn overlay(&self) -> Overlay {
        self.read_only()
    }
}

impl Store {
    /// The content folder of a layer.
    pub(crate) fn fs_path(&self, layer: LayerId) -> PathBuf {
        self.layer_path(layer).join("fs")
    }

    /// A read-only overlay, which takes two folders at least.
    fn overlay_of(&self, mut lower: Vec<PathBuf>) -> Overlay {
        if lower.is_empty() {
            lower.push(self.fs_path(EMPTY));
        }
        if lower.len() == 1 {
            lower.push(self.layer_path(EMPTY).join("none"));
        }
        Overlay {
            lower,
            upper: None,
            volatile: false,
        }
    }

    /// A new writable snapshot on `parent`, or on nothing.
    pub fn prepare(&self, parent: Option<SnapshotId>, lease: &Lease) -> Result<Snapshot<Active>> {
        let (row, below) = self.write(|tx| {
            let below = match parent {
                Some(parent) => tx.stack_of_committed(parent)?,
                None => Vec::new(),
            };
            let layer = LayerId(tx.insert("INSERT INTO layers DEFAULT VALUES", [])?);
            let id = tx.insert_snapshot(parent, layer)?;
            lease.hold_snapshot(id);
            let row = SnapshotRow {
                id,
                parent,
                layer,
                committed: false,
            };
            Ok((row, below))
        })?;
        let snapshot = Snapshot::new(self, lease, row, below);
        snapshot.make_folders()?;
        Ok(snapshot)
    }

    /// The active snapshot `id` again, for example a container's after a restart of the engine.
    pub fn active(&self, id: SnapshotId, lease: &Lease) -> Result<Snapshot<Active>> {
        let (row, below) = self.look_up(id, lease)?;
        match row.committed {
            false => Ok(Snapshot::new(self, lease, row, below)),
            true => Err(Error::SnapshotState {
                id,
                expected: "active",
            }),
        }
    }

    /// The committed snapshot `id`.
    pub fn committed(&self, id: SnapshotId, lease: &Lease) -> Result<Snapshot<Committed>> {
        let (row, below) = self.look_up(id, lease)?;
        match row.committed {
            true => Ok(Snapshot::new(self, lease, row, below)),
            false => Err(Error::SnapshotState {
                id,
                expected: "committed",
            }),
        }
    }

    /// A look at snapshot `id`, which may be active (a stopped container), or at nothing at all.
    pub fn view(&self, id: Option<SnapshotId>, lease: &Lease) -> Result<Snapshot<View>> {
        let nothing = SnapshotRow {
            id: SnapshotId(0),
            parent: None,
            layer: EMPTY,
            committed: true,
        };
        let (row, below) = match id {
            Some(id) => self.look_up(id, lease)?,
            None => (nothing, Vec::new()),
        };
        Ok(Snapshot::new(self, lease, row, below))
    }

    /// The top layer of `snapshot` on another parent: a row, no copy.
    pub fn rebase(
        &self,
        snapshot: &Snapshot<Committed>,
        parent: Option<SnapshotId>,
        lease: &Lease,
    ) -> Result<Snapshot<Committed>> {
        self.stack(snapshot.layer_id(), parent, lease)
    }

    /// The snapshot of a committed layer on `parent`.
    pub(crate) fn stack(
        &self,
        layer: LayerId,
        parent: Option<SnapshotId>,
        lease: &Lease,
    ) -> Result<Snapshot<Committed>> {
        let (row, below) = self.write(|tx| {
            let below = match parent {
                Some(parent) => tx.stack_of_committed(parent)?,
                None => Vec::new(),
            };
            let id = match tx.snapshot_of(layer, parent)? {
                Some(id) => id,
                None => tx.insert_snapshot(parent, layer)?,
            };
            lease.hold_snapshot(id);
            let row = SnapshotRow {
                id,
                parent,
                layer,
                committed: true,
            };
            Ok((row, below))
        })?;
        Ok(Snapshot::new(self, lease, row, below))
    }

    /// Holds first, looks then: see the leases' module doc.
    fn look_up(&self, id: SnapshotId, lease: &Lease) -> Result<(SnapshotRow, Vec<LayerId>)> {
        lease.hold_snapshot(id);
        self.read(|tx| {
            let row = tx.snapshot(id)?.ok_or(Error::SnapshotNotFound(id))?;
            let below = match row.parent {
                Some(parent) => tx.stack_layers(parent)?,
                None => Vec::new(),
            };
            Ok((row, below))
        })
    }
}

impl Snapshot<Active> {
    /// The folders of a new layer. The root of a file system is the root of its topmost layer, so
    /// the new one's gets the attributes of the one below.
    fn make_folders(&self) -> Result<()> {
        let folder = self.store().layer_path(self.layer_id());
        let below = self.lower().into_iter().next();
        let mut private = std::fs::DirBuilder::new();
        private.mode(0o700);
        private.create(&folder).at("make", &folder)?;
        private.create(self.work()).at("make", &self.work())?;
        private.create(self.upper()).at("make", &self.upper())?;
        match below {
            Some(below) => copy_attributes(&below, &self.upper()),
            None => set_mode(&self.upper(), 0o755),
        }
    }
}

fn copy_attributes(from: &Path, to: &Path) -> Result<()> {
    let meta = std::fs::metadata(from).at("read", from)?;
    std::os::unix::fs::chown(to, Some(meta.uid()), Some(meta.gid())).at("set the owner of", to)?;
    set_mode(to, meta.mode() & 0o7777)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .at("set the mode of", path)
}

impl Tx<'_> {
    pub(crate) fn snapshot(&self, id: SnapshotId) -> Result<Option<SnapshotRow>> {
        let sql = "SELECT s.parent, s.layer, l.committed
            FROM snapshots s JOIN layers l ON l.id = s.layer WHERE s.id = ?1";
        self.first(sql, [id.0], |row| {
            let parent: Option<i64> = row.get("parent")?;
            Ok(SnapshotRow {
                id,
                parent: parent.map(SnapshotId),
                layer: LayerId(row.get("layer")?),
                committed: row.get("committed")?,
            })
        })
    }

    /// The layers of a snapshot, top first.
    pub(crate) fn stack_layers(&self, id: SnapshotId) -> Result<Vec<LayerId>> {
        let sql = "WITH RECURSIVE stack (parent, layer, depth) AS (
                SELECT parent, layer, 0 FROM snapshots WHERE id = ?1
                UNION ALL
                SELECT s.parent, s.layer, depth + 1 FROM snapshots s, stack WHERE s.id = stack.parent
            ) SELECT layer FROM stack ORDER BY depth";
        let layer = |row: &Row<'_>| Ok(LayerId(row.get("layer")?));
        match self.all(sql, [id.0], layer)? {
            layers if layers.is_empty() => Err(Error::SnapshotNotFound(id)),
            layers => Ok(layers),
        }
    }

    /// The layers of a snapshot that something is to be put on.
    fn stack_of_committed(&self, id: SnapshotId) -> Result<Vec<LayerId>> {
        match self.snapshot(id)? {
            None => Err(Error::SnapshotNotFound(id)),
            Some(row) if !row.committed => Err(Error::SnapshotState {
                id,
                expected: "committed",
            }),
            Some(_) => self.stack_layers(id),
        }
    }

    fn snapshot_of(
        &self,
        layer: LayerId,
        parent: Option<SnapshotId>,
    ) -> Result<Option<SnapshotId>> {
        let sql = "SELECT id FROM snapshots WHERE layer = ?1 AND ifnull(parent, 0) = ?2";
        let parent = parent.map_or(0, |parent| parent.0);
        self.first(sql, [layer.0, parent], |row| Ok(SnapshotId(row.get("id")?)))
    }
}

impl WriteTx<'_> {
    fn insert_snapshot(&self, parent: Option<SnapshotId>, layer: LayerId) -> Result<SnapshotId> {
        let sql = "INSERT INTO snapshots (parent, layer) VALUES (?1, ?2)";
        let parent = parent.map(|parent| parent.0);
        Ok(SnapshotId(self.insert(sql, (parent, layer.0))?))
    }
}
