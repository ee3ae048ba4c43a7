//! Creating a container: everything until its first process waits to be started.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use oci::runtime::{LinuxNamespaceType, Spec};

use crate::seccomp::Filter;
use crate::{Container, Error};

/// The root filesystem.
#[derive(Debug, Default)]
pub enum Rootfs {
    /// `root.path` of the spec, relative to the bundle.
    #[default]
    Path,
    /// A detached mount (as of `sys::mount::Overlay`); `root.path` is ignored. It is attached
    /// inside the container's mount namespace only.
    Mount(OwnedFd),
}

/// Where descriptors 0, 1 and 2 come from. With `process.terminal` they are a pty of the
/// container whatever is given here.
#[derive(Debug, Default)]
pub enum Stdio {
    /// Those of the caller.
    #[default]
    Inherit,
    /// These.
    Files([OwnedFd; 3]),
}

/// How the waiting process is told to go on.
#[derive(Debug, Default)]
pub enum Gate {
    /// By [`Init::start`] in the process that created it; if that dies, so does the new one.
    #[default]
    Channel,
    /// By a connection to this listening socket, from any process (the OCI command line).
    Listener(OwnedFd),
}

/// What to create.
#[derive(Debug)]
pub struct CreateOptions<'a> {
    /// The container's name in hooks' state and default control group.
    pub id: &'a str,
    /// Its configuration.
    pub spec: &'a Spec,
    /// The folder that relative paths of the spec start from.
    pub bundle: &'a Path,
    /// Its root filesystem.
    pub rootfs: Rootfs,
    /// Its standard streams.
    pub stdio: Stdio,
    /// Namespaces to join by descriptor, each in place of the spec's entry of that type.
    pub join: Vec<(LinuxNamespaceType, OwnedFd)>,
    /// A compiled filter, in place of `linux.seccomp`.
    pub filter: Option<Filter>,
    /// How it is started.
    pub gate: Gate,
    /// Descriptors that the process gets as 3, 4, …
    pub keep_fds: Vec<OwnedFd>,
    /// Replace the root by `chroot` (for a root on a ramfs) and not by `pivot_root`.
    pub no_pivot: bool,
}

impl<'a> CreateOptions<'a> {
    /// Options with everything as the spec says.
    pub fn new(id: &'a str, spec: &'a Spec, bundle: &'a Path) -> Self {
        Self {
            id,
            spec,
            bundle,
            rootfs: Rootfs::default(),
            stdio: Stdio::default(),
            join: Vec::new(),
            filter: None,
            gate: Gate::default(),
            keep_fds: Vec::new(),
            no_pivot: false,
        }
    }
}

/// A created container, whose first process waits before `exec`. Dropping it kills the process
/// (with [`Gate::Channel`]) but leaves the control groups: [`Container::delete`] removes them.
#[derive(Debug)]
pub struct Init {
    container: Container,
    terminal: Option<OwnedFd>,
}

impl Init {
    /// The container; it can be killed and deleted already.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// The pty's master side, if `process.terminal` is set; `None` when taken before.
    pub fn take_terminal(&mut self) -> Option<OwnedFd> {
        self.terminal.take()
    }

    /// Lets the process go on; returns when it has executed the container's program.
    pub fn start(self) -> Result<Container, Error> {
        todo!()
    }
}

/// Creates a container.
pub fn create(options: CreateOptions<'_>) -> Result<Init, Error> {
    let _: Option<BorrowedFd<'_>> = None;
    drop(options);
    todo!()
}
