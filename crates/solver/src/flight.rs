//! Ops that run right now, by identity, so that equal ones run once.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{CacheKey, Domain, SolveError};

/// Notes that a builder which joins late still gets.
const HISTORY: usize = 4096;
/// Notes on their way to one waiter.
const BACKLOG: usize = 256;

pub(crate) type Outcome<D> = Result<<D as Domain>::Value, SolveError<D>>;

/// Spreads an op's notes to all who wait for it.
pub(crate) struct Notes<D: Domain> {
    log: Arc<Mutex<Log<D>>>,
}

struct Log<D: Domain> {
    history: VecDeque<D::Note>,
    listeners: Vec<mpsc::Sender<D::Note>>,
}

impl<D: Domain> Clone for Notes<D> {
    fn clone(&self) -> Self {
        Self {
            log: Arc::clone(&self.log),
        }
    }
}

impl<D: Domain> Notes<D> {
    pub(crate) fn new() -> Self {
        let log = Log {
            history: VecDeque::new(),
            listeners: Vec::new(),
        };
        Self {
            log: Arc::new(Mutex::new(log)),
        }
    }

    pub(crate) async fn send(&self, note: D::Note) {
        let listeners = {
            let mut log = lock(&self.log);
            if log.history.len() == HISTORY {
                log.history.pop_front();
            }
            log.history.push_back(note.clone());
            log.listeners.retain(|listener| !listener.is_closed());
            log.listeners.clone()
        };
        for listener in listeners {
            // A waiter that left no longer listens.
            let _ = listener.send(note.clone()).await;
        }
    }

    /// What was noted so far, and a receiver of what follows.
    pub(crate) fn listen(&self) -> (VecDeque<D::Note>, mpsc::Receiver<D::Note>) {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let mut log = lock(&self.log);
        log.listeners.push(sender);
        (log.history.clone(), receiver)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One op that runs.
pub(crate) struct Flight<D: Domain> {
    pub(crate) cancel: CancellationToken,
    pub(crate) notes: Notes<D>,
    outcome: watch::Sender<Option<Outcome<D>>>,
}

type Map<D> = HashMap<CacheKey, (Arc<Flight<D>>, usize)>;

/// All ops that run.
pub(crate) struct Flights<D: Domain> {
    map: Mutex<Map<D>>,
    /// How many were cancelled and have not ended yet.
    ending: watch::Sender<usize>,
}

impl<D: Domain> Flights<D> {
    pub(crate) fn new() -> Arc<Self> {
        let map = Mutex::new(HashMap::new());
        let ending = watch::Sender::new(0);
        Arc::new(Self { map, ending })
    }

    /// Waits until no cancelled op runs any more.
    pub(crate) async fn settled(&self) {
        // The sender lives as long as `self`: waiting cannot fail.
        let _ = self
            .ending
            .subscribe()
            .wait_for(|ending| *ending == 0)
            .await;
    }

    /// Waits for the flight `key`, together with others if there is one already; else `start`
    /// spawns it.
    pub(crate) fn join<F>(
        self: &Arc<Self>,
        key: CacheKey,
        start: impl FnOnce(Arc<Flight<D>>) -> F,
    ) -> Ticket<D>
    where
        F: Future<Output = Outcome<D>> + Send + 'static,
    {
        let mut map = lock(&self.map);
        let (flight, waiters) = map.entry(key).or_insert_with(|| {
            let flight = Arc::new(Flight {
                cancel: CancellationToken::new(),
                notes: Notes::new(),
                outcome: watch::Sender::new(None),
            });
            self.spawn(key, &flight, start(Arc::clone(&flight)));
            (flight, 0)
        });
        *waiters += 1;
        Ticket {
            flights: Arc::clone(self),
            key,
            flight: Arc::clone(flight),
        }
    }

    fn spawn<F>(self: &Arc<Self>, key: CacheKey, flight: &Arc<Flight<D>>, work: F)
    where
        F: Future<Output = Outcome<D>> + Send + 'static,
    {
        let (flights, flight) = (Arc::clone(self), Arc::clone(flight));
        let work = tokio::spawn(work);
        tokio::spawn(async move {
            let outcome = work.await.unwrap_or(Err(SolveError::Panicked));
            flights.remove(key, &flight);
            if flight.cancel.is_cancelled() {
                flights.ending.send_modify(|ending| *ending -= 1);
            }
            flight.outcome.send_replace(Some(outcome));
        });
    }

    fn remove(&self, key: CacheKey, flight: &Arc<Flight<D>>) {
        let mut map = lock(&self.map);
        if map
            .get(&key)
            .is_some_and(|(found, _)| Arc::ptr_eq(found, flight))
        {
            map.remove(&key);
        }
    }

    fn leave(&self, key: CacheKey, flight: &Arc<Flight<D>>) {
        let mut map = lock(&self.map);
        let Some((found, waiters)) = map.get_mut(&key) else {
            return;
        };
        if !Arc::ptr_eq(found, flight) {
            return;
        }
        *waiters -= 1;
        if *waiters == 0 {
            // Whoever comes now starts anew instead of waiting for what is being cancelled.
            map.remove(&key);
            self.ending.send_modify(|ending| *ending += 1);
            flight.cancel.cancel();
        }
    }
}

/// A waiter's share in a flight.
pub(crate) struct Ticket<D: Domain> {
    flights: Arc<Flights<D>>,
    key: CacheKey,
    flight: Arc<Flight<D>>,
}

impl<D: Domain> Ticket<D> {
    /// Waits for the end; `on_note` gets the notes in order.
    pub(crate) async fn wait<F>(&self, on_note: impl Fn(D::Note) -> F) -> Outcome<D>
    where
        F: Future<Output = ()>,
    {
        let mut ended = self.flight.outcome.subscribe();
        let (history, mut notes) = self.flight.notes.listen();
        for note in history {
            on_note(note).await;
        }
        loop {
            let note = tokio::select! {
                biased;
                note = notes.recv() => note,
                _ = ended.wait_for(Option::is_some) => None,
            };
            match note {
                Some(note) => on_note(note).await,
                None => break,
            }
        }
        while let Ok(note) = notes.try_recv() {
            on_note(note).await;
        }
        let outcome = self.flight.outcome.borrow().clone();
        outcome.unwrap_or(Err(SolveError::Panicked))
    }
}

impl<D: Domain> Drop for Ticket<D> {
    fn drop(&mut self) {
        self.flights.leave(self.key, &self.flight);
    }
}
