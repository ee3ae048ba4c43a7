//! Builds: running ones, and the cache that they leave.

use crate::containers::Pruned;
use crate::{Error, Filters};

/// The builds of this engine.
#[derive(Debug, Clone)]
pub struct Builds {}

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
    pub created: jiff::Timestamp,
    /// When it was last of use.
    pub last_used: Option<jiff::Timestamp>,
    /// How often it was of use.
    pub usage_count: u64,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Builds {
    /// Stops a running build.
    pub async fn cancel(&self, id: &str) -> Result<(), Error> {
        let _ = id;
        todo!()
    }

    /// The records of the cache.
    pub async fn cache(&self) -> Result<Vec<CacheRecord>, Error> {
        todo!()
    }

    /// Takes records away that no running build uses; without `all` only those that no image uses
    /// either.
    pub async fn prune(&self, all: bool, filters: Filters) -> Result<Pruned, Error> {
        let _ = (all, filters);
        todo!()
    }
}
