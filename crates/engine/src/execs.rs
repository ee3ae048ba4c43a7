//! Further processes in running containers.

use std::os::fd::OwnedFd;

use crate::spec::Attach;
use crate::{Error, Id};

/// The execs of this engine. They live in memory: they end with their container's run.
#[derive(Debug, Clone)]
pub struct Execs {}

/// A process that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecOptions {
    /// Program and arguments.
    pub cmd: Vec<String>,
    /// Over those of the container.
    pub env: Vec<String>,
    /// The container's own where it is empty.
    pub user: String,
    /// The container's own where it is empty.
    pub working_dir: String,
    /// A terminal instead of pipes.
    pub tty: bool,
    /// Its size at the start: rows, columns.
    pub console_size: Option<(u16, u16)>,
    /// Every capability.
    pub privileged: bool,
    /// Which streams go to the client.
    pub attach: Attach,
    /// Keys that end the attachment.
    pub detach_keys: Option<String>,
}

/// What is known of an exec.
#[derive(Debug, Clone)]
pub struct Exec {
    /// Identifier.
    pub id: Id,
    /// Where it runs.
    pub container: Id,
    /// What was asked for.
    pub options: ExecOptions,
    /// Where it stands.
    pub state: ExecState,
}

/// Where an exec stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecState {
    /// Not yet started.
    Created,
    /// It runs.
    Running {
        /// Process id in the engine's process namespace.
        pid: u32,
    },
    /// It ended, or its start failed.
    Exited {
        /// Exit code.
        code: u8,
    },
}

/// A start that was found possible. The caller answers its client, then hands the connection
/// over.
#[derive(Debug)]
pub struct ExecStart {
    /// Raw bytes of a terminal instead of frames.
    pub tty: bool,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl ExecStart {
    /// Starts the process on the connection, with what the client had already sent. An error
    /// leaves the connection with the caller's client closed.
    pub async fn hand_over(self, connection: OwnedFd, sent: Vec<u8>) -> Result<(), Error> {
        let _ = (connection, sent);
        todo!()
    }
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Execs {
    /// Prepares a process in a running container.
    pub async fn create(&self, container: &str, options: ExecOptions) -> Result<Id, Error> {
        let _ = (container, options);
        todo!()
    }

    /// Checks that it can be started with streams.
    pub async fn start(
        &self,
        id: &str,
        console_size: Option<(u16, u16)>,
    ) -> Result<ExecStart, Error> {
        let _ = (id, console_size);
        todo!()
    }

    /// Starts it without streams.
    pub async fn start_detached(&self, id: &str) -> Result<(), Error> {
        let _ = id;
        todo!()
    }

    /// Sets the size of its terminal.
    pub async fn resize(&self, id: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let _ = (id, rows, columns);
        todo!()
    }

    /// What is known of it.
    pub async fn inspect(&self, id: &str) -> Result<Exec, Error> {
        let _ = id;
        todo!()
    }
}
