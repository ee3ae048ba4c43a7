//! Builds: running ones, and the cache that they leave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use build::{Builder, ContextSource, Event, Job};
use jiff::Timestamp;
use store::{CachePolicy, GcPolicy, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::blocking::blocking;
use crate::containers::Pruned;
use crate::events::{Events, Noun};
use crate::{Error, Filters, Id};

/// Events that wait for their reader before the build waits.
const EVENTS: usize = 256;

/// The builds of this engine.
#[derive(Clone)]
pub struct Builds {
    store: Store,
    builder: Arc<Builder>,
    events: Events,
    running: Running,
}

type Running = Arc<Mutex<HashMap<String, CancellationToken>>>;

/// A build that goes on. Dropping it cancels the build.
#[derive(Debug)]
pub struct Build {
    /// Identifier, for [`Builds::cancel`].
    pub id: Id,
    /// What happens; ends when the build does.
    pub events: mpsc::Receiver<Event>,
    task: tokio::task::JoinHandle<Result<build::BuildResult, build::BuildError>>,
    guard: Guard,
}

/// Cancels and forgets a build when it is dropped.
#[derive(Debug)]
struct Guard {
    id: String,
    cancel: CancellationToken,
    running: Running,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.cancel.cancel();
        lock(&self.running).remove(&self.id);
    }
}

/// One record of the build cache.
#[derive(Debug, Clone)]
pub struct CacheRecord {
    /// Identifier.
    pub id: String,
    /// What step made it.
    pub description: String,
    /// Bytes that are its alone.
    pub size: u64,
    /// In use by a running build.
    pub in_use: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last of use.
    pub last_used: Option<Timestamp>,
    /// How often it was of use.
    pub usage_count: u64,
}

impl std::fmt::Debug for Builds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Builds")
    }
}

impl Build {
    /// Waits for the result. Events that nobody took are dropped.
    pub async fn finish(mut self) -> Result<build::BuildResult, Error> {
        self.events.close();
        let result = self.task.await?;
        let running = Arc::clone(&self.guard.running);
        drop(self.guard);
        if lock(&running).is_empty() {
            // A large context leaves much behind that an idle engine has no use for.
            tokio::task::spawn_blocking(sys::memory::release);
        }
        Ok(result?)
    }
}

impl Builds {
    pub(crate) fn new(store: Store, builder: Builder, events: Events) -> Self {
        Self {
            store,
            builder: Arc::new(builder),
            events,
            running: Running::default(),
        }
    }

    /// Starts a build. `id` is the client's own choice, where it has one.
    pub fn start(
        &self,
        id: Option<String>,
        request: build::BuildRequest,
        context: ContextSource,
    ) -> Result<Build, Error> {
        let id = match id {
            Some(id) => Id::from(id),
            None => Id::random()?,
        };
        let cancel = CancellationToken::new();
        let (sender, events) = mpsc::channel(EVENTS);
        lock(&self.running).insert(id.to_string(), cancel.clone());
        let job = Job {
            request,
            context,
            events: sender,
            cancel: cancel.clone(),
        };
        let (builder, log) = (Arc::clone(&self.builder), self.events.clone());
        let task = tokio::spawn(async move {
            let result = builder.build(job).await;
            if let Ok(built) = &result
                && let Some(image) = built.image
            {
                for tag in &built.tags {
                    let attributes = [("name".to_owned(), tag.familiar())].into();
                    log.publish(Noun::Image, "tag", &image.to_string(), attributes);
                }
            }
            result
        });
        Ok(Build {
            guard: Guard {
                id: id.to_string(),
                cancel,
                running: Arc::clone(&self.running),
            },
            id,
            events,
            task,
        })
    }

    /// Stops a running build.
    pub fn cancel(&self, id: &str) -> Result<(), Error> {
        match lock(&self.running).get(id) {
            Some(cancel) => cancel.cancel(),
            None => return Err(Error::NoSuchBuild(id.to_owned())),
        }
        Ok(())
    }

    /// The records of the cache.
    pub async fn cache(&self) -> Result<Vec<CacheRecord>, Error> {
        let store = self.store.clone();
        blocking(move || {
            let records = steps(&store)?;
            Ok(records.into_iter().map(CacheRecord::from).collect())
        })
        .await
    }

    /// Takes records away that no running build uses; without `all` only those that were not of use
    /// for a while. Filters: `until`.
    pub async fn prune(&self, all: bool, filters: Filters) -> Result<Pruned, Error> {
        const STALE: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);
        filters.check_keys(&[
            "until",
            "unused-for",
            "id",
            "parent",
            "type",
            "description",
            "inuse",
            "shared",
            "private",
        ])?;
        let until = filters.until()?;
        let now = SystemTime::now();
        let age = match until {
            Some(until) => now
                .duration_since(SystemTime::from(until))
                .unwrap_or_default(),
            None if all => std::time::Duration::ZERO,
            None => STALE,
        };
        let (store, events) = (self.store.clone(), self.events.clone());
        blocking(move || {
            let known = |store: &Store| -> Result<Vec<String>, Error> {
                let records = steps(store)?;
                Ok(records.into_iter().map(|record| id_of(&record)).collect())
            };
            let before = known(&store)?;
            let policy = CachePolicy {
                now,
                max_age: Some(age),
                max_size: None,
            };
            let freed = store.gc(&GcPolicy {
                cache: Some(policy),
            })?;
            let after = known(&store)?;
            let facts = [("reclaimed".to_owned(), freed.bytes.to_string())];
            events.publish(Noun::Builder, "prune", "", facts.into());
            Ok(Pruned {
                deleted: before
                    .into_iter()
                    .filter(|id| !after.contains(id))
                    .collect(),
                reclaimed: freed.bytes,
            })
        })
        .await
    }
}

/// Results of steps. Records without a step are the builder's own bookkeeping.
fn steps(store: &Store) -> Result<Vec<store::CacheRecord>, Error> {
    let mut records = store.read(|tx| tx.cache_records())?;
    records.retain(|record| !record.step.is_empty());
    Ok(records)
}

/// The digest alone: what stands before it tells kinds of records apart.
fn id_of(record: &store::CacheRecord) -> String {
    let id = record.key.rsplit_once(':').map(|(_, digest)| digest);
    id.unwrap_or(&record.key).to_owned()
}

impl From<store::CacheRecord> for CacheRecord {
    fn from(record: store::CacheRecord) -> Self {
        Self {
            id: id_of(&record),
            description: record.step,
            size: record.size,
            in_use: false,
            created: Timestamp::try_from(record.created).unwrap_or_default(),
            last_used: Timestamp::try_from(record.last_used).ok(),
            usage_count: 0,
        }
    }
}

fn lock(running: &Running) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
