//! A client's stream, joined to a process.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::Shutdown;

use super::keys::DetachKeys;
use crate::protocol::{Attach, Streams};

/// How much may wait for a client before the process is held.
const WAITING_MAX: usize = 64 << 10;

/// How long a process is held for a client that takes nothing, before the client is dropped.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Which way a client's output takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Bytes as they come: a terminal.
    Raw,
    /// Docker's frames.
    Frames,
}

/// A client's stream.
#[derive(Debug)]
pub(crate) struct Attachment {
    /// Its number.
    pub(crate) id: u32,
    /// What it asked for; `stdin` becomes false when it has ended its side.
    pub(crate) streams: Streams,
    /// Its way out of a terminal.
    pub(crate) keys: DetachKeys,
    stream: OwnedFd,
    framing: Framing,
    waiting: Vec<u8>,
    stalled: Option<Instant>,
}

impl Attachment {
    /// Takes the stream over. The bytes that were read early are the caller's to handle.
    pub(crate) fn new(
        id: u32,
        stream: OwnedFd,
        attach: &Attach,
        framing: Framing,
    ) -> rustix::io::Result<Self> {
        let flags = rustix::fs::fcntl_getfl(&stream)?;
        rustix::fs::fcntl_setfl(&stream, flags | OFlags::NONBLOCK)?;
        let keys = match framing {
            Framing::Raw => attach.detach_keys.clone(),
            Framing::Frames => Vec::new(),
        };
        Ok(Self {
            id,
            streams: attach.streams,
            keys: DetachKeys::new(keys),
            stream,
            framing,
            waiting: Vec::new(),
            stalled: None,
        })
    }

    pub(crate) fn stream(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Whether something waits for it.
    pub(crate) fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the process has to be held until it takes more.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    /// When it will have been full for too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.stalled.map(|since| since + PATIENCE)
    }

    /// Passes output of stream 1 or 2 on. An error means that the client is gone.
    pub(crate) fn output(&mut self, stream: u8, bytes: &[u8]) -> rustix::io::Result<()> {
        let head = match self.framing {
            Framing::Raw => Vec::new(),
            Framing::Frames => frame_head(stream, bytes.len()),
        };
        let mut sent = 0;
        if self.waiting.is_empty() {
            let slices = [IoSlice::new(&head), IoSlice::new(bytes)];
            sent = match rustix::io::writev(&self.stream, &slices) {
                Ok(sent) => sent,
                Err(Errno::AGAIN | Errno::INTR) => 0,
                Err(error) => return Err(error),
            };
        }
        let of_head = sent.min(head.len());
        self.waiting.extend_from_slice(&head[of_head..]);
        self.waiting.extend_from_slice(&bytes[sent - of_head..]);
        self.note_stall(sent > 0);
        Ok(())
    }

    /// Writes what waits, as far as it goes. An error means that the client is gone.
    pub(crate) fn flush(&mut self) -> rustix::io::Result<()> {
        while !self.waiting.is_empty() {
            match rustix::io::write(&self.stream, &self.waiting) {
                Ok(sent) => {
                    self.waiting.drain(..sent);
                    self.note_stall(true);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.waiting = Vec::new();
        Ok(())
    }

    fn note_stall(&mut self, progress: bool) {
        if self.waiting.is_empty() {
            self.stalled = None;
        } else if progress || self.stalled.is_none() {
            self.stalled = Some(Instant::now());
        }
    }

    /// Reads what the client sends: 0 is its end.
    pub(crate) fn input(&self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        rustix::io::read(&self.stream, buffer)
    }
}

impl Drop for Attachment {
    /// The client sees an orderly end, also if somebody else still holds the connection. Unread
    /// input would turn that end into a reset, so it is read away.
    fn drop(&mut self) {
        let mut away = [0; 1024];
        let _ = rustix::net::shutdown(&self.stream, Shutdown::Write);
        while matches!(rustix::io::read(&self.stream, &mut away), Ok(1..)) {}
    }
}

fn frame_head(stream: u8, length: usize) -> Vec<u8> {
    // A chunk is one read, far below 4 GiB.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    [[stream, 0, 0, 0], length.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    fn attachment(framing: Framing) -> (Attachment, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let streams = Streams {
            stdin: true,
            stdout: true,
            stderr: true,
        };
        let attach = Attach {
            streams,
            detach_keys: vec![],
            early_input: vec![],
        };
        (
            Attachment::new(1, ours.into(), &attach, framing).unwrap(),
            theirs,
        )
    }

    #[test]
    fn frames_and_an_orderly_end() {
        let (mut attachment, mut client) = attachment(Framing::Frames);
        attachment.output(2, b"oops").unwrap();
        client.write_all(b"never read").unwrap();
        drop(attachment);
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        assert_eq!(got, b"\x02\0\0\0\0\0\0\x04oops");
    }

    #[test]
    fn a_slow_client_gets_everything() {
        let (mut attachment, mut client) = attachment(Framing::Raw);
        let chunk = vec![b'x'; 16 << 10];
        let mut sent = 0;
        while !attachment.is_full() {
            attachment.output(1, &chunk).unwrap();
            sent += chunk.len();
        }
        assert!(attachment.deadline().is_some());
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            client.read_to_end(&mut got).unwrap();
            got.len()
        });
        while attachment.is_waited_for() {
            attachment.flush().unwrap();
        }
        assert!(attachment.deadline().is_none());
        drop(attachment);
        assert_eq!(reader.join().unwrap(), sent);
    }
}
