//! A container in the foreground: signals go in, the terminal's bytes both ways.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::report::{CliError, Doing};
use crate::Process;

const SIGCHLD: i32 = 17;
const SIGWINCH: i32 = 28;

/// Puts the caller's terminal into raw mode; back when dropped.
struct Raw(Termios);

impl Raw {
    fn enter() -> Option<Self> {
        let stdin = rustix::stdio::stdin();
        let before = tcgetattr(stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin, OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Nothing to be done if it fails.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Waits for the end of `process`; its exit code as a shell gives it.
pub(super) fn wait(process: &mut Process) -> Result<u8, CliError> {
    let action = || "wait for the container".to_owned();
    let signals = sys::process::signal_descriptor().doing(action)?;
    let terminal = process.take_terminal();
    let _raw = terminal.as_ref().and_then(|_| Raw::enter());
    if let Some(terminal) = &terminal {
        copy_size(terminal);
    }
    let mut relay = Relay {
        terminal: terminal.as_ref(),
        reads_stdin: terminal.is_some(),
    };
    loop {
        let ended = relay.step(process, &signals).doing(action)?;
        if ended {
            relay.drain();
            return Ok(code(process.wait()?));
        }
    }
}

struct Relay<'a> {
    terminal: Option<&'a OwnedFd>,
    reads_stdin: bool,
}

impl Relay<'_> {
    /// Waits for something to do and does it. Has the process ended?
    fn step(&mut self, process: &Process, signals: &OwnedFd) -> io::Result<bool> {
        let pidfd = process.pidfd();
        let mut fds = vec![
            PollFd::new(&pidfd, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
        ];
        if let Some(terminal) = self.terminal {
            fds.push(PollFd::new(terminal, PollFlags::IN));
            if self.reads_stdin {
                let stdin = PollFd::from_borrowed_fd(rustix::stdio::stdin(), PollFlags::IN);
                fds.push(stdin);
            }
        }
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => return Ok(false),
            other => other?,
        };
        let ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let (ended, signalled, output, input) = (ready(0), ready(1), ready(2), ready(3));
        if signalled {
            self.signal(process, signals)?;
        }
        if let Some(terminal) = self.terminal {
            if output && !copy(terminal.as_fd(), rustix::stdio::stdout()) {
                self.terminal = None;
            }
            if input && !copy(rustix::stdio::stdin(), terminal.as_fd()) {
                self.reads_stdin = false;
            }
        }
        Ok(ended)
    }

    fn signal(&self, process: &Process, signals: &OwnedFd) -> io::Result<()> {
        match (sys::process::next_signal(signals)?, self.terminal) {
            (SIGCHLD, _) => {}
            (SIGWINCH, Some(terminal)) => copy_size(terminal),
            (number, _) => {
                // It may have ended meanwhile.
                let _ = sys::signal::send(process.pidfd(), number);
            }
        }
        Ok(())
    }

    /// What the process wrote last.
    fn drain(&self) {
        let Some(terminal) = self.terminal else {
            return;
        };
        let ready = |fd: &OwnedFd| {
            let mut fds = [PollFd::new(fd, PollFlags::IN)];
            poll(&mut fds, Some(&rustix::event::Timespec::default())).is_ok_and(|count| count > 0)
        };
        while ready(terminal) && copy(terminal.as_fd(), rustix::stdio::stdout()) {}
    }
}

/// Copies what there is; `false` at the end.
fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> bool {
    let mut buffer = [0; 16 * 1024];
    let Ok(length @ 1..) = rustix::io::read(from, &mut buffer) else {
        return false;
    };
    let mut rest = &buffer[..length];
    while !rest.is_empty() {
        match rustix::io::write(to, rest) {
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    true
}

fn copy_size(terminal: &OwnedFd) {
    if let Ok(size) = tcgetwinsize(rustix::stdio::stdin()) {
        let _ = tcsetwinsize(terminal, size);
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 255,
    };
    u8::try_from(code).unwrap_or(255)
}
