//! Verbs on builds.

use std::os::fd::OwnedFd;

use super::{Client, ClientError, JsonLines};
use crate::corten::{BuildEvent, BuildRequest};
use crate::{CachePruned, Filters, Query};

impl Client {
    /// `POST /corten/build`. `fds` are those that the request names by number. Dropping the
    /// answer cancels the build.
    pub async fn build(
        &self,
        request: &BuildRequest,
        fds: Vec<OwnedFd>,
    ) -> Result<JsonLines<BuildEvent>, ClientError> {
        let post = self.post("/corten/build").fds(fds);
        post.json(request)?.lines().await
    }

    /// `POST /build/prune`.
    pub async fn build_prune(
        &self,
        all: bool,
        filters: &Filters,
    ) -> Result<CachePruned, ClientError> {
        let query = Query::new()
            .with_flag("all", all)
            .with_some("filters", filters.encode());
        self.post("/build/prune").query(query).receive().await
    }
}
