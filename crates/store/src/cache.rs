//! Build cache records: what a step made, by the key of everything that it depends on.

use std::time::SystemTime;

use crate::{Result, SnapshotId, Tx, WriteTx};

/// One result of a build step. It keeps its snapshot until the collector drops the record. An
/// active snapshot may be kept too: that is how a cache mount's folder persists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheRecord {
    /// Key of the step with its inputs.
    pub key: String,
    /// Identity of the step over time (which Dockerfile, stage, instruction), to explain a miss.
    pub step: String,
    /// What the step left on disk.
    pub snapshot: Option<SnapshotId>,
    /// The builder's own JSON.
    pub payload: String,
    /// Bytes on disk that the record alone accounts for.
    pub size: u64,
    /// When it was made.
    pub created: SystemTime,
    /// When it was last of use.
    pub last_used: SystemTime,
}

impl Tx<'_> {
    /// The record with this key.
    pub fn cache_record(&self, key: &str) -> Result<Option<CacheRecord>> {
        let _ = key;
        todo!()
    }

    /// The latest record of a step.
    pub fn latest_cache_record(&self, step: &str) -> Result<Option<CacheRecord>> {
        let _ = step;
        todo!()
    }

    /// All records, least recently used first.
    pub fn cache_records(&self) -> Result<Vec<CacheRecord>> {
        todo!()
    }
}

impl WriteTx<'_> {
    /// Adds or replaces a record.
    pub fn put_cache_record(&self, record: &CacheRecord) -> Result<()> {
        let _ = record;
        todo!()
    }

    /// Says that records were of use.
    pub fn touch_cache_records(&self, keys: &[&str], now: SystemTime) -> Result<()> {
        let _ = (keys, now);
        todo!()
    }

    /// Removes a record. Returns whether there was one.
    pub fn delete_cache_record(&self, key: &str) -> Result<bool> {
        let _ = key;
        todo!()
    }
}
