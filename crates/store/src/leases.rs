//! Leases: what is being made stays out of the collector's reach until it has a name.
//!
//! They live in memory. One process has the store open, so a lease in the database would only be
//! something to clean up after a crash.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use oci::Digest;

use crate::{LayerId, SnapshotId};

/// Everything that some lease holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) snapshots: HashSet<SnapshotId>,
    pub(crate) layers: HashSet<LayerId>,
    pub(crate) blobs: HashSet<Digest>,
}

/// A guard: content that is made or looked up under it stays until it is dropped. Clones are the
/// same lease.
#[derive(Debug, Clone)]
pub struct Lease {
    held: Arc<Mutex<Held>>,
}
