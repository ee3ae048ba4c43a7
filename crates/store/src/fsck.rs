//! Checking the store: facts against files.

use std::fmt;
use std::path::PathBuf;

use oci::Digest;

use crate::{LayerId, Result, SnapshotId, Store};

/// How far to look.
#[derive(Debug, Clone, Default)]
pub struct FsckOptions {
    /// Read all content and compare digests.
    pub digests: bool,
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A file or folder that no fact knows. [`Store::repair`] removes it.
    Orphan(PathBuf),
    /// A blob with a row but without a file.
    MissingBlob(Digest),
    /// A blob whose file has another length than its row says.
    BlobSize(Digest),
    /// A blob or layer whose content has another digest.
    BlobContent(Digest),
    /// A layer with a row but without a folder.
    MissingLayer(LayerId),
    /// A row points to a snapshot that is not there.
    MissingSnapshot {
        /// What points, for example `image sha256:…`.
        by: String,
        /// Where to.
        snapshot: SnapshotId,
    },
    /// An image, tag or manifest points to a blob that is not there.
    Dangling {
        /// What points, for example `tag busybox:latest`.
        by: String,
        /// Where to.
        blob: Digest,
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
            Self::BlobContent(digest) => write!(f, "{digest} has the wrong content"),
            Self::MissingLayer(id) => write!(f, "the folder of layer {id} is missing"),
            Self::MissingSnapshot { by, snapshot } => {
                write!(f, "{by} points to snapshot {snapshot}, which is missing")
            }
            Self::Dangling { by, blob } => write!(f, "{by} points to {blob}, which is missing"),
            Self::Database(text) => write!(f, "database: {text}"),
        }
    }
}

impl Store {
    /// Compares facts and files. An empty list means that all is well; garbage that the collector
    /// would remove is not a problem.
    pub fn fsck(&self, options: &FsckOptions) -> Result<Vec<Problem>> {
        let _ = options;
        todo!()
    }

    /// Removes orphans and returns what is left of the problems.
    pub fn repair(&self) -> Result<Vec<Problem>> {
        todo!()
    }
}
