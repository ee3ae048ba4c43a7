//! What is live of a container: who waits for it, who will be attached, what is being done to it.
//! Memory only; the facts are in the store.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    pending: Mutex<Pending>,
    delivered: Condvar,
}

/// Clients that attached before the start. Between the answer to a client and the moment its
/// connection can be handed over, the client may have asked for the start already: so its place is
/// reserved before the answer, and a start waits for it.
#[derive(Debug, Default)]
struct Pending {
    list: Vec<PendingAttach>,
    reserved: usize,
    /// Grows with each start: a place is good for one start.
    round: u64,
}

/// A place among the clients of the next start.
#[derive(Debug)]
pub(crate) struct Reservation {
    handle: Arc<Handle>,
    round: u64,
}

/// What has come to an end so far.
#[derive(Debug, Clone, Default)]
struct Progress {
    /// How many runs have ended since the start of the engine.
    ends: u64,
    /// How the last one ended.
    last: Option<Ended>,
    /// The container is gone.
    removed: bool,
}

/// What comes to an end after the moment at which this was made.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    progress: watch::Receiver<Progress>,
    ends: u64,
}

impl Watch {
    /// Has a run ended since, or is the container gone?
    pub(crate) fn is_over(&self) -> bool {
        let now = self.progress.borrow();
        now.ends > self.ends || now.removed
    }

    /// Waits for the end of a run. `None` where the engine stops before.
    pub(crate) async fn ended(&mut self) -> Option<Ended> {
        let ends = self.ends;
        let over = |now: &Progress| now.ends > ends || now.removed;
        let now = self.progress.wait_for(over).await.ok()?;
        Some(now.last.clone().unwrap_or_default())
    }

    /// Waits until the container is gone.
    pub(crate) async fn removed(&mut self) -> Option<Ended> {
        let now = self.progress.wait_for(|now| now.removed).await.ok()?;
        Some(now.last.clone().unwrap_or_default())
    }
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
            lock(&handle.pending).list.clear();
        }
    }
}

impl Default for Handle {
    fn default() -> Self {
        Self {
            change: Arc::default(),
            progress: watch::Sender::new(Progress::default()),
            pending: Mutex::default(),
            delivered: Condvar::new(),
        }
    }
}

impl Handle {
    /// Follows what comes to an end from now on.
    pub(crate) fn progress(&self) -> Watch {
        let progress = self.progress.subscribe();
        let ends = progress.borrow().ends;
        Watch { progress, ends }
    }

    /// A run ended, or its start failed.
    pub(crate) fn ended(&self, ended: Ended) {
        self.progress.send_modify(|progress| {
            progress.ends += 1;
            progress.last = Some(ended);
        });
    }

    /// Reserves a place for a client whose connection comes soon.
    pub(crate) fn reserve(self: &Arc<Self>) -> Reservation {
        let mut pending = lock(&self.pending);
        pending.reserved += 1;
        Reservation {
            round: pending.round,
            handle: Arc::clone(self),
        }
    }

    /// The clients that wait for the start. Those that have a place are waited for, up to a limit.
    pub(crate) fn take_pending(&self) -> Vec<PendingAttach> {
        const PATIENCE: Duration = Duration::from_secs(2);
        let pending = lock(&self.pending);
        let waited = self
            .delivered
            .wait_timeout_while(pending, PATIENCE, |pending| pending.reserved > 0);
        let mut pending = waited.unwrap_or_else(PoisonError::into_inner).0;
        pending.reserved = 0;
        pending.round += 1;
        std::mem::take(&mut pending.list)
    }
}

impl Reservation {
    /// Takes the place. Gives the client back where the start has been already.
    pub(crate) fn deliver(self, attach: PendingAttach) -> Option<PendingAttach> {
        let mut pending = lock(&self.handle.pending);
        if pending.round != self.round {
            return Some(attach);
        }
        pending.list.push(attach);
        // Before the place itself goes, which needs the lock as well.
        drop(pending);
        None
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut pending = lock(&self.handle.pending);
        if pending.round == self.round {
            pending.reserved -= 1;
            self.handle.delivered.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> PendingAttach {
        let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
        PendingAttach {
            request: shim::Attach {
                streams: shim::Streams::default(),
                detach_keys: Vec::new(),
                early_input: Vec::new(),
            },
            stream: stream.into(),
        }
    }

    #[test]
    fn a_start_waits_for_a_client_that_has_a_place() {
        let handle = Arc::new(Handle::default());
        let (place, given_up) = (handle.reserve(), handle.reserve());
        let starter = {
            let handle = Arc::clone(&handle);
            std::thread::spawn(move || handle.take_pending().len())
        };
        std::thread::sleep(Duration::from_millis(50));
        assert!(!starter.is_finished());
        drop(given_up);
        assert!(place.deliver(client()).is_none());
        assert_eq!(starter.join().unwrap(), 1);
    }

    #[tokio::test]
    async fn an_end_between_request_and_wait_is_seen() {
        let handle = Handle::default();
        let mut watch = handle.progress();
        handle.ended(Ended::default());
        assert!(watch.is_over());
        assert_eq!(watch.ended().await, Some(Ended::default()));
    }

    #[test]
    fn a_place_is_good_for_one_start() {
        let handle = Arc::new(Handle::default());
        let place = handle.reserve();
        handle.take_pending();
        assert!(place.deliver(client()).is_some());
        assert!(handle.take_pending().is_empty());
    }
}
