//! The container's log: Docker's `json-file` lines, bounded and rotated.
//!
//! ```text
//!  log.json      newest     {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.000000006Z"}
//!  log.json.1    older      a line without "\n" goes on in the next entry (cut at 16 KiB)
//!  log.json.2    …
//! ```

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::Error;

/// Which stream of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Reads a log from the oldest file to the newest, across rotation.
///
/// The driver loops: [`Reader::next_entry`] until it says none; if it follows and the container
/// still runs, [`Reader::wait`], else one more round, then the end.
#[derive(Debug)]
pub struct Reader {
    watch: OwnedFd,
}

impl Reader {
    /// Opens the log whose newest file is `path`. A log that does not exist is empty.
    pub fn open(path: PathBuf, query: Query) -> Result<Self, Error> {
        todo!("{}{query:?}", path.display())
    }

    /// The next entry; none if there is no more now, or none ever (`until` is passed).
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        todo!()
    }

    /// Whether `until` has been passed: nothing will ever come.
    pub fn is_finished(&self) -> bool {
        todo!()
    }

    /// Waits until there may be more, at most `timeout`.
    pub fn wait(&mut self, timeout: Duration) -> Result<(), Error> {
        todo!("{timeout:?}")
    }
}

impl AsFd for Reader {
    /// Becomes readable when there may be more.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}
