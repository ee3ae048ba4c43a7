//! A request, from its path to its answer.

use std::os::fd::OwnedFd;
use std::sync::PoisonError;

use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, UPGRADE};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::response::{JsonLines, Response, Upgraded};
use super::{ApiError, Body, Client, ClientError};
use crate::corten::FDS_HEADER;
use crate::{ErrorBody, Query};

/// A request that is being put together.
#[derive(Debug)]
#[must_use = "nothing is sent before one of the methods that wait"]
pub struct Request<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    query: Query,
    headers: Vec<(&'static str, String)>,
    body: Body,
    fds: Vec<OwnedFd>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(client: &'a Client, method: Method, path: String) -> Self {
        Self {
            client,
            method,
            path,
            query: Query::new(),
            headers: Vec::new(),
            body: Body::empty(),
            fds: Vec::new(),
        }
    }

    /// What stands behind the question mark.
    pub fn query(mut self, query: Query) -> Self {
        self.query = query;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Sends a document.
    pub fn json(self, document: &impl Serialize) -> Result<Self, ClientError> {
        let body = Body::json(document)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Sends a tar archive.
    pub fn tar(self, archive: Body) -> Self {
        self.header("content-type", "application/x-tar")
            .body(archive)
    }

    /// Sends open files beside the first byte.
    pub fn fds(mut self, fds: Vec<OwnedFd>) -> Self {
        self.fds = fds;
        self
    }

    /// Sends it and waits for the head of the answer. An answer that is an error is one here.
    pub async fn send(self) -> Result<Response<'a>, ClientError> {
        let (client, path) = (self.client, self.path.clone());
        let mut connection = client.connection().await?;
        let request = self.into_http(&connection)?;
        let answer = connection.sender.send_request(request).await?;
        let (head, body) = answer.into_parts();
        let status = head.status;
        let response = Response::new(client, path, head, body, connection);
        match status.is_success() || status.is_informational() {
            true => Ok(response),
            false => Err(ClientError::Api(read_error(response).await)),
        }
    }

    /// Sends it and reads the document that is the answer.
    pub async fn receive<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        self.send().await?.json().await
    }

    /// Sends it; the answer has nothing to say.
    pub async fn done(self) -> Result<(), ClientError> {
        self.send().await?.bytes().await.map(drop)
    }

    /// Sends it; the answer is one document in each line.
    pub async fn lines<T: DeserializeOwned>(self) -> Result<JsonLines<T>, ClientError> {
        Ok(self.send().await?.lines())
    }

    /// Sends it and takes the connection over.
    pub async fn upgrade(self) -> Result<Upgraded, ClientError> {
        let upgrade = self
            .header("connection", "Upgrade")
            .header("upgrade", "tcp");
        upgrade.send().await?.upgrade().await
    }

    fn into_http(
        self,
        connection: &super::Connection,
    ) -> Result<hyper::Request<Body>, ClientError> {
        let target = match self.query.is_empty() {
            true => self.path,
            false => format!("{}?{}", self.path, self.query.encode()),
        };
        let mut request = hyper::Request::builder()
            .method(self.method)
            .uri(target)
            .header(HOST, HeaderValue::from_static("corten"));
        for (name, value) in self.headers {
            let name = match name {
                "content-type" => CONTENT_TYPE,
                "connection" => CONNECTION,
                "upgrade" => UPGRADE,
                other => hyper::header::HeaderName::from_static(other),
            };
            request = request.header(name, value);
        }
        if !self.fds.is_empty() {
            request = request.header(FDS_HEADER, self.fds.len());
            *connection
                .fds
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = self.fds;
        }
        Ok(request.body(self.body)?)
    }
}

async fn read_error(response: Response<'_>) -> ApiError {
    /// No engine says more; something else may listen.
    const LIMIT: usize = 1 << 20;
    let status = response.status();
    let body = http_body_util::Limited::new(response.into_body(), LIMIT);
    let bytes = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => bytes::Bytes::new(),
    };
    let message = match serde_json::from_slice::<ErrorBody>(&bytes) {
        Ok(body) => body.message,
        Err(_) if bytes.is_empty() => status.to_string(),
        Err(_) => String::from_utf8_lossy(&bytes).trim().to_owned(),
    };
    ApiError {
        status: status.as_u16(),
        message,
    }
}
