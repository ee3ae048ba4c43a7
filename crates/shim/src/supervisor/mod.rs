//! The shim's process: one thread, one loop.
//!
//! The end of a container goes in this order, so that whoever learns of it finds it complete:
//! reap, drain the output into the log and the clients' buffers, write the exit file, tell the
//! subscribers, end the clients' streams, remove the control groups, remove the socket file.

mod attachment;
mod control;
mod execs;
mod failed;
mod keys;
mod launch;
mod mounts;
mod oom;
mod poller;
mod requests;
mod session;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use runtime::{Container, Init};
use rustix::event::PollFlags;
use rustix::net::RecvFlags;
use sys::process::{Namespaces, Parent};

use self::control::{Brought, Control};
use self::execs::Execs;
pub(crate) use self::failed::Failed;
use self::launch::CONTAINER;
use self::oom::Oom;
use self::poller::{Ready, Source, Watch};
use self::session::Session;
use crate::log::Writer;
use crate::protocol::{Event, Launch, Message, Request, VERSION};
use crate::wire::{self, Incoming};
use crate::{Config, Exit, Mode};

/// What is left of the config while the container runs.
#[derive(Debug)]
struct Settings {
    dir: PathBuf,
    mode: Mode,
    seccomp: Option<PathBuf>,
    stop_signal: i32,
    stop_timeout: Option<Duration>,
}

impl Settings {
    fn of(config: Config) -> Self {
        Self {
            dir: config.dir,
            mode: config.mode,
            seccomp: config.seccomp,
            stop_signal: config.stop_signal,
            stop_timeout: config.stop_timeout,
        }
    }
}

/// Where the container is in its life.
#[derive(Debug)]
enum Life {
    Created(Init),
    Running(Container),
    Exited(Exit),
    /// It never ran.
    Failed,
}

impl Life {
    fn container(&self) -> Option<&Container> {
        match self {
            Self::Created(init) => Some(init.container()),
            Self::Running(container) => Some(container),
            Self::Exited(_) | Self::Failed => None,
        }
    }

    fn is_over(&self) -> bool {
        self.container().is_none()
    }
}

/// One container.
#[derive(Debug)]
struct Supervisor {
    settings: Settings,
    life: Life,
    pid: u32,
    started_at: Option<String>,
    paused: bool,
    kill_at: Option<Instant>,
    session: Session,
    log: Option<Writer>,
    execs: Execs,
    oom: Oom,
    control: Control,
    /// The inherited connection.
    owner: u32,
    next_attachment: u32,
    /// Held for life: the container's next shim waits for it.
    _lock: Option<File>,
}

/// Runs the process: hands over to a copy of itself that is nobody's child, so that the engine
/// has nothing to wait for.
pub(crate) fn main() -> ExitCode {
    let Ok(socket) = take_socket() else {
        return ExitCode::from(2);
    };
    match sys::process::spawn(Namespaces::empty(), Parent::Caller, || {
        let _ = rustix::process::setsid();
        let _ = rustix::thread::set_name(c"corten-shim");
        supervise(socket);
        0
    }) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

/// The connection comes as standard input.
fn take_socket() -> io::Result<OwnedFd> {
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    rustix::stdio::dup2_stdin(crate::spawn::null()?)?;
    Ok(socket)
}

fn supervise(socket: OwnedFd) {
    let Ok(Incoming::Document(launch, fds)) = wire::receive::<Launch>(&socket, RecvFlags::empty())
    else {
        return;
    };
    let mut control = Control::default();
    let owner = control.add(socket, true);
    match Supervisor::launch(launch, fds, &mut control, owner) {
        Ok(mut supervisor) => {
            let ready = Message::Hello {
                version: VERSION,
                pid: supervisor.pid,
            };
            supervisor.control.answer(owner, &ready);
            supervisor.run();
        }
        Err(failed) => control.answer(owner, &failed.into_message()),
    }
}

impl Supervisor {
    fn run(&mut self) {
        self.kill_if_orphaned();
        // Nothing could be done about a failing wait; the container dies with us.
        while let Ok(ready) = self.wait() {
            for ready in ready {
                self.handle(ready);
            }
            self.session.expire();
            self.kill_if_due();
            self.kill_if_orphaned();
            let execs_over = self.execs.release();
            if self.life.is_over() && self.session.release() && execs_over {
                break;
            }
        }
    }

    fn wait(&self) -> io::Result<Vec<Ready>> {
        let mut watch = Watch::default();
        self.control.watch(&mut watch);
        self.session.watch(&mut watch);
        self.execs.watch(&mut watch);
        if !self.life.is_over() {
            if let Some(container) = self.life.container() {
                let source = Source::Process(CONTAINER);
                watch.add(source, container.init().pidfd(), PollFlags::IN);
            }
            self.oom.watch(&mut watch);
            watch.until(self.kill_at);
        }
        watch.wait()
    }

    fn handle(&mut self, ready: Ready) {
        match ready.source {
            Source::Process(CONTAINER) => self.on_exit(),
            Source::Process(number) => {
                if let Some(event) = self.execs.ended(number) {
                    self.control.tell(event);
                }
            }
            Source::Listener => self.control.accept(),
            Source::Connection(id) => self.on_connection(id),
            Source::Oom => {
                if self.oom.is_new() {
                    self.control.tell(Event::Oom);
                }
            }
            Source::Output(CONTAINER, index) => {
                self.session.on_output(index, self.log.as_mut());
            }
            Source::Output(number, index) => {
                if let Some((_, session)) = self.execs.session(number) {
                    session.on_output(index, None);
                }
            }
            Source::Input(CONTAINER) => self.session.on_input(),
            Source::Input(number) => {
                if let Some((_, session)) = self.execs.session(number) {
                    session.on_input();
                }
            }
            Source::Attached(number, id) => self.on_attached(number, id, ready.flags),
        }
    }

    fn on_attached(&mut self, number: u32, id: u32, flags: PollFlags) {
        let (exec, detached) = match (number, self.execs.session(number)) {
            (CONTAINER, _) => (None, self.session.on_attached(id, flags)),
            (_, Some((exec, session))) => (Some(exec.to_owned()), session.on_attached(id, flags)),
            (_, None) => return,
        };
        if detached {
            self.control.tell(Event::Detached { exec });
        }
    }

    fn on_connection(&mut self, id: u32) {
        match self.control.receive(id) {
            Brought::Request(request, fds) => {
                let subscribes = matches!(request, Request::Subscribe);
                let answer = self.request(id, request, fds);
                self.control
                    .answer(id, &answer.unwrap_or_else(Failed::into_message));
                // An exit that was before the subscription comes right after its answer.
                if let (true, Life::Exited(exit)) = (subscribes, &self.life) {
                    self.control.tell_one(id, Event::Exited(exit.clone()));
                }
            }
            Brought::Nothing | Brought::End => {}
        }
    }

    /// A build step goes with its engine, and so does any container until it is started: nobody
    /// else would ever start it. The connection may end while it is read or while it is answered.
    fn kill_if_orphaned(&mut self) {
        let is_owned = self.settings.mode == Mode::OneShot || matches!(self.life, Life::Created(_));
        if is_owned && !self.control.has(self.owner) {
            self.kill();
        }
    }

    /// Kills the container, paused or not.
    fn kill(&mut self) {
        self.kill_at = None;
        if self.life.is_over() {
            return;
        }
        if let Some(container) = self.life.container() {
            let _ = sys::signal::send(container.init().pidfd(), KILL);
        }
        self.thaw();
    }

    fn kill_if_due(&mut self) {
        if self.kill_at.is_some_and(|at| at <= Instant::now()) {
            self.kill();
        }
    }

    fn thaw(&mut self) {
        if self.paused && self.life.container().is_some_and(|it| it.resume().is_ok()) {
            self.paused = false;
        }
    }

    fn on_exit(&mut self) {
        let Some(container) = self.life.container() else {
            return;
        };
        let status = container.init().wait().unwrap_or_default();
        // The exit may be seen before the kill that led to it.
        if self.oom.is_new() {
            self.control.tell(Event::Oom);
        }
        let exit = Exit::now(status, self.oom.happened());
        let ended = self.execs.end_all();
        self.session.end(self.log.as_mut());
        if self.settings.mode == Mode::Supervised {
            // A full disk: those who listen are told anyway.
            let _ = exit.write(&self.settings.dir);
        }
        for event in ended {
            self.control.tell(event);
        }
        self.control.tell(Event::Exited(exit.clone()));
        self.session.release();
        self.execs.release();
        // What cannot be removed is found by the engine's recovery.
        let _ = container.delete();
        self.life = Life::Exited(exit);
    }
}

const KILL: i32 = rustix::process::Signal::KILL.as_raw();
