//! Facts about files.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Statx, StatxFlags, Timespec};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Regular file.
    File,
    /// Folder.
    Dir,
    /// Symbolic link.
    Symlink,
    /// Character device.
    CharDevice,
    /// Block device.
    BlockDevice,
    /// Named pipe.
    Fifo,
    /// Socket.
    Socket,
}

impl FileKind {
    pub(super) fn of_mode(mode: u32) -> io::Result<Self> {
        let kind = Self::of_type(FileType::from_raw_mode(mode));
        kind.ok_or_else(|| rustix::io::Errno::INVAL.into())
    }

    pub(super) fn of_type(kind: FileType) -> Option<Self> {
        Some(match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Dir,
            FileType::Symlink => Self::Symlink,
            FileType::CharacterDevice => Self::CharDevice,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            _ => return None,
        })
    }
}

/// A special file to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// Named pipe.
    Fifo,
    /// Character device with its major and minor number. 0/0 is overlay's whiteout.
    Char(u32, u32),
    /// Block device with its major and minor number.
    Block(u32, u32),
}

/// Seconds since 1970 and nanoseconds within the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Times {
    /// Seconds, negative before 1970.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl From<Times> for Timespec {
    fn from(time: Times) -> Self {
        Self {
            tv_sec: time.seconds,
            tv_nsec: time.nanoseconds.into(),
        }
    }
}

/// Facts about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky (0 to 0o7777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Space taken, in blocks of 512 bytes.
    pub blocks: u64,
    /// Number of names.
    pub links: u32,
    /// File system, major and minor number.
    pub device: (u32, u32),
    /// Number within the file system.
    pub inode: u64,
    /// For a device: major and minor number.
    pub node: (u32, u32),
    /// Last change of content.
    pub modified: Times,
    /// Last change of content or metadata.
    pub changed: Times,
}

impl Meta {
    /// Facts about an open file; `O_PATH` is enough.
    pub fn of_fd(fd: impl AsFd) -> io::Result<Self> {
        Self::at(fd, "")
    }

    pub(super) fn at(dir: impl AsFd, name: impl rustix::path::Arg) -> io::Result<Self> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT;
        let statx = rustix::fs::statx(dir, name, flags, StatxFlags::BASIC_STATS)?;
        Self::of_statx(&statx)
    }

    fn of_statx(statx: &Statx) -> io::Result<Self> {
        let times = |time: rustix::fs::StatxTimestamp| Times {
            seconds: time.tv_sec,
            nanoseconds: time.tv_nsec,
        };
        let mode = u32::from(statx.stx_mode);
        Ok(Self {
            kind: FileKind::of_mode(mode)?,
            mode: mode & 0o7777,
            uid: statx.stx_uid,
            gid: statx.stx_gid,
            size: statx.stx_size,
            blocks: statx.stx_blocks,
            links: statx.stx_nlink,
            device: (statx.stx_dev_major, statx.stx_dev_minor),
            inode: statx.stx_ino,
            node: (statx.stx_rdev_major, statx.stx_rdev_minor),
            modified: times(statx.stx_mtime),
            changed: times(statx.stx_ctime),
        })
    }

    /// Is it overlay's mark for a deleted name?
    pub fn is_whiteout(&self) -> bool {
        self.kind == FileKind::CharDevice && self.node == (0, 0)
    }

    /// Is it a folder?
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Dir
    }
}
