//! What can go wrong in the store; each variant names the object.

use std::io;
use std::path::{Path, PathBuf};

use oci::{Descriptor, Digest, RawError};

use crate::{LayerId, SnapshotId};

/// Result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the data root open.
    #[error("data root {root} is in use by process {pid}", root = .root.display())]
    InUse {
        /// The data root.
        root: PathBuf,
        /// Who holds the lock, 0 where unknown.
        pid: u32,
    },
    /// The database was written by a newer release.
    #[error("{path} has schema {found}, this release reads up to {supported}: use a newer release", path = .path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// Ours.
        supported: u32,
    },
    /// An operation on a file of the data root, or on one in a layer, failed.
    #[error("cannot {verb} {path}", path = .path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The database refused.
    #[error("the database of the data root failed")]
    Database(#[from] rusqlite::Error),
    /// A value in the database does not parse.
    #[error("the database holds a {what} that does not parse: `{value}`")]
    Corrupt {
        /// Kind of value.
        what: &'static str,
        /// Its text.
        value: String,
    },
    /// No image by that name, id or digest.
    #[error("No such image: {0}")]
    ImageNotFound(String),
    /// No container by that name or id.
    #[error("No such container: {0}")]
    ContainerNotFound(String),
    /// A prefix of an id fits more than one object.
    #[error("{kind} id prefix `{prefix}` is ambiguous: it fits {count} of them")]
    AmbiguousId {
        /// `image` or `container`.
        kind: &'static str,
        /// What was asked for.
        prefix: String,
        /// How many fit.
        count: usize,
    },
    /// The name of a container is taken.
    #[error("container name `{name}` is already in use by container {holder}")]
    NameTaken {
        /// The name.
        name: String,
        /// Id of its holder.
        holder: String,
    },
    /// An image has several names and was to be removed by its id.
    #[error("image {0} is referenced in multiple repositories: it must be forced")]
    SeveralTags(String),
    /// No such snapshot: never made, or garbage-collected because nothing held it.
    #[error("snapshot {0} is not in the store")]
    SnapshotNotFound(SnapshotId),
    /// The snapshot is in another state than the operation needs.
    #[error("snapshot {id} is not {expected}")]
    SnapshotState {
        /// Which snapshot.
        id: SnapshotId,
        /// `active` or `committed`.
        expected: &'static str,
    },
    /// No such layer.
    #[error("layer {0} is not in the store")]
    LayerNotFound(LayerId),
    /// No such blob.
    #[error("blob {0} is not in the store")]
    BlobNotFound(Digest),
    /// A blob is larger than its kind may be.
    #[error("blob {digest} is larger than the {limit} bytes allowed for {kind}")]
    BlobTooLarge {
        /// Which blob.
        digest: Box<Digest>,
        /// `a manifest`, `a config`.
        kind: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// The bytes of a blob are not those that its descriptor promises.
    #[error("blob {expected} has the wrong content: its bytes hash to {actual}")]
    DigestMismatch {
        /// Promised.
        expected: Box<Digest>,
        /// Found.
        actual: Box<Digest>,
    },
    /// A blob is longer or shorter than its descriptor promises.
    #[error("blob {} has {actual} bytes instead of {}", .expected.digest, .expected.size)]
    SizeMismatch {
        /// The descriptor.
        expected: Box<Descriptor>,
        /// Bytes found.
        actual: u64,
    },
    /// Indexes point to indexes without end.
    #[error("blob {0}: indexes are nested too deep")]
    TooDeep(Digest),
    /// More layers than the kernel can stack.
    #[error("the image has {count} layers, more than the {limit} that can be stacked")]
    TooManyLayers {
        /// How many it has.
        count: usize,
        /// How many are possible.
        limit: usize,
    },
    /// Only sha256 names content here.
    #[error("blob {0}: only sha256 digests are supported")]
    UnsupportedDigest(Digest),
    /// An unpacked layer is not the one that the image's config names.
    #[error("layer hashes to {actual} instead of {expected} when unpacked")]
    DiffIdMismatch {
        /// From the config.
        expected: Box<oci::DiffId>,
        /// Of the bytes.
        actual: Box<oci::DiffId>,
    },
    /// A manifest, index or config does not parse.
    #[error(transparent)]
    Document(#[from] RawError),
    /// A document could not be written as JSON.
    #[error("cannot write {kind} as JSON")]
    Encode {
        /// Which kind of document.
        kind: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A tar stream is damaged, hostile or over a limit.
    #[error(transparent)]
    Tar(#[from] crate::tar::TarError),
    /// An image archive does not hold what it should.
    #[error("image archive: {0}")]
    Archive(#[from] crate::archive::ArchiveError),
    /// A stream that the caller gave failed.
    #[error("cannot {verb} the stream of {object}")]
    Stream {
        /// `read` or `write`.
        verb: &'static str,
        /// What the stream carries.
        object: String,
        /// Why.
        source: io::Error,
    },
}

/// Adds the path and the verb to an I/O error.
pub(crate) trait FileResult<T> {
    /// `cannot {verb} {path}: …`
    fn at(self, verb: &'static str, path: &Path) -> Result<T>;
}

impl<T, E: Into<io::Error>> FileResult<T> for Result<T, E> {
    fn at(self, verb: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::File {
            verb,
            path: path.to_owned(),
            source: source.into(),
        })
    }
}
