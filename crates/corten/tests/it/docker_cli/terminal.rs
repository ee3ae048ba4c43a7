//! A person at a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const PATIENCE: Duration = Duration::from_secs(20);

/// A program on a terminal, and what it has written there.
pub(super) struct Terminal {
    screen: File,
    child: Child,
    seen: String,
}

impl Terminal {
    /// Starts a program on a terminal of this size.
    pub(super) fn run(mut command: Command, rows: u16, columns: u16) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let screen = screen.unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&screen, size).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let inside: OwnedFd = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let child = command
            .stdin(inside.try_clone().unwrap())
            .stdout(inside.try_clone().unwrap())
            .stderr(inside)
            .spawn()
            .unwrap();
        // The command keeps its copies open: with them there would be no end.
        drop(command);
        Self {
            screen: File::from(screen),
            child,
            seen: String::new(),
        }
    }

    /// Types.
    pub(super) fn send(&mut self, text: &str) {
        self.screen.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until the program has written this, and forgets everything up to it.
    pub(super) fn expect(&mut self, text: &str) {
        let begin = Instant::now();
        loop {
            if let Some(place) = self.seen.find(text) {
                self.seen.drain(..place + text.len());
                return;
            }
            let in_time = begin.elapsed() < PATIENCE && self.read();
            assert!(in_time, "no {text:?} in {:?}", self.seen);
        }
    }

    /// Waits for the end of the program: its exit code.
    pub(super) fn end(mut self) -> i32 {
        let begin = Instant::now();
        while self.read() {
            assert!(begin.elapsed() < PATIENCE, "it goes on: {:?}", self.seen);
        }
        let status = self.child.wait().unwrap();
        status.code().unwrap()
    }

    /// Reads what there is; false at the end.
    fn read(&mut self) -> bool {
        let mut ready = [PollFd::new(&self.screen, PollFlags::IN)];
        let moment = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        if poll(&mut ready, Some(&moment)).unwrap() == 0 {
            return true;
        }
        let mut bytes = [0; 4096];
        match self.screen.read(&mut bytes) {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.seen
                    .push_str(&String::from_utf8_lossy(&bytes[..length]));
                true
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After a failed expectation the program still runs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
