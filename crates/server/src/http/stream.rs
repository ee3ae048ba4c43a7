//! A connection: its bytes, the open files that came beside them, and who is at the other end.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use api::corten::MAX_FDS;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::UnixStream;

const BUFFER: usize = 32 * 1024;

// They all come in one message.
const _: () = assert!(MAX_FDS <= sys::socket::MAX_FDS);

/// Open files that came with a connection and that no request has claimed yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct FdQueue(Arc<Mutex<VecDeque<OwnedFd>>>);

impl FdQueue {
    /// Keeps them. What is too many is closed.
    fn push(&self, fds: Vec<OwnedFd>) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_FDS.saturating_sub(queue.len());
        queue.extend(fds.into_iter().take(room));
    }

    /// Takes the oldest `count`, or none where there are fewer.
    pub(crate) fn take(&self, count: usize) -> Option<Vec<OwnedFd>> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (count <= queue.len()).then(|| queue.drain(..count).collect())
    }

    /// Closes what is left of earlier requests.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// A unix socket that keeps the open files that come in.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TokioIo<UnixStream>,
    buffer: Box<[u8]>,
    fds: FdQueue,
}

impl Stream {
    pub(crate) fn new(socket: UnixStream) -> Self {
        Self {
            socket: TokioIo::new(socket),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            fds: FdQueue::default(),
        }
    }

    pub(crate) fn fds(&self) -> FdQueue {
        self.fds.clone()
    }

    /// The bare socket, as a process that knows nothing of tokio wants it: it blocks.
    pub(crate) fn into_fd(self) -> io::Result<OwnedFd> {
        let socket = self.socket.into_inner().into_std()?;
        socket.set_nonblocking(false)?;
        Ok(socket.into())
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            socket,
            buffer,
            fds,
        } = &mut *self;
        let socket = socket.inner();
        let limit = cursor.remaining().min(buffer.len());
        let buffer = &mut buffer[..limit];
        loop {
            ready!(socket.poll_read_ready(cx))?;
            let received = socket.try_io(Interest::READABLE, || {
                sys::socket::receive(socket, buffer, RecvFlags::DONTWAIT)
            });
            match received {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(received) => {
                    fds.push(received.fds);
                    cursor.put_slice(&buffer[..received.length]);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
