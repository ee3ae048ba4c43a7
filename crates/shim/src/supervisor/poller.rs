//! One `poll` over everything that can happen.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a descriptor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The end of a process: the container's first (session 0) or an exec's.
    Process(u32),
    /// A new connection.
    Listener,
    /// A connection, by its number.
    Connection(u32),
    /// Memory ran out.
    Oom,
    /// A session's output: 0 is standard output or the terminal, 1 standard error.
    Output(u32, usize),
    /// A session's input can take bytes.
    Input(u32),
    /// A client attached to a session, by its number.
    Attached(u32, u32),
}

/// What happened to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) source: Source,
    pub(crate) flags: PollFlags,
}

/// The descriptors of one wait.
#[derive(Default)]
pub(crate) struct Watch<'a> {
    fds: Vec<PollFd<'a>>,
    sources: Vec<Source>,
    deadline: Option<Instant>,
}

impl<'a> Watch<'a> {
    /// Adds a descriptor. Hang-ups are told even without flags.
    pub(crate) fn add(&mut self, source: Source, fd: BorrowedFd<'a>, flags: PollFlags) {
        self.fds.push(PollFd::from_borrowed_fd(fd, flags));
        self.sources.push(source);
    }

    /// The wait ends then at the latest.
    pub(crate) fn until(&mut self, deadline: Option<Instant>) {
        self.deadline = [self.deadline, deadline].into_iter().flatten().min();
    }

    /// Waits for something to happen. When nothing does for a moment it gives memory back, as the
    /// last thing before it goes on waiting: what is touched after that stays.
    pub(crate) fn wait(mut self) -> io::Result<Vec<Ready>> {
        let now = Instant::now();
        // Round up: waking a little early would mean to spin.
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(now) + Duration::from_micros(100));
        let rest = left.map(|left| left.saturating_sub(QUIET));
        if self.poll(Some(left.map_or(QUIET, |left| left.min(QUIET))))? == 0
            && rest.is_none_or(|rest| !rest.is_zero())
        {
            sys::memory::release();
            self.poll(rest)?;
        }
        let ready = self
            .sources
            .iter()
            .zip(&self.fds)
            .filter_map(|(&source, fd)| {
                let flags = fd.revents();
                (!flags.is_empty()).then_some(Ready { source, flags })
            });
        Ok(ready.collect())
    }

    fn poll(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut self.fds, timeout.as_ref()) {
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

/// How long nothing must have happened: short-lived containers never pay for giving memory back.
const QUIET: Duration = Duration::from_millis(200);
