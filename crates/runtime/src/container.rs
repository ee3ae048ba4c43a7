//! A container that exists.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};
use sys::process::Child;

use crate::Error;
use crate::cgroup::Groups;
use crate::error::During;

/// A process that the runtime started: a child of the caller, unless it was found by
/// [`Container::find`].
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    terminal: Option<OwnedFd>,
}

impl Process {
    pub(crate) fn new(child: Child, terminal: Option<OwnedFd>) -> Self {
        Self {
            pid: child.pid,
            pidfd: child.pidfd,
            terminal,
        }
    }

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

    /// The pty's master side, to look at.
    pub fn terminal(&self) -> Option<BorrowedFd<'_>> {
        self.terminal.as_ref().map(AsFd::as_fd)
    }

    /// Sends it a signal.
    pub fn kill(&self, signal: Signal) -> Result<(), Error> {
        rustix::process::pidfd_send_signal(&self.pidfd, signal)
            .during(|| format!("signal process {}", self.pid.as_raw_nonzero()))
    }

    /// Waits for its end and reaps it.
    pub fn wait(&self) -> Result<ExitStatus, Error> {
        let action = || format!("wait for process {}", self.pid.as_raw_nonzero());
        loop {
            match rustix::process::waitpid(Some(self.pid), WaitOptions::empty()) {
                Err(rustix::io::Errno::INTR) | Ok(None) => {}
                Ok(Some((_, status))) => return Ok(ExitStatus::from_raw(status.as_raw())),
                Err(error) => return Err(error).during(action),
            }
        }
    }
}

/// A container: its first process and its control groups.
#[derive(Debug)]
pub struct Container {
    init: Process,
    groups: Groups,
}

impl Container {
    pub(crate) fn new(init: Process, groups: Groups) -> Self {
        Self { init, groups }
    }

    /// A container that another process created, by its first process and its groups.
    pub fn find(pid: Pid, groups: Groups) -> Result<Self, Error> {
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())
            .during(|| format!("find process {}", pid.as_raw_nonzero()))?;
        Ok(Self::new(Process::new(Child { pid, pidfd }, None), groups))
    }

    /// Its first process.
    pub fn init(&self) -> &Process {
        &self.init
    }

    /// Its first process.
    pub fn init_mut(&mut self) -> &mut Process {
        &mut self.init
    }

    /// The pty's master side, if `process.terminal` is set; `None` when taken before.
    pub fn take_terminal(&mut self) -> Option<OwnedFd> {
        self.init.take_terminal()
    }

    /// Its control groups: statistics, processes, limits.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Sends a signal to the first process.
    pub fn kill(&self, signal: Signal) -> Result<(), Error> {
        self.init.kill(signal)
    }

    /// Sends a signal to every process in the container's control groups.
    pub fn kill_all(&self, signal: Signal) -> Result<(), Error> {
        self.groups.signal(signal)
    }

    /// Freezes all processes.
    pub fn pause(&self) -> Result<(), Error> {
        self.groups.freeze()
    }

    /// Thaws them.
    pub fn resume(&self) -> Result<(), Error> {
        self.groups.thaw()
    }

    /// Kills what is left, removes the control groups. The first process, if it is a child of the
    /// caller, must be reaped by [`Process::wait`].
    pub fn delete(&self) -> Result<(), Error> {
        self.groups.remove()
    }
}
