//! A little space that is set aside, because even the collector needs some: removing rows writes
//! to the database's log first. On a full disk the reserve is given up, the job done, and the
//! reserve taken again from what it freed.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rustix::fs::FallocateFlags;

use crate::store::remove_file;
use crate::{Error, Result};

/// Enough for the log of a large collection.
const SIZE: u64 = 2 << 20;

/// Where the reserve is.
#[derive(Debug)]
pub(crate) struct Reserve(PathBuf);

impl Reserve {
    pub(crate) fn new(root: &Path) -> Self {
        Self(root.join("reserve"))
    }

    /// Runs `job`; on a full disk once more, with the reserve given up for it.
    pub(crate) fn spend<T>(&self, mut job: impl FnMut() -> Result<T>) -> Result<T> {
        let result = match job() {
            Err(error) if is_full(&error) => {
                remove_file(&self.0)?;
                job()
            }
            done => done,
        };
        self.fill();
        result
    }

    /// Takes the space, unless it is taken or there is none: then the next time.
    fn fill(&self) {
        let there = std::fs::metadata(&self.0).is_ok_and(|meta| meta.len() == SIZE);
        if there {
            return;
        }
        let mut options = OpenOptions::new();
        let taken = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.0);
        let filled = taken.and_then(|file: File| {
            Ok(rustix::fs::fallocate(
                &file,
                FallocateFlags::empty(),
                0,
                SIZE,
            )?)
        });
        if filled.is_err() {
            // Part of a reserve would pass for one.
            drop(remove_file(&self.0));
        }
    }
}

fn is_full(error: &Error) -> bool {
    match error {
        Error::Database(error) => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
        ),
        Error::File { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
        _ => false,
    }
}
