//! How a container ended, and the file that keeps it.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use serde::{Deserialize, Serialize};

use crate::{Error, clock};

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

    const VERSION: u32 = 1;

    /// Reads the exit file from the container's folder; none if there is none.
    pub fn read(dir: &Path) -> Result<Option<Self>, Error> {
        let path = dir.join(Self::FILE);
        match fs::read(&path) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File {
                action: "read",
                path,
                source,
            }),
        }
    }

    /// Removes the exit file, before a new start.
    pub fn clear(dir: &Path) -> Result<(), Error> {
        let path = dir.join(Self::FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::File {
                action: "remove",
                path,
                source,
            }),
            _ => Ok(()),
        }
    }

    /// The end of a process, just now.
    pub(crate) fn now(status: ExitStatus, oom: bool) -> Self {
        let (code, signal) = code(status);
        Self {
            version: Self::VERSION,
            code,
            signal,
            oom,
            finished_at: clock::now(),
        }
    }

    /// Writes the file; it appears complete or not at all.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(Self::FILE);
        let unfinished = dir.join(".exit.new");
        let text = serde_json::to_vec(self)?;
        fs::write(&unfinished, text)
            .and_then(|()| fs::rename(&unfinished, &path))
            .map_err(|source| Error::File {
                action: "write",
                path,
                source,
            })
    }
}

/// Exit code and signal of a process.
pub(crate) fn code(status: ExitStatus) -> (i32, Option<i32>) {
    let signal = status.signal();
    (
        signal.map_or_else(|| status.code().unwrap_or(255), |signal| 128 + signal),
        signal,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Exit::read(dir.path()).unwrap(), None);
        Exit::clear(dir.path()).unwrap();
        let exit = Exit::now(ExitStatus::from_raw(9), true);
        assert_eq!((exit.code, exit.signal), (137, Some(9)));
        exit.write(dir.path()).unwrap();
        assert_eq!(Exit::read(dir.path()).unwrap(), Some(exit));
        Exit::clear(dir.path()).unwrap();
        assert_eq!(Exit::read(dir.path()).unwrap(), None);
        assert_eq!(Exit::now(ExitStatus::from_raw(3 << 8), false).code, 3);
    }
}
