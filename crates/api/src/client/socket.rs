//! A unix socket whose next write can carry open files.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::corten::MAX_FDS;

/// Open files that go out beside the next byte.
pub(crate) type FdQueue = Arc<Mutex<Vec<OwnedFd>>>;

/// The socket as hyper wants it.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TokioIo<UnixStream>,
    fds: FdQueue,
}

impl Socket {
    pub(crate) fn new(stream: UnixStream) -> (Self, FdQueue) {
        let fds = FdQueue::default();
        let queue = Arc::clone(&fds);
        let stream = TokioIo::new(stream);
        (Self { stream, fds }, queue)
    }

    pub(crate) fn into_stream(self) -> UnixStream {
        self.stream.into_inner()
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
        fds: &[OwnedFd],
    ) -> Poll<io::Result<usize>> {
        let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        let stream = self.stream.inner();
        loop {
            ready!(stream.poll_write_ready(cx))?;
            let sent = stream.try_io(Interest::WRITABLE, || send(stream, buffers, &borrowed));
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

fn send(stream: &UnixStream, buffers: &[IoSlice<'_>], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("more than {MAX_FDS} files in one request"),
        ));
    }
    let sent = rustix::net::sendmsg(stream, buffers, &mut control, SendFlags::NOSIGNAL)?;
    Ok(sent)
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, cursor)
    }
}

impl Write for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let queue = Arc::clone(&self.fds);
        let mut fds = queue.lock().unwrap_or_else(PoisonError::into_inner);
        if fds.is_empty() {
            return Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        }
        let sent = ready!(self.poll_send(cx, buffers, &fds))?;
        fds.clear();
        Poll::Ready(Ok(sent))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
