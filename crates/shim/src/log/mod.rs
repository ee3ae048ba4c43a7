//! The container's log: Docker's `json-file` lines, bounded and rotated.
//!
//! ```text
//!  log.json      newest     {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}
//!  log.json.1    older      a line without "\n" goes on in the next entry (cut at 16 KiB)
//!  log.json.2    …
//! ```
//! The shim writes, anybody reads. A reader finds its way across a rotation by the identity of the
//! files, so nothing is lost or read twice unless the oldest file is removed under it.

mod backward;
mod reader;
mod writer;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use reader::Reader;
pub(crate) use writer::Writer;

/// Which stream of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it came from.
    pub stream: Stream,
    /// The time as written, RFC 3339 with nanoseconds.
    pub time: String,
    /// The text, with its line end unless the line was cut.
    pub line: Vec<u8>,
}

/// What to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Entries of standard output.
    pub stdout: bool,
    /// Entries of standard error.
    pub stderr: bool,
    /// Only entries at or after.
    pub since: Option<SystemTime>,
    /// Only entries before or at.
    pub until: Option<SystemTime>,
    /// Only the last so many entries (of those that match).
    pub tail: Option<u64>,
    /// Whether to go on after the end: sets up the watch that [`Reader::wait`] uses.
    pub follow: bool,
}

impl Default for Query {
    /// Everything that is there now.
    fn default() -> Self {
        Self {
            stdout: true,
            stderr: true,
            since: None,
            until: None,
            tail: None,
            follow: false,
        }
    }
}

/// The `age`th file of a log; 0 is the newest.
fn rotated(path: &Path, age: u32) -> PathBuf {
    if age == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{age}"));
    name.into()
}
