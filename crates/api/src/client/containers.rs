//! Verbs on containers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;

use super::{Body, Client, ClientError, Response, Upgraded};
use crate::container::WaitResponse;
use crate::container::{Change, CreateRequest, Created, Inspect, PathStat, Summary, Top};
use crate::query::encode_path;
use crate::{ContainersPruned, Filters, Query};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Not only those that run.
    pub all: bool,
    /// At most so many, newest first.
    pub limit: Option<usize>,
    /// With sizes.
    pub size: bool,
    /// `--filter`.
    pub filters: Filters,
}

/// What a removal may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemoveOptions {
    /// Kill it first.
    pub force: bool,
    /// Remove its anonymous volumes.
    pub volumes: bool,
    /// Remove a link instead.
    pub link: bool,
}

/// Which part of a log.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of flags")]
pub struct LogsOptions {
    /// Go on as more comes.
    pub follow: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Put the time in front of each line.
    pub timestamps: bool,
    /// Put attributes in front of each line.
    pub details: bool,
    /// RFC 3339 or seconds since 1970.
    pub since: Option<String>,
    /// RFC 3339 or seconds since 1970.
    pub until: Option<String>,
    /// `all` or a number of lines.
    pub tail: Option<String>,
}

/// How to attach.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of flags")]
pub struct AttachOptions {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// What comes.
    pub stream: bool,
    /// First what is in the log.
    pub logs: bool,
    /// Keys that end the attachment.
    pub detach_keys: Option<String>,
}

/// What a wait waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitCondition {
    /// That it does not run.
    #[default]
    NotRunning,
    /// That it ends after now.
    NextExit,
    /// That it is gone.
    Removed,
}

impl WaitCondition {
    /// Docker's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotRunning => "not-running",
            Self::NextExit => "next-exit",
            Self::Removed => "removed",
        }
    }
}

/// A wait that the engine has registered: no end from here on is missed.
#[derive(Debug)]
pub struct Wait<'a>(Response<'a>);

impl Wait<'_> {
    /// Waits.
    pub async fn response(self) -> Result<WaitResponse, ClientError> {
        self.0.json().await
    }
}

/// How to unpack an archive in a container.
#[derive(Debug, Clone, Copy, Default)]
pub struct ArchiveOptions {
    /// Do not replace a folder by a file or the other way round.
    pub no_overwrite_dir_non_dir: bool,
    /// Keep the archive's owners.
    pub copy_uid_gid: bool,
}

fn path(name: &str, verb: &str) -> String {
    format!("/containers/{}{verb}", encode_path(name))
}

impl Client {
    /// `POST /containers/create`.
    pub async fn container_create(
        &self,
        name: Option<&str>,
        platform: Option<&str>,
        request: &CreateRequest,
    ) -> Result<Created, ClientError> {
        let query = Query::new()
            .with_some("name", name)
            .with_some("platform", platform);
        let post = self.post("/containers/create").query(query);
        post.json(request)?.receive().await
    }

    /// `POST /containers/{name}/start`.
    pub async fn container_start(
        &self,
        name: &str,
        detach_keys: Option<&str>,
    ) -> Result<(), ClientError> {
        let query = Query::new().with_some("detachKeys", detach_keys);
        self.post(path(name, "/start")).query(query).done().await
    }

    /// `POST /containers/{name}/stop`.
    pub async fn container_stop(
        &self,
        name: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<(), ClientError> {
        self.end(path(name, "/stop"), signal, timeout).await
    }

    /// `POST /containers/{name}/restart`.
    pub async fn container_restart(
        &self,
        name: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<(), ClientError> {
        self.end(path(name, "/restart"), signal, timeout).await
    }

    async fn end(
        &self,
        path: String,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<(), ClientError> {
        let query = Query::new()
            .with_some("signal", signal)
            .with_some("t", timeout);
        self.post(path).query(query).done().await
    }

    /// `POST /containers/{name}/kill`.
    pub async fn container_kill(
        &self,
        name: &str,
        signal: Option<&str>,
    ) -> Result<(), ClientError> {
        let query = Query::new().with_some("signal", signal);
        self.post(path(name, "/kill")).query(query).done().await
    }

    /// `POST /containers/{name}/pause`.
    pub async fn container_pause(&self, name: &str) -> Result<(), ClientError> {
        self.post(path(name, "/pause")).done().await
    }

    /// `POST /containers/{name}/unpause`.
    pub async fn container_unpause(&self, name: &str) -> Result<(), ClientError> {
        self.post(path(name, "/unpause")).done().await
    }

    /// `POST /containers/{name}/rename`.
    pub async fn container_rename(&self, name: &str, new: &str) -> Result<(), ClientError> {
        let query = Query::new().with("name", new);
        self.post(path(name, "/rename")).query(query).done().await
    }

    /// `POST /containers/{name}/wait`: returns once the engine has registered the wait.
    pub async fn container_wait(
        &self,
        name: &str,
        condition: WaitCondition,
    ) -> Result<Wait<'_>, ClientError> {
        let query = Query::new().with("condition", condition.name());
        let response = self.post(path(name, "/wait")).query(query).send().await?;
        Ok(Wait(response))
    }

    /// `DELETE /containers/{name}`.
    pub async fn container_remove(
        &self,
        name: &str,
        options: RemoveOptions,
    ) -> Result<(), ClientError> {
        let query = Query::new()
            .with_flag("force", options.force)
            .with_flag("v", options.volumes)
            .with_flag("link", options.link);
        self.delete(path(name, "")).query(query).done().await
    }

    /// `GET /containers/json`.
    pub async fn container_list(&self, options: &ListOptions) -> Result<Vec<Summary>, ClientError> {
        let query = Query::new()
            .with_flag("all", options.all)
            .with_some("limit", options.limit)
            .with_flag("size", options.size)
            .with_some("filters", options.filters.encode());
        self.get("/containers/json").query(query).receive().await
    }

    /// `GET /containers/{name}/json`.
    pub async fn container_inspect(&self, name: &str, size: bool) -> Result<Inspect, ClientError> {
        let query = Query::new().with_flag("size", size);
        self.get(path(name, "/json")).query(query).receive().await
    }

    /// `GET /containers/{name}/logs`.
    pub async fn container_logs(
        &self,
        name: &str,
        options: &LogsOptions,
    ) -> Result<Response<'_>, ClientError> {
        let query = Query::new()
            .with_flag("follow", options.follow)
            .with_flag("stdout", options.stdout)
            .with_flag("stderr", options.stderr)
            .with_flag("timestamps", options.timestamps)
            .with_flag("details", options.details)
            .with_some("since", options.since.as_deref())
            .with_some("until", options.until.as_deref())
            .with_some("tail", options.tail.as_deref());
        self.get(path(name, "/logs")).query(query).send().await
    }

    /// `POST /containers/{name}/attach`.
    pub async fn container_attach(
        &self,
        name: &str,
        options: &AttachOptions,
    ) -> Result<Upgraded, ClientError> {
        let query = Query::new()
            .with_flag("stdin", options.stdin)
            .with_flag("stdout", options.stdout)
            .with_flag("stderr", options.stderr)
            .with_flag("stream", options.stream)
            .with_flag("logs", options.logs)
            .with_some("detachKeys", options.detach_keys.as_deref());
        self.post(path(name, "/attach"))
            .query(query)
            .upgrade()
            .await
    }

    /// `POST /containers/{name}/resize`.
    pub async fn container_resize(
        &self,
        name: &str,
        rows: u16,
        columns: u16,
    ) -> Result<(), ClientError> {
        let query = Query::new().with("h", rows).with("w", columns);
        self.post(path(name, "/resize")).query(query).done().await
    }

    /// `GET /containers/{name}/top`.
    pub async fn container_top(
        &self,
        name: &str,
        arguments: Option<&str>,
    ) -> Result<Top, ClientError> {
        let query = Query::new().with_some("ps_args", arguments);
        self.get(path(name, "/top")).query(query).receive().await
    }

    /// `GET /containers/{name}/changes`.
    pub async fn container_changes(&self, name: &str) -> Result<Vec<Change>, ClientError> {
        let changes: Option<_> = self.get(path(name, "/changes")).receive().await?;
        Ok(changes.unwrap_or_default())
    }

    /// `GET /containers/{name}/export`: a tar archive.
    pub async fn container_export(&self, name: &str) -> Result<Response<'_>, ClientError> {
        self.get(path(name, "/export")).send().await
    }

    /// `HEAD /containers/{name}/archive`.
    pub async fn container_stat(&self, name: &str, file: &str) -> Result<PathStat, ClientError> {
        let head = self.request(Method::HEAD, path(name, "/archive"));
        let response = head.query(Query::new().with("path", file)).send().await?;
        let stat = path_stat(&response)?;
        response.bytes().await?;
        Ok(stat)
    }

    /// `GET /containers/{name}/archive`: a tar archive.
    pub async fn container_get_archive(
        &self,
        name: &str,
        file: &str,
    ) -> Result<(PathStat, Response<'_>), ClientError> {
        let get = self.get(path(name, "/archive"));
        let response = get.query(Query::new().with("path", file)).send().await?;
        Ok((path_stat(&response)?, response))
    }

    /// `PUT /containers/{name}/archive`: unpacks a tar archive into a folder.
    pub async fn container_put_archive(
        &self,
        name: &str,
        folder: &str,
        options: ArchiveOptions,
        archive: Body,
    ) -> Result<(), ClientError> {
        let query = Query::new()
            .with("path", folder)
            .with_flag("noOverwriteDirNonDir", options.no_overwrite_dir_non_dir)
            .with_flag("copyUIDGID", options.copy_uid_gid);
        let put = self.request(Method::PUT, path(name, "/archive"));
        put.query(query).tar(archive).done().await
    }

    /// `POST /containers/prune`.
    pub async fn container_prune(
        &self,
        filters: &Filters,
    ) -> Result<ContainersPruned, ClientError> {
        let query = Query::new().with_some("filters", filters.encode());
        self.post("/containers/prune").query(query).receive().await
    }
}

fn path_stat(response: &Response<'_>) -> Result<PathStat, ClientError> {
    let wrong = || ClientError::Header(PathStat::HEADER);
    let text = response.header(PathStat::HEADER).ok_or_else(wrong)?;
    let json = STANDARD.decode(text).map_err(|_| wrong())?;
    serde_json::from_slice(&json).map_err(|_| wrong())
}
