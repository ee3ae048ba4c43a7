//! `create`, `start`, `run`, `delete`: a container's life.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use oci::runtime::Spec;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::Signal;

use super::Outcome;
use super::arguments::{Create, Delete, Run};
use super::record::{GATE, Record, Root, Status, read_document};
use super::relay;
use super::report::{CliError, Doing};
use crate::hooks::{self, State};
use crate::{Container, CreateOptions, Gate, Init};

/// Are control groups wanted? Paths in systemd's form are understood whoever is named.
pub(super) fn wants_groups(manager: Option<&str>) -> Result<bool, CliError> {
    match manager {
        None | Some("cgroupfs" | "systemd") => Ok(true),
        Some("disabled") => Ok(false),
        Some(other) => Err(CliError::Usage(format!(
            "`{other}` is no manager of control groups"
        ))),
    }
}

/// A bundle with its config read.
struct Bundle {
    folder: PathBuf,
    config: PathBuf,
    spec: Spec,
    groups: bool,
}

impl Bundle {
    fn read(options: &Create, groups: bool) -> Result<Self, CliError> {
        let folder = fs::canonicalize(&options.bundle)
            .doing(|| format!("find the bundle {}", options.bundle.display()))?;
        let config = match &options.config {
            Some(config) => config.clone(),
            None => folder.join("config.json"),
        };
        let mut spec: Spec = read_document(&config)?;
        announce_sockets(&mut spec);
        let version = spec.version();
        match version.split('.').next() {
            Some("1") => Ok(Self {
                folder,
                config,
                spec,
                groups,
            }),
            _ => Err(CliError::Usage(format!(
                "version `{version}` of the OCI specification is not known"
            ))),
        }
    }
}

/// `create`
pub(super) fn create(root: &Root, options: &Create, groups: bool) -> Outcome {
    let bundle = Bundle::read(options, groups)?;
    check_console(&bundle, options)?;
    let folder = root.reserve(&options.id)?;
    let listener = open_folder(&folder).and_then(|fd| {
        sys::socket::message_listener(fd, GATE).doing(|| "make the gate".to_owned())
    });
    let made = listener.and_then(|listener| make(root, &bundle, options, Gate::Listener(listener)));
    or_forget(root, &options.id, made)?;
    Ok(0)
}

/// `run`
pub(super) fn run(root: &Root, options: &Run, groups: bool) -> Outcome {
    let create = &options.create;
    let bundle = Bundle::read(create, groups)?;
    root.reserve(&create.id)?;
    if options.detach {
        or_forget(root, &create.id, check_console(&bundle, create))?;
    }
    let init = or_forget(root, &create.id, make(root, &bundle, create, Gate::Channel))?;
    let pid = init.container().init().pid().as_raw_nonzero().get();
    let state = State::new(&bundle.spec, &create.id, &bundle.folder, pid);
    let started = init.start().map_err(CliError::from);
    let mut container = match started {
        Ok(container) => container,
        Err(error) => {
            discard(root, &create.id, &state, &bundle.spec);
            return Err(error);
        }
    };
    if let Err(error) = poststart(&bundle.spec, &state) {
        container.kill(Signal::KILL)?;
        container.init().wait()?;
        discard(root, &create.id, &state, &bundle.spec);
        return Err(error);
    }
    if options.detach {
        return Ok(0);
    }
    let code = relay::wait(container.init_mut())?;
    if !options.keep {
        container.delete()?;
        root.forget(&create.id)?;
        poststop(&bundle.spec, &state);
    }
    Ok(code)
}

/// A terminal needs somebody who takes it.
fn check_console(bundle: &Bundle, options: &Create) -> Result<(), CliError> {
    let process = bundle.spec.process().as_ref();
    let terminal = process.is_some_and(|process| process.terminal() == Some(true));
    match terminal && options.console_socket.is_none() {
        true => Err(CliError::Usage(
            "a terminal in the background needs --console-socket".to_owned(),
        )),
        false => Ok(()),
    }
}

/// `start`
pub(super) fn start(root: &Root, id: &str) -> Outcome {
    let record = root.load(id)?;
    match record.status(root)? {
        Status::Created => {}
        other => {
            return Err(CliError::WrongState {
                id: id.to_owned(),
                is: other.word(),
                needed: "created",
            });
        }
    }
    let folder = root.folder(id)?;
    let gate = open_folder(&folder)?;
    let connection = sys::socket::message_connect(gate.as_fd(), GATE)
        .doing(|| format!("reach container `{id}`"))?;
    // Nobody else may start it; and it counts as running from now on.
    fs::remove_file(folder.join(GATE)).doing(|| "close the gate".to_owned())?;
    crate::start_at(connection)?;
    let spec = root.config(id)?;
    let state = State::new(&spec, id, &record.bundle, record.pid);
    if let Err(error) = poststart(&spec, &state) {
        let container = record.container()?;
        container.kill(Signal::KILL)?;
        await_end(&container);
        discard(root, id, &state, &spec);
        return Err(error);
    }
    Ok(0)
}

/// `delete`
pub(super) fn delete(root: &Root, options: &Delete) -> Outcome {
    if options.regex {
        return delete_matching(root, options);
    }
    delete_one(root, &options.id, options.force)
}

fn delete_matching(root: &Root, options: &Delete) -> Outcome {
    let pattern = super::listing::pattern(&options.id)?;
    for id in root.names()? {
        if pattern.is_match(&id) {
            delete_one(root, &id, options.force)?;
        }
    }
    Ok(0)
}

fn delete_one(root: &Root, id: &str, force: bool) -> Outcome {
    let record = match root.load(id) {
        // A container that never came to be may have left a folder.
        Err(CliError::NoContainer(_)) if force => {
            let folder = root.folder(id)?;
            if folder.is_dir() {
                root.forget(id)?;
            }
            return Ok(0);
        }
        other => other?,
    };
    let status = record.status(root)?;
    if matches!(status, Status::Running | Status::Paused) && !force {
        return Err(CliError::WrongState {
            id: id.to_owned(),
            is: status.word(),
            needed: "stopped",
        });
    }
    if status != Status::Stopped {
        let container = record.container()?;
        container.kill(Signal::KILL)?;
        if status == Status::Paused {
            container.resume()?;
        }
        // Killed processes end only when they can run.
        record.groups()?.thaw_process(container.init().pid());
        await_end(&container);
    }
    record.groups()?.remove()?;
    let spec = root.config(id);
    root.forget(id)?;
    if let Ok(spec) = spec {
        poststop(&spec, &State::new(&spec, id, &record.bundle, record.pid));
    }
    Ok(0)
}

fn make(root: &Root, bundle: &Bundle, options: &Create, gate: Gate) -> Result<Init, CliError> {
    let folder = root.folder(&options.id)?;
    let copied = fs::copy(&bundle.config, folder.join("config.json"));
    copied.doing(|| "keep the config".to_owned())?;
    let console = options
        .console_socket
        .as_deref()
        .map(super::exec::connect_console)
        .transpose()?;
    let mut create = CreateOptions::new(&options.id, &bundle.spec, &bundle.folder);
    create.gate = gate;
    create.no_groups = !bundle.groups;
    create.no_pivot = options.no_pivot;
    create.no_new_keyring = options.no_new_keyring;
    create.keep_fds = preserved(options.preserve_fds)?;
    let mut init = crate::create(create)?;
    let finish = |init: &mut Init| -> Result<(), CliError> {
        if let (Some(console), Some(terminal)) = (&console, init.terminal()) {
            super::exec::send_terminal(console, terminal)?;
            drop(init.take_terminal());
        }
        let container = init.container();
        let record = Record::new(&options.id, &bundle.spec, &bundle.folder, container);
        if let Some(path) = &options.pid_file {
            super::exec::write_pid(path, record.pid)?;
        }
        record.save(&folder)
    };
    match finish(&mut init) {
        Ok(()) => Ok(init),
        Err(error) => {
            // The first error counts.
            let _ = init.container().kill(Signal::KILL);
            let _ = init.container().init().wait();
            let _ = init.container().delete();
            Err(error)
        }
    }
}

/// How many sockets are handed over by socket activation.
fn listening() -> u32 {
    let number = std::env::var("LISTEN_FDS");
    number.ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Tells the container's process of sockets that are handed over: it is process 1.
fn announce_sockets(spec: &mut Spec) {
    let (count, Some(process)) = (listening(), spec.process_mut()) else {
        return;
    };
    if count > 0 {
        let mut environment = process.env().clone().unwrap_or_default();
        environment.push(format!("LISTEN_FDS={count}"));
        environment.push("LISTEN_PID=1".to_owned());
        process.set_env(Some(environment));
    }
}

/// Descriptors 3, 4, …: as many as asked for, and those of socket activation.
pub(super) fn preserved(count: u32) -> Result<Vec<OwnedFd>, CliError> {
    let count = i32::try_from(count.saturating_add(listening())).unwrap_or(i32::MAX - 3);
    let mut fds = Vec::new();
    for number in 3..3 + count {
        match sys::process::inherited(number) {
            Ok(fd) => fds.push(fd),
            // Fewer were handed over than announced.
            Err(_) => break,
        }
    }
    Ok(fds)
}

fn open_folder(path: &Path) -> Result<OwnedFd, CliError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, rustix::fs::Mode::empty())
        .doing(|| format!("open {}", path.display()))
}

fn or_forget<T>(root: &Root, id: &str, result: Result<T, CliError>) -> Result<T, CliError> {
    if result.is_err() {
        let _ = root.forget(id);
    }
    result
}

/// Removes all of a container that did not start.
fn discard(root: &Root, id: &str, state: &State<'_>, spec: &Spec) {
    if let Ok(record) = root.load(id)
        && let Ok(groups) = record.groups()
    {
        let _ = groups.remove();
    }
    let _ = root.forget(id);
    poststop(spec, state);
}

fn await_end(container: &Container) {
    let mut fds = [PollFd::from_borrowed_fd(
        container.init().pidfd(),
        PollFlags::IN,
    )];
    let limit = Timespec {
        tv_sec: 10,
        tv_nsec: 0,
    };
    let _ = poll(&mut fds, Some(&limit));
}

/// A failure ends the container.
fn poststart(spec: &Spec, state: &State<'_>) -> Result<(), CliError> {
    let hooks = spec
        .hooks()
        .as_ref()
        .and_then(|hooks| hooks.poststart().as_ref());
    let state = state.clone().with_status("running");
    Ok(hooks::run("poststart", hooks, &state)?)
}

/// What happened cannot be undone by a failure: all hooks run, and each failure is told.
fn poststop(spec: &Spec, state: &State<'_>) {
    let hooks = spec
        .hooks()
        .as_ref()
        .and_then(|hooks| hooks.poststop().as_ref());
    let state = state.clone().with_status("stopped");
    for hook in hooks.into_iter().flatten() {
        if let Err(error) = hooks::run("poststop", Some(&vec![hook.clone()]), &state) {
            super::report::warn(&error);
        }
    }
}
