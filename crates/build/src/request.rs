//! What to build, from what, and where the result goes.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::os::fd::OwnedFd;

use oci::{Descriptor, ImageId, Platform, Reference};
use sys::credentials::Caller;

use crate::Network;

/// One build. Everything that the edge read from flags; nothing here is looked up later.
#[derive(Debug, Default)]
pub struct BuildRequest {
    /// Which Dockerfile.
    pub dockerfile: DockerfileSource,
    /// Stage to build, by name or number; the last one where `None`.
    pub target: Option<String>,
    /// Names for the image.
    pub tags: Vec<Reference>,
    /// `--build-arg`, the predefined proxy arguments included.
    pub build_args: BTreeMap<String, String>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// Use no earlier result.
    pub no_cache: bool,
    /// Stages (by name) that use no earlier result.
    pub no_cache_filter: Vec<String>,
    /// Secrets by id.
    pub secrets: BTreeMap<String, Secret>,
    /// Ids of forwarded SSH agents: refused by the first step that mounts one.
    pub ssh: Vec<String>,
    /// `--platform`; anything but the host's is refused.
    pub platform: Option<Platform>,
    /// Network of steps that do not choose.
    pub network: Network,
    /// `--add-host`: name and address.
    pub extra_hosts: Vec<(String, String)>,
    /// `--shm-size` in bytes.
    pub shm_size: Option<u64>,
    /// `--cache-from` and `--cache-to`: refused when not empty.
    pub remote_caches: Vec<String>,
    /// Seconds since 1970: no file of a layer and no time in the config is newer. A build argument
    /// `SOURCE_DATE_EPOCH` wins over it.
    pub source_date_epoch: Option<i64>,
    /// The true time, for our own records: seconds since 1970.
    pub now: i64,
    /// Where the result goes; empty keeps it in the cache only.
    pub outputs: Vec<Output>,
}

/// Where the Dockerfile's text is.
pub enum DockerfileSource {
    /// A path inside the context; the default is `Dockerfile`, then `dockerfile`.
    Context(Option<String>),
    /// Given by the client: `-f -`, or a file outside of the context.
    Text {
        /// As shown in errors.
        name: String,
        /// The text.
        text: String,
    },
}

impl Default for DockerfileSource {
    fn default() -> Self {
        Self::Context(None)
    }
}

impl fmt::Debug for DockerfileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(path) => f.debug_tuple("Context").field(path).finish(),
            Self::Text { name, .. } => f.debug_tuple("Text").field(name).finish(),
        }
    }
}

/// A secret's bytes. Never printed, never in a cache key, never in a layer.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where `COPY` and `ADD` take files from.
pub enum ContextSource {
    /// A folder of this machine, read in place.
    Folder {
        /// The open folder.
        folder: OwnedFd,
        /// Whose permissions apply.
        caller: Caller,
    },
    /// A tar stream, plain or compressed. A stream that is no tar is taken as the Dockerfile.
    Tar(Box<dyn Read + Send>),
    /// Nothing: the Dockerfile came alone.
    Empty,
}

impl fmt::Debug for ContextSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder { .. } => "Folder",
            Self::Tar(_) => "Tar",
            Self::Empty => "Empty",
        })
    }
}

/// `--output`. Folders and files are opened by the client, so its permissions hold.
#[derive(Debug)]
pub enum Output {
    /// Into the store under the request's tags.
    Image,
    /// The files of the last stage, into a folder.
    Local {
        /// The open folder.
        folder: OwnedFd,
        /// Whose permissions apply to what is created in it.
        caller: Caller,
    },
    /// The files of the last stage as a tar.
    Tar {
        /// Open for writing; a pipe will do.
        file: OwnedFd,
    },
    /// An OCI image layout as a tar.
    Oci {
        /// Open for writing; a pipe will do.
        file: OwnedFd,
    },
    /// An archive that `docker load` reads.
    Docker {
        /// Open for writing; a pipe will do.
        file: OwnedFd,
    },
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BuildResult {
    /// Digest of the config. `None` where no output makes an image.
    pub image: Option<ImageId>,
    /// The image's manifest.
    pub manifest: Option<Descriptor>,
    /// The names that were given to it.
    pub tags: Vec<Reference>,
    /// How many steps came from the cache.
    pub cached: usize,
    /// How many steps ran.
    pub ran: usize,
}
