//! The client: HTTP/1.1 over a unix socket.
//!
//! A [`Client`] keeps at most one idle connection and opens further ones while that one is busy
//! (an attach, a wait, a stream of events). Requests that need it carry open files beside their
//! first byte. An upgraded connection comes back as the bare socket, so that closing one half of
//! it works.
//!
//! A client does no I/O before its first request. Verbs are in one file for each noun, as methods
//! of [`Client`] named `noun_verb`.

mod body;
mod builds;
mod containers;
mod endpoint;
mod error;
mod execs;
mod images;
mod request;
mod response;
mod socket;
mod system;
mod volumes;

use std::sync::{Mutex, PoisonError};

use hyper::Method;
use hyper::client::conn::http1;

pub use body::Body;
pub use containers::{
    ArchiveOptions, AttachOptions, ListOptions, LogsOptions, RemoveOptions, Wait, WaitCondition,
};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{ApiError, ClientError};
pub use images::{ImageListOptions, ImportOptions};
pub use request::Request;
pub use response::{JsonLines, Response, Upgraded};
pub use system::{EventOptions, Ping};

use crate::ApiVersion;
use socket::{FdQueue, Socket};

/// A client of one engine.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    version: Mutex<ApiVersion>,
    idle: Mutex<Option<Connection>>,
}

/// One connection that can take a request.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: http1::SendRequest<Body>,
    fds: FdQueue,
}

impl Client {
    /// A client that has not connected yet. It speaks [`ApiVersion::MAX`] until
    /// [`Client::negotiate`] finds out otherwise.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            version: Mutex::new(ApiVersion::MAX),
            idle: Mutex::new(None),
        }
    }

    /// Where the engine is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The version that requests are made in.
    pub fn version(&self) -> ApiVersion {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses the version that requests are made in.
    pub fn set_version(&self, version: ApiVersion) {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = version;
    }

    /// Begins a request for a path behind the version: `/containers/json`.
    pub fn request(&self, method: Method, path: impl AsRef<str>) -> Request<'_> {
        let path = format!("/v{}{}", self.version(), path.as_ref());
        Request::new(self, method, path)
    }

    pub(crate) fn get(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::POST, path)
    }

    pub(crate) fn delete(&self, path: impl AsRef<str>) -> Request<'_> {
        self.request(Method::DELETE, path)
    }

    /// The idle connection, or a new one.
    pub(crate) async fn connection(&self) -> Result<Connection, ClientError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut connection) = idle
            && connection.sender.ready().await.is_ok()
        {
            return Ok(connection);
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let Endpoint::Unix(path) = &self.endpoint;
        let connect = tokio::net::UnixStream::connect(path).await;
        let stream = connect.map_err(|source| ClientError::Connect {
            endpoint: self.endpoint.clone(),
            source,
        })?;
        let (socket, fds) = Socket::new(stream);
        let (sender, connection) = http1::handshake(socket).await?;
        // It ends with the connection; what goes wrong is told to the request that waits.
        tokio::spawn(connection.with_upgrades());
        Ok(Connection { sender, fds })
    }

    /// Takes a connection back whose answer was read to its end.
    pub(crate) fn put_back(&self, connection: Connection) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}
