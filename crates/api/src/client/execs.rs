//! Verbs on execs.

use super::{Client, ClientError, Upgraded};
use crate::exec::{CreateRequest, Inspect, StartRequest};
use crate::query::encode_path;
use crate::{IdResponse, Query};

fn path(id: &str, verb: &str) -> String {
    format!("/exec/{}{verb}", encode_path(id))
}

impl Client {
    /// `POST /containers/{name}/exec`: the exec's id.
    pub async fn exec_create(
        &self,
        container: &str,
        request: &CreateRequest,
    ) -> Result<String, ClientError> {
        let post = self.post(format!("/containers/{}/exec", encode_path(container)));
        let response: IdResponse = post.json(request)?.receive().await?;
        Ok(response.id)
    }

    /// `POST /exec/{id}/start` with streams.
    pub async fn exec_start(
        &self,
        id: &str,
        request: &StartRequest,
    ) -> Result<Upgraded, ClientError> {
        self.post(path(id, "/start")).json(request)?.upgrade().await
    }

    /// `POST /exec/{id}/start` without streams.
    pub async fn exec_start_detached(&self, id: &str) -> Result<(), ClientError> {
        let request = StartRequest {
            detach: true,
            ..StartRequest::default()
        };
        self.post(path(id, "/start")).json(&request)?.done().await
    }

    /// `POST /exec/{id}/resize`.
    pub async fn exec_resize(&self, id: &str, rows: u16, columns: u16) -> Result<(), ClientError> {
        let query = Query::new().with("h", rows).with("w", columns);
        self.post(path(id, "/resize")).query(query).done().await
    }

    /// `GET /exec/{id}/json`.
    pub async fn exec_inspect(&self, id: &str) -> Result<Inspect, ClientError> {
        self.get(path(id, "/json")).receive().await
    }
}
