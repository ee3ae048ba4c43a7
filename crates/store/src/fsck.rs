//! Checking the store: facts against files.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use oci::{Descriptor, DiffId, Digest, Manifest, Raw};
use rusqlite::Row;

use crate::blobs::hash_file;
use crate::error::FileResult;
use crate::facts::{parsed, parsed_or_none, size_of};
use crate::layers::hash_layer;
use crate::store::{remove_file, remove_tree};
use crate::{Image, LayerId, Result, Store, Tx};

/// How far to look.
#[derive(Debug, Clone, Default)]
pub struct FsckOptions {
    /// Read all content and compare digests.
    pub digests: bool,
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Problem {
    /// A file or folder that no fact knows. [`Store::repair`] removes it.
    Orphan(PathBuf),
    /// A blob with a row but without a file.
    MissingBlob(Digest),
    /// A blob whose file has another length than its row says.
    BlobSize(Digest),
    /// A blob whose content has another digest.
    BlobContent(Digest),
    /// A layer with a row but without a folder.
    MissingLayer(LayerId),
    /// A layer whose content has another digest than was computed once.
    LayerContent(LayerId),
    /// A row points to another that is not there.
    Dangling {
        /// What points, for example `image sha256:…`.
        by: String,
        /// Where to.
        to: String,
    },
    /// SQLite's own check found damage.
    Database(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphan(path) => write!(f, "{} belongs to nothing", path.display()),
            Self::MissingBlob(digest) => write!(f, "the file of blob {digest} is missing"),
            Self::BlobSize(digest) => write!(f, "blob {digest} has the wrong length"),
            Self::BlobContent(digest) => write!(f, "blob {digest} has the wrong content"),
            Self::MissingLayer(id) => write!(f, "the folder of layer {id} is missing"),
            Self::LayerContent(id) => write!(f, "the folder of layer {id} has been changed"),
            Self::Dangling { by, to } => write!(f, "{by} points to {to}, which is missing"),
            Self::Database(text) => write!(f, "database: {text}"),
        }
    }
}

/// What the database says that there is.
struct Expected {
    blobs: Vec<(Digest, u64)>,
    layers: Vec<LayerRow>,
    images: Vec<Image>,
    problems: Vec<Problem>,
}

struct LayerRow {
    id: LayerId,
    /// Known and to be found again in the folder.
    diff_id: Option<DiffId>,
    /// Does a snapshot have it? If not the collector may be removing it.
    used: bool,
}

impl Store {
    /// Compares facts and files. An empty list means that all is well; garbage that the collector
    /// would remove is not a problem. Content that comes in meanwhile may look like an orphan.
    pub fn fsck(&self, options: &FsckOptions) -> Result<Vec<Problem>> {
        // Files first: what is made between the two looks is not taken for an orphan.
        let files = self.files()?;
        let mut expected = self.read(expected)?;
        let mut problems = std::mem::take(&mut expected.problems);
        let blobs: HashSet<PathBuf> = expected
            .blobs
            .iter()
            .map(|(digest, _)| self.blob_path(digest))
            .collect();
        let layers: HashSet<PathBuf> = expected
            .layers
            .iter()
            .map(|layer| self.layer_path(layer.id))
            .collect();
        let known = |path: &PathBuf| blobs.contains(path) || layers.contains(path);
        problems.extend(
            files
                .into_iter()
                .filter(|path| !known(path))
                .map(Problem::Orphan),
        );
        for (digest, size) in &expected.blobs {
            problems.extend(self.check_blob(digest, *size, options)?);
        }
        for layer in expected.layers.iter().filter(|layer| layer.used) {
            problems.extend(self.check_layer(layer, options)?);
        }
        for image in &expected.images {
            problems.extend(self.check_image(image)?);
        }
        problems.sort();
        Ok(problems)
    }

    /// Removes orphans and returns what is left of the problems. Nothing may come in meanwhile.
    pub fn repair(&self) -> Result<Vec<Problem>> {
        let (orphans, rest): (Vec<_>, Vec<_>) = self
            .fsck(&FsckOptions::default())?
            .into_iter()
            .partition(|problem| matches!(problem, Problem::Orphan(_)));
        for orphan in orphans {
            match orphan {
                Problem::Orphan(path) if path.is_dir() => remove_tree(&path)?,
                Problem::Orphan(path) => remove_file(&path)?,
                _ => {}
            }
        }
        Ok(rest)
    }

    /// All blobs and layer folders that are there.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in ["blobs/sha256", "layers"] {
            let folder = self.root().join(folder);
            for entry in std::fs::read_dir(&folder).at("list", &folder)? {
                files.push(entry.at("list", &folder)?.path());
            }
        }
        let empty = self.layer_path(crate::snapshots::EMPTY);
        files.retain(|path| *path != empty);
        Ok(files)
    }

    fn check_blob(
        &self,
        digest: &Digest,
        size: u64,
        options: &FsckOptions,
    ) -> Result<Option<Problem>> {
        let path = self.blob_path(digest);
        match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Some(Problem::MissingBlob(*digest)));
            }
            Err(error) => return Err(error).at("read", &path),
            Ok(meta) if !meta.is_file() || meta.len() != size => {
                return Ok(Some(Problem::BlobSize(*digest)));
            }
            Ok(_) => {}
        }
        let wrong = options.digests && hash_file(&path)?.0 != *digest;
        Ok(wrong.then_some(Problem::BlobContent(*digest)))
    }

    fn check_layer(&self, layer: &LayerRow, options: &FsckOptions) -> Result<Option<Problem>> {
        let folder = self.fs_path(layer.id);
        if !folder.is_dir() {
            return Ok(Some(Problem::MissingLayer(layer.id)));
        }
        match layer.diff_id {
            Some(diff_id) if options.digests && hash_layer(&folder)?.0 != diff_id => {
                Ok(Some(Problem::LayerContent(layer.id)))
            }
            _ => Ok(None),
        }
    }

    /// Everything that the image's manifest lists must be here.
    fn check_image(&self, image: &Image) -> Result<Vec<Problem>> {
        let missing = |blob: &Descriptor| Problem::Dangling {
            by: format!("image {}", image.id),
            to: format!("blob {}", blob.digest),
        };
        if !self.has_blob(&image.manifest.digest)? {
            return Ok(vec![missing(&image.manifest)]);
        }
        let Ok(bytes) = std::fs::read(self.blob_path(&image.manifest.digest)) else {
            // Reported as a missing file already.
            return Ok(Vec::new());
        };
        let Ok(manifest) = Raw::<Manifest>::parse("manifest", bytes) else {
            return Ok(vec![Problem::BlobContent(image.manifest.digest)]);
        };
        let mut problems = Vec::new();
        for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
            if !self.has_blob(&blob.digest)? {
                problems.push(missing(blob));
            }
        }
        Ok(problems)
    }
}

fn expected(tx: &Tx<'_>) -> Result<Expected> {
    let blob = |row: &Row<'_>| Ok((parsed(row, "digest", "digest")?, size_of(row, "size")?));
    let blobs = tx.all("SELECT digest, size FROM blobs WHERE ready = 1", [], blob)?;
    let sql = "SELECT id, diff_id, blob IS NULL AS native,
            EXISTS (SELECT 1 FROM snapshots s WHERE s.layer = l.id) AS used FROM layers l";
    let layers = tx.all(sql, [], |row| {
        let native: bool = row.get("native")?;
        Ok(LayerRow {
            id: LayerId(row.get("id")?),
            diff_id: parsed_or_none(row, "diff_id", "diff id")?.filter(|_| native),
            used: row.get("used")?,
        })
    })?;
    Ok(Expected {
        blobs,
        layers,
        images: tx.images()?,
        problems: check_database(tx)?,
    })
}

/// SQLite's own checks: structure, then references between rows.
fn check_database(tx: &Tx<'_>) -> Result<Vec<Problem>> {
    let text = |row: &Row<'_>| Ok(row.get::<_, String>(0)?);
    let lines = tx.all("PRAGMA integrity_check", [], text)?;
    let damage = lines
        .into_iter()
        .filter(|line| line != "ok")
        .map(Problem::Database);
    let mut problems: Vec<_> = damage.collect();
    problems.extend(tx.all("PRAGMA foreign_key_check", [], |row| {
        let (table, id): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
        let id = id.map(|id| format!(" {id}")).unwrap_or_default();
        Ok(Problem::Dangling {
            by: format!("a row of {table}{id}"),
            to: format!("a row of {}", row.get::<_, String>(2)?),
        })
    })?);
    Ok(problems)
}
