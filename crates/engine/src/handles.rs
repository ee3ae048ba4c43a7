//! What is live of a container: who waits for it, who will be attached, what is being done to it.
//! Memory only; the facts are in the store.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::containers::Ended;

/// The live side of all containers that were touched since the start of the engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handles(Arc<Mutex<HashMap<String, Arc<Handle>>>>);

/// The live side of one container.
#[derive(Debug)]
pub(crate) struct Handle {
    /// Held while its state changes: one change at a time.
    pub(crate) change: Arc<tokio::sync::Mutex<()>>,
    progress: watch::Sender<Progress>,
    pending: Mutex<Vec<PendingAttach>>,
}

/// What has come to an end so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// How many runs have ended since the start of the engine.
    pub(crate) ends: u64,
    /// How the last one ended.
    pub(crate) last: Option<Ended>,
    /// The container is gone.
    pub(crate) removed: bool,
}

/// A client that attached before the start.
#[derive(Debug)]
pub(crate) struct PendingAttach {
    pub(crate) request: shim::Attach,
    pub(crate) stream: OwnedFd,
}

impl Handles {
    /// The handle of a container.
    pub(crate) fn of(&self, id: &str) -> Arc<Handle> {
        let mut map = lock(&self.0);
        Arc::clone(map.entry(id.to_owned()).or_default())
    }

    /// Forgets a container and tells everybody who waits for it.
    pub(crate) fn removed(&self, id: &str) {
        let handle = lock(&self.0).remove(id);
        if let Some(handle) = handle {
            handle
                .progress
                .send_modify(|progress| progress.removed = true);
            lock(&handle.pending).clear();
        }
    }
}

impl Default for Handle {
    fn default() -> Self {
        Self {
            change: Arc::default(),
            progress: watch::Sender::new(Progress::default()),
            pending: Mutex::default(),
        }
    }
}

impl Handle {
    /// Follows what comes to an end from now on.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// A run ended, or its start failed.
    pub(crate) fn ended(&self, ended: Ended) {
        self.progress.send_modify(|progress| {
            progress.ends += 1;
            progress.last = Some(ended);
        });
    }

    /// Keeps a client for the next start.
    pub(crate) fn attach_later(&self, attach: PendingAttach) {
        lock(&self.pending).push(attach);
    }

    /// The clients that wait for the start.
    pub(crate) fn take_pending(&self) -> Vec<PendingAttach> {
        std::mem::take(&mut lock(&self.pending))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
