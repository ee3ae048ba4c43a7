//! Bodies in and out.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use engine::ByteStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::Failure;

/// The longest document that a request may carry. A seccomp profile inside a create request is
/// the longest that is known, with some 20 KiB.
const JSON_LIMIT: usize = 4 << 20;

/// A document as an answer.
pub(crate) fn json(document: &impl Serialize) -> Response {
    match serde_json::to_vec(document) {
        Ok(mut text) => {
            text.push(b'\n');
            ([(CONTENT_TYPE, "application/json")], text).into_response()
        }
        Err(error) => Failure::Json(error).into_response(),
    }
}

/// Documents as an answer, one in each line, as they come.
pub(crate) fn json_lines<T: Serialize + 'static>(
    documents: impl Stream<Item = T> + Send + 'static,
) -> Response {
    let lines = documents.map(|document| {
        let mut line = serde_json::to_vec(&document).map_err(io::Error::other)?;
        line.extend_from_slice(b"\r\n");
        Ok::<_, io::Error>(line)
    });
    let head = [(CONTENT_TYPE, "application/json")];
    (head, Body::from_stream(lines)).into_response()
}

/// The document of a request. An empty body stands for `{}`, as Docker has it.
pub(crate) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let mut text = BytesMut::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.map_err(Failure::Body)?);
        if text.len() > JSON_LIMIT {
            return Err(Failure::TooLarge(JSON_LIMIT));
        }
    }
    let text: &[u8] = match text.trim_ascii() {
        [] => b"{}",
        text => text,
    };
    Ok(serde_json::from_slice(text)?)
}

/// The body of a request for code that blocks: only to be read on a thread that may wait.
pub(crate) fn archive(body: Body) -> impl Read + Send + 'static {
    let chunks = body.into_data_stream().map_err(io::Error::other);
    SyncIoBridge::new(StreamReader::new(chunks))
}

/// Bytes as an answer. A failure on the way breaks the connection off, so that a client cannot
/// take a part for the whole.
pub(crate) fn byte_stream(bytes: ByteStream) -> Body {
    struct Chunks(ByteStream);

    impl Stream for Chunks {
        type Item = Result<Bytes, engine::Error>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let chunk = self.0.poll_next(cx);
            chunk.map(|chunk| chunk.map(|bytes| bytes.map(Bytes::from)))
        }
    }

    Body::from_stream(Chunks(bytes))
}
