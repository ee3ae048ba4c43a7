//! Verbs on the engine itself.

use hyper::Method;

use super::{Client, ClientError, JsonLines, Request};
use crate::corten::FsckReport;
use crate::event::Message;
use crate::system::{DiskUsage, Info, Version};
use crate::{ApiVersion, Filters, Query};

/// Answer to a ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// The newest version of the API that the engine speaks.
    pub api_version: Option<ApiVersion>,
    /// Operating system of the engine.
    pub os_type: String,
    /// The engine is Corten: `/corten/…` is there.
    pub is_corten: bool,
}

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    /// RFC 3339 or seconds since 1970.
    pub since: Option<String>,
    /// RFC 3339 or seconds since 1970.
    pub until: Option<String>,
    /// `--filter`.
    pub filters: Filters,
}

impl Client {
    /// `HEAD /_ping`.
    pub async fn ping(&self) -> Result<Ping, ClientError> {
        let request = Request::new(self, Method::HEAD, "/_ping".to_owned());
        let response = request.send().await?;
        let server = response.header("server").unwrap_or_default();
        let ping = Ping {
            api_version: response
                .header("api-version")
                .and_then(|text| text.parse().ok()),
            os_type: response.header("ostype").unwrap_or_default().to_owned(),
            is_corten: server.contains("Corten"),
        };
        response.bytes().await?;
        Ok(ping)
    }

    /// Asks the engine for its newest version and speaks the older of both from then on.
    pub async fn negotiate(&self) -> Result<Ping, ClientError> {
        let ping = self.ping().await?;
        if let Some(theirs) = ping.api_version {
            self.set_version(theirs.min(ApiVersion::MAX));
        }
        Ok(ping)
    }

    /// `GET /version`.
    pub async fn system_version(&self) -> Result<Version, ClientError> {
        self.get("/version").receive().await
    }

    /// `GET /info`.
    pub async fn system_info(&self) -> Result<Info, ClientError> {
        self.get("/info").receive().await
    }

    /// `GET /system/df`.
    pub async fn system_df(&self) -> Result<DiskUsage, ClientError> {
        self.get("/system/df").receive().await
    }

    /// `GET /corten/fsck`.
    pub async fn system_fsck(&self, digests: bool) -> Result<FsckReport, ClientError> {
        let query = Query::new().with_flag("digests", digests);
        self.get("/corten/fsck").query(query).receive().await
    }

    /// `GET /events`.
    pub async fn system_events(
        &self,
        options: &EventOptions,
    ) -> Result<JsonLines<Message>, ClientError> {
        let query = Query::new()
            .with_some("since", options.since.as_deref())
            .with_some("until", options.until.as_deref())
            .with_some("filters", options.filters.encode());
        self.get("/events").query(query).lines().await
    }
}
