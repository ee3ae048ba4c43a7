//! Build cache records: what a step made, by the key of everything that it depends on.

use std::time::SystemTime;

use rusqlite::Row;

use crate::facts::{size_of, to_sql};
use crate::timestamps::{from_millis, to_millis};
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

fn record_of(row: &Row<'_>) -> Result<CacheRecord> {
    let snapshot: Option<i64> = row.get("snapshot")?;
    Ok(CacheRecord {
        key: row.get("key")?,
        step: row.get("step")?,
        snapshot: snapshot.map(SnapshotId),
        payload: row.get("payload")?,
        size: size_of(row, "size")?,
        created: from_millis(row.get("created")?),
        last_used: from_millis(row.get("last_used")?),
    })
}

impl Tx<'_> {
    /// The record with this key.
    pub fn cache_record(&self, key: &str) -> Result<Option<CacheRecord>> {
        self.first("SELECT * FROM cache WHERE key = ?1", [key], record_of)
    }

    /// The latest record of a step.
    pub fn latest_cache_record(&self, step: &str) -> Result<Option<CacheRecord>> {
        let sql = "SELECT * FROM cache WHERE step = ?1 ORDER BY created DESC, rowid DESC LIMIT 1";
        self.first(sql, [step], record_of)
    }

    /// All records, least recently used first.
    pub fn cache_records(&self) -> Result<Vec<CacheRecord>> {
        self.all("SELECT * FROM cache ORDER BY last_used, key", [], record_of)
    }
}

impl WriteTx<'_> {
    /// Adds or replaces a record.
    pub fn put_cache_record(&self, record: &CacheRecord) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO cache (key, step, snapshot, payload, size, created,
            last_used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.execute(
            sql,
            (
                &record.key,
                &record.step,
                record.snapshot.map(|id| id.0),
                &record.payload,
                to_sql(record.size),
                to_millis(record.created),
                to_millis(record.last_used),
            ),
        )?;
        Ok(())
    }

    /// Says that records were of use.
    pub fn touch_cache_records(&self, keys: &[&str], now: SystemTime) -> Result<()> {
        for key in keys {
            let sql = "UPDATE cache SET last_used = ?2 WHERE key = ?1";
            self.execute(sql, (key, to_millis(now)))?;
        }
        Ok(())
    }

    /// Removes a record. Returns whether there was one.
    pub fn delete_cache_record(&self, key: &str) -> Result<bool> {
        Ok(self.execute("DELETE FROM cache WHERE key = ?1", [key])? > 0)
    }
}
