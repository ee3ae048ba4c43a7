//! Layers: content folders, their digests and how a tar becomes one.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use oci::{Descriptor, DiffId, Hasher, media_type};
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sys::root::{Dir, RootDir};

use crate::error::FileResult;
use crate::facts::{lock, parsed, parsed_or_none, size_of, to_sql};
use crate::store::remove_tree;
use crate::tar::{layer_tar, unpack_layer};
use crate::{CommitOptions, Committed, Error, Lease, Result, Snapshot, SnapshotId, Store, Tx};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Digest of the tar.
    pub diff_id: DiffId,
    /// Length of the tar in bytes.
    pub size: u64,
    /// The blob that manifests list: the tar itself, or the (compressed) bytes that came from
    /// elsewhere and are kept.
    pub blob: Descriptor,
}

/// Layers whose digest some thread is computing.
#[derive(Debug, Default)]
pub(crate) struct Computing {
    layers: Mutex<HashSet<LayerId>>,
    finished: Condvar,
}

impl Computing {
    /// Waits until nobody else computes `layer`.
    fn start(&self, layer: LayerId) -> Turn<'_> {
        let mut layers = lock(&self.layers);
        while !layers.insert(layer) {
            layers = self
                .finished
                .wait(layers)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Turn {
            computing: self,
            layer,
        }
    }
}

/// The right to compute the digest of a layer.
struct Turn<'a> {
    computing: &'a Computing,
    layer: LayerId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.computing.layers).remove(&self.layer);
        self.computing.finished.notify_all();
    }
}

impl Store {
    /// The digest and size of the top layer of a committed snapshot. Computed on first use by
    /// writing the tar once into a hash (in parallel with reading the files), then remembered.
    /// Two callers at a time share one computation. The caller's lease must hold the snapshot.
    pub fn layer(&self, id: SnapshotId) -> Result<Layer> {
        let row = self
            .read(|tx| tx.snapshot(id))?
            .ok_or(Error::SnapshotNotFound(id))?;
        if !row.committed {
            return Err(Error::SnapshotState {
                id,
                expected: "committed",
            });
        }
        self.known_or_computed(row.layer)
    }

    /// The layers of a committed snapshot, bottom first. The caller's lease must hold it.
    pub fn layers(&self, id: SnapshotId) -> Result<Vec<Layer>> {
        let stack = self.read(|tx| tx.stack_layers(id))?;
        let layers = stack.into_iter().rev();
        layers.map(|layer| self.known_or_computed(layer)).collect()
    }

    fn known_or_computed(&self, layer: LayerId) -> Result<Layer> {
        if let Some(known) = self.read(|tx| tx.layer(layer))? {
            return Ok(known);
        }
        let _turn = self.computing().start(layer);
        if let Some(known) = self.read(|tx| tx.layer(layer))? {
            return Ok(known);
        }
        let (diff_id, size) = hash_layer(&self.fs_path(layer))?;
        self.write(|tx| {
            let sql = "UPDATE layers SET diff_id = ?2, size = ?3 WHERE id = ?1";
            tx.execute(sql, (layer.0, diff_id.to_string(), to_sql(size)))
        })?;
        let blob = Descriptor::new(media_type::LAYER, diff_id.0, size);
        Ok(Layer {
            diff_id,
            size,
            blob,
        })
    }

    /// Unpacks a layer tar (plain, gzip, zstd, bzip2 or xz by its first bytes) on top of
    /// `parent`. With `expected`, the layer is not unpacked again where it is here already, and
    /// bytes that hash to something else are refused. The bytes are kept as a blob, so that
    /// images can list the layer as it came.
    pub fn apply(
        &self,
        tar: &mut (dyn Read + Send),
        parent: Option<SnapshotId>,
        expected: Option<DiffId>,
        lease: &Lease,
    ) -> Result<Snapshot<Committed>> {
        if let Some(expected) = expected
            && let Some(snapshot) = self.reuse(expected, parent, lease)?
        {
            return Ok(snapshot);
        }
        let blob = self.put_layer_blob(tar, lease)?;
        self.unpack(&blob, parent, expected, lease)
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
        match self.reuse(diff_id, parent, lease)? {
            Some(snapshot) => Ok(snapshot),
            None => self.unpack(layer, parent, Some(diff_id), lease),
        }
    }

    /// A layer that is here already, on `parent`.
    fn reuse(
        &self,
        diff_id: DiffId,
        parent: Option<SnapshotId>,
        lease: &Lease,
    ) -> Result<Option<Snapshot<Committed>>> {
        let Some((layer, on)) = self.read(|tx| tx.layer_by_diff_id(diff_id))? else {
            return Ok(None);
        };
        // The layer stays as long as some snapshot with it does.
        lease.hold_snapshot(on);
        match self.read(|tx| tx.snapshot(on))? {
            Some(_) => self.stack(layer, parent, lease).map(Some),
            None => Ok(None),
        }
    }

    fn unpack(
        &self,
        blob: &Descriptor,
        parent: Option<SnapshotId>,
        expected: Option<DiffId>,
        lease: &Lease,
    ) -> Result<Snapshot<Committed>> {
        let active = self.prepare(parent, lease)?;
        let fs = active.upper();
        let root = RootDir::open(&fs).at("open", &fs)?;
        let mut content = self.open_blob(&blob.digest)?;
        let unpacked = unpack_layer(&mut content, &root, &active.lower());
        let unpacked = match (unpacked, expected) {
            (Ok(unpacked), Some(expected)) if unpacked.diff_id != expected => {
                Err(Error::DiffIdMismatch {
                    expected: Box::new(expected),
                    actual: Box::new(unpacked.diff_id),
                })
            }
            (unpacked, _) => unpacked.map_err(Error::from),
        };
        let unpacked = match unpacked {
            Ok(unpacked) => unpacked,
            Err(error) => {
                // What was unpacked is garbage in either case; the error that matters is this one.
                // Files first: on a full disk the database needs their space.
                drop(remove_tree(&self.layer_path(active.layer_id())));
                drop(active.discard());
                return Err(error);
            }
        };
        let layer = active.layer_id();
        let snapshot = active.commit(&CommitOptions::default())?;
        self.write(|tx| {
            let sql = "UPDATE layers
                SET diff_id = ?2, size = ?3, blob = ?4, blob_type = ?5, blob_size = ?6 WHERE id = ?1";
            let (diff_id, size) = (unpacked.diff_id.to_string(), to_sql(unpacked.size));
            let Descriptor { digest, media_type, size: blob_size, .. } = blob;
            let digest = digest.to_string();
            tx.execute(sql, (layer.0, diff_id, size, digest, media_type, to_sql(*blob_size)))
        })?;
        Ok(snapshot)
    }
}

/// Digest and length of the tar of a layer's folder.
pub(crate) fn hash_layer(folder: &Path) -> Result<(DiffId, u64)> {
    let mut tar = layer_tar(Dir::open(folder).at("open", folder)?)?;
    let mut hasher = Hasher::new();
    while let Some(chunk) = tar.chunk()? {
        hasher.update(&chunk);
    }
    let size = hasher.length();
    Ok((DiffId(hasher.finish()), size))
}

impl Tx<'_> {
    /// A layer, if its digest is known.
    pub(crate) fn layer(&self, id: LayerId) -> Result<Option<Layer>> {
        let sql = "SELECT * FROM layers WHERE id = ?1";
        let found = self.first(sql, [id.0], |row| {
            let Some(diff_id) = parsed_or_none(row, "diff_id", "diff id")? else {
                return Ok(None);
            };
            layer_of(row, diff_id).map(Some)
        })?;
        found.ok_or(Error::LayerNotFound(id))
    }

    /// A committed layer with this digest, and one of its snapshots.
    pub(crate) fn layer_by_diff_id(
        &self,
        diff_id: DiffId,
    ) -> Result<Option<(LayerId, SnapshotId)>> {
        let sql = "SELECT l.id, s.id AS snapshot FROM layers l JOIN snapshots s ON s.layer = l.id
            WHERE l.diff_id = ?1 AND l.committed = 1 LIMIT 1";
        self.first(sql, [diff_id.to_string()], |row| {
            Ok((LayerId(row.get("id")?), SnapshotId(row.get("snapshot")?)))
        })
    }
}

fn layer_of(row: &Row<'_>, diff_id: DiffId) -> Result<Layer> {
    let size = size_of(row, "size")?;
    let kept: Option<String> = row.get("blob_type")?;
    let blob = match kept {
        Some(media_type) => {
            let digest = parsed(row, "blob", "digest")?;
            Descriptor::new(&media_type, digest, size_of(row, "blob_size")?)
        }
        None => Descriptor::new(media_type::LAYER, diff_id.0, size),
    };
    Ok(Layer {
        diff_id,
        size,
        blob,
    })
}
