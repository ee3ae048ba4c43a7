//! The collector: what no tag, image, container, cache record or lease reaches goes.
//!
//! Snapshots go leaf by leaf, found through the indexes on what may point to them, so that the
//! work follows the garbage. Whatever may find a thing goes first, in a transaction in which
//! nothing can be leased; then its files; its own row last. So a collector that is killed leaves
//! rows for the next one, never a file that nobody knows.
//!
//! A layer without a snapshot is such a row: nothing finds it any more, and its number is never
//! used again. A blob comes back under the same name, so its file is moved away while the right to
//! write is held, and its row is "not ready" meanwhile, as for one that is on its way in.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use oci::Digest;
use rusqlite::Row;

use crate::error::FileResult;
use crate::facts::{parsed, size_of, to_sql};
use crate::leases::Held;
use crate::store::{remove_file, remove_tree};
use crate::timestamps::to_millis;
use crate::{LayerId, Result, SnapshotId, Store, WriteTx};

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
    /// Removes what nothing reaches. Safe at any time, beside everything else, and on a full disk.
    pub fn gc(&self, policy: &GcPolicy) -> Result<Freed> {
        let mut freed = Freed::default();
        self.reserve().spend(|| self.collect(policy, &mut freed))?;
        Ok(freed)
    }

    fn collect(&self, policy: &GcPolicy, freed: &mut Freed) -> Result<()> {
        let layers = self.drop_snapshots(policy, freed)?;
        for (layer, _) in &layers {
            remove_tree(&self.layer_path(*layer))?;
        }
        for file in self.drop_rows(&layers, freed)? {
            remove_file(&file)?;
        }
        self.write_index()
    }

    /// Removes cache records and snapshots; returns layers that no snapshot has.
    fn drop_snapshots(&self, policy: &GcPolicy, freed: &mut Freed) -> Result<Vec<(LayerId, u64)>> {
        let mut writer = self.writer();
        let (_frozen, held) = self.leases().freeze();
        writer.transact(|tx| {
            if let Some(cache) = &policy.cache {
                freed.cache_records = tx.drop_cache_records(cache)?;
            }
            freed.snapshots = tx.drop_snapshots(&held)?;
            tx.unused_layers()
        })
    }

    /// Removes the rows of layers whose folders are gone, then blobs; returns where their files
    /// were moved to.
    fn drop_rows(&self, layers: &[(LayerId, u64)], freed: &mut Freed) -> Result<Vec<PathBuf>> {
        let mut writer = self.writer();
        let (_frozen, held) = self.leases().freeze();
        let blobs = writer.transact(|tx| {
            for (layer, usage) in layers {
                freed.layers += count(tx.delete_layer(*layer)?);
                freed.bytes += usage;
            }
            tx.doom_blobs(&held, freed)
        })?;
        let mut files = Vec::new();
        for blob in &blobs {
            let (path, away) = (self.blob_path(blob), self.temporary_path());
            match std::fs::rename(&path, &away) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                moved => {
                    moved.at("remove", &path)?;
                    files.push(away);
                }
            }
        }
        if !blobs.is_empty() {
            writer.transact(|tx| tx.execute("DELETE FROM blobs WHERE ready = 0", []))?;
        }
        Ok(files)
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

impl WriteTx<'_> {
    fn drop_cache_records(&self, policy: &CachePolicy) -> Result<u64> {
        let mut dropped = 0;
        if let Some(age) = policy.max_age {
            let oldest = policy
                .now
                .checked_sub(age)
                .unwrap_or(SystemTime::UNIX_EPOCH);
            let sql = "DELETE FROM cache WHERE last_used < ?1 OR ?2";
            dropped += self.execute(sql, (to_millis(oldest), age.is_zero()))?;
        }
        if let Some(size) = policy.max_size {
            let sql = "DELETE FROM cache WHERE key IN (SELECT key FROM (
                SELECT key, sum(size) OVER (ORDER BY last_used DESC, key) AS sum FROM cache
            ) WHERE sum > ?1)";
            dropped += self.execute(sql, [to_sql(size)])?;
        }
        Ok(count(dropped))
    }

    /// Removes snapshots that nothing lies on and nothing names, again and again.
    fn drop_snapshots(&self, held: &Held) -> Result<u64> {
        let sql = "SELECT id FROM snapshots s
            WHERE NOT EXISTS (SELECT 1 FROM snapshots c WHERE c.parent = s.id)
            AND NOT EXISTS (SELECT 1 FROM images WHERE snapshot = s.id)
            AND NOT EXISTS (SELECT 1 FROM containers WHERE snapshot = s.id)
            AND NOT EXISTS (SELECT 1 FROM cache WHERE snapshot = s.id)";
        let id = |row: &Row<'_>| Ok(SnapshotId(row.get("id")?));
        let mut leaves = self.all(sql, [], id)?;
        let mut dropped = 0;
        while let Some(leaf) = leaves.pop() {
            if held.snapshots.contains(&leaf) {
                continue;
            }
            let parent = self.snapshot(leaf)?.and_then(|row| row.parent);
            self.execute("DELETE FROM snapshots WHERE id = ?1", [leaf.0])?;
            dropped += 1;
            if let Some(parent) = parent {
                // Now perhaps a leaf itself.
                let one = format!("{sql} AND s.id = ?1");
                leaves.extend(self.first(&one, [parent.0], id)?);
            }
        }
        Ok(dropped)
    }

    /// Layers that no snapshot has, with their bytes on disk.
    fn unused_layers(&self) -> Result<Vec<(LayerId, u64)>> {
        let sql = "SELECT id, usage FROM layers l
            WHERE NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.layer = l.id)";
        self.all(sql, [], |row| {
            Ok((LayerId(row.get("id")?), size_of(row, "usage")?))
        })
    }

    /// Removes the row of a layer whose folder is gone.
    pub(crate) fn delete_layer(&self, layer: LayerId) -> Result<usize> {
        self.execute("DELETE FROM layers WHERE id = ?1", [layer.0])
    }

    /// Marks the blobs that nothing needs as not ready.
    fn doom_blobs(&self, held: &Held, freed: &mut Freed) -> Result<Vec<Digest>> {
        let sql = "SELECT digest, size FROM blobs b
            WHERE NOT EXISTS (SELECT 1 FROM image_blobs WHERE blob = b.digest)
            AND NOT EXISTS (SELECT 1 FROM layers WHERE blob = b.digest)";
        let unused = self.all(sql, [], |row| {
            let digest: Digest = parsed(row, "digest", "digest")?;
            Ok((digest, size_of(row, "size")?))
        })?;
        let mut doomed = Vec::new();
        for (digest, size) in unused {
            if held.blobs.contains(&digest) {
                continue;
            }
            self.execute(
                "UPDATE blobs SET ready = 0 WHERE digest = ?1",
                [digest.to_string()],
            )?;
            freed.blobs += 1;
            freed.bytes += size;
            doomed.push(digest);
        }
        Ok(doomed)
    }
}
