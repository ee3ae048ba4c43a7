//! One document as one message, in memory or, when it is long, in a memory file beside it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::MemfdFlags;
use rustix::net::{RecvFlags, SendFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::protocol::INLINE_MAX;

/// The message whose document is in the last descriptor.
const IN_FILE: &[u8] = b"F";

/// Longest document that is accepted: an exec's environment may be large, but not endless.
const FILE_MAX: u64 = 16 << 20;

/// Sends a document with descriptors.
pub(crate) fn send<T: Serialize>(
    socket: impl AsFd,
    document: &T,
    fds: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> Result<(), Error> {
    let text = serde_json::to_vec(document)?;
    let sent = if text.len() <= INLINE_MAX {
        sys::socket::send(socket, &text, fds, flags)
    } else {
        spill(&text).and_then(|file| {
            let mut fds = fds.to_vec();
            fds.push(file.as_fd());
            sys::socket::send(socket, IN_FILE, &fds, flags)
        })
    };
    sent.map(drop).map_err(|source| match source.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Error::Closed,
        _ => Error::Socket {
            action: "send",
            source,
        },
    })
}

fn spill(text: &[u8]) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create(
        "corten-message",
        MemfdFlags::CLOEXEC,
    )?);
    file.write_all(text)?;
    file.rewind()?;
    Ok(file)
}

/// What came.
#[derive(Debug)]
pub(crate) enum Incoming<T> {
    /// A document and its descriptors.
    Document(T, Vec<OwnedFd>),
    /// Nothing now, on a socket that does not wait.
    Nothing,
    /// The other side is gone.
    End,
}

/// Receives a document.
pub(crate) fn receive<T: DeserializeOwned>(
    socket: impl AsFd,
    flags: RecvFlags,
) -> Result<Incoming<T>, Error> {
    let mut buffer = [0; INLINE_MAX];
    let mut received = match sys::socket::receive(socket, &mut buffer, flags) {
        Ok(received) => received,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Incoming::Nothing),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(Incoming::End),
        Err(source) => {
            return Err(Error::Socket {
                action: "receive",
                source,
            });
        }
    };
    if received.length == 0 {
        return Ok(Incoming::End);
    }
    let text = &buffer[..received.length];
    let document = if text == IN_FILE {
        let file = received.fds.pop().map(File::from);
        serde_json::from_slice(&unspill(file)?)?
    } else {
        serde_json::from_slice(text)?
    };
    Ok(Incoming::Document(document, received.fds))
}

fn unspill(file: Option<File>) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Socket {
        action: "read a long message",
        source,
    };
    let file = file.ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
    let mut text = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_documents_arrive() {
        let (one, two) = sys::socket::message_pair().unwrap();
        for length in [1, INLINE_MAX - 2, INLINE_MAX - 1, 1 << 20] {
            let text = "x".repeat(length);
            send(&one, &text, &[two.as_fd()], SendFlags::empty()).unwrap();
            match receive::<String>(&two, RecvFlags::empty()).unwrap() {
                Incoming::Document(document, fds) => {
                    assert_eq!(document, text);
                    assert_eq!(fds.len(), 1);
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(
            receive::<String>(&two, RecvFlags::DONTWAIT).unwrap(),
            Incoming::Nothing
        ));
        drop(one);
        assert!(matches!(
            receive::<String>(&two, RecvFlags::empty()).unwrap(),
            Incoming::End
        ));
    }
}
