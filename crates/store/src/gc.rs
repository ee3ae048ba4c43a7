//! The collector: what no tag, image, container, cache record or lease reaches goes.

use std::time::{Duration, SystemTime};

use crate::{Result, Store};

/// What to collect beside plain garbage.
#[derive(Debug, Clone, Default)]
pub struct GcPolicy {
    /// Which build cache records to drop; `None` keeps them all.
    pub cache: Option<CachePolicy>,
}

/// Which build cache records to drop.
#[derive(Debug, Clone)]
pub struct CachePolicy {
    /// The time to count ages from.
    pub now: SystemTime,
    /// Drop what was last used longer ago than this. Zero drops everything.
    pub max_age: Option<Duration>,
    /// Then drop the least recently used until at most so many bytes are left.
    pub max_size: Option<u64>,
}

/// What the collector freed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freed {
    /// Cache records.
    pub cache_records: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Layer folders.
    pub layers: u64,
    /// Blobs.
    pub blobs: u64,
    /// Bytes on disk, of layers and blobs.
    pub bytes: u64,
}

impl Store {
    /// Removes what nothing reaches. Safe at any time, beside everything else.
    pub fn gc(&self, policy: &GcPolicy) -> Result<Freed> {
        let _ = policy;
        todo!()
    }
}
