//! A container that exists.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitStatus;

use rustix::process::{Pid, Signal};

use crate::Error;

/// A process that the runtime started: a child of the caller.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    terminal: Option<OwnedFd>,
}

impl Process {
    /// Its id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Becomes readable when the process ends.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// The pty's master side, if `process.terminal` is set; `None` when taken before.
    pub fn take_terminal(&mut self) -> Option<OwnedFd> {
        self.terminal.take()
    }

    /// Waits for its end and reaps it.
    pub fn wait(&self) -> Result<ExitStatus, Error> {
        todo!()
    }
}

/// A container: its first process and its control groups.
#[derive(Debug)]
pub struct Container {
    init: Process,
}

impl Container {
    /// Its first process.
    pub fn init(&self) -> &Process {
        &self.init
    }

    /// Sends a signal to the first process.
    pub fn kill(&self, signal: Signal) -> Result<(), Error> {
        let _ = signal;
        todo!()
    }

    /// Sends a signal to every process in the container's control group.
    pub fn kill_all(&self, signal: Signal) -> Result<(), Error> {
        let _ = signal;
        todo!()
    }

    /// Freezes all processes.
    pub fn pause(&self) -> Result<(), Error> {
        todo!()
    }

    /// Thaws them.
    pub fn resume(&self) -> Result<(), Error> {
        todo!()
    }

    /// Kills what is left, removes the control groups. The first process must be reaped by
    /// [`Process::wait`].
    pub fn delete(&self) -> Result<(), Error> {
        todo!()
    }
}
