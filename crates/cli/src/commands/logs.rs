//! `logs`: what a container wrote.

use api::client::LogsOptions;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::Verb;
use crate::format::time;
use crate::settings::Session;
use crate::streams::Sink;

/// Fetch the logs of a container
#[derive(Args)]
pub(crate) struct Logs {
    /// Show extra details provided to logs
    #[arg(long)]
    details: bool,
    /// Follow log output
    #[arg(short, long)]
    follow: bool,
    /// Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m")
    #[arg(long, value_name = "string")]
    since: Option<String>,
    /// Number of lines to show from the end of the logs
    #[arg(short = 'n', long, value_name = "string", default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m")
    #[arg(long, value_name = "string")]
    until: Option<String>,
    #[arg(value_name = "CONTAINER", hide = true)]
    container: String,
}

impl Verb for Logs {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let options = LogsOptions {
            follow: self.follow,
            stdout: true,
            stderr: true,
            timestamps: self.timestamps,
            details: self.details,
            since: point("since", self.since.as_deref())?,
            until: point("until", self.until.as_deref())?,
            tail: Some(self.tail),
        };
        let client = session.client().await?;
        let container = client.container_inspect(&self.container, false).await?;
        let mut answer = client.container_logs(&container.id, &options).await?;
        let mut sink = Sink::both(container.config.tty);
        while let Some(chunk) = answer.chunk().await? {
            sink.take(&chunk)?;
        }
        Ok(())
    }
}

/// A time flag as the API takes it.
pub(super) fn point(flag: &str, text: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match time::point(text, Timestamp::now(), &TimeZone::system()) {
        Some(point) => Ok(Some(point)),
        None => {
            anyhow::bail!("invalid value for --{flag}: \"{text}\" is neither a time nor a duration")
        }
    }
}
