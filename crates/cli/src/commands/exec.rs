//! `exec`: a further process in a running container.

use api::exec::{CreateRequest, StartRequest};
use clap::Args;

use super::create::flags::DetachKeys;
use super::run;
use crate::app::Verb;
use crate::attachment::{self, Plan, Process};
use crate::failure::{self, Failure};
use crate::settings::Session;
use crate::streams::End;
use crate::words::pairs;

/// Execute a command in a running container
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "a list of flags")]
pub(crate) struct Exec {
    /// Detached mode: run command in the background
    #[arg(short, long)]
    detach: bool,
    #[command(flatten)]
    detach_keys: DetachKeys,
    /// Set environment variables
    #[arg(short, long, value_name = "list")]
    env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "list")]
    env_file: Vec<std::path::PathBuf>,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    interactive: bool,
    /// Give extended privileges to the command
    #[arg(long)]
    privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,
    /// Username or UID (format: "<name|uid>[:<group|gid>]")
    #[arg(short, long, value_name = "string", default_value = "")]
    user: String,
    /// Working directory inside the container
    #[arg(short, long, value_name = "string", default_value = "")]
    workdir: String,
    #[arg(value_names = ["CONTAINER", "COMMAND"], required = true, num_args = 2.., trailing_var_arg = true, hide = true)]
    words: Vec<String>,
}

impl Verb for Exec {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let keys = self.detach_keys.detach_keys.clone().or(session
            .settings
            .config
            .detach_keys
            .clone());
        let plan = Plan {
            stdin: self.interactive && !self.detach,
            stdout: !self.detach,
            stderr: !self.detach,
            tty: self.tty,
            terminal: session.console.stdin_terminal,
            proxy: false,
            keys,
        };
        plan.check(1)?;
        let (container, request) = self.request(session, &plan)?;
        let client = session.client().await?;
        let id = client.exec_create(&container, &request).await?;
        if self.detach {
            return Ok(client.exec_start_detached(&id).await?);
        }
        let start = StartRequest {
            detach: false,
            tty: self.tty,
            console_size: request.console_size,
        };
        let upgraded = client.exec_start(&id, &start).await.map_err(|error| {
            let status = match run::start_status(&error.to_string()) {
                125 => 1,
                status => status,
            };
            Failure::exit(status, failure::describe(&error.into()))
        })?;
        match attachment::stay(&client, Process::Exec(&id), upgraded, &plan).await? {
            End::Detached => Ok(()),
            End::Closed => match client.exec_inspect(&id).await?.exit_code {
                Some(0) | None => Ok(()),
                Some(code) => Err(Failure::silent(u8::try_from(code).unwrap_or(u8::MAX))),
            },
        }
    }
}

impl Exec {
    fn request(&self, session: &Session, plan: &Plan) -> anyhow::Result<(String, CreateRequest)> {
        let mut env = pairs::files(&self.env_file)?;
        env.extend(self.env.iter().cloned());
        let (container, command) = match self.words.split_first() {
            Some((container, command)) => (container.clone(), command.to_vec()),
            None => (String::new(), Vec::new()),
        };
        let size = crate::terminal::size().filter(|_| self.tty);
        let request = CreateRequest {
            user: self.user.clone(),
            privileged: self.privileged,
            tty: self.tty,
            console_size: size.map(|(rows, columns)| [rows, columns]),
            attach_stdin: plan.stdin,
            attach_stdout: plan.stdout,
            attach_stderr: plan.stderr,
            detach_keys: plan.keys.clone().unwrap_or_default(),
            env: pairs::environment(&env, &session.environment).map_err(anyhow::Error::msg)?,
            working_dir: self.workdir.clone(),
            cmd: command,
            detach: self.detach,
        };
        Ok((container, request))
    }
}
