//! Opening the data root.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use oci::Digest;
use rustix::fs::FlockOperation;

use crate::error::FileResult;
use crate::facts::{Facts, Writer};
use crate::layers::Computing;
use crate::leases::Leases;
use crate::reserve::Reserve;
use crate::{Error, LayerId, Lease, Result, Tx, WriteTx};

/// The data root, open. Cheap to clone; all clones are one store.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    facts: Facts,
    reserve: Reserve,
    leases: Leases,
    computing: Computing,
    temporaries: AtomicU64,
    /// Unlocked when it is closed, last of all.
    _lock: File,
}

impl Store {
    /// Opens the data root `root`, making it where it is new. Fails with [`Error::InUse`]
    /// (naming the pid) while another process has it open. The cost does not depend on how much
    /// is stored.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let root = root.as_ref();
        make_root(root)?;
        let root = root.canonicalize().at("find", root)?;
        let lock = take_lock(&root)?;
        make_folders(&root)?;
        let reserve = Reserve::new(&root);
        let database = root.join("facts.db");
        make_private(&database)?;
        let facts = reserve.spend(|| Facts::open(database.clone()))?;
        let store = Self {
            inner: Arc::new(Inner {
                root,
                facts,
                reserve,
                leases: Leases::default(),
                computing: Computing::default(),
                temporaries: AtomicU64::new(0),
                _lock: lock,
            }),
        };
        store.forget_unready_blobs()?;
        Ok(store)
    }

    /// The data root.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Runs `job` on a consistent view of the facts. Does not wait for writers.
    pub fn read<T>(&self, job: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.inner.facts.read(job)
    }

    /// Runs `job` as one transaction: it is committed if `job` returns `Ok`, else undone. One
    /// writer at a time; keep jobs short and do no file I/O in them. A job must not call back into
    /// the store's own writing methods.
    pub fn write<T>(&self, job: impl FnOnce(&WriteTx<'_>) -> Result<T>) -> Result<T> {
        self.inner.facts.writer().transact(job)
    }

    /// A new lease.
    pub fn lease(&self) -> Lease {
        self.inner.leases.take()
    }

    pub(crate) fn reserve(&self) -> &Reserve {
        &self.inner.reserve
    }

    pub(crate) fn writer(&self) -> Writer<'_> {
        self.inner.facts.writer()
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.inner.leases
    }

    pub(crate) fn computing(&self) -> &Computing {
        &self.inner.computing
    }

    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        let folder = self
            .inner
            .root
            .join("blobs")
            .join(digest.algorithm().name());
        folder.join(digest.hex())
    }

    /// The folder of a layer, which holds `fs` and `work`.
    pub(crate) fn layer_path(&self, layer: LayerId) -> PathBuf {
        self.inner.root.join("layers").join(layer.to_string())
    }

    /// A name that nothing else has, in `tmp`.
    pub(crate) fn temporary_path(&self) -> PathBuf {
        let number = self.inner.temporaries.fetch_add(1, Ordering::Relaxed);
        self.inner.root.join("tmp").join(number.to_string())
    }

    /// Blobs that were on their way to their names when an earlier process ended.
    fn forget_unready_blobs(&self) -> Result<()> {
        self.write(|tx| {
            let digest = |row: &rusqlite::Row<'_>| crate::facts::parsed(row, "digest", "digest");
            let sql = "SELECT digest FROM blobs WHERE ready = 0";
            let unready: Vec<Digest> = tx.all(sql, [], digest)?;
            for digest in &unready {
                remove_file(&self.blob_path(digest))?;
            }
            if !unready.is_empty() {
                tx.execute("DELETE FROM blobs WHERE ready = 0", [])?;
            }
            Ok(())
        })
    }
}

/// Makes the data root. It can be passed through by all, since processes of containers reach
/// their files in it, but listed by its owner only.
fn make_root(root: &Path) -> Result<()> {
    if let Some(above) = root.parent() {
        std::fs::create_dir_all(above).at("make", above)?;
    }
    match DirBuilder::new().mode(0o711).create(root) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.at("make", root),
    }
}

/// Locks the data root or says who has it.
fn take_lock(root: &Path) -> Result<File> {
    let path = root.join("engine.lock");
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).at("open", &path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            file.read_to_string(&mut text).at("read", &path)?;
            return Err(Error::InUse {
                root: root.to_owned(),
                pid: text.trim().parse().unwrap_or(0),
            });
        }
        Err(error) => return Err(error).at("lock", &path),
    }
    file.rewind().at("write", &path)?;
    // Always as long, over what was there: that takes no space, should the disk be full.
    writeln!(file, "{:<10}", std::process::id()).at("write", &path)?;
    Ok(file)
}

/// Makes the database's file, if it is new, before SQLite does: its mode is also that of the files
/// beside it. Containers' environments are in there.
fn make_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    let options = options.append(true).create(true).mode(0o600);
    options.open(path).map(drop).at("make", path)
}

fn make_folders(root: &Path) -> Result<()> {
    for folder in ["blobs/sha256", "layers/0/fs", "layers/0/none", "tmp"] {
        let path = root.join(folder);
        std::fs::create_dir_all(&path).at("make", &path)?;
    }
    // Set-uid programs, devices and secrets in images are nobody's business on the host.
    for folder in ["blobs", "layers"] {
        let path = root.join(folder);
        std::fs::set_permissions(&path, Permissions::from_mode(0o700)).at("protect", &path)?;
    }
    let empty = root.join("layers/0/fs");
    std::fs::set_permissions(&empty, Permissions::from_mode(0o755)).at("protect", &empty)?;
    let layout = root.join("oci-layout");
    if !layout.exists() {
        let text = r#"{"imageLayoutVersion":"1.0.0"}"#;
        std::fs::write(&layout, text).at("write", &layout)?;
    }
    empty_folder(&root.join("tmp"))
}

fn empty_folder(path: &Path) -> Result<()> {
    let folder = sys::root::Dir::open(path).at("open", path)?;
    for entry in folder.list().at("list", path)? {
        folder.remove_all(&entry.name).at("empty", path)?;
    }
    Ok(())
}

/// Removes a file; nothing there is no error.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.at("remove", path),
    }
}

/// Removes a folder with all in it; nothing there is no error.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let above = sys::root::Dir::open(above).at("open", above)?;
    above.remove_all(name).at("remove", path)
}
