//! Creating a container: everything until its first process waits to be started.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci::runtime::{LinuxNamespaceType, Spec};
use rustix::process::{Pid, PidfdFlags};
use sys::process::{Child, Namespaces, Parent};

use crate::beginning::Beginning;
use crate::cgroup::{self, Entrance, Groups};
use crate::channel::{Channel, Message};
use crate::check;
use crate::container::{Container, Process};
use crate::error::During;
use crate::idmap;
use crate::init::{self, Setup};
use crate::namespaces::Plan;
use crate::notify::Listener;
use crate::process::Program;
use crate::rootfs;
use crate::seccomp::Filter;
use crate::{Error, Failure};

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
    /// By a connection to this listening socket (of sequential packets), from any process: see
    /// [`start_at`].
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
    /// Keep the caller's session keyring.
    pub no_new_keyring: bool,
    /// Stay in the caller's control groups: no limits, no freezer.
    pub no_groups: bool,
    /// The kernel kills the first process when the caller ends, however that happens. (A program
    /// that changes its user later ends this.)
    pub dies_with_caller: bool,
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
            no_new_keyring: false,
            no_groups: false,
            dies_with_caller: false,
        }
    }
}

/// A created container, whose first process waits before `exec`. Dropping it lets the process end
/// (with [`Gate::Channel`]) but leaves the control groups: [`Container::delete`] removes them.
#[derive(Debug)]
pub struct Init {
    container: Container,
    channel: Channel,
}

impl Init {
    /// The container; it can be killed and deleted already.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// The pty's master side, if `process.terminal` is set; `None` when taken before.
    pub fn take_terminal(&mut self) -> Option<OwnedFd> {
        self.container.take_terminal()
    }

    /// The pty's master side, to look at.
    pub fn terminal(&self) -> Option<BorrowedFd<'_>> {
        self.container.init().terminal()
    }

    /// Lets the process go on; returns when it has executed the container's program.
    /// If that fails, nothing is left of it.
    pub fn start(self) -> Result<Container, Error> {
        match start_over(&self.channel) {
            Ok(()) => Ok(self.container),
            Err(error) => {
                // The first error counts, not those of clearing up after it.
                let _ = self.container.kill(rustix::process::Signal::KILL);
                let _ = self.container.init().wait();
                let _ = self.container.delete();
                Err(error)
            }
        }
    }

    /// Leaves it waiting at its [`Gate::Listener`].
    pub fn into_container(self) -> Container {
        self.container
    }
}

/// Lets a container go on that waits at a listening socket, to which `connection` was made;
/// returns when it has executed its program.
pub fn start_at(connection: OwnedFd) -> Result<(), Error> {
    start_over(&Channel::from(connection))
}

fn start_over(channel: &Channel) -> Result<(), Error> {
    let action = || "start the container".to_owned();
    channel.send(&Message::Start).during(action)?;
    match channel.receive().during(action)? {
        None => Ok(()),
        Some(message) => Err(unexpected(message)),
    }
}

pub(crate) fn unexpected(message: Message) -> Error {
    match message {
        Message::Failed(failure) => Error::Child(failure),
        other => {
            let cause = format!("unexpected {other:?}");
            Error::Child(Failure::said(crate::Step::Protocol, "create", &cause))
        }
    }
}

/// Creates a container.
pub fn create(mut options: CreateOptions<'_>) -> Result<Init, Error> {
    let spec = options.spec;
    check::spec(spec)?;
    let plan = Plan::new(spec, std::mem::take(&mut options.join))?;
    check::sysctls(spec, &plan)?;
    let mut groups = match options.no_groups {
        true => Groups::at(Path::new(""))?,
        false => Groups::at(&groups_path(spec, options.id))?,
    };
    let filter = filter_of(&mut options)?;
    let (ours, theirs) = Channel::pair().during(|| "make a socket pair".to_owned())?;
    let hooks_outside = has_hooks_outside(spec);
    let mut ours = Some(ours);
    if let Err(error) = groups.create(!rustix::process::geteuid().is_root()) {
        // Some may have been made; the first error counts.
        let _ = groups.remove();
        return Err(error);
    }
    let child = groups.entrance(None).and_then(|entrance| {
        let seals = (filter.as_ref(), &entrance);
        let setup = setup(&mut options, &plan, &groups, seals)?;
        spawn(setup, theirs, &mut ours)
    });
    let child = child.inspect_err(|_| drop(groups.remove()))?;
    let ours = ours.take().ok_or(Error::Vanished)?;
    let mut parent = Beginning {
        options: &options,
        plan: &plan,
        groups: &mut groups,
        channel: &ours,
        pid: child.pid,
        terminal: None,
    };
    let result = parent.accompany(hooks_outside);
    let terminal = parent.terminal.take();
    match result {
        Ok(()) => {
            let init = Process::new(child, terminal);
            Ok(Init {
                container: Container::new(init, groups),
                channel: ours,
            })
        }
        Err(error) => {
            // The first error counts, not those of clearing up after it.
            let _ = rustix::process::pidfd_send_signal(&child.pidfd, rustix::process::Signal::KILL);
            let _ =
                rustix::process::waitpid(Some(child.pid), rustix::process::WaitOptions::empty());
            let _ = groups.remove();
            Err(error)
        }
    }
}

fn groups_path(spec: &Spec, id: &str) -> PathBuf {
    let linux = spec.linux().as_ref();
    let path = linux.and_then(|linux| linux.cgroups_path().as_deref());
    cgroup::path_of(path, id)
}

fn filter_of(options: &mut CreateOptions<'_>) -> Result<Option<Filter>, Error> {
    if let Some(filter) = options.filter.take() {
        return Ok(Some(filter));
    }
    let linux = options.spec.linux().as_ref();
    match linux.and_then(|linux| linux.seccomp().as_ref()) {
        Some(profile) => {
            let filter = crate::seccomp::Rules::try_from(profile)?.compile()?;
            Ok(Some(match profile.listener_path() {
                Some(_) => filter.with_listener(),
                None => filter,
            }))
        }
        None => Ok(None),
    }
}

fn has_hooks_outside(spec: &Spec) -> bool {
    let any = |list: &Option<Vec<_>>| list.as_ref().is_some_and(|list| !list.is_empty());
    spec.hooks().as_ref().is_some_and(|hooks| {
        let prestart = hooks.prestart();
        any(prestart) || any(hooks.create_runtime())
    })
}

fn setup<'a>(
    options: &'a mut CreateOptions<'_>,
    plan: &'a Plan,
    groups: &'a Groups,
    (filter, entrance): (Option<&'a Filter>, &'a Entrance),
) -> Result<Setup<'a>, Error> {
    let spec: &'a Spec = options.spec;
    let process = spec.process().as_ref();
    let process = process.ok_or_else(|| Error::Spec("there is no process".to_owned()))?;
    let (tree, path) = match std::mem::take(&mut options.rootfs) {
        Rootfs::Mount(tree) => (Some(tree), None),
        Rootfs::Path => {
            let root = spec.root().as_ref();
            let root = root.ok_or_else(|| Error::Spec("there is no root".to_owned()))?;
            (None, Some(options.bundle.join(root.path())))
        }
    };
    let mounts = spec.mounts().iter().flatten();
    let mut root = rootfs::Plan {
        spec,
        bundle: options.bundle,
        tree,
        path,
        mounts: mounts.map(rootfs::Prepared::new).collect(),
        nodes: Vec::new(),
        cgroup: groups,
        namespaces: plan.new,
        in_user_namespace: plan.changes_user(),
        no_pivot: options.no_pivot,
    };
    // Inside a user namespace the sources may be out of reach; id maps need the host's rights.
    if rustix::process::geteuid().is_root() && (plan.changes_user() || root.wears_id_maps()) {
        rootfs::open_trees(&mut root)?;
        idmap::dress(&mut root)?;
    }
    if rustix::process::geteuid().is_root() && plan.changes_user() {
        let owner = |uid, gid| idmap::owner_outside(spec, uid, gid);
        // Older kernels cannot do this; then only devices that the host has can be given.
        root.nodes = rootfs::devices::make_outside(spec, owner).unwrap_or_default();
    }
    Ok(Setup {
        id: options.id,
        spec,
        bundle: options.bundle,
        namespaces: plan,
        root,
        stdio: std::mem::take(&mut options.stdio),
        program: Program {
            process,
            filter,
            notify: None,
            keep_fds: &options.keep_fds,
            in_user_namespace: plan.changes_user(),
            dies_with_parent: options.dies_with_caller,
        },
        listener: Listener::connect(spec)?,
        gate: std::mem::take(&mut options.gate),
        hooks_outside: has_hooks_outside(spec),
        entrance,
        no_new_keyring: options.no_new_keyring,
    })
}

/// Makes the first process, through a helper if it must be made inside other namespaces.
fn spawn(
    setup: Setup<'_>,
    channel: Channel,
    others_end: &mut Option<Channel>,
) -> Result<Child, Error> {
    let action = || "make the container's process".to_owned();
    let plan = setup.namespaces;
    let birthplace = setup.entrance.birthplace();
    let run = |channel| {
        // Only the copy: so that this process sees the end of the other.
        drop(others_end.take());
        init::run(setup, channel)
    };
    match plan.needs_helper() {
        true => {
            let place = (birthplace, plan.made_by_clone());
            through_helper(|| plan.enter(), place, channel, run)
        }
        false => {
            let (new, parent) = (plan.made_by_clone(), Parent::Caller);
            sys::process::spawn_in(birthplace, new, parent, || run(channel)).during(action)
        }
    }
}

/// Has a helper enter namespaces and make a process in them, which is the caller's
/// child and not the helper's.
pub(crate) fn through_helper(
    enter: impl Fn() -> Result<(), Failure>,
    (birthplace, new): (Option<BorrowedFd<'_>>, Namespaces),
    channel: Channel,
    run: impl FnOnce(Channel) -> i32,
) -> Result<Child, Error> {
    let action = || "make the container's process".to_owned();
    let (ours, theirs) = Channel::pair().during(action)?;
    let helper = sys::process::spawn(Namespaces::empty(), Parent::Caller, || {
        let made = enter().and_then(|()| {
            use crate::error::At as _;
            // From now on in sight of the container's processes.
            let hidden = rustix::process::DumpableBehavior::NotDumpable;
            rustix::process::set_dumpable_behavior(hidden).at(crate::Step::Namespace, "helper")?;
            sys::process::spawn_in(birthplace, new, Parent::CallersParent, || run(channel))
                .at(crate::Step::Namespace, "process")
        });
        let message = match made {
            Ok(child) => Message::Pid(child.pid.as_raw_nonzero().get()),
            Err(failure) => Message::Failed(failure),
        };
        i32::from(theirs.send(&message).is_err())
    })
    .during(action)?;
    let message = ours.receive().during(action);
    rustix::process::waitpid(Some(helper.pid), rustix::process::WaitOptions::empty())
        .during(action)?;
    match message? {
        Some(Message::Pid(pid)) => {
            let pid = Pid::from_raw(pid).ok_or(Error::Vanished)?;
            let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).during(action)?;
            Ok(Child { pid, pidfd })
        }
        Some(other) => Err(unexpected(other)),
        None => Err(Error::Vanished),
    }
}
