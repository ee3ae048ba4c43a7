//! Folders of `RUN --mount=type=cache`: they outlive builds, as active snapshots that a cache
//! record keeps.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use dockerfile::Sharing;
use dockerfile::ignore::Patterns;
use store::{Active, CacheRecord, Lease, Snapshot, Store};
use sys::root::RootDir;
use tokio::sync::OwnedMutexGuard;

use crate::domain::{StepError, blocking};
use crate::files::select::Selector;
use crate::files::target::Target;
use crate::files::tree::Tree;
use crate::files::write::{WriteOptions, Writer};

/// A cache mount of a step.
#[derive(Debug, Clone)]
pub(crate) struct CacheFolder {
    pub(crate) id: String,
    pub(crate) sharing: Sharing,
    /// Of a new folder.
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
}

/// Which cache folders are in use in this process.
pub(crate) struct CacheMounts {
    store: Store,
    locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    private: Arc<Mutex<HashSet<String>>>,
    making: Arc<Mutex<()>>,
}

/// A cache folder in use.
pub(crate) struct OpenFolder {
    pub(crate) path: PathBuf,
    _snapshot: Snapshot<Active>,
    _lock: Option<OwnedMutexGuard<()>>,
    _slot: Option<Slot>,
}

/// A private folder's name, free again with this value.
struct Slot {
    name: String,
    taken: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.name);
    }
}

impl CacheMounts {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            locks: Mutex::default(),
            private: Arc::default(),
            making: Arc::default(),
        }
    }

    /// Opens the folder, making it when it is new, filled from `seed`. Waits for a locked one.
    pub(crate) async fn open(
        &self,
        folder: CacheFolder,
        seed: Option<(Tree, String)>,
        lease: Lease,
    ) -> Result<OpenFolder, StepError> {
        let lock = match folder.sharing {
            Sharing::Locked => Some(self.lock(&folder.id).lock_owned().await),
            _ => None,
        };
        let slot = match folder.sharing {
            Sharing::Private => Some(self.slot(&folder.id)),
            _ => None,
        };
        let name = slot.as_ref().map_or(&folder.id, |slot| &slot.name).clone();
        let (store, making) = (self.store.clone(), Arc::clone(&self.making));
        let snapshot = blocking(move || {
            let _one_at_a_time = making.lock().unwrap_or_else(PoisonError::into_inner);
            find_or_make(&store, &name, &folder, seed.as_ref(), &lease)
        });
        let snapshot = snapshot.await?;
        Ok(OpenFolder {
            path: snapshot.upper(),
            _snapshot: snapshot,
            _lock: lock,
            _slot: slot,
        })
    }

    fn lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(id.to_owned()).or_default())
    }

    /// The first free one of `id`, `id#2`, `id#3`, …
    fn slot(&self, id: &str) -> Slot {
        let mut taken = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        let mut number = 1;
        let name = loop {
            let name = match number {
                1 => id.to_owned(),
                number => format!("{id}#{number}"),
            };
            if taken.insert(name.clone()) {
                break name;
            }
            number += 1;
        };
        Slot {
            name,
            taken: Arc::clone(&self.private),
        }
    }
}

fn find_or_make(
    store: &Store,
    name: &str,
    folder: &CacheFolder,
    seed: Option<&(Tree, String)>,
    lease: &Lease,
) -> Result<Snapshot<Active>, StepError> {
    let key = format!("mount:{name}");
    let record = store.read(|tx| tx.cache_record(&key))?;
    if let Some(id) = record.and_then(|record| record.snapshot) {
        match store.active(id, lease) {
            Err(store::Error::SnapshotNotFound(_)) => {}
            found => return Ok(found?),
        }
    }
    let snapshot = store.prepare(None, lease)?;
    let path = snapshot.upper();
    fill(&path, folder, seed)?;
    let now = SystemTime::now();
    let record = CacheRecord {
        key,
        step: format!("cache mount {name}"),
        snapshot: Some(snapshot.id()),
        payload: String::new(),
        size: 0,
        created: now,
        last_used: now,
    };
    store.write(|tx| tx.put_cache_record(&record))?;
    Ok(snapshot)
}

fn fill(path: &Path, folder: &CacheFolder, seed: Option<&(Tree, String)>) -> Result<(), StepError> {
    let error = || StepError::file(format!("make the cache folder {}", folder.id));
    if let Some((tree, source)) = seed {
        let selector = Selector {
            sources: vec![source.clone()],
            exclude: Patterns::default(),
            parents: false,
        };
        let missing = |_| {
            StepError::Invalid(format!(
                "\"{source}\" not found for the cache mount {}",
                folder.id
            ))
        };
        let items = selector.select(tree).map_err(missing)?;
        let target = Target {
            upper: RootDir::open(path).map_err(error())?,
            below: None,
        };
        let writer = Writer {
            target: &target,
            options: &WriteOptions::default(),
            destination: PathBuf::new(),
            into: true,
        };
        writer.write(tree, &items)?;
    }
    std::os::unix::fs::chown(path, Some(folder.owner.0), Some(folder.owner.1)).map_err(error())?;
    let permissions = std::fs::Permissions::from_mode(folder.mode);
    std::fs::set_permissions(path, permissions).map_err(error())
}
