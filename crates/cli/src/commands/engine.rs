//! `engine status` and `engine stop`. They never start an engine.

use anyhow::bail;
use api::{Client, Endpoint};
use clap::Args;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Signal, kill_process};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::app::Verb;
use crate::console;
use crate::settings::{Host, Session};

fn endpoint(session: &Session) -> Endpoint {
    match &session.settings.host {
        Host::Default(socket) => Endpoint::Unix(socket.clone()),
        Host::Named(endpoint) => endpoint.clone(),
    }
}

/// The process that listens; nothing where nobody does.
fn listener(endpoint: &Endpoint) -> anyhow::Result<Option<rustix::process::Pid>> {
    let Endpoint::Unix(path) = endpoint else {
        bail!("{endpoint} is not on this machine")
    };
    match UnixStream::connect(path) {
        Ok(socket) => Ok(Some(socket_peercred(&socket)?.pid)),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Show whether the engine runs
#[derive(Args)]
pub(crate) struct Status {}

impl Verb for Status {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let endpoint = endpoint(session);
        let Some(pid) = listener(&endpoint)? else {
            bail!("no engine listens on {endpoint}")
        };
        let version = Client::new(endpoint.clone()).system_version().await?;
        let pid = pid.as_raw_nonzero();
        console::line(format!(
            "{} runs as process {pid}, listens on {endpoint}",
            version.platform.name
        ))
    }
}

/// Stop the engine; containers go on
#[derive(Args)]
pub(crate) struct Stop {}

/// How long an engine may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

impl Verb for Stop {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let endpoint = endpoint(session);
        let Some(pid) = listener(&endpoint)? else {
            return Ok(());
        };
        kill_process(pid, Signal::TERM)?;
        let gone = async {
            while rustix::process::test_kill_process(pid).is_ok() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, gone).await {
            Ok(()) => Ok(()),
            Err(_) => bail!("the engine (process {}) still runs", pid.as_raw_nonzero()),
        }
    }
}
