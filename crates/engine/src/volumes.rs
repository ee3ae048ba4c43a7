//! Volumes: folders that outlive containers. Those with names come by `-v name:/path`, those
//! without by `VOLUME`. The verbs on volumes come with the next issue.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::containers::Pruned;
use crate::{Error, Filters};

/// The volumes of this engine.
#[derive(Debug, Clone)]
pub struct Volumes {}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// It was made for one container.
    pub anonymous: bool,
    /// Its content on the host.
    pub path: PathBuf,
    /// When it was made.
    pub created: Timestamp,
    /// Bytes, where they were asked for.
    pub size: Option<u64>,
    /// How many containers mount it.
    pub users: usize,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Volumes {
    /// Those that match, by name. Filters: `name`, `dangling`, `driver`, `label`.
    pub async fn list(&self, filters: Filters, size: bool) -> Result<Vec<Volume>, Error> {
        let _ = (filters, size);
        todo!()
    }

    /// One.
    pub async fn inspect(&self, name: &str) -> Result<Volume, Error> {
        let _ = name;
        todo!()
    }

    /// Removes those that no container mounts: anonymous ones, with the filter `all` all.
    pub async fn prune(&self, filters: Filters) -> Result<Pruned, Error> {
        let _ = filters;
        todo!()
    }
}
