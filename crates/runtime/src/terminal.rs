//! The pty of a process with a terminal.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use oci::runtime::Process;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::pty::OpenptFlags;

use crate::error::{At, Failure, Step};

/// Both sides of a pty.
#[derive(Debug)]
pub(crate) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
}

impl Terminal {
    /// A new pty of the devpts instance that `devpts` is the root of. Its own side is opened
    /// through the master, not by a name that somebody could have replaced.
    pub(crate) fn in_devpts(devpts: impl AsFd) -> Result<Self, Failure> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let master = rustix::fs::openat(devpts, "ptmx", flags, Mode::empty());
        Self::new(master.map_err(io::Error::from).and_then(check_master))
    }

    /// A new pty of the host's instance, or of the instance of the root that the caller is in.
    pub(crate) fn of_host() -> Result<Self, Failure> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let master = rustix::fs::open("/dev/ptmx", flags, Mode::empty());
        Self::new(master.map_err(io::Error::from).and_then(check_master))
    }

    fn new(master: io::Result<OwnedFd>) -> Result<Self, Failure> {
        let master = master.at(Step::Terminal, "ptmx")?;
        rustix::pty::unlockpt(&master).at(Step::Terminal, "unlock")?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).at(Step::Terminal, "peer")?;
        Ok(Self { master, slave })
    }

    /// Size and owner.
    pub(crate) fn prepare(&self, process: &Process) -> Result<(), Failure> {
        let size = process.console_size().unwrap_or_default();
        let cells = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
        if size.height() > 0 || size.width() > 0 {
            let size = rustix::termios::Winsize {
                ws_row: cells(size.height()),
                ws_col: cells(size.width()),
                ws_xpixel: 0,
                ws_ypixel: 0,
            };
            rustix::termios::tcsetwinsize(&self.master, size).at(Step::Terminal, "size")?;
        }
        let owner = rustix::fs::Uid::from_raw(process.user().uid());
        match rustix::fs::fchown(&self.slave, Some(owner), None) {
            // An id outside the user namespace: the terminal stays root's.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => Ok(()),
            other => other.at(Step::Terminal, "owner"),
        }
    }

    pub(crate) fn slave(&self) -> BorrowedFd<'_> {
        self.slave.as_fd()
    }

    /// Makes it the controlling terminal and the standard streams; gives the master back.
    pub(crate) fn take_over(self) -> Result<OwnedFd, Failure> {
        rustix::process::ioctl_tiocsctty(&self.slave).at(Step::Terminal, "control")?;
        let streams = [
            rustix::stdio::dup2_stdin(&self.slave),
            rustix::stdio::dup2_stdout(&self.slave),
            rustix::stdio::dup2_stderr(&self.slave),
        ];
        streams
            .into_iter()
            .collect::<Result<(), _>>()
            .at(Step::Terminal, "streams")?;
        Ok(self.master)
    }
}

/// Is it the pty multiplexer? A container may have put anything in its place.
fn check_master(master: OwnedFd) -> io::Result<OwnedFd> {
    let stat = rustix::fs::fstat(&master)?;
    let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    match is_device && stat.st_rdev == rustix::fs::makedev(5, 2) {
        true => Ok(master),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "not the pty multiplexer",
        )),
    }
}
