//! How a container ended, and the file that keeps it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Version of the document.
    pub version: u32,
    /// Exit code as a shell says it: 128 + the signal if a signal ended it.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel killed a process of it for want of memory.
    pub oom: bool,
    /// When, RFC 3339 with nanoseconds, UTC.
    pub finished_at: String,
}

impl Exit {
    /// Name of the file in the container's folder.
    pub const FILE: &str = "exit";

    /// Reads the exit file from the container's folder; none if there is none.
    pub fn read(dir: &Path) -> Result<Option<Self>, Error> {
        todo!("{}", dir.display())
    }

    /// Removes the exit file, before a new start.
    pub fn clear(dir: &Path) -> Result<(), Error> {
        todo!("{}", dir.display())
    }
}
