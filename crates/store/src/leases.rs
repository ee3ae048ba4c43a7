//! Leases: what is being made stays out of the collector's reach until it has a name.
//!
//! They live in memory. One process has the store open, so a lease in the database would only be
//! something to clean up after a crash.
//!
//! Order of locks: the database's writer first, then the leases. The collector holds both from
//! marking to the commit that removes the rows; who holds a thing by a lease first and looks
//! whether it is there afterwards, is either seen by the collector or does not find the thing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use oci::Digest;

use crate::SnapshotId;
use crate::facts::lock;

/// Everything that a lease holds. Layers are held by their snapshots.
#[derive(Debug, Default, Clone)]
pub(crate) struct Held {
    pub(crate) snapshots: HashSet<SnapshotId>,
    pub(crate) blobs: HashSet<Digest>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    leases: HashMap<u64, Held>,
}

/// The leases of a store.
#[derive(Debug, Default, Clone)]
pub(crate) struct Leases(Arc<Mutex<Table>>);

impl Leases {
    pub(crate) fn take(&self) -> Lease {
        let mut table = lock(&self.0);
        table.next += 1;
        let number = table.next;
        table.leases.insert(number, Held::default());
        drop(table);
        Lease(Arc::new(Inner {
            number,
            leases: self.clone(),
        }))
    }

    /// Everything that is held. Nothing can be added while the guard lives.
    pub(crate) fn freeze(&self) -> (Frozen<'_>, Held) {
        let table = lock(&self.0);
        let mut all = Held::default();
        for held in table.leases.values() {
            all.snapshots.extend(&held.snapshots);
            all.blobs.extend(&held.blobs);
        }
        (Frozen { _table: table }, all)
    }
}

/// While this lives, nothing is added to a lease.
pub(crate) struct Frozen<'a> {
    _table: MutexGuard<'a, Table>,
}

#[derive(Debug)]
struct Inner {
    number: u64,
    leases: Leases,
}

impl Drop for Inner {
    fn drop(&mut self) {
        lock(&self.leases.0).leases.remove(&self.number);
    }
}

/// A guard: content that is made or looked up under it stays until it is dropped. Clones are the
/// same lease.
#[derive(Debug, Clone)]
pub struct Lease(Arc<Inner>);

impl Lease {
    fn with(&self, add: impl FnOnce(&mut Held)) {
        let mut table = lock(&self.0.leases.0);
        add(table.leases.entry(self.0.number).or_default());
    }

    pub(crate) fn hold_snapshot(&self, id: SnapshotId) {
        self.with(|held| held.snapshots.extend([id]));
    }

    pub(crate) fn hold_blob(&self, digest: Digest) {
        self.with(|held| held.blobs.extend([digest]));
    }
}
