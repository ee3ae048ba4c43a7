//! A user at a container: streams, terminal size and signals together, for run, start, attach, exec.

use api::client::Upgraded;
use api::{Client, ClientError};

use crate::failure::Failure;
use crate::streams::{self, Copying, End};
use crate::terminal::{self, RawMode, signals};
use crate::words::detach::Keys;

/// Whose terminal is resized, and who gets signals.
pub(crate) enum Process<'a> {
    /// A container's first process.
    Container(&'a str),
    /// A further process in it.
    Exec(&'a str),
}

/// How to attach.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    /// The process has a terminal.
    pub(crate) tty: bool,
    /// Standard input of this command is a terminal.
    pub(crate) terminal: bool,
    /// Pass signals on.
    pub(crate) proxy: bool,
    /// The sequence that leaves the container.
    pub(crate) keys: Option<String>,
}

impl Plan {
    /// Input for a terminal comes from a terminal: anything else would hang at its end.
    pub(crate) fn check(&self, status: u8) -> anyhow::Result<()> {
        match self.stdin && self.tty && !self.terminal {
            true => Err(Failure::exit(
                status,
                "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
            )),
            false => Ok(()),
        }
    }

    fn copying(&self) -> anyhow::Result<Copying> {
        let keys = self
            .keys
            .as_deref()
            .filter(|keys| !keys.is_empty())
            .unwrap_or(Keys::DEFAULT);
        let keys = match self.stdin && self.tty {
            true => Some(Keys::parse(keys).map_err(anyhow::Error::msg)?),
            false => None,
        };
        let Self {
            stdin,
            stdout,
            stderr,
            tty,
            ..
        } = *self;
        Ok(Copying {
            stdin,
            tty,
            keys,
            stdout,
            stderr,
        })
    }
}

impl Process<'_> {
    async fn resize(&self, client: &Client) {
        let Some((rows, columns)) = terminal::size() else {
            return;
        };
        // A process that ended, or did not begin yet, has no size to set.
        drop(match self {
            Self::Container(id) => client.container_resize(id, rows, columns).await,
            Self::Exec(id) => client.exec_resize(id, rows, columns).await,
        });
    }

    async fn signal(&self, client: &Client, name: &str) -> Result<(), ClientError> {
        match self {
            Self::Container(id) => client.container_kill(id, Some(name)).await,
            Self::Exec(_) => Ok(()),
        }
    }
}

/// Stays with the process until its streams end or the user leaves.
pub(crate) async fn stay(
    client: &Client,
    process: Process<'_>,
    upgraded: Upgraded,
    plan: &Plan,
) -> anyhow::Result<End> {
    let raw = match plan.tty && plan.stdin && plan.terminal {
        true => Some(RawMode::enter()?),
        false => None,
    };
    let mut resized = signals::resized()?;
    let mut caught = match plan.proxy {
        true => Some(signals::proxied()?),
        false => None,
    };
    if plan.tty {
        process.resize(client).await;
    }
    let copy = streams::copy(upgraded, plan.copying()?);
    tokio::pin!(copy);
    let end = loop {
        tokio::select! {
            end = &mut copy => break end,
            Some(()) = resized.recv(), if plan.tty => process.resize(client).await,
            Some(name) = next(&mut caught) => {
                // A container that just ended cannot take a signal; its end is about to be seen.
                drop(process.signal(client, name).await);
            }
        }
    };
    drop(raw);
    if matches!(end, Ok(End::Detached)) {
        crate::console::note("");
    }
    end
}

async fn next(
    caught: &mut Option<tokio::sync::mpsc::UnboundedReceiver<&'static str>>,
) -> Option<&'static str> {
    match caught {
        Some(caught) => caught.recv().await,
        None => std::future::pending().await,
    }
}
