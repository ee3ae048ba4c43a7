//! What can be wrong with a tar stream.

use std::io;
use std::path::PathBuf;

/// A tar stream is damaged, hostile or over a limit, or cannot be put on disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// The stream itself failed, or its compression is damaged.
    #[error("cannot read the tar stream")]
    Read(#[source] io::Error),
    /// The stream cannot be written to.
    #[error("cannot write the tar stream")]
    Write(#[source] io::Error),
    /// The stream ends inside an entry.
    #[error("the tar stream ends in the middle of {0}")]
    Truncated(String),
    /// A header does not hash to its checksum.
    #[error("the tar header at byte {0} has a wrong checksum: not a tar stream, or damaged")]
    Checksum(u64),
    /// A field of a header does not parse.
    #[error("the tar header at byte {offset} has a bad {field}")]
    Field {
        /// Where in the stream.
        offset: u64,
        /// Which field.
        field: &'static str,
    },
    /// Something is larger than it may be.
    #[error("tar entry {}: {what} is over the limit of {limit}", .path.display())]
    Limit {
        /// At which entry.
        path: PathBuf,
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A name leads out of the folder that is unpacked into.
    #[error("tar entry {} leads out of the root", .0.display())]
    Outside(PathBuf),
    /// A name that means something else in a layer, or nothing.
    #[error("tar entry {} has a name that is not allowed", .0.display())]
    Name(PathBuf),
    /// A device where none may be, or one with a special meaning.
    #[error("tar entry {} is a device, which is not allowed here", .0.display())]
    Device(PathBuf),
    /// A type of entry that we do not know.
    #[error("tar entry {} has the unknown type `{kind}`", .path.display())]
    Kind {
        /// Which entry.
        path: PathBuf,
        /// The type flag.
        kind: char,
    },
    /// A file would replace a folder, or the other way round.
    #[error("{} exists and would be replaced by another kind of file", .0.display())]
    Replaces(PathBuf),
    /// The target of a hard link is not there.
    #[error("tar entry {} is a hard link to {}, which is not there", .path.display(), .target.display())]
    LinkTarget {
        /// Which entry.
        path: PathBuf,
        /// What it links to.
        target: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {verb} {}", .path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// With which entry.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Adds the entry's path and the verb to an I/O error.
pub(crate) trait EntryResult<T> {
    /// `cannot {verb} {path}: …`
    fn entry(self, verb: &'static str, path: &[u8]) -> Result<T, TarError>;
}

impl<T, E: Into<io::Error>> EntryResult<T> for Result<T, E> {
    fn entry(self, verb: &'static str, path: &[u8]) -> Result<T, TarError> {
        self.map_err(|source| TarError::File {
            verb,
            path: display_path(path),
            source: source.into(),
        })
    }
}

/// The bytes of a name as a path.
pub(crate) fn display_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}
