//! One open folder, and names in it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timestamps, UTIME_OMIT, Uid};
use rustix::io::Errno;

use super::{FileKind, Listing, Meta, Node, Times, Xattrs, listing, xattr};

/// An open folder. Its methods take one name each (no `/`, `.` or `..`) and never follow a
/// symbolic link in it.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for Dir {
    /// `fd` must be of a folder that is open for reading.
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl From<Dir> for OwnedFd {
    fn from(dir: Dir) -> Self {
        dir.fd
    }
}

/// The name, unless it is a path.
fn single(name: &OsStr) -> io::Result<&OsStr> {
    match name.as_bytes() {
        b"" | b"." | b".." => Err(Errno::INVAL.into()),
        bytes if bytes.contains(&b'/') => Err(Errno::INVAL.into()),
        _ => Ok(name),
    }
}

impl Dir {
    /// Opens the folder `path` of the host.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self::from(rustix::fs::open(
            path.as_ref(),
            flags,
            Mode::empty(),
        )?))
    }

    /// Another handle on the same folder.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::from(self.fd.try_clone()?))
    }

    /// All names in it.
    pub fn list(&self) -> io::Result<Listing> {
        listing::read(self)
    }

    /// Facts about a name.
    pub fn meta(&self, name: &OsStr) -> io::Result<Meta> {
        Meta::at(self, single(name)?)
    }

    /// Facts about the folder itself.
    pub fn own_meta(&self) -> io::Result<Meta> {
        Meta::of_fd(self)
    }

    /// Opens a name with `flags`.
    pub fn open_at(&self, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(self, single(name)?, flags, mode)?)
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(self.open_at(name, flags, Mode::empty())?.into())
    }

    /// Opens a folder in it.
    pub fn dir(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        Ok(Self::from(self.open_at(name, flags, Mode::empty())?))
    }

    /// Makes a file that was not there, open for writing. The umask applies to `mode`.
    pub fn create_file(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        Ok(self.open_at(name, flags, Mode::from_raw_mode(mode))?.into())
    }

    /// Makes a folder. The umask applies to `mode`.
    pub fn create_dir(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(
            self,
            single(name)?,
            Mode::from_raw_mode(mode),
        )?)
    }

    /// Makes a symbolic link.
    pub fn symlink(&self, name: &OsStr, target: &Path) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, self, single(name)?)?)
    }

    /// Gives the file `from_name` in `from` one more name, here.
    pub fn hard_link(&self, name: &OsStr, from: &Self, from_name: &OsStr) -> io::Result<()> {
        let flags = AtFlags::empty();
        Ok(rustix::fs::linkat(
            from,
            single(from_name)?,
            self,
            single(name)?,
            flags,
        )?)
    }

    /// Makes a device or fifo. The umask applies to `mode`.
    pub fn create_node(&self, name: &OsStr, node: Node, mode: u32) -> io::Result<()> {
        let (kind, device) = match node {
            Node::Fifo => (FileType::Fifo, 0),
            Node::Char(major, minor) => {
                (FileType::CharacterDevice, rustix::fs::makedev(major, minor))
            }
            Node::Block(major, minor) => (FileType::BlockDevice, rustix::fs::makedev(major, minor)),
        };
        let mode = Mode::from_raw_mode(mode);
        Ok(rustix::fs::mknodat(
            self,
            single(name)?,
            kind,
            mode,
            device,
        )?)
    }

    /// Moves a name to another folder or name of the same file system, replacing a file there.
    pub fn rename(&self, name: &OsStr, to: &Self, to_name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(
            self,
            single(name)?,
            to,
            single(to_name)?,
        )?)
    }

    /// Target of a symbolic link.
    pub fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = rustix::fs::readlinkat(self, single(name)?, Vec::new())?;
        Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
    }

    /// Removes a name that is not a folder.
    pub fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(self, single(name)?, AtFlags::empty())?)
    }

    /// Removes an empty folder.
    pub fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(
            self,
            single(name)?,
            AtFlags::REMOVEDIR,
        )?)
    }

    /// Removes a name with all beneath it. Nothing there is no error, and neither is another that
    /// removes the same. Depth costs memory, not stack or descriptors beyond one for each level.
    pub fn remove_all(&self, name: &OsStr) -> io::Result<()> {
        match self.remove_file(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if is_dir_error(&error) => {}
            done => return done,
        }
        let top = match self.dir(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            top => top?,
        };
        let mut stack = vec![(top, name.to_owned())];
        while let Some((dir, _)) = stack.last() {
            match dir.remove_files()? {
                Some(child) => stack.push(child),
                None => {
                    let Some((dir, name)) = stack.pop() else {
                        break;
                    };
                    drop(dir);
                    let parent = stack.last().map_or(self, |(parent, _)| parent);
                    gone(parent.remove_dir(&name))?;
                }
            }
        }
        Ok(())
    }

    /// Removes all files and empty folders in it; returns a folder in the way.
    fn remove_files(&self) -> io::Result<Option<(Self, std::ffi::OsString)>> {
        let Some(entries) = gone(self.list())? else {
            return Ok(None);
        };
        for entry in entries {
            let removed = match entry.kind {
                Some(FileKind::Dir) => self.remove_dir(&entry.name),
                _ => self.remove_file(&entry.name),
            };
            match removed {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error)
                    if is_dir_error(&error) || error.kind() == io::ErrorKind::DirectoryNotEmpty =>
                {
                    if let Some(dir) = gone(self.dir(&entry.name))? {
                        return Ok(Some((dir, entry.name)));
                    }
                }
                done => done?,
            }
        }
        Ok(None)
    }

    /// Sets owner and group.
    pub fn set_owner(&self, name: &OsStr, uid: u32, gid: u32) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(rustix::fs::chownat(
            self,
            single(name)?,
            Some(uid),
            Some(gid),
            flags,
        )?)
    }

    /// Sets permission bits of what is not a symbolic link.
    pub fn set_mode(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        // The system call follows links; the caller knows that this is none, and in a tree that
        // others change it is opened first.
        let fd = self.open_at(name, OFlags::PATH, Mode::empty())?;
        if Meta::of_fd(&fd)?.kind == FileKind::Symlink {
            return Err(Errno::LOOP.into());
        }
        let path = xattr::fd_path(&fd);
        Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?)
    }

    /// Sets the modification time, of a link too. The access time stays.
    pub fn set_modified(&self, name: &OsStr, time: Times) -> io::Result<()> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(rustix::fs::utimensat(
            self,
            single(name)?,
            &stamps(time),
            flags,
        )?)
    }

    /// Sets the modification time of the folder itself.
    pub fn set_own_modified(&self, time: Times) -> io::Result<()> {
        Ok(rustix::fs::futimens(self, &stamps(time))?)
    }

    /// All extended attributes of a name, sorted by name.
    pub fn xattrs(&self, name: &OsStr) -> io::Result<Xattrs> {
        xattr::read_all(&xattr::path_in(self, single(name)?))
    }

    /// One extended attribute of a name.
    pub fn xattr(&self, name: &OsStr, key: &OsStr) -> io::Result<Option<Vec<u8>>> {
        xattr::read(&xattr::path_in(self, single(name)?), key)
    }

    /// Sets an extended attribute of a name.
    pub fn set_xattr(&self, name: &OsStr, key: &OsStr, value: &[u8]) -> io::Result<()> {
        xattr::write(&xattr::path_in(self, single(name)?), key, value)
    }

    /// All extended attributes of the folder itself, sorted by name.
    pub fn own_xattrs(&self) -> io::Result<Xattrs> {
        xattr::read_all(&xattr::path_in(self, OsStr::new(".")))
    }

    /// Sets an extended attribute of the folder itself.
    pub fn set_own_xattr(&self, key: &OsStr, value: &[u8]) -> io::Result<()> {
        xattr::write(&xattr::path_in(self, OsStr::new(".")), key, value)
    }
}

fn stamps(modified: Times) -> Timestamps {
    Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: modified.into(),
    }
}

/// `None` for what is not there any more.
fn gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn is_dir_error(error: &io::Error) -> bool {
    // EISDIR on Linux, EPERM on others' file systems.
    matches!(
        error.kind(),
        io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied
    )
}
