//! Opening the data root.

use std::path::Path;
use std::sync::Arc;

use crate::{Lease, Result, Tx, WriteTx};

/// The data root, open. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    root: std::path::PathBuf,
}

impl Store {
    /// Opens the data root `root`, making it where it is new. Fails with [`Error::InUse`]
    /// (naming the pid) while another process has it open. The cost does not depend on how much
    /// is stored.
    ///
    /// [`Error::InUse`]: crate::Error::InUse
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let _ = root;
        todo!()
    }

    /// The data root.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Runs `job` on a consistent view of the facts. Does not wait for writers.
    pub fn read<T>(&self, job: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let _ = job;
        todo!()
    }

    /// Runs `job` as one transaction: it is committed if `job` returns `Ok`, else undone. One
    /// writer at a time; keep jobs short and do no file I/O in them.
    pub fn write<T>(&self, job: impl FnOnce(&WriteTx<'_>) -> Result<T>) -> Result<T> {
        let _ = job;
        todo!()
    }

    /// A new lease.
    pub fn lease(&self) -> Lease {
        todo!()
    }
}
