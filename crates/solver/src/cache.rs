//! Where results are remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::{CacheKey, Ingredient};

/// A cache store fails with an error of its own.
pub type CacheError = Box<dyn std::error::Error + Send + Sync>;

/// A result that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its key.
    pub key: CacheKey,
    /// What dependents keyed by definition take it for: the key, unless it was made anew by order.
    pub identity: CacheKey,
    /// The op's identity over time.
    pub step: String,
    /// How the op finds the value again.
    pub saved: String,
}

/// How one input entered a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputPart {
    /// By identity.
    Definition(CacheKey),
    /// By content, with the op's detail of it.
    Content(Digest, String),
}

/// What a key was made of, to explain later misses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// The op's definition.
    pub definition: Vec<Ingredient>,
    /// Its inputs in order.
    pub inputs: Vec<InputPart>,
}

/// Remembers results, what their keys were made of, and each step's latest key. Synchronous: the
/// solver calls it on blocking threads.
pub trait CacheStore: Send + Sync + 'static {
    /// The result with this key, if it still exists.
    fn record(&self, key: &CacheKey) -> Result<Option<Record>, CacheError>;
    /// Files a result and what its key was made of.
    fn put(&self, record: &Record, parts: &Parts) -> Result<(), CacheError>;
    /// What a key was made of.
    fn parts(&self, key: &CacheKey) -> Result<Option<Parts>, CacheError>;
    /// The precise key that a fast key stands for.
    fn alias(&self, fast: &CacheKey) -> Result<Option<CacheKey>, CacheError>;
    /// Files what a fast key stands for.
    fn put_alias(&self, fast: &CacheKey, key: &CacheKey) -> Result<(), CacheError>;
    /// The key that a step had in the latest build that completed it.
    fn latest(&self, step: &str) -> Result<Option<CacheKey>, CacheError>;
    /// Files the latest key of a step.
    fn put_latest(&self, step: &str, key: &CacheKey) -> Result<(), CacheError>;
}

/// A cache that forgets everything with the process.
#[derive(Debug, Default)]
pub struct MemoryCache {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    records: HashMap<CacheKey, (Record, Parts)>,
    aliases: HashMap<CacheKey, CacheKey>,
    latest: HashMap<String, CacheKey>,
}

impl MemoryCache {
    fn tables(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheStore for MemoryCache {
    fn record(&self, key: &CacheKey) -> Result<Option<Record>, CacheError> {
        let found = self
            .tables()
            .records
            .get(key)
            .map(|(record, _)| record.clone());
        Ok(found)
    }

    fn put(&self, record: &Record, parts: &Parts) -> Result<(), CacheError> {
        let value = (record.clone(), parts.clone());
        self.tables().records.insert(record.key, value);
        Ok(())
    }

    fn parts(&self, key: &CacheKey) -> Result<Option<Parts>, CacheError> {
        let found = self
            .tables()
            .records
            .get(key)
            .map(|(_, parts)| parts.clone());
        Ok(found)
    }

    fn alias(&self, fast: &CacheKey) -> Result<Option<CacheKey>, CacheError> {
        Ok(self.tables().aliases.get(fast).copied())
    }

    fn put_alias(&self, fast: &CacheKey, key: &CacheKey) -> Result<(), CacheError> {
        self.tables().aliases.insert(*fast, *key);
        Ok(())
    }

    fn latest(&self, step: &str) -> Result<Option<CacheKey>, CacheError> {
        Ok(self.tables().latest.get(step).copied())
    }

    fn put_latest(&self, step: &str, key: &CacheKey) -> Result<(), CacheError> {
        self.tables().latest.insert(step.to_owned(), *key);
        Ok(())
    }
}
