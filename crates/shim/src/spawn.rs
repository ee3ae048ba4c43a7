//! Starting a shim from the (threaded) engine.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio as Redirect};

use rustix::net::SendFlags;

use crate::protocol::{Launch, TreePlace};
use crate::{Client, Config, Error, wire};

/// Descriptors that the shim inherits.
#[derive(Debug, Default)]
pub struct Fds {
    /// The container's network namespace; none follows the spec.
    pub netns: Option<OwnedFd>,
    /// Stdio in [`crate::Mode::OneShot`], where it is needed; unused else.
    pub stdio: Option<Stdio>,
    /// Detached mounts that appear in the container, after those of the spec.
    pub trees: Vec<Tree>,
}

/// A detached mount: a folder or a single file.
#[derive(Debug)]
pub struct Tree {
    /// Where it appears.
    pub destination: PathBuf,
    /// Whether writes are refused.
    pub read_only: bool,
    /// The mount, attached nowhere.
    pub mount: OwnedFd,
}

impl Tree {
    fn place(&self) -> TreePlace {
        TreePlace {
            destination: self.destination.clone(),
            read_only: self.read_only,
        }
    }
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

/// Starts `exe shim` in a session of its own and waits until the container is created (not yet
/// started). The shim is nobody's child, so nobody has to wait for it. In
/// [`crate::Mode::OneShot`] the container lives no longer than the returned connection.
///
/// Gives the connection, already past its greeting and subscribed to events, and pid 1's pid.
pub fn spawn(exe: &Path, config: &Config, fds: Fds) -> Result<(Client, u32), Error> {
    let (ours, theirs) = sys::socket::message_pair().map_err(|source| Error::Socket {
        action: "make a pair",
        source,
    })?;
    // The config and the descriptors are sent before the process exists: they wait in the socket.
    launch(&ours, config, fds)?;
    // So that no container can write to this program through a process that runs it. Without the
    // right to mount there is no container's root that could.
    let sealed = sys::mount::sealed_program(exe).ok();
    let program = match &sealed {
        Some(sealed) => PathBuf::from(format!("/proc/self/fd/{}", sealed.as_raw_fd())),
        None => exe.to_owned(),
    };
    let mut process = Command::new(program)
        .arg0(exe)
        .arg("shim")
        .arg(&config.id)
        .env_clear()
        .current_dir("/")
        .stdin(Redirect::from(theirs))
        .stdout(Redirect::null())
        .stderr(Redirect::null())
        .spawn()
        .map_err(Error::Spawn)?;
    let mut client = Client::new(ours, true)?;
    let answer = client.answer();
    // The process has handed over to the real shim (or failed) by now.
    process.wait().map_err(Error::Spawn)?;
    let pid = client.greeted(answer?)?;
    Ok((client, pid))
}

fn launch(socket: &OwnedFd, config: &Config, fds: Fds) -> Result<(), Error> {
    let launch = Launch {
        config: config.clone(),
        netns: fds.netns.is_some(),
        stdio: fds.stdio.is_some(),
        trees: fds.trees.iter().map(Tree::place).collect(),
    };
    let mut list = Vec::from_iter(fds.netns);
    if let Some(stdio) = fds.stdio {
        let stdin = match stdio.stdin {
            Some(stdin) => stdin,
            None => null().map_err(Error::Spawn)?,
        };
        list.extend([stdin, stdio.stdout, stdio.stderr]);
    }
    list.extend(fds.trees.into_iter().map(|tree| tree.mount));
    let list: Vec<_> = list.iter().map(AsFd::as_fd).collect();
    wire::send(socket, &launch, &list, SendFlags::empty())
}

/// `/dev/null`, for both ways.
pub(crate) fn null() -> io::Result<OwnedFd> {
    let file = File::options().read(true).write(true).open("/dev/null")?;
    Ok(file.into())
}
