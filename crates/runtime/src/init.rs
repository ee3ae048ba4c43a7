//! The container's first process, from `clone3` to `execve`. It runs in the caller's memory image;
//! the sequence of messages is drawn in [`crate::channel`].

use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::Path;

use oci::runtime::{Hooks, Linux, LinuxPersonalityDomain, Spec};
use rustix::event::{PollFd, PollFlags};
use rustix::net::SocketFlags;
use sys::process::Namespaces;

use crate::cgroup::Entrance;
use crate::channel::{Channel, Message};
use crate::create::{Gate, Stdio};
use crate::error::{At, Failure, Step};
use crate::hooks::{self, State};
use crate::namespaces::{self, Plan};
use crate::notify::Listener;
use crate::process::{self, Program};
use crate::rootfs;

/// Everything that the process needs.
pub(crate) struct Setup<'a> {
    pub(crate) id: &'a str,
    pub(crate) spec: &'a Spec,
    pub(crate) bundle: &'a Path,
    pub(crate) namespaces: &'a Plan,
    pub(crate) root: rootfs::Plan<'a>,
    pub(crate) stdio: Stdio,
    pub(crate) program: Program<'a>,
    pub(crate) listener: Option<Listener<'a>>,
    pub(crate) gate: Gate,
    /// The way into its control groups.
    pub(crate) entrance: &'a Entrance,
    /// Does the parent run hooks before the root is entered?
    pub(crate) hooks_outside: bool,
    pub(crate) no_new_keyring: bool,
}

/// Runs to the end of the process; the result is its exit code.
pub(crate) fn run(setup: Setup<'_>, mut channel: Channel) -> i32 {
    match live(setup, &mut channel) {
        Ok(never) => match never {},
        Err(failure) => {
            // Nobody listens any more if this fails.
            let _ = channel.send(&Message::Failed(failure));
            1
        }
    }
}

fn live(mut setup: Setup<'_>, channel: &mut Channel) -> Result<Infallible, Failure> {
    let spec = setup.spec;
    let linux = spec.linux().as_ref();
    setup.entrance.enter()?;
    enter_namespaces(&setup, channel)?;
    rustix::process::setsid().at(Step::Terminal, "session")?;
    if !setup.no_new_keyring {
        new_keyring(setup.id);
    }
    process::set_streams(&setup.stdio)?;
    set_names(&setup)?;
    // Nodes get the modes that the spec says.
    rustix::process::umask(rustix::fs::Mode::empty());
    let no_pivot = setup.root.no_pivot;
    let (layout, terminal) = rootfs::furnish(setup.root, channel)?;
    if setup.hooks_outside {
        say(channel, &Message::Prepared)?;
        expect(channel, "hooks", |message| {
            matches!(message, Message::Hooked)
        })?;
    }
    let pid = layout.pid();
    let state = State::new(spec, setup.id, setup.bundle, pid);
    let hooks = spec.hooks().as_ref();
    run_hooks("createContainer", hooks, Hooks::create_container, &state)?;
    layout.enter(spec, no_pivot)?;
    if let Some(terminal) = terminal {
        let master = terminal.take_over()?;
        say(channel, &Message::Terminal(master))?;
    }
    setup.program.set_limits()?;
    if let Some(linux) = linux {
        set_memory_and_domain(linux)?;
    }
    let executable = setup.program.find()?;
    say(channel, &Message::Ready)?;
    wait_at(setup.gate, channel)?;
    let state = state.with_status("created");
    setup.program.notify = setup
        .listener
        .map(|listener| (listener, state.clone().with_status("creating")));
    run_hooks("startContainer", hooks, Hooks::start_container, &state)?;
    Err(setup.program.execute(&executable, channel))
}

fn say(channel: &Channel, message: &Message) -> Result<(), Failure> {
    channel.send(message).at(Step::Protocol, "send")
}

fn expect(
    channel: &Channel,
    object: &str,
    wanted: impl Fn(&Message) -> bool,
) -> Result<(), Failure> {
    match channel.receive().at(Step::Protocol, object)? {
        Some(message) if wanted(&message) => Ok(()),
        // The parent is gone: nobody wants this process, and nobody listens to why it ends.
        None => sys::process::exit(1),
        Some(other) => Err(Failure::said(
            Step::Protocol,
            object,
            &format!("got {other:?}"),
        )),
    }
}

fn enter_namespaces(setup: &Setup<'_>, channel: &Channel) -> Result<(), Failure> {
    let plan = setup.namespaces;
    if !plan.needs_helper() {
        plan.enter()?;
    }
    if plan.new.contains(Namespaces::USER) {
        expect(channel, "id map", |message| {
            matches!(message, Message::Mapped)
        })?;
    }
    if plan.changes_user() {
        become_root()?;
    }
    if plan.new.contains(Namespaces::NETWORK) {
        sys::netns::bring_loopback_up().at(Step::Namespace, "loopback")?;
    }
    if plan.new.contains(Namespaces::TIME) {
        let linux = setup.spec.linux().as_ref();
        namespaces::enter_new_time(linux.and_then(|linux| linux.time_offsets().as_ref()))?;
    }
    Ok(())
}

/// The root of the user namespace, which has all rights in it.
pub(crate) fn become_root() -> Result<(), Failure> {
    let gid = rustix::thread::Gid::ROOT;
    // Forbidden in a namespace made without privileges.
    let _ = rustix::thread::set_thread_groups(&[]);
    rustix::thread::set_thread_res_gid(gid, gid, gid).at(Step::Ids, "gid 0")?;
    let uid = rustix::thread::Uid::ROOT;
    rustix::thread::set_thread_res_uid(uid, uid, uid).at(Step::Ids, "uid 0")
}

/// Keys of the caller's session are not the container's business. Kernels without keys, and users
/// with too many of them, go without.
pub(crate) fn new_keyring(id: &str) {
    if let Ok(name) = CString::new(format!("corten.{id}")) {
        let _ = sys::process::new_session_keyring(&name);
    }
}

fn set_names(setup: &Setup<'_>) -> Result<(), Failure> {
    if let Some(name) = setup
        .spec
        .hostname()
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        rustix::system::sethostname(name.as_bytes()).at(Step::Hostname, name)?;
    }
    if let Some(name) = setup
        .spec
        .domainname()
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        rustix::system::setdomainname(name.as_bytes()).at(Step::Hostname, name)?;
    }
    Ok(())
}

fn run_hooks(
    kind: &'static str,
    hooks: Option<&Hooks>,
    list: impl Fn(&Hooks) -> &Option<Vec<oci::runtime::Hook>>,
    state: &State<'_>,
) -> Result<(), Failure> {
    let hooks = hooks.and_then(|hooks| list(hooks).as_ref());
    hooks::run(kind, hooks, state).map_err(|error| match error {
        crate::Error::Hook { path, reason, .. } => Failure::said(Step::Hook, path, &reason),
        other => Failure::said(Step::Hook, kind, &other.to_string()),
    })
}

fn set_memory_and_domain(linux: &Linux) -> Result<(), Failure> {
    if let Some(personality) = linux.personality() {
        // `PER_LINUX32`, the one domain besides the default that the spec knows.
        let domain = match personality.domain() {
            LinuxPersonalityDomain::PerLinux => 0,
            LinuxPersonalityDomain::PerLinux32 => 8,
        };
        sys::process::set_personality(domain).at(Step::Scheduling, "personality")?;
    }
    if let Some(policy) = linux.memory_policy() {
        crate::memory_policy::set(policy)?;
    }
    Ok(())
}

/// Waits to be started; from then on `channel` leads to whoever started it.
fn wait_at(gate: Gate, channel: &mut Channel) -> Result<(), Failure> {
    if let Gate::Listener(listener) = gate {
        // Closes the way to the creator, who may go now.
        *channel = Channel::from(accept(&listener)?);
    }
    expect(channel, "start", |message| {
        matches!(message, Message::Start)
    })
}

fn accept(listener: &OwnedFd) -> Result<OwnedFd, Failure> {
    loop {
        match rustix::net::accept_with(listener, SocketFlags::CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            // The socket may be one that does not block.
            Err(rustix::io::Errno::AGAIN) => {
                let mut ready = [PollFd::new(listener, PollFlags::IN)];
                let _ = rustix::event::poll(&mut ready, None);
            }
            other => return other.at(Step::Protocol, "gate"),
        }
    }
}
