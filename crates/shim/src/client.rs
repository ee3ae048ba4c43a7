//! The engine's side of a shim's socket. Blocking, with short answers: a shim never waits before
//! it replies.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use crate::Error;
use crate::protocol::{Attach, Event, Exec, Size, State};

/// A connection to a shim. Cheap to make: one per request is fine.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
}

impl Client {
    /// Connects to the shim of a container. [`Error::Gone`] if it has ended.
    pub fn connect(run_dir: &Path, id: &str) -> Result<Self, Error> {
        todo!("{}{id}", run_dir.display())
    }

    /// Lets pid 1 run. Fails as `NotFound` or `NotExecutable` if the program cannot be run.
    pub fn start(&mut self) -> Result<(), Error> {
        todo!()
    }

    /// Joins a client's stream to the container; the shim owns its copy from then on.
    pub fn attach(&mut self, attach: &Attach, stream: BorrowedFd<'_>) -> Result<(), Error> {
        todo!("{attach:?}{stream:?}")
    }

    /// Runs another process and gives its pid.
    pub fn exec(&mut self, exec: &Exec, stream: Option<BorrowedFd<'_>>) -> Result<u32, Error> {
        todo!("{exec:?}{stream:?}")
    }

    /// Sets the size of the container's terminal or of an exec's.
    pub fn resize(&mut self, exec: Option<&str>, size: Size) -> Result<(), Error> {
        todo!("{exec:?}{size:?}")
    }

    /// Sends a signal to pid 1 or to an exec.
    pub fn signal(&mut self, exec: Option<&str>, signal: i32) -> Result<(), Error> {
        todo!("{exec:?}{signal}")
    }

    /// Begins the stop sequence and returns at once; the exit comes as an event. Before the start
    /// it kills the created container. `None` takes the configured value; a timeout of
    /// `Some(None)` waits forever.
    pub fn stop(
        &mut self,
        signal: Option<i32>,
        timeout: Option<Option<std::time::Duration>>,
    ) -> Result<(), Error> {
        todo!("{signal:?}{timeout:?}")
    }

    /// Freezes all processes.
    pub fn pause(&mut self) -> Result<(), Error> {
        todo!()
    }

    /// Thaws them.
    pub fn resume(&mut self) -> Result<(), Error> {
        todo!()
    }

    /// What the shim knows.
    pub fn state(&mut self) -> Result<State, Error> {
        todo!()
    }

    /// Turns the connection into a stream of events.
    pub fn subscribe(self) -> Result<Events, Error> {
        todo!()
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Events of one shim. Non-blocking by [`Events::try_next`] (wait for the descriptor to become
/// readable), blocking by [`Events::next`]. The end of it without an `Exited` means that the shim
/// was killed, and the container with it.
#[derive(Debug)]
pub struct Events {
    socket: OwnedFd,
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
        todo!()
    }

    /// The next event; none at the end.
    pub fn wait_next(&mut self) -> Result<Option<Event>, Error> {
        todo!()
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
