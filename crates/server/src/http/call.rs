//! What a handler wants to know of a request besides its path and body.

use std::convert::Infallible;
use std::os::fd::OwnedFd;

use api::corten::FDS_HEADER;
use api::{ApiVersion, Query};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Failure;
use super::stream::FdQueue;

/// The version that the client speaks, and what stands behind the question mark.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The version in the path, or the newest.
    pub(crate) version: ApiVersion,
    /// Parameters.
    pub(crate) query: Query,
}

impl Call {
    /// The parameter `filters`.
    pub(crate) fn filters(&self) -> Result<engine::Filters, Failure> {
        let text = self.query.text("filters").unwrap_or_default();
        let mut filters = engine::Filters::default();
        for (key, value) in api::Filters::parse(text)?.pairs() {
            filters.add(key, value);
        }
        Ok(filters)
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Failure> {
        let missing = || Failure::Invalid(format!("the query parameter {name} is missing"));
        self.query.text(name).ok_or_else(missing)
    }

    /// Rows and columns of a terminal.
    pub(crate) fn size(&self) -> Result<(u16, u16), Failure> {
        let side = |name: &'static str| -> Result<u16, Failure> {
            let number = self.query.number(name)?;
            number.ok_or_else(|| Failure::Invalid(format!("the query parameter {name} is missing")))
        };
        Ok((side("h")?, side("w")?))
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            version: version_of(parts),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
        })
    }
}

fn version_of(parts: &Parts) -> ApiVersion {
    let version = parts.extensions.get::<ApiVersion>();
    version.copied().unwrap_or(ApiVersion::MAX)
}

/// Who made the request.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) sys::socket::Peer);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or(Failure::Unavailable(
            "the client of a remote connection is not known",
        ))
    }
}

/// Open files that came with the request, as many as its header says.
#[derive(Debug)]
pub(crate) struct Fds(pub(crate) Vec<OwnedFd>);

impl<S: Sync> FromRequestParts<S> for Fds {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(FDS_HEADER) else {
            return Ok(Self(Vec::new()));
        };
        let count = value.to_str().ok().and_then(|text| text.parse().ok());
        let taken = count.and_then(|count| parts.extensions.get::<FdQueue>()?.take(count));
        taken.map(Self).ok_or_else(|| {
            Failure::Invalid(format!("the files that {FDS_HEADER} promises did not come"))
        })
    }
}
