//! Verbs on images.

use super::{Body, Client, ClientError, JsonLines, Response};
use crate::image::{Deleted, HistoryStep, Inspect, Summary};
use crate::jsonmessage::Message;
use crate::query::encode_path;
use crate::{Filters, ImagesPruned, Query};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ImageListOptions {
    /// Also those without a name that others are made of.
    pub all: bool,
    /// With names by digest.
    pub digests: bool,
    /// Count what is shared.
    pub shared_size: bool,
    /// `--filter`.
    pub filters: Filters,
}

/// How the archive of a file system becomes an image.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// `-`, or an address that the engine fetches.
    pub source: String,
    /// Name.
    pub repository: Option<String>,
    /// Tag, where the name has none.
    pub tag: Option<String>,
    /// For the history.
    pub message: Option<String>,
    /// Dockerfile instructions for its config.
    pub changes: Vec<String>,
    /// What it runs on.
    pub platform: Option<String>,
}

fn path(name: &str, verb: &str) -> String {
    format!("/images/{}{verb}", encode_path(name))
}

impl Client {
    /// `GET /images/json`.
    pub async fn image_list(
        &self,
        options: &ImageListOptions,
    ) -> Result<Vec<Summary>, ClientError> {
        let query = Query::new()
            .with_flag("all", options.all)
            .with_flag("digests", options.digests)
            .with_flag("shared-size", options.shared_size)
            .with_some("filters", options.filters.encode());
        self.get("/images/json").query(query).receive().await
    }

    /// `GET /images/{name}/json`.
    pub async fn image_inspect(&self, name: &str) -> Result<Inspect, ClientError> {
        self.get(path(name, "/json")).receive().await
    }

    /// `GET /images/{name}/history`, newest step first.
    pub async fn image_history(&self, name: &str) -> Result<Vec<HistoryStep>, ClientError> {
        self.get(path(name, "/history")).receive().await
    }

    /// `POST /images/{name}/tag`.
    pub async fn image_tag(
        &self,
        name: &str,
        repository: &str,
        tag: Option<&str>,
    ) -> Result<(), ClientError> {
        let query = Query::new().with("repo", repository).with_some("tag", tag);
        self.post(path(name, "/tag")).query(query).done().await
    }

    /// `DELETE /images/{name}`.
    pub async fn image_remove(
        &self,
        name: &str,
        force: bool,
        no_prune: bool,
    ) -> Result<Vec<Deleted>, ClientError> {
        let query = Query::new()
            .with_flag("force", force)
            .with_flag("noprune", no_prune);
        self.delete(path(name, "")).query(query).receive().await
    }

    /// `GET /images/get`: one tar archive of them all.
    pub async fn image_save(&self, names: &[&str]) -> Result<Response<'_>, ClientError> {
        let query = names
            .iter()
            .fold(Query::new(), |query, name| query.with("names", name));
        self.get("/images/get").query(query).send().await
    }

    /// `POST /images/load`.
    pub async fn image_load(
        &self,
        quiet: bool,
        archive: Body,
    ) -> Result<JsonLines<Message>, ClientError> {
        let query = Query::new().with("quiet", u8::from(quiet));
        let post = self.post("/images/load").query(query);
        post.tar(archive).lines().await
    }

    /// `POST /images/create` with `fromSrc`. The last status is the id.
    pub async fn image_import(
        &self,
        options: &ImportOptions,
        archive: Body,
    ) -> Result<JsonLines<Message>, ClientError> {
        let query = Query::new()
            .with("fromSrc", &options.source)
            .with_some("repo", options.repository.as_deref())
            .with_some("tag", options.tag.as_deref())
            .with_some("message", options.message.as_deref())
            .with_some("platform", options.platform.as_deref());
        let query = options
            .changes
            .iter()
            .fold(query, |query, change| query.with("changes", change));
        let post = self.post("/images/create").query(query);
        post.tar(archive).lines().await
    }

    /// `POST /images/create` with `fromImage`.
    pub async fn image_pull(
        &self,
        name: &str,
        platform: Option<&str>,
    ) -> Result<JsonLines<Message>, ClientError> {
        let query = Query::new()
            .with("fromImage", name)
            .with_some("platform", platform);
        self.post("/images/create").query(query).lines().await
    }

    /// `POST /images/prune`.
    pub async fn image_prune(&self, filters: &Filters) -> Result<ImagesPruned, ClientError> {
        let query = Query::new().with_some("filters", filters.encode());
        self.post("/images/prune").query(query).receive().await
    }
}
