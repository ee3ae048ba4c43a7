//! Another process in a running container.

use std::os::fd::OwnedFd;

use crate::seccomp::Filter;
use crate::{Container, Error, Process, Stdio};

/// What to execute.
#[derive(Debug)]
pub struct ExecOptions<'a> {
    /// The process, complete: nothing is taken over from the container's first process.
    pub process: &'a oci::runtime::Process,
    /// Its standard streams; ignored with `process.terminal`.
    pub stdio: Stdio,
    /// Its filter.
    pub filter: Option<Filter>,
    /// Descriptors that the process gets as 3, 4, …
    pub keep_fds: Vec<OwnedFd>,
}

impl Container {
    /// Starts a process in the container; returns when it has executed its program.
    pub fn exec(&self, options: ExecOptions<'_>) -> Result<Process, Error> {
        drop(options);
        todo!()
    }
}
