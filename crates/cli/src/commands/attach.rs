//! `attach`: streams of a running container.

use api::client::{AttachOptions, WaitCondition};
use clap::Args;

use super::create::flags::DetachKeys;
use super::run;
use crate::app::Verb;
use crate::attachment::{self, Plan, Process};
use crate::failure::Failure;
use crate::settings::Session;
use crate::streams::End;

/// Attach local standard input, output, and error streams to a running container
#[derive(Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    detach_keys: DetachKeys,
    /// Do not attach STDIN
    #[arg(long)]
    no_stdin: bool,
    /// Proxy received signals to the process (--sig-proxy=false turns it off)
    #[arg(long, value_name = "bool", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::words::csv::go_bool)]
    sig_proxy: bool,
    #[arg(value_name = "CONTAINER", hide = true)]
    container: String,
}

impl Verb for Attach {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let container = client.container_inspect(&self.container, false).await?;
        let refusal = match &container.state {
            state if !state.running => "cannot attach to a stopped container, start it first",
            state if state.paused => "cannot attach to a paused container, unpause it first",
            state if state.restarting => {
                "cannot attach to a restarting container, wait until it is running"
            }
            _ => "",
        };
        if !refusal.is_empty() {
            return Err(Failure::exit(1, refusal));
        }
        let tty = container.config.tty;
        let plan = Plan {
            stdin: !self.no_stdin && container.config.open_stdin,
            stdout: true,
            stderr: true,
            tty,
            terminal: session.console.stdin_terminal,
            proxy: self.sig_proxy && !tty,
            keys: self
                .detach_keys
                .detach_keys
                .or(session.settings.config.detach_keys.clone()),
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
        // Opened first: a container that is removed at its end has no code to ask for later.
        let wait = client.container_wait(id, WaitCondition::NotRunning).await?;
        let upgraded = client.container_attach(id, &options).await?;
        match attachment::stay(&client, Process::Container(id), upgraded, &plan).await? {
            End::Detached => Err(Failure::exit(1, "read escape sequence")),
            End::Closed => run::exit(wait).await,
        }
    }
}
