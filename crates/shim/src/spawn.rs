//! Starting a shim from the (threaded) engine.

use std::os::fd::OwnedFd;
use std::path::Path;

use crate::{Client, Config, Error};

/// Descriptors that the shim inherits.
#[derive(Debug, Default)]
pub struct Fds {
    /// The container's network namespace; none follows the spec.
    pub netns: Option<OwnedFd>,
    /// Stdio in [`crate::Mode::OneShot`]; unused else.
    pub stdio: Option<Stdio>,
}

/// The stdio of a build step, used as they are.
#[derive(Debug)]
pub struct Stdio {
    /// Standard input; none is `/dev/null`.
    pub stdin: Option<OwnedFd>,
    /// Standard output.
    pub stdout: OwnedFd,
    /// Standard error.
    pub stderr: OwnedFd,
}

/// Starts `exe shim …` in a session of its own and waits until the container is created (not yet
/// started). The process reads the config from a memory file and is no child that needs waiting
/// for. In [`crate::Mode::OneShot`] the container lives no longer than the returned connection.
///
/// Gives the connection, already past its greeting, and pid 1's pid.
pub fn spawn(exe: &Path, config: &Config, fds: Fds) -> Result<(Client, u32), Error> {
    todo!("{}{config:?}{fds:?}", exe.display())
}
