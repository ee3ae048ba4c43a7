//! `start`: containers that exist.

use api::client::{AttachOptions, WaitCondition};
use clap::Args;

use super::create::flags::DetachKeys;
use super::{lifecycle, run};
use crate::app::Verb;
use crate::attachment::{self, Plan, Process};
use crate::failure::{self, Failure};
use crate::settings::Session;
use crate::streams::End;

/// Start one or more stopped containers
#[derive(Args)]
pub(crate) struct Start {
    /// Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    attach: bool,
    #[command(flatten)]
    detach_keys: DetachKeys,
    /// Attach container's STDIN
    #[arg(short, long)]
    interactive: bool,
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    containers: Vec<String>,
}

impl Verb for Start {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let keys = self
            .detach_keys
            .detach_keys
            .or(session.settings.config.detach_keys.clone());
        if !self.attach && !self.interactive {
            let client = session.client().await?;
            return lifecycle::each(&self.containers, async |name| {
                client.container_start(name, keys.as_deref()).await
            })
            .await;
        }
        let [name] = self.containers.as_slice() else {
            return Err(Failure::exit(
                1,
                "you cannot start and attach multiple containers at once",
            ));
        };
        attached(session, name, self.interactive, keys).await
    }
}

async fn attached(
    session: &Session,
    name: &str,
    interactive: bool,
    keys: Option<String>,
) -> anyhow::Result<()> {
    let client = session.client().await?;
    let container = client.container_inspect(name, false).await?;
    let plan = Plan {
        stdin: interactive && container.config.open_stdin,
        stdout: true,
        stderr: true,
        tty: container.config.tty,
        terminal: session.console.stdin_terminal,
        proxy: !container.config.tty,
        keys,
    };
    plan.check(1)?;
    let options = AttachOptions {
        stdin: plan.stdin,
        stdout: true,
        stderr: true,
        stream: true,
        logs: false,
        detach_keys: plan.keys.clone(),
    };
    let id = container.id.as_str();
    let upgraded = client.container_attach(id, &options).await?;
    let condition = match container.host_config.auto_remove {
        true => WaitCondition::Removed,
        false => WaitCondition::NextExit,
    };
    let wait = client.container_wait(id, condition).await?;
    if let Err(error) = client.container_start(id, plan.keys.as_deref()).await {
        let status = run::start_status(&error.to_string());
        return Err(Failure::exit(status, failure::describe(&error.into())));
    }
    match attachment::stay(&client, Process::Container(id), upgraded, &plan).await? {
        End::Detached => Ok(()),
        End::Closed => run::exit(wait).await,
    }
}
