//! The solver's cache in the store's tables.
//!
//! Four kinds of records, told apart by the prefix of their key: `step:` holds a result and its
//! snapshot, `parts:` what its key was made of, `alias:` which precise key a fast one stands for,
//! `latest:` a step's latest key. Every payload begins with the format's version.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use oci::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use solver::{CacheError, CacheKey, CacheStore, Parts, Record};
use store::{CacheRecord, SnapshotId, Store};

use crate::ops::Saved;

const FORMAT: &str = "1\n";

pub(crate) struct StoreCache {
    store: Store,
    /// Seconds since 1970, as the latest build said.
    now: AtomicI64,
    used: Mutex<HashSet<String>>,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    identity: CacheKey,
    saved: String,
}

impl StoreCache {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            now: AtomicI64::new(0),
            used: Mutex::default(),
        }
    }

    /// Tells the time; records are dated by it.
    pub(crate) fn set_now(&self, now: i64) {
        self.now.fetch_max(now, Ordering::Relaxed);
    }

    fn now(&self) -> SystemTime {
        let seconds = self.now.load(Ordering::Relaxed).unsigned_abs();
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Tells the store which records were of use since the last call.
    pub(crate) fn flush_used(&self) -> Result<(), store::Error> {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = used.iter().map(String::as_str).collect();
        self.store
            .write(|tx| tx.touch_cache_records(&keys, self.now()))
    }

    fn get<T: DeserializeOwned>(&self, key: String) -> Result<Option<T>, CacheError> {
        let Some(record) = self.store.read(|tx| tx.cache_record(&key))? else {
            return Ok(None);
        };
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key);
        // A record of another format is as good as none.
        let body = record.payload.strip_prefix(FORMAT);
        Ok(body.and_then(|body| serde_json::from_str(body).ok()))
    }

    fn record_of(
        &self,
        key: String,
        step: &str,
        payload: &impl Serialize,
    ) -> Result<CacheRecord, CacheError> {
        let now = self.now();
        Ok(CacheRecord {
            key,
            step: step.to_owned(),
            snapshot: None,
            payload: format!("{FORMAT}{}", serde_json::to_string(payload)?),
            size: 0,
            created: now,
            last_used: now,
        })
    }

    fn put_plain(&self, key: String, payload: &impl Serialize) -> Result<(), CacheError> {
        let record = self.record_of(key, "", payload)?;
        Ok(self.store.write(|tx| tx.put_cache_record(&record))?)
    }
}

fn snapshot_of(saved: &str) -> Option<SnapshotId> {
    serde_json::from_str::<Saved>(saved).ok()?.snapshot
}

fn latest_key(step: &str) -> String {
    format!("latest:{}", Digest::of(step).hex())
}

impl CacheStore for StoreCache {
    fn record(&self, key: &CacheKey) -> Result<Option<Record>, CacheError> {
        let found = self.get::<Payload>(format!("step:{key}"))?;
        Ok(found.map(|payload| Record {
            key: *key,
            identity: payload.identity,
            step: String::new(),
            saved: payload.saved,
        }))
    }

    fn put(&self, record: &Record, parts: &Parts) -> Result<(), CacheError> {
        let payload = Payload {
            identity: record.identity,
            saved: record.saved.clone(),
        };
        let mut result = self.record_of(format!("step:{}", record.key), &record.step, &payload)?;
        result.snapshot = snapshot_of(&record.saved);
        let parts = self.record_of(format!("parts:{}", record.key), "", parts)?;
        Ok(self.store.write(|tx| {
            tx.put_cache_record(&parts)?;
            tx.put_cache_record(&result)
        })?)
    }

    fn parts(&self, key: &CacheKey) -> Result<Option<Parts>, CacheError> {
        self.get(format!("parts:{key}"))
    }

    fn alias(&self, fast: &CacheKey) -> Result<Option<CacheKey>, CacheError> {
        self.get(format!("alias:{fast}"))
    }

    fn put_alias(&self, fast: &CacheKey, key: &CacheKey) -> Result<(), CacheError> {
        self.put_plain(format!("alias:{fast}"), key)
    }

    fn latest(&self, step: &str) -> Result<Option<CacheKey>, CacheError> {
        self.get(latest_key(step))
    }

    fn put_latest(&self, step: &str, key: &CacheKey) -> Result<(), CacheError> {
        self.put_plain(latest_key(step), key)
    }
}
