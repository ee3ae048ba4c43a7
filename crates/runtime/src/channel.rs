//! How the calling process (P) and the container's first process (C) talk while it is set up.
//! One packet a message, over a socket pair that closes when the program is executed:
//!
//! ```text
//! P ── clone3 ─────────────▶ C
//! P ── Mapped ─────────────▶ C   id maps are written (only with a new user namespace)
//! P                          C   namespaces, mounts, devices…
//! P ── Joined ─────────────▶ C   C is in its control groups (and its id outside is told)
//! P ◀────────── Terminal(fd) C   only with a terminal
//! P ◀────────────── Prepared C   only if there are prestart or createRuntime hooks
//! P ── Hooked ─────────────▶ C   they have run
//! P                          C   createContainer hooks, the root is entered
//! P ◀───────────────── Ready C
//!   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─    from here on over the gate, perhaps with another process
//! P ── Start ──────────────▶ C   startContainer hooks, privileges are dropped
//! P ◀──────── end of stream  C   the program runs
//! ```
//! At any time C may say `Failed` and exit. A helper that only lends its namespaces says `Pid` for
//! the process that it made, before everything else.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};

use crate::error::{Failure, Step};

/// A message of the sequence above.
#[derive(Debug)]
pub(crate) enum Message {
    Mapped,
    Joined(i32),
    Hooked,
    Start,
    Pid(i32),
    Terminal(OwnedFd),
    Prepared,
    Ready,
    Failed(Failure),
}

const LONGEST: usize = 16 * 1024;

/// One end of the socket pair.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

impl From<OwnedFd> for Channel {
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Channel {
    /// Moves this end to a descriptor that is `first` or above.
    pub(crate) fn move_above(&mut self, first: i32) -> io::Result<()> {
        self.0 = rustix::io::fcntl_dupfd_cloexec(&self.0, first)?;
        Ok(())
    }

    /// Says that nothing more comes from this end.
    pub(crate) fn finish(&self) {
        // The other end may be closed already.
        let _ = rustix::net::shutdown(&self.0, rustix::net::Shutdown::Write);
    }

    /// Both ends.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(ours), Self(theirs)))
    }

    pub(crate) fn send(&self, message: &Message) -> io::Result<()> {
        let bytes = encode(message);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let terminal;
        if let Message::Terminal(fd) = message {
            terminal = [fd.as_fd()];
            ancillary.push(SendAncillaryMessage::ScmRights(&terminal));
        }
        let flags = SendFlags::NOSIGNAL;
        rustix::net::sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut ancillary, flags)?;
        Ok(())
    }

    /// The next message; `None` when the other end is closed.
    pub(crate) fn receive(&self) -> io::Result<Option<Message>> {
        let mut buffer = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let flags = RecvFlags::CMSG_CLOEXEC;
            match rustix::net::recvmsg(&self.0, &mut parts, &mut ancillary, flags) {
                Err(rustix::io::Errno::INTR) => {}
                // The peer went away with something of ours unread. This is told once, before
                // what the peer said last.
                Err(rustix::io::Errno::CONNRESET) => {}
                other => break other?,
            }
        };
        let fd = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        match &buffer[..received.bytes] {
            [] => Ok(None),
            bytes => decode(bytes, fd)
                .map(Some)
                .ok_or_else(|| io::ErrorKind::InvalidData.into()),
        }
    }
}

fn encode(message: &Message) -> Vec<u8> {
    match message {
        Message::Mapped => vec![0],
        Message::Joined(pid) => [&[1][..], &pid.to_le_bytes()].concat(),
        Message::Hooked => vec![2],
        Message::Start => vec![3],
        Message::Pid(pid) => [&[4][..], &pid.to_le_bytes()].concat(),
        Message::Terminal(_) => vec![5],
        Message::Prepared => vec![6],
        Message::Ready => vec![7],
        Message::Failed(failure) => {
            let mut bytes = vec![8, failure.step.number()];
            bytes.extend(failure.errno.to_le_bytes());
            let room = LONGEST / 3;
            bytes.extend(failure.object.bytes().filter(|byte| *byte != 0).take(room));
            bytes.push(0);
            bytes.extend(failure.cause.bytes().take(room));
            bytes
        }
    }
}

fn decode(bytes: &[u8], fd: Option<OwnedFd>) -> Option<Message> {
    let (kind, rest) = bytes.split_first()?;
    Some(match (kind, rest) {
        (0, []) => Message::Mapped,
        (1, pid) => Message::Joined(i32::from_le_bytes(pid.try_into().ok()?)),
        (2, []) => Message::Hooked,
        (3, []) => Message::Start,
        (4, pid) => Message::Pid(i32::from_le_bytes(pid.try_into().ok()?)),
        (5, []) => Message::Terminal(fd?),
        (6, []) => Message::Prepared,
        (7, []) => Message::Ready,
        (8, failure) => Message::Failed(decode_failure(failure)?),
        _ => return None,
    })
}

fn decode_failure(bytes: &[u8]) -> Option<Failure> {
    let (step, rest) = bytes.split_first()?;
    let (errno, rest) = rest.split_first_chunk()?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Failure {
        step: Step::from_number(*step)?,
        object: text(&rest[..end]),
        cause: text(&rest[end + 1..]),
        errno: i32::from_le_bytes(*errno),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_heard_after_a_reset() {
        let (left, right) = Channel::pair().unwrap();
        right.send(&Message::Start).unwrap();
        left.send(&Message::Ready).unwrap();
        drop(left);
        assert!(matches!(right.receive().unwrap(), Some(Message::Ready)));
        assert!(right.receive().unwrap().is_none());
    }

    #[test]
    fn carries_failures_and_descriptors() {
        let (left, right) = Channel::pair().unwrap();
        let failure = Failure::new(Step::Protocol, "/a", &io::Error::from_raw_os_error(2));
        left.send(&Message::Failed(failure.clone())).unwrap();
        left.send(&Message::Pid(-7)).unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        left.send(&Message::Terminal(file.into())).unwrap();
        drop(left);
        assert_eq!(failure.cause, "No such file or directory");
        assert!(matches!(right.receive().unwrap(), Some(Message::Failed(got)) if got == failure));
        assert!(matches!(right.receive().unwrap(), Some(Message::Pid(-7))));
        assert!(matches!(
            right.receive().unwrap(),
            Some(Message::Terminal(_))
        ));
        assert!(right.receive().unwrap().is_none());
    }
}
