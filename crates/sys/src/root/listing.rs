//! Names in a folder.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::fs::{RawDir, SeekFrom};

use super::FileKind;

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// Its inode number, as the folder says.
    pub inode: u64,
    /// What the folder says that it is; `None` where it does not say.
    pub kind: Option<FileKind>,
}

/// All names of a folder but `.` and `..`, in the file system's order.
pub type Listing = Vec<Entry>;

pub(super) fn read(dir: impl AsFd) -> io::Result<Listing> {
    const BUFFER: usize = 32 * 1024;
    rustix::fs::seek(&dir, SeekFrom::Start(0))?;
    let mut buffer = Vec::with_capacity(BUFFER);
    let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
    let mut raw = RawDir::new(dir.as_fd(), spare);
    let mut listing = Vec::new();
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        listing.push(Entry {
            name: OsString::from_vec(name.to_vec()),
            inode: entry.ino(),
            kind: FileKind::of_type(entry.file_type()),
        });
    }
    Ok(listing)
}

impl Entry {
    /// The name as bytes.
    pub fn bytes(&self) -> &[u8] {
        OsStr::as_bytes(&self.name)
    }
}
