//! Connections that change hands: after the answer to an attach or an exec the bare socket goes
//! to the supervisor of the container.
//!
//! A client that does not ask for an upgrade gets an ordinary answer whose body is the stream; it
//! is copied through a pair of sockets, because only an upgraded connection can be given away.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use api::ApiVersion;
use api::stdcopy::{MULTIPLEXED, RAW};
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use hyper::upgrade::OnUpgrade;
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;

use super::{Failure, Stream};
use crate::quirks;

/// A connection that may be taken.
pub(crate) enum Hijack {
    /// It will be the client's raw connection.
    Upgrade(OnUpgrade, &'static str),
    /// The body of the answer.
    Body,
}

/// A connection that was taken.
pub(crate) struct Taken {
    /// The socket.
    pub(crate) socket: OwnedFd,
    /// What was already read of it.
    pub(crate) sent: Vec<u8>,
}

impl Hijack {
    /// Notes what the request asks for. It takes the promise of the connection out of it.
    pub(crate) fn of(request: &mut Request) -> Self {
        let protocol = request.headers().get(UPGRADE);
        let protocol = protocol.and_then(|value| match value.as_bytes() {
            b"h2c" => Some("h2c"),
            other => other.eq_ignore_ascii_case(b"tcp").then_some("tcp"),
        });
        let promise = request.extensions_mut().remove::<OnUpgrade>();
        match (protocol, promise) {
            (Some(protocol), Some(promise)) => Self::Upgrade(promise, protocol),
            _ => Self::Body,
        }
    }

    /// Answers, and calls `take` with the connection once the answer is out. `body` is what the
    /// client sends where the connection is not upgraded.
    pub(crate) fn answer<F, T>(
        self,
        version: ApiVersion,
        tty: bool,
        body: Body,
        take: F,
    ) -> Result<Response, Failure>
    where
        F: FnOnce(Taken) -> T + Send + 'static,
        T: Future<Output = ()> + Send,
    {
        let content_type = match tty || !quirks::names_framed_streams(version) {
            true => RAW,
            false => MULTIPLEXED,
        };
        match self {
            Self::Upgrade(promise, protocol) => {
                tokio::spawn(async move {
                    match taken(promise).await {
                        Ok(connection) => take(connection).await,
                        Err(error) => tracing::debug!(%error, "a client left before its stream"),
                    }
                });
                let head = [
                    (CONTENT_TYPE, content_type),
                    (CONNECTION, "Upgrade"),
                    (UPGRADE, protocol),
                ];
                Ok((StatusCode::SWITCHING_PROTOCOLS, head).into_response())
            }
            Self::Body => {
                let (ours, theirs) = UnixStream::pair().map_err(Failure::Hijack)?;
                let output = copy_through(ours, body).map_err(Failure::Hijack)?;
                tokio::spawn(async move {
                    let socket = OwnedFd::from(theirs);
                    take(Taken {
                        socket,
                        sent: Vec::new(),
                    })
                    .await;
                });
                Ok(([(CONTENT_TYPE, RAW)], output).into_response())
            }
        }
    }
}

async fn taken(promise: OnUpgrade) -> io::Result<Taken> {
    let upgraded = promise.await.map_err(io::Error::other)?;
    let parts = upgraded
        .downcast::<Stream>()
        .map_err(|_| io::Error::other("not a socket"))?;
    Ok(Taken {
        socket: parts.io.into_fd()?,
        sent: parts.read_buf.into(),
    })
}

/// The request's body goes in, the answer's body comes out.
fn copy_through(socket: UnixStream, body: Body) -> io::Result<Body> {
    socket.set_nonblocking(true)?;
    let (output, mut input) = tokio::net::UnixStream::from_std(socket)?.into_split();
    tokio::spawn(async move {
        let mut chunks = body.into_data_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            if input.write_all(&chunk).await.is_err() {
                return;
            }
        }
        // Dropping the half is the end of the container's standard input.
    });
    Ok(Body::from_stream(ReaderStream::new(output)))
}
