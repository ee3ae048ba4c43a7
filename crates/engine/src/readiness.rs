//! Waiting in async code until a descriptor of a synchronous crate becomes readable.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// A watch on a descriptor. It holds a copy of its own, so the descriptor stays valid.
#[derive(Debug)]
pub(crate) struct Readiness(AsyncFd<OwnedFd>);

impl Readiness {
    #[expect(
        deprecated,
        reason = "the replacement is unsafe for the sake of raw descriptors; this one is owned"
    )]
    pub(crate) fn of(descriptor: impl AsFd) -> io::Result<Self> {
        let copy = descriptor.as_fd().try_clone_to_owned()?;
        Ok(Self(AsyncFd::new(copy)?))
    }

    /// Waits until there may be something to read. Clear the guard when there was nothing.
    pub(crate) async fn wait(&self) -> io::Result<AsyncFdReadyGuard<'_, OwnedFd>> {
        self.0.readable().await
    }
}
