//! From the engine's launch message to a container that waits to be started.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use oci::runtime::LinuxNamespaceType;
use runtime::{CreateOptions, Init, seccomp::Filter};
use rustix::fs::FlockOperation;

use super::control::Control;
use super::execs::Execs;
use super::mounts;
use super::session::{Ends, Session};
use super::{Failed, Life, Settings, Supervisor, oom::Oom};
use crate::log::Writer;
use crate::protocol::{Launch, Streams, TreePlace};
use crate::spawn::null;
use crate::{Config, Exit, Mode, Rootfs, StdinMode, sockets_folder};

/// The container's session among the sessions.
pub(super) const CONTAINER: u32 = 0;
/// How many descriptors the stdio of a build step is.
const STDIO: usize = 3;

impl Supervisor {
    /// Creates the container.
    pub(super) fn launch(
        launch: Launch,
        fds: Vec<OwnedFd>,
        control: &mut Control,
        owner: u32,
    ) -> Result<Self, Failed> {
        let config = launch.config;
        if config.version > Config::VERSION {
            let (theirs, ours) = (config.version, Config::VERSION);
            return Err(Failed::unsupported(format!(
                "config version {theirs}; this is {ours}"
            )));
        }
        let mut fds = fds.into_iter();
        let netns = if launch.netns { fds.next() } else { None };
        let stdio = if launch.stdio { STDIO } else { 0 };
        let given: Vec<OwnedFd> = fds.by_ref().take(stdio).collect();
        let trees: Vec<_> = launch.trees.into_iter().zip(fds).collect();

        let supervised = config.mode == Mode::Supervised;
        let lock = match supervised {
            true => Some(lock(&config.dir)?),
            false => None,
        };
        let log = config.log.clone().map(Writer::open).transpose();
        let log = log.map_err(|error| Failed::io("open the log", &error))?;
        let (init, session) = create(&config, netns, given, &trees)?;
        if supervised {
            control
                .listen(&sockets_folder(&config.run_dir), &config.id)
                .map_err(|error| Failed::io("listen on the control socket", &error))?;
        }
        let limited = config
            .spec
            .linux()
            .as_ref()
            .and_then(|linux| linux.resources().as_ref());
        let limited = limited.is_some_and(|resources| resources.memory().is_some());
        let first = init.container().init();
        Ok(Self {
            pid: first.pid().as_raw_pid().cast_unsigned(),
            oom: Oom::of(first.pid(), limited && supervised),
            life: Life::Created(init),
            session,
            log,
            control: std::mem::take(control),
            owner,
            settings: Settings::of(config),
            started_at: None,
            paused: false,
            kill_at: None,
            execs: Execs::default(),
            next_attachment: 0,
            _lock: lock,
        })
    }
}

/// Waits until the shim of the container's last start has cleaned up, and removes what it said.
fn lock(dir: &Path) -> Result<File, Failed> {
    let folder =
        File::open(dir).map_err(|error| Failed::io("open the container's folder", &error))?;
    rustix::fs::flock(&folder, FlockOperation::LockExclusive)
        .map_err(|error| Failed::io("lock the container's folder", &error.into()))?;
    Exit::clear(dir).map_err(|error| Failed::internal(&error))?;
    Ok(folder)
}

fn create(
    config: &Config,
    netns: Option<OwnedFd>,
    given: Vec<OwnedFd>,
    trees: &[(TreePlace, OwnedFd)],
) -> Result<(Init, Session), Failed> {
    let terminal = config
        .spec
        .process()
        .as_ref()
        .and_then(oci::runtime::Process::terminal);
    let (session, ends) = match (terminal, <Ends>::try_from(given)) {
        (Some(true), _) => (None, stdio_of_nobody()?),
        (_, Ok(given)) => (None, given),
        (_, Err(_)) => {
            let streams = Streams {
                stdin: config.stdin != StdinMode::Closed,
                stdout: true,
                stderr: true,
            };
            let made = Session::piped(CONTAINER, streams);
            let (session, ends) = made.map_err(|error| Failed::io("make pipes", &error))?;
            (Some(session), ends)
        }
    };
    let mut spec = None;
    if !trees.is_empty() {
        let mut with_mounts = config.spec.clone();
        mounts::add(config, trees, &mut with_mounts)?;
        spec = Some(with_mounts);
    }
    let spec = spec.as_ref().unwrap_or(&config.spec);
    let mut options = CreateOptions::new(&config.id, spec, &config.dir);
    options.rootfs = rootfs(&config.rootfs)?;
    options.stdio = runtime::Stdio::Files(ends);
    options.dies_with_caller = true;
    options.filter = config.seccomp.as_deref().map(filter).transpose()?;
    options.join = netns
        .map(|netns| (LinuxNamespaceType::Network, netns))
        .into_iter()
        .collect();
    let mut init = runtime::create(options).map_err(|error| Failed::runtime(&error))?;

    let session = match init.take_terminal() {
        Some(master) => Session::on_terminal(CONTAINER, master)
            .map_err(|error| Failed::io("open the terminal", &error))?,
        None => session.unwrap_or_default(),
    };
    let session = match config.stdin {
        StdinMode::Once => session.input_once(),
        _ => session,
    };
    Ok((init, session))
}

fn stdio_of_nobody() -> Result<Ends, Failed> {
    let make = || Ok([null()?, null()?, null()?]);
    make().map_err(|error: io::Error| Failed::io("open /dev/null", &error))
}

fn rootfs(rootfs: &Rootfs) -> Result<runtime::Rootfs, Failed> {
    match rootfs {
        Rootfs::Overlay(overlay) => {
            mounts::overlay(overlay, "mount the container's root").map(runtime::Rootfs::Mount)
        }
        Rootfs::Path(path) => sys::mount::clone_tree(rustix::fs::CWD, path, true)
            .map(runtime::Rootfs::Mount)
            .map_err(|error| Failed::io("bind the container's root", &error)),
    }
}

/// Reads a compiled system call filter.
pub(super) fn filter(path: &Path) -> Result<Filter, Failed> {
    let bytes =
        std::fs::read(path).map_err(|error| Failed::io("read the system call filter", &error))?;
    Filter::from_bytes(&bytes)
        .ok_or_else(|| Failed::invalid(format!("{} is no system call filter", path.display())))
}
