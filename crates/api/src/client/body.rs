//! The body of a request: nothing, bytes, or what a reader gives.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Frame, SizeHint};
use serde::Serialize;
use tokio::io::{AsyncRead, ReadBuf};

use super::ClientError;

const CHUNK: usize = 128 * 1024;

/// The body of a request.
#[derive(Default)]
pub struct Body(Content);

#[derive(Default)]
enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    Reader(Pin<Box<dyn AsyncRead + Send>>),
}

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Bytes that are there.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Content::Bytes(bytes.into()))
    }

    /// A document.
    pub fn json(document: &impl Serialize) -> Result<Self, ClientError> {
        let text = serde_json::to_vec(document).map_err(ClientError::Body)?;
        Ok(Self::bytes(text))
    }

    /// What a reader gives, in chunks.
    pub fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self(Content::Reader(Box::pin(reader)))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Content::Empty => "Body::empty",
            Content::Bytes(_) => "Body::bytes",
            Content::Reader(_) => "Body::reader",
        })
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Content::Empty => Poll::Ready(None),
            Content::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Content::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Content::Reader(reader) => {
                let mut chunk = BytesMut::zeroed(CHUNK);
                let mut buffer = ReadBuf::new(&mut chunk);
                if let Err(error) = ready!(reader.as_mut().poll_read(cx, &mut buffer)) {
                    return Poll::Ready(Some(Err(error)));
                }
                let length = buffer.filled().len();
                if length == 0 {
                    self.0 = Content::Empty;
                    return Poll::Ready(None);
                }
                chunk.truncate(length);
                Poll::Ready(Some(Ok(Frame::data(chunk.freeze()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Content::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Empty => SizeHint::with_exact(0),
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Reader(_) => SizeHint::default(),
        }
    }
}
