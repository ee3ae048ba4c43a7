//! What can go wrong with a shim, seen from either side.

use std::io;
use std::path::PathBuf;

use crate::protocol::FailureKind;

/// A failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens: the shim has ended (look for the exit file) or never was.
    #[error("no shim answers for container {id}")]
    Gone {
        /// The container.
        id: String,
    },
    /// The connection broke in the middle of a request.
    #[error("the shim closed the connection")]
    Closed,
    /// The other side speaks a protocol that this release cannot.
    #[error("the shim speaks protocol {theirs}, this engine {ours}")]
    Version {
        /// Its version.
        theirs: u32,
        /// Our version.
        ours: u32,
    },
    /// The shim refused or could not do the request; `message` says why, for people.
    #[error("{message}")]
    Failed {
        /// What sort of failure it was.
        kind: FailureKind,
        /// Why.
        message: String,
    },
    /// A message that is no message.
    #[error("malformed message on the shim's socket")]
    Malformed(#[from] serde_json::Error),
    /// The socket failed.
    #[error("shim socket: {action}")]
    Socket {
        /// What was tried.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The process could not be started.
    #[error("cannot start the shim process")]
    Spawn(#[source] io::Error),
    /// A file could not be read or written.
    #[error("{action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}
