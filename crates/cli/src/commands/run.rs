//! `run`: create, attach, start, wait.

use api::client::{AttachOptions, Upgraded, Wait, WaitCondition};
use api::{Client, ClientError};
use clap::Args;

use super::create::flags::{DetachKeys, Flags};
use super::create::{self, wire};
use crate::app::{Later, Verb};
use crate::attachment::{self, Plan, Process};
use crate::console;
use crate::failure::Failure;
use crate::settings::Session;
use crate::streams::End;

/// Create and run a new container from an image
#[derive(Args)]
pub(crate) struct Run {
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,
    #[command(flatten)]
    detach_keys: DetachKeys,
    /// Proxy received signals to the process (--sig-proxy=false turns it off)
    #[arg(long, value_name = "bool", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::words::csv::go_bool)]
    sig_proxy: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Verb for Run {
    const LATER: &'static [Later] = create::flags::LATER;

    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let attached =
            wire::attached(&self.flags, self.detach).map_err(|why| Failure::exit(125, why))?;
        let plan = Plan {
            stdin: attached.stdin,
            stdout: attached.stdout,
            stderr: attached.stderr,
            tty: self.flags.process.tty,
            terminal: session.console.stdin_terminal,
            proxy: self.sig_proxy && !self.detach,
            keys: self
                .detach_keys
                .detach_keys
                .or(session.settings.config.detach_keys.clone()),
        };
        plan.check(1)?;
        let client = session.client().await?;
        let id = create::container(&self.flags, attached, session, &client).await?;
        let run = Running {
            client: &client,
            id: &id,
            program: session.settings.program,
        };
        if self.detach {
            run.start(None).await?;
            return console::line(&id);
        }
        run.attached(&plan, self.flags.identity.rm).await
    }
}

/// A container on its way through `run`.
struct Running<'a> {
    client: &'a Client,
    id: &'a str,
    program: &'static str,
}

impl Running<'_> {
    /// Attaches, registers the wait, starts, stays, and exits as the container does.
    async fn attached(&self, plan: &Plan, remove: bool) -> anyhow::Result<()> {
        let broken = |error: ClientError| self.failure(&error, 125);
        let upgraded = self.attach(plan).await.map_err(broken)?;
        let condition = if remove {
            WaitCondition::Removed
        } else {
            WaitCondition::NextExit
        };
        let wait = self
            .client
            .container_wait(self.id, condition)
            .await
            .map_err(broken)?;
        self.start(plan.keys.as_deref()).await?;
        let process = Process::Container(self.id);
        match attachment::stay(self.client, process, upgraded, plan).await? {
            End::Detached => Ok(()),
            End::Closed => exit(wait).await,
        }
    }

    async fn attach(&self, plan: &Plan) -> Result<Upgraded, ClientError> {
        let options = AttachOptions {
            stdin: plan.stdin,
            stdout: plan.stdout,
            stderr: plan.stderr,
            stream: true,
            logs: false,
            detach_keys: plan.keys.clone(),
        };
        self.client.container_attach(self.id, &options).await
    }

    async fn start(&self, keys: Option<&str>) -> anyhow::Result<()> {
        let start = self.client.container_start(self.id, keys).await;
        start.map_err(|error| self.failure(&error, start_status(&error.to_string())))
    }

    fn failure(&self, error: &ClientError, status: u8) -> anyhow::Error {
        let why = match error.api() {
            Some(refusal) => format!("Error response from daemon: {refusal}"),
            None => error.to_string(),
        };
        let program = self.program;
        let hint = format!("Run '{program} run --help' for more information");
        Failure::exit(status, format!("{program}: {why}\n\n{hint}"))
    }
}

/// The status for a container that could not be started: 127 where the program is not there, 126
/// where it cannot be run.
pub(crate) fn start_status(message: &str) -> u8 {
    let message = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match () {
        () if has(&["executable file not found", "no such file or directory"]) => 127,
        () if has(&[
            "permission denied",
            "is a directory",
            "it is a folder",
            "exec format error",
        ]) =>
        {
            126
        }
        () => 125,
    }
}

/// Ends as the container ended.
pub(crate) async fn exit(wait: Wait<'_>) -> anyhow::Result<()> {
    let ended = wait.response().await?;
    if let Some(error) = ended.error {
        return Err(Failure::exit(125, error.message));
    }
    match ended.status_code {
        0 => Ok(()),
        code => Err(Failure::silent(u8::try_from(code).unwrap_or(u8::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_a_failed_start() {
        let not_found = "exec: \"nope\": executable file not found in $PATH";
        assert_eq!(start_status(not_found), 127);
        assert_eq!(start_status("exec /x: No such file or directory"), 127);
        assert_eq!(start_status("exec /etc/passwd: permission denied"), 126);
        assert_eq!(start_status("conflict"), 125);
    }
}
