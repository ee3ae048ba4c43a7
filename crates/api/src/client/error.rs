//! What can go wrong on the way to an engine, and what an engine answers.

use std::io;

use super::Endpoint;

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// One sentence for people.
    pub message: String,
}

/// Any failure of a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens.
    #[error("cannot connect to the engine at {endpoint}")]
    Connect {
        /// Where.
        endpoint: Endpoint,
        /// The system's answer.
        source: io::Error,
    },
    /// The engine said no.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The connection broke, or the answer is not HTTP.
    #[error("the connection to the engine failed")]
    Http(#[from] hyper::Error),
    /// The request cannot be written down.
    #[error("the request is not valid")]
    Request(#[from] hyper::http::Error),
    /// A document does not have the shape that it should.
    #[error("the engine's answer to {path} is not valid")]
    Json {
        /// Which request.
        path: String,
        /// Where it breaks.
        source: serde_json::Error,
    },
    /// A document of ours cannot be written.
    #[error("the body of the request is not valid")]
    Body(#[source] serde_json::Error),
    /// Reading or writing of a body failed.
    #[error("the connection to the engine broke")]
    Io(#[from] io::Error),
    /// A header that the answer needs is missing or is not what it should be.
    #[error("the engine's answer has no valid header {0}")]
    Header(&'static str),
    /// The engine answered a request to upgrade, but did not upgrade.
    #[error("the engine did not upgrade the connection (status {0})")]
    NotUpgraded(u16),
}

impl ClientError {
    /// The engine's answer, where it was one.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// Did the engine answer that the object does not exist?
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Did the engine answer that the object is as it should be already?
    pub fn is_not_modified(&self) -> bool {
        self.status() == Some(304)
    }

    /// HTTP status, where the engine answered.
    pub fn status(&self) -> Option<u16> {
        self.api().map(|error| error.status)
    }

    /// Did nobody listen?
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Connect { .. })
    }
}
