//! The engine's side of a shim's socket. Blocking, with short answers: a shim never waits before
//! it replies.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags};

use crate::protocol::{Attach, Event, Exec, Message, Request, Size, State, VERSION, VERSION_MIN};
use crate::wire::{self, Incoming};
use crate::{Error, sockets_folder};

/// How long an answer may take before the shim counts as broken.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection to a shim. Cheap to make: one per request is fine.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    events: VecDeque<Event>,
    subscribed: bool,
}

impl Client {
    /// Connects to the shim of a container. [`Error::Gone`] if it has ended.
    pub fn connect(run_dir: &Path, id: &str) -> Result<Self, Error> {
        let gone = || Error::Gone { id: id.to_owned() };
        let connected = File::open(sockets_folder(run_dir))
            .and_then(|folder| sys::socket::message_connect(folder, &format!("{id}.sock")));
        let socket = connected.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => gone(),
            _ => Error::Socket {
                action: "connect",
                source,
            },
        })?;
        let mut client = Self::new(socket, false)?;
        match client.ask(&Request::Hello { version: VERSION }, &[]) {
            Ok(answer) => client.greeted(answer).map(|_| client),
            Err(Error::Closed) => Err(gone()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn new(socket: OwnedFd, subscribed: bool) -> Result<Self, Error> {
        set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER)).map_err(|source| {
            Error::Socket {
                action: "set up",
                source: source.into(),
            }
        })?;
        Ok(Self {
            socket,
            events: VecDeque::new(),
            subscribed,
        })
    }

    /// Reads the answer to a greeting: the pid of the container.
    pub(crate) fn greeted(&self, answer: Message) -> Result<u32, Error> {
        match answer {
            Message::Hello { version, .. } if version < VERSION_MIN => Err(Error::Version {
                theirs: version,
                ours: VERSION,
            }),
            Message::Hello { pid, .. } => Ok(pid),
            other => Err(unexpected(&other)),
        }
    }

    /// Lets pid 1 run. Fails as `NotFound` or `NotExecutable` if the program cannot be run; the
    /// shim cleans up then and ends, without an exit file.
    pub fn start(&mut self) -> Result<(), Error> {
        self.done(&Request::Start, &[])
    }

    /// Joins a client's stream to the container; the shim owns its copy from then on.
    pub fn attach(&mut self, attach: &Attach, stream: BorrowedFd<'_>) -> Result<(), Error> {
        self.done(&Request::Attach(attach.clone()), &[stream])
    }

    /// Runs another process and gives its pid.
    pub fn exec(&mut self, exec: &Exec, stream: Option<BorrowedFd<'_>>) -> Result<u32, Error> {
        match self.ask(&Request::Exec(Box::new(exec.clone())), stream.as_slice())? {
            Message::Started { pid } => Ok(pid),
            other => Err(unexpected(&other)),
        }
    }

    /// Sets the size of the container's terminal or of an exec's.
    pub fn resize(&mut self, exec: Option<&str>, size: Size) -> Result<(), Error> {
        self.done(
            &Request::Resize {
                exec: exec.map(str::to_owned),
                size,
            },
            &[],
        )
    }

    /// Sends a signal to pid 1 or to an exec.
    pub fn signal(&mut self, exec: Option<&str>, signal: i32) -> Result<(), Error> {
        self.done(
            &Request::Signal {
                exec: exec.map(str::to_owned),
                signal,
            },
            &[],
        )
    }

    /// Begins the stop sequence and returns at once; the exit comes as an event. Before the start
    /// it kills the created container. `None` takes the configured value; a timeout of
    /// `Some(None)` waits forever.
    pub fn stop(
        &mut self,
        signal: Option<i32>,
        timeout: Option<Option<Duration>>,
    ) -> Result<(), Error> {
        let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let timeout_ms = timeout.map(|time| time.map_or(-1, milliseconds));
        self.done(&Request::Stop { signal, timeout_ms }, &[])
    }

    /// Freezes all processes.
    pub fn pause(&mut self) -> Result<(), Error> {
        self.done(&Request::Pause, &[])
    }

    /// Thaws them.
    pub fn resume(&mut self) -> Result<(), Error> {
        self.done(&Request::Resume, &[])
    }

    /// What the shim knows.
    pub fn state(&mut self) -> Result<State, Error> {
        match self.ask(&Request::State, &[])? {
            Message::State(state) => Ok(state),
            other => Err(unexpected(&other)),
        }
    }

    /// Turns the connection into a stream of events. An exit that was before comes at once.
    pub fn subscribe(mut self) -> Result<Events, Error> {
        if !self.subscribed {
            self.done(&Request::Subscribe, &[])?;
        }
        set_socket_timeout(&self.socket, Timeout::Recv, None).map_err(|source| Error::Socket {
            action: "set up",
            source: source.into(),
        })?;
        Ok(Events {
            socket: self.socket,
            early: self.events,
        })
    }

    fn done(&mut self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
        match self.ask(request, fds)? {
            Message::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&mut self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<Message, Error> {
        wire::send(&self.socket, request, fds, SendFlags::empty())?;
        self.answer()
    }

    /// Waits for an answer and keeps the events that come before it.
    pub(crate) fn answer(&mut self) -> Result<Message, Error> {
        loop {
            match wire::receive(&self.socket, RecvFlags::empty())? {
                Incoming::Document(Message::Event(event), _) => self.events.push_back(event),
                Incoming::Document(Message::Failed { kind, message }, _) => {
                    return Err(Error::Failed { kind, message });
                }
                Incoming::Document(message, _) => return Ok(message),
                Incoming::Nothing => {
                    let source = io::ErrorKind::TimedOut.into();
                    return Err(Error::Socket {
                        action: "wait for an answer",
                        source,
                    });
                }
                Incoming::End => return Err(Error::Closed),
            }
        }
    }
}

fn unexpected(message: &Message) -> Error {
    let source = io::Error::new(io::ErrorKind::InvalidData, format!("got {message:?}"));
    Error::Socket {
        action: "understand the answer",
        source,
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Events of one shim. Non-blocking by [`Events::try_next`] (wait for the descriptor to become
/// readable when it says [`Next::Pending`]), blocking by [`Events::wait_next`]. The end of it
/// without an `Exited` means that the shim was killed, and the container with it.
#[derive(Debug)]
pub struct Events {
    socket: OwnedFd,
    early: VecDeque<Event>,
}

/// What a non-blocking look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// An event.
    Event(Event),
    /// Nothing yet.
    Pending,
    /// The shim has closed the connection.
    End,
}

impl Events {
    /// The next event without waiting.
    pub fn try_next(&mut self) -> Result<Next, Error> {
        self.look(RecvFlags::DONTWAIT)
    }

    /// The next event; none at the end.
    pub fn wait_next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match self.look(RecvFlags::empty())? {
                Next::Event(event) => return Ok(Some(event)),
                Next::Pending => {}
                Next::End => return Ok(None),
            }
        }
    }

    fn look(&mut self, flags: RecvFlags) -> Result<Next, Error> {
        if let Some(event) = self.early.pop_front() {
            return Ok(Next::Event(event));
        }
        loop {
            match wire::receive(&self.socket, flags)? {
                Incoming::Document(Message::Event(Event::Unknown), _) => {}
                Incoming::Document(Message::Event(event), _) => return Ok(Next::Event(event)),
                Incoming::Document(..) => {}
                Incoming::Nothing => return Ok(Next::Pending),
                Incoming::End => return Ok(Next::End),
            }
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
