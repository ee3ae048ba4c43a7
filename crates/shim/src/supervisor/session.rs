//! The stdio of one process, the container's or an exec's, and the clients attached to it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::termios::Winsize;

use super::attachment::{Attachment, Framing};
use super::poller::{Source, Watch};
use crate::log::{Stream, Writer};
use crate::protocol::{Attach, Size, Streams};
use crate::spawn::null;

/// One read: a pipe's capacity is four of them.
const CHUNK: usize = 16 << 10;

/// How many of them are read after the end: the largest pipe. Somebody who is not in the
/// container's pid namespace may still hold the other side and write for ever.
const LAST_CHUNKS: usize = (1 << 20) / CHUNK;

/// How long an ended session waits for clients that are slow to take the rest.
const LINGER: Duration = Duration::from_secs(10);

/// The process's ends of its stdio.
pub(crate) type Ends = [OwnedFd; 3];

/// Our side of a process's stdio.
#[derive(Debug, Default)]
pub(crate) struct Session {
    id: u32,
    /// The pty's master, and a slave kept open: without it a master whose last user has gone
    /// would be ready for ever, even though the next one may come.
    terminal: Option<(OwnedFd, OwnedFd)>,
    outputs: [Option<OwnedFd>; 2],
    input: Option<OwnedFd>,
    /// Input that did not fit yet.
    pending: Vec<u8>,
    /// Input is to end when `pending` is written.
    end_input: bool,
    /// Input ends with its first client.
    once: bool,
    /// Clients that take nothing are waited for as long as they like.
    patient: bool,
    attachments: Vec<Attachment>,
    ended: Option<Instant>,
}

impl Session {
    /// A session over pipes for the streams asked for; others are `/dev/null`.
    pub(crate) fn piped(id: u32, streams: Streams) -> io::Result<(Self, Ends)> {
        let mut session = Self {
            id,
            ..Self::default()
        };
        let (stdin, ours) = pipe(streams.stdin, false)?;
        session.input = ours;
        let (stdout, ours) = pipe(streams.stdout, true)?;
        session.outputs[0] = ours;
        let (stderr, ours) = pipe(streams.stderr, true)?;
        session.outputs[1] = ours;
        Ok((session, [stdin, stdout, stderr]))
    }

    /// A session over a terminal, whose master comes when the process exists.
    pub(crate) fn on_terminal(id: u32, master: OwnedFd) -> io::Result<Self> {
        use rustix::pty::OpenptFlags;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
        set_nonblocking(&master)?;
        Ok(Self {
            id,
            terminal: Some((master, slave)),
            ..Self::default()
        })
    }

    /// Input ends with its first client.
    pub(crate) fn input_once(mut self) -> Self {
        self.once = true;
        self
    }

    /// A client may take nothing for as long as it likes, because the process is there for it.
    pub(crate) fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Joins a client.
    pub(crate) fn attach(&mut self, id: u32, stream: OwnedFd, attach: &Attach) -> io::Result<bool> {
        let framing = match self.terminal {
            Some(_) => Framing::Raw,
            None => Framing::Frames,
        };
        let attachment = Attachment::new(id, stream, attach, framing)?;
        self.attachments.push(attachment);
        Ok(self.take_input(id, &attach.early_input))
    }

    /// Sets the terminal's size; a session without one has none.
    pub(crate) fn resize(&self, size: Size) -> Option<io::Result<()>> {
        let (master, _) = self.terminal.as_ref()?;
        let size = Winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Some(rustix::termios::tcsetwinsize(master, size).map_err(io::Error::from))
    }

    /// Says what there is to wait for.
    pub(crate) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        if !self.is_held() {
            for index in 0..2 {
                if let Some(fd) = self.output(index) {
                    watch.add(Source::Output(self.id, index), fd, PollFlags::IN);
                }
            }
        }
        if let Some(input) = self.input().filter(|_| !self.pending.is_empty()) {
            watch.add(Source::Input(self.id), input, PollFlags::OUT);
        }
        let wants_input = self.input().is_some() && self.pending.is_empty();
        for attachment in &self.attachments {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, wants_input && attachment.streams.stdin);
            flags.set(PollFlags::OUT, attachment.is_waited_for());
            let source = Source::Attached(self.id, attachment.id);
            watch.add(source, attachment.stream(), flags);
            if !self.patient && attachment.is_full() {
                watch.until(attachment.deadline());
            }
        }
        watch.until(self.ended.map(|ended| ended + LINGER));
    }

    /// Whether the process is held because a client's buffer is full.
    fn is_held(&self) -> bool {
        self.ended.is_none() && self.attachments.iter().any(Attachment::is_full)
    }

    fn output(&self, index: usize) -> Option<BorrowedFd<'_>> {
        match (&self.terminal, index) {
            (Some((master, _)), 0) => Some(master.as_fd()),
            _ => self.outputs[index].as_ref().map(AsFd::as_fd),
        }
    }

    fn input(&self) -> Option<BorrowedFd<'_>> {
        let terminal = self.terminal.as_ref().map(|(master, _)| master.as_fd());
        terminal.or(self.input.as_ref().map(AsFd::as_fd))
    }

    /// Reads a piece of output and passes it on. False when there is nothing more now.
    pub(crate) fn on_output(&mut self, index: usize, log: Option<&mut Writer>) -> bool {
        let mut buffer = [0; CHUNK];
        let Some(fd) = self.output(index) else {
            return false;
        };
        let length = match rustix::io::read(fd, &mut buffer) {
            Ok(length @ 1..) => length,
            Err(Errno::AGAIN | Errno::INTR) => return false,
            // The end, or a terminal that nobody holds any more.
            Ok(0) | Err(_) => {
                self.outputs[index] = None;
                return false;
            }
        };
        let bytes = &buffer[..length];
        let (stream, number) = match index {
            0 => (Stream::Stdout, 1),
            _ => (Stream::Stderr, 2),
        };
        if let Some(log) = log {
            log.write(stream, bytes);
        }
        self.attachments.retain_mut(|attachment| {
            let wanted = match stream {
                Stream::Stdout => attachment.streams.stdout,
                Stream::Stderr => attachment.streams.stderr,
            };
            !wanted || attachment.output(number, bytes).is_ok()
        });
        true
    }

    /// The process can take more input.
    pub(crate) fn on_input(&mut self) {
        while !self.pending.is_empty() {
            let Some(input) = self.input() else {
                self.pending = Vec::new();
                return;
            };
            match rustix::io::write(input, &self.pending) {
                Ok(written) => drop(self.pending.drain(..written)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // The process has closed it: nobody will ever read this.
                Err(_) => {
                    self.input = None;
                    self.pending = Vec::new();
                }
            }
        }
        if self.end_input {
            self.input = None;
        }
    }

    /// Something happened to a client. True if it left by its detach keys.
    pub(crate) fn on_attached(&mut self, id: u32, flags: PollFlags) -> bool {
        let Some(at) = self
            .attachments
            .iter()
            .position(|attachment| attachment.id == id)
        else {
            return false;
        };
        let attachment = &mut self.attachments[at];
        let mut gone = attachment.flush().is_err();
        let mut detached = false;
        if flags.intersects(PollFlags::IN) {
            let mut buffer = [0; 4096];
            match attachment.input(&mut buffer) {
                Ok(0) => self.end_of_client_input(at),
                Ok(length) => detached = self.take_input(id, &buffer[..length]),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => gone = true,
            }
        } else if flags.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            gone = true;
        }
        if gone {
            self.end_of_client_input(at);
            self.attachments.retain(|attachment| attachment.id != id);
        }
        detached
    }

    fn end_of_client_input(&mut self, at: usize) {
        let streams = &mut self.attachments[at].streams;
        if streams.stdin && self.once && self.terminal.is_none() {
            self.end_input = true;
        }
        streams.stdin = false;
        if self.end_input && self.pending.is_empty() {
            self.input = None;
        }
    }

    /// Gives a client's bytes to the process. True if the client left by its detach keys.
    fn take_input(&mut self, id: u32, bytes: &[u8]) -> bool {
        let Some(attachment) = self.attachments.iter_mut().find(|other| other.id == id) else {
            return false;
        };
        if !attachment.streams.stdin {
            return false;
        }
        let typed = attachment.keys.filter(bytes);
        if self.input().is_some() {
            self.pending.extend_from_slice(&typed.bytes);
            self.on_input();
        }
        if typed.detach {
            self.attachments.retain(|attachment| attachment.id != id);
        }
        typed.detach
    }

    /// Drops the clients that have been full for too long.
    pub(crate) fn expire(&mut self) {
        let now = Instant::now();
        let over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if over(self.ended.map(|ended| ended + LINGER)) {
            self.attachments.clear();
        }
        if !self.patient {
            self.attachments
                .retain(|attachment| !(attachment.is_full() && over(attachment.deadline())));
        }
    }

    /// The process has ended: passes on what is left in its pipes. Whoever still holds their
    /// other side is not waited for.
    pub(crate) fn end(&mut self, mut log: Option<&mut Writer>) {
        self.ended = Some(Instant::now());
        for index in 0..2 {
            for _ in 0..LAST_CHUNKS {
                if !self.on_output(index, log.as_deref_mut()) {
                    break;
                }
            }
        }
        if let Some(log) = log {
            log.finish();
        }
        self.terminal = None;
        self.outputs = [None, None];
        self.input = None;
    }

    /// Ends the streams of the clients that have taken everything; true when there are none left.
    pub(crate) fn release(&mut self) -> bool {
        self.attachments
            .retain_mut(|attachment| attachment.flush().is_ok() && attachment.is_waited_for());
        self.attachments.is_empty()
    }
}

/// A pipe: the process's end, then ours. `out` is from the process to us.
fn pipe(wanted: bool, out: bool) -> io::Result<(OwnedFd, Option<OwnedFd>)> {
    if !wanted {
        return Ok((null()?, None));
    }
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (theirs, ours) = if out {
        (writer, reader)
    } else {
        (reader, writer)
    };
    set_nonblocking(&ours)?;
    Ok((theirs, Some(ours)))
}

fn set_nonblocking(fd: &OwnedFd) -> rustix::io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)
}
