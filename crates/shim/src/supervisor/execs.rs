//! Other processes in the container.

use std::collections::VecDeque;
use std::os::fd::{BorrowedFd, OwnedFd};

use runtime::{Container, ExecOptions, Process, seccomp::Filter};
use rustix::event::PollFlags;

use super::Failed;
use super::poller::{Source, Watch};
use super::session::Session;
use crate::protocol::{Event, Exec, ExecState};
use crate::spawn::null;

/// How many ended execs are remembered for [`crate::State`].
const REMEMBERED: usize = 64;

/// One exec. Its process is gone when its code is known; its clients may still take output.
#[derive(Debug)]
struct Running {
    state: ExecState,
    number: u32,
    process: Process,
    session: Session,
}

/// All execs of a container.
#[derive(Debug, Default)]
pub(crate) struct Execs {
    running: Vec<Running>,
    ended: VecDeque<ExecState>,
    next: u32,
}

impl Execs {
    /// Starts a process; gives its pid, and whether its client has left already.
    pub(crate) fn start(
        &mut self,
        container: &Container,
        exec: &Exec,
        stream: Option<OwnedFd>,
        filter: Option<Filter>,
    ) -> Result<(u32, bool), Failed> {
        if self.states().any(|state| state.id == exec.id) {
            return Err(Failed::conflict(format!("exec {} exists already", exec.id)));
        }
        self.next += 1;
        let number = self.next;
        let (mut process, mut session) = spawn(container, exec, number, filter)?;
        if let Some(master) = process.take_terminal() {
            session = Session::on_terminal(number, master)
                .map_err(|error| Failed::io("open the terminal", &error))?;
        }
        session = session.input_once().patient();
        let mut left = false;
        if let Some(stream) = stream {
            // One client is all that an exec ever has.
            left = session
                .attach(0, stream, &exec.attach)
                .map_err(|error| Failed::io("attach the stream", &error))?;
        }
        let pid = process.pid().as_raw_pid().cast_unsigned();
        let state = ExecState {
            id: exec.id.clone(),
            pid,
            code: None,
        };
        self.running.push(Running {
            state,
            number,
            process,
            session,
        });
        Ok((pid, left))
    }

    /// Every exec that is known.
    pub(crate) fn states(&self) -> impl Iterator<Item = &ExecState> {
        self.running
            .iter()
            .map(|exec| &exec.state)
            .chain(&self.ended)
    }

    /// The process of a running exec and its stdio.
    pub(crate) fn find(&self, id: &str) -> Result<(BorrowedFd<'_>, &Session), Failed> {
        let exec = self
            .running
            .iter()
            .find(|exec| exec.state.id == id && exec.state.code.is_none());
        exec.map(|exec| (exec.process.pidfd(), &exec.session))
            .ok_or_else(|| Failed::conflict(format!("exec {id} is not running")))
    }

    /// The stdio of the exec with that number, and its id.
    pub(crate) fn session(&mut self, number: u32) -> Option<(&str, &mut Session)> {
        let exec = self.running.iter_mut().find(|exec| exec.number == number)?;
        Some((&exec.state.id, &mut exec.session))
    }

    /// Says what there is to wait for.
    pub(crate) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        for exec in &self.running {
            if exec.state.code.is_none() {
                watch.add(
                    Source::Process(exec.number),
                    exec.process.pidfd(),
                    PollFlags::IN,
                );
            }
            exec.session.watch(watch);
        }
    }

    /// The process has ended: reaps it. Its code is known before its streams end.
    pub(crate) fn ended(&mut self, number: u32) -> Option<Event> {
        let exec = self.running.iter_mut().find(|exec| exec.number == number)?;
        exec.state.code.is_none().then(|| end(exec))
    }

    /// The container has ended: kills and reaps what is left.
    pub(crate) fn end_all(&mut self) -> Vec<Event> {
        let left = self
            .running
            .iter_mut()
            .filter(|exec| exec.state.code.is_none());
        let killed = left.map(|exec| {
            let _ = sys::signal::send(exec.process.pidfd(), KILL);
            end(exec)
        });
        killed.collect()
    }

    /// Ends the streams that are done with; true when none is left.
    pub(crate) fn release(&mut self) -> bool {
        let Self { running, ended, .. } = self;
        running.retain_mut(|exec| {
            exec.session.expire();
            let over = exec.state.code.is_some() && exec.session.release();
            if over {
                ended.push_back(exec.state.clone());
            }
            !over
        });
        while ended.len() > REMEMBERED {
            ended.pop_front();
        }
        running.is_empty()
    }
}

const KILL: i32 = rustix::process::Signal::KILL.as_raw();

fn end(exec: &mut Running) -> Event {
    let code = exec
        .process
        .wait()
        .map_or(255, |status| crate::exit::code(status).0);
    exec.state.code = Some(code);
    exec.session.end(None);
    Event::ExecExited {
        id: exec.state.id.clone(),
        code,
    }
}

fn spawn(
    container: &Container,
    exec: &Exec,
    number: u32,
    filter: Option<Filter>,
) -> Result<(Process, Session), Failed> {
    let (session, ends) = if exec.process.terminal() == Some(true) {
        let nobody = || Ok::<_, std::io::Error>([null()?, null()?, null()?]);
        let ends = nobody().map_err(|error| Failed::io("open /dev/null", &error))?;
        (Session::default(), ends)
    } else {
        Session::piped(number, exec.attach.streams)
            .map_err(|error| Failed::io("make pipes", &error))?
    };
    let options = ExecOptions {
        process: &exec.process,
        stdio: runtime::Stdio::Files(ends),
        filter,
        keep_fds: Vec::new(),
        cgroup: None,
    };
    let process = container
        .exec(options)
        .map_err(|error| Failed::runtime(&error))?;
    Ok((process, session))
}
