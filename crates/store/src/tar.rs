//! Tar streams: reading hostile ones, writing deterministic ones.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sys::root::RootDir;

use crate::Result;

/// A tar stream is damaged, hostile or over a limit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// The stream ends inside an entry.
    #[error("tar stream ends in the middle of {0}")]
    Truncated(String),
    /// A name leads out of the folder that is unpacked into.
    #[error("tar entry {} leads out of the root", .0.display())]
    Outside(PathBuf),
}

/// How to unpack a tar into a folder.
#[derive(Debug, Clone, Default)]
pub struct UntarOptions {
    /// Give everything to this user and group.
    pub owner: Option<(u32, u32)>,
    /// Permission bits for everything.
    pub mode: Option<u32>,
    /// Modification times later than this are set to it.
    pub clamp: Option<SystemTime>,
    /// Refuse to put a file where a folder is or the other way round (`docker cp`).
    pub keep_kind: bool,
}

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Untarred {
    /// Entries.
    pub entries: u64,
    /// Bytes of file content.
    pub bytes: u64,
}

/// Unpacks `tar` (plain or compressed, by its first bytes) into the folder `into` beneath `root`:
/// symbolic links are followed as in a chroot, nothing leads out. No device nodes are made.
pub fn untar(
    tar: &mut (dyn Read + Send),
    root: &RootDir,
    into: &Path,
    options: &UntarOptions,
) -> Result<Untarred> {
    let _ = (tar, root, into, options);
    todo!()
}

/// Is this the start of a tar, plain or compressed (what `ADD` unpacks)? Give at least 512 bytes
/// where there are that many.
pub fn is_tar(start: &[u8]) -> bool {
    let _ = start;
    todo!()
}

/// How to write a subtree as a tar.
#[derive(Debug, Clone, Default)]
pub struct TarOptions {
    /// Name that the subtree's top gets; `None` writes its children without a common folder.
    pub top: Option<String>,
    /// Modification times later than this are written as this.
    pub clamp: Option<SystemTime>,
}

/// Writes the file or folder `path` beneath `root` as a tar: sorted, with owners, times, hard
/// links and extended attributes; equal trees give equal bytes. `path` itself may be a symbolic
/// link, which is then written as such.
pub fn tar_tree(
    root: &RootDir,
    path: &Path,
    options: &TarOptions,
    out: &mut (dyn Write + Send),
) -> Result<()> {
    let _ = (root, path, options, out);
    todo!()
}
