//! Connections of clients: the inherited one and those of the socket file.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::event::PollFlags;
use rustix::net::{RecvFlags, SendFlags, SocketFlags};

use super::poller::{Source, Watch};
use crate::Error;
use crate::protocol::{Event, Message, Request};
use crate::wire::{self, Incoming};

/// One connection.
#[derive(Debug)]
struct Connection {
    id: u32,
    socket: OwnedFd,
    subscribed: bool,
}

/// All connections. None of them is ever waited for: one that does not read is dropped.
#[derive(Debug, Default)]
pub(crate) struct Control {
    listener: Option<Listener>,
    connections: Vec<Connection>,
    next: u32,
}

#[derive(Debug)]
struct Listener {
    socket: OwnedFd,
    folder: File,
    name: String,
}

/// What a connection brought.
#[derive(Debug)]
pub(crate) enum Brought {
    /// A request with its descriptors.
    Request(Request, Vec<OwnedFd>),
    /// Nothing (more).
    Nothing,
    /// Its end: it is forgotten.
    End,
}

impl Control {
    /// Listens as `<id>.sock` in the folder.
    pub(crate) fn listen(&mut self, folder: &Path, id: &str) -> io::Result<()> {
        rustix::fs::mkdir(folder, rustix::fs::Mode::RWXU).or_else(|error| match error {
            rustix::io::Errno::EXIST => Ok(()),
            error => Err(error),
        })?;
        let folder = File::open(folder)?;
        let name = format!("{id}.sock");
        let socket = sys::socket::message_listener(&folder, &name)?;
        self.listener = Some(Listener {
            socket,
            folder,
            name,
        });
        Ok(())
    }

    /// Takes a connection on; gives its number.
    pub(crate) fn add(&mut self, socket: OwnedFd, subscribed: bool) -> u32 {
        self.next += 1;
        self.connections.push(Connection {
            id: self.next,
            socket,
            subscribed,
        });
        self.next
    }

    /// Accepts what waits at the socket file.
    pub(crate) fn accept(&mut self) {
        let Some(listener) = &self.listener else {
            return;
        };
        if let Ok(socket) = rustix::net::accept_with(&listener.socket, SocketFlags::CLOEXEC) {
            self.add(socket, false);
        }
    }

    /// Says what there is to wait for.
    pub(crate) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        if let Some(listener) = &self.listener {
            watch.add(Source::Listener, listener.socket.as_fd(), PollFlags::IN);
        }
        for connection in &self.connections {
            let source = Source::Connection(connection.id);
            watch.add(source, connection.socket.as_fd(), PollFlags::IN);
        }
    }

    /// Reads from a connection.
    pub(crate) fn receive(&mut self, id: u32) -> Brought {
        let Some(connection) = self.connections.iter().find(|other| other.id == id) else {
            return Brought::Nothing;
        };
        match wire::receive(&connection.socket, RecvFlags::DONTWAIT) {
            Ok(Incoming::Document(request, fds)) => Brought::Request(request, fds),
            Ok(Incoming::Nothing) => Brought::Nothing,
            Ok(Incoming::End) => {
                self.forget(id);
                Brought::End
            }
            Err(Error::Malformed(_)) => Brought::Request(Request::Unknown, Vec::new()),
            Err(_) => {
                self.forget(id);
                Brought::End
            }
        }
    }

    /// Answers.
    pub(crate) fn answer(&mut self, id: u32, message: &Message) {
        let connection = self.connections.iter().find(|other| other.id == id);
        let sent = connection.map(|connection| say(connection, message));
        if sent == Some(false) {
            self.forget(id);
        }
    }

    /// Pushes events to the connection from now on.
    pub(crate) fn subscribe(&mut self, id: u32) {
        if let Some(connection) = self.connections.iter_mut().find(|other| other.id == id) {
            connection.subscribed = true;
        }
    }

    /// Tells the subscribers.
    pub(crate) fn tell(&mut self, event: Event) {
        let message = Message::Event(event);
        self.connections
            .retain(|connection| !connection.subscribed || say(connection, &message));
    }

    /// Tells one connection.
    pub(crate) fn tell_one(&mut self, id: u32, event: Event) {
        self.answer(id, &Message::Event(event));
    }

    /// Is the connection still there?
    pub(crate) fn has(&self, id: u32) -> bool {
        self.connections.iter().any(|other| other.id == id)
    }

    fn forget(&mut self, id: u32) {
        self.connections.retain(|connection| connection.id != id);
    }
}

fn say(connection: &Connection, message: &Message) -> bool {
    wire::send(&connection.socket, message, &[], SendFlags::DONTWAIT).is_ok()
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&self.folder, &self.name, rustix::fs::AtFlags::empty());
    }
}
