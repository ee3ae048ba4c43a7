//! Commands that do one thing to each named container: stop, restart, kill, pause, unpause, wait, rm,
//! rename.

use api::ClientError;
use api::client::{RemoveOptions, WaitCondition};
use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::failure;
use crate::settings::Session;

/// Does one thing to each name, prints the names that it worked for, and fails at the end if it
/// did not work for one.
pub(crate) async fn each(
    names: &[String],
    action: impl AsyncFn(&str) -> Result<(), ClientError>,
) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    for name in names {
        match action(name).await {
            Ok(()) => console::line(name)?,
            Err(error) if error.is_not_modified() => console::line(name)?,
            Err(error) => failures.push(error.into()),
        }
    }
    failure::each(&failures)
}

/// Stop one or more running containers
#[derive(Args)]
pub(crate) struct Stop {
    /// Signal to send to the container
    #[arg(short, long, value_name = "string")]
    signal: Option<String>,
    /// Seconds to wait before killing the container
    #[arg(short = 't', long, visible_alias = "time", value_name = "int")]
    timeout: Option<i64>,
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    containers: Vec<String>,
}

impl Verb for Stop {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let signal = self.signal.as_deref();
        each(&self.containers, async |name| {
            client.container_stop(name, signal, self.timeout).await
        })
        .await
    }
}

/// Restart one or more containers
#[derive(Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    stop: Stop,
}

impl Verb for Restart {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let Stop {
            signal,
            timeout,
            containers,
        } = self.stop;
        let signal = signal.as_deref();
        each(&containers, async |name| {
            client.container_restart(name, signal, timeout).await
        })
        .await
    }
}

/// Kill one or more running containers
#[derive(Args)]
pub(crate) struct Kill {
    /// Signal to send to the container
    #[arg(short, long, value_name = "string")]
    signal: Option<String>,
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    containers: Vec<String>,
}

impl Verb for Kill {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let signal = self.signal.as_deref();
        each(&self.containers, async |name| {
            client.container_kill(name, signal).await
        })
        .await
    }
}

/// Names of containers and nothing else.
#[derive(Args)]
pub(crate) struct Containers {
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    names: Vec<String>,
}

/// Pause all processes within one or more containers
#[derive(Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    containers: Containers,
}

impl Verb for Pause {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let names = &self.containers.names;
        each(names, async |name| client.container_pause(name).await).await
    }
}

/// Unpause all processes within one or more containers
#[derive(Args)]
pub(crate) struct Unpause {
    #[command(flatten)]
    containers: Containers,
}

impl Verb for Unpause {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let names = &self.containers.names;
        each(names, async |name| client.container_unpause(name).await).await
    }
}

/// Block until one or more containers stop, then print their exit codes
#[derive(Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    containers: Containers,
}

impl Verb for Wait {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let mut failures = Vec::new();
        for name in &self.containers.names {
            let ended = async {
                client
                    .container_wait(name, WaitCondition::NotRunning)
                    .await?
                    .response()
                    .await
            };
            match ended.await.map(|ended| (ended.status_code, ended.error)) {
                Ok((_, Some(error))) => failures.push(anyhow::Error::msg(error.message)),
                Ok((code, None)) => console::line(code)?,
                Err(error) => failures.push(error.into()),
            }
        }
        failure::each(&failures)
    }
}

/// Remove one or more containers
#[derive(Args)]
pub(crate) struct Remove {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    force: bool,
    /// Remove the specified link
    #[arg(short, long, hide = true)]
    link: bool,
    /// Remove anonymous volumes associated with the container
    #[arg(short, long)]
    volumes: bool,
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    containers: Vec<String>,
}

impl Verb for Remove {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        if self.link {
            return Err(failure::Failure::exit(1, "--link: not available yet"));
        }
        let client = session.client().await?;
        let options = RemoveOptions {
            force: self.force,
            volumes: self.volumes,
            link: false,
        };
        each(&self.containers, async |name| {
            let name = name.trim_start_matches('/');
            client.container_remove(name, options).await
        })
        .await
    }
}

/// Rename a container
#[derive(Args)]
pub(crate) struct Rename {
    #[arg(value_name = "CONTAINER", hide = true)]
    container: String,
    #[arg(value_name = "NEW_NAME", hide = true)]
    name: String,
}

impl Verb for Rename {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        Ok(client.container_rename(&self.container, &self.name).await?)
    }
}
