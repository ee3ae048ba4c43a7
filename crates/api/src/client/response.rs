//! An answer: a document, lines of documents, bytes, or the connection itself.

use std::io;
use std::marker::PhantomData;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::http::response::Parts;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::socket::Socket;
use super::{Client, ClientError, Connection};
use crate::stdcopy;

/// An answer whose head is there.
#[derive(Debug)]
pub struct Response<'a> {
    client: &'a Client,
    path: String,
    head: Parts,
    body: Incoming,
    connection: Connection,
}

impl<'a> Response<'a> {
    pub(crate) fn new(
        client: &'a Client,
        path: String,
        head: Parts,
        body: Incoming,
        connection: Connection,
    ) -> Self {
        Self {
            client,
            path,
            head,
            body,
            connection,
        }
    }

    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// A header, where it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Are output and errors framed?
    pub fn is_multiplexed(&self) -> bool {
        self.header("content-type") == Some(stdcopy::MULTIPLEXED)
    }

    /// Everything. The connection is free for the next request.
    pub async fn bytes(self) -> Result<Bytes, ClientError> {
        let bytes = self.body.collect().await?.to_bytes();
        self.client.put_back(self.connection);
        Ok(bytes)
    }

    /// The document.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let path = self.path.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Json { path, source })
    }

    /// The next piece of a stream, or `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        next_chunk(&mut self.body).await
    }

    /// Writes everything to `to`. Returns how many bytes.
    pub async fn copy_to(mut self, to: &mut (impl AsyncWrite + Unpin)) -> Result<u64, ClientError> {
        let mut total = 0;
        while let Some(chunk) = self.chunk().await? {
            to.write_all(&chunk).await?;
            total += chunk.len() as u64;
        }
        to.flush().await?;
        Ok(total)
    }

    /// One document in each line.
    pub fn lines<T: DeserializeOwned>(self) -> JsonLines<T> {
        JsonLines {
            path: self.path,
            body: self.body,
            _connection: self.connection,
            buffer: BytesMut::new(),
            searched: 0,
            is_over: false,
            documents: PhantomData,
        }
    }

    /// The connection itself.
    pub(crate) async fn upgrade(self) -> Result<Upgraded, ClientError> {
        let status = self.status();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(ClientError::NotUpgraded(status.as_u16()));
        }
        let is_multiplexed = self.is_multiplexed();
        let answer = hyper::Response::from_parts(self.head, self.body);
        let upgraded = hyper::upgrade::on(answer).await?;
        let parts = upgraded
            .downcast::<Socket>()
            .map_err(|_| ClientError::NotUpgraded(status.as_u16()))?;
        Ok(Upgraded {
            stream: parts.io.into_stream(),
            read_ahead: parts.read_buf,
            is_multiplexed,
        })
    }

    pub(crate) fn into_body(self) -> Incoming {
        self.body
    }
}

/// A connection that was taken over. `stream` is the socket: shutting its write half down is the
/// end of the container's standard input.
#[derive(Debug)]
pub struct Upgraded {
    /// The socket.
    pub stream: UnixStream,
    /// What was already read of it.
    pub read_ahead: Bytes,
    /// Are output and errors framed? As the engine said; old ones do not say it.
    pub is_multiplexed: bool,
}

/// Documents, one in each line, as they come.
#[derive(Debug)]
pub struct JsonLines<T> {
    path: String,
    body: Incoming,
    _connection: Connection,
    buffer: BytesMut,
    searched: usize,
    is_over: bool,
    documents: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    /// The next document, or `None` at the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            let line = self.take_line();
            match line {
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => return self.parse(&line).map(Some),
                None if self.is_over => return Ok(None),
                None => match next_chunk(&mut self.body).await? {
                    Some(chunk) => self.buffer.extend_from_slice(&chunk),
                    None => self.is_over = true,
                },
            }
        }
    }

    /// A line, or what is left behind the last one.
    fn take_line(&mut self) -> Option<BytesMut> {
        let fresh = self.buffer.get(self.searched..).unwrap_or_default();
        match fresh.iter().position(|&byte| byte == b'\n') {
            Some(place) => {
                let line = self.buffer.split_to(self.searched + place + 1);
                self.searched = 0;
                Some(line)
            }
            None if self.is_over && !self.buffer.is_empty() => {
                self.searched = 0;
                Some(std::mem::take(&mut self.buffer))
            }
            None => {
                self.searched = self.buffer.len();
                None
            }
        }
    }

    fn parse(&self, line: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(line).map_err(|source| ClientError::Json {
            path: self.path.clone(),
            source,
        })
    }
}

async fn next_chunk(body: &mut Incoming) -> Result<Option<Bytes>, ClientError> {
    while let Some(frame) = body.frame().await {
        if let Ok(chunk) = frame?.into_data() {
            return Ok(Some(chunk));
        }
    }
    Ok(None)
}

impl From<ClientError> for io::Error {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Io(error) => error,
            other => Self::other(other),
        }
    }
}
