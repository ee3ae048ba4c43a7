//! Errors as answers: each kind becomes a status in one place, here.

use std::error::Error as StdError;

use api::{ErrorBody, FiltersError, QueryError};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::ErrorKind;

use super::body::json;

/// Why a request has no better answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The engine said no.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A parameter is wrong.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The filters are wrong.
    #[error(transparent)]
    Filters(#[from] FiltersError),
    /// The body is no document of the right shape.
    #[error("invalid JSON")]
    Json(#[from] serde_json::Error),
    /// The body is longer than it may be.
    #[error("the body of the request is larger than {0} bytes")]
    TooLarge(usize),
    /// The client went away, or what it sent is no HTTP.
    #[error("the body of the request could not be read")]
    Body(#[source] axum::Error),
    /// A value or a combination of values makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A value asks for something that is not there.
    #[error("{option} is not supported by this version of Corten")]
    Unsupported {
        /// The option, by its name on the command line or on the wire.
        option: String,
    },
    /// A verb that is not there.
    #[error("{0} is not available in this version of Corten")]
    NotImplemented(&'static str),
    /// Something that the path names does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It needs a part that is not there at all.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The engine's own clock, address or socket cannot be used.
    #[error("the connection could not be taken over")]
    Hijack(#[source] std::io::Error),
}

impl Failure {
    /// A value asks for something that is not there.
    pub(crate) fn unsupported(option: impl Into<String>) -> Self {
        Self::Unsupported {
            option: option.into(),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Engine(error) => status_of(error.kind()),
            Self::Query(_)
            | Self::Filters(_)
            | Self::Json(_)
            | Self::Body(_)
            | Self::Invalid(_)
            | Self::Unsupported { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hijack(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An option that is not there is the request's fault, as a wrong value is: clients print the
/// sentence for 400 and retry nothing.
fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Exists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Invalid | ErrorKind::Unsupported => StatusCode::BAD_REQUEST,
        ErrorKind::Denied => StatusCode::FORBIDDEN,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::NotModified => StatusCode::NOT_MODIFIED,
        ErrorKind::Cancelled | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error and its causes as one sentence.
pub(crate) fn sentence(error: &dyn StdError) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::NOT_MODIFIED {
            return status.into_response();
        }
        let message = sentence(&self);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(message, "a request failed");
        }
        (status, json(&ErrorBody { message })).into_response()
    }
}
