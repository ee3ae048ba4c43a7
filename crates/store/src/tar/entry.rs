//! What one entry of a tar stream says.

use std::collections::BTreeMap;

use sys::root::Times;

/// Type of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    /// Target as written.
    Symlink(Vec<u8>),
    /// Name of the entry that this is another name of.
    HardLink(Vec<u8>),
    Char(u32, u32),
    Block(u32, u32),
    Fifo,
}

/// One entry, all extensions resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name as written; folders have no slash at the end.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    /// Permission bits, 0 to 0o7777.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Length of the content in the file that is made of it.
    pub(crate) size: u64,
    pub(crate) modified: Times,
    /// Extended attributes by name.
    pub(crate) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Entry {
    /// A regular file of root's, as metadata files in archives are.
    pub(crate) fn plain_file(path: &str, size: u64) -> Self {
        Self {
            path: path.as_bytes().to_vec(),
            kind: Kind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size,
            modified: Times::default(),
            xattrs: BTreeMap::new(),
        }
    }

    /// A folder of root's.
    pub(crate) fn plain_dir(path: &str) -> Self {
        Self {
            kind: Kind::Dir,
            mode: 0o755,
            ..Self::plain_file(path, 0)
        }
    }
}
