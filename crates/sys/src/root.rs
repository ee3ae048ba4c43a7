//! Paths from images, contexts and containers, resolved as if a folder were `/`.
//!
//! [`RootDir`] resolves whole paths with `openat2(RESOLVE_IN_ROOT)`: absolute names, `..` and
//! symbolic links stay beneath it whatever they say, also while somebody changes the tree.
//! [`Dir`] is one open folder whose methods take single names and never follow a link in them;
//! it is what a walk or an unpacking loop uses, so that no path is resolved twice.

mod dir;
mod listing;
mod meta;
#[cfg(test)]
mod tests;
mod xattr;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

pub use dir::Dir;
pub use listing::{Entry, Listing};
pub use meta::{FileKind, Meta, Node, Times};
pub use xattr::{Xattrs, file_xattrs, set_file_xattr};

/// A folder that paths are resolved in as in a chroot.
#[derive(Debug)]
pub struct RootDir {
    fd: OwnedFd,
}

impl AsFd for RootDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for RootDir {
    /// `fd` must be of a folder; opened with `O_PATH` is enough.
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl RootDir {
    /// The folder `path` of the host.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path.as_ref(), flags, Mode::empty())?;
        Ok(Self { fd })
    }

    /// Opens `path` with `flags`, resolved beneath this folder. A link in the last name is
    /// followed unless `flags` hold `NOFOLLOW`.
    pub fn open_at(
        &self,
        path: impl AsRef<Path>,
        flags: OFlags,
        mode: Mode,
    ) -> io::Result<OwnedFd> {
        let path = match path.as_ref() {
            empty if empty.as_os_str().is_empty() => Path::new("."),
            path => path,
        };
        let flags = flags | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        // EAGAIN: something was renamed beneath the root meanwhile and the kernel gave up on
        // telling whether `..` leads out.
        for _ in 0..128 {
            match rustix::fs::openat2(&self.fd, path, flags, mode, resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Opens a file for reading.
    pub fn open_file(&self, path: impl AsRef<Path>) -> io::Result<File> {
        // Not blocking, should it be a fifo.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(self.open_at(path, flags, Mode::empty())?.into())
    }

    /// Opens a folder.
    pub fn dir(&self, path: impl AsRef<Path>) -> io::Result<Dir> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        Ok(Dir::from(self.open_at(path, flags, Mode::empty())?))
    }

    /// A folder beneath this one as a root of its own.
    pub fn sub_root(&self, path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        Ok(Self::from(self.open_at(path, flags, Mode::empty())?))
    }

    /// Opens the folder that `path` lies in and gives the last name of `path`, not followed.
    /// Fails with `InvalidInput` for a path without a last name (`/`, `..`).
    pub fn parent<'p>(&self, path: &'p Path) -> io::Result<(Dir, &'p OsStr)> {
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Ok((self.dir(parent)?, name)),
            _ => Err(Errno::INVAL.into()),
        }
    }

    /// Opens the folder `path`, making what is missing of it with `mode`. Links on the way are
    /// followed beneath the root, also those to folders that do not exist yet.
    pub fn create_dir_all(&self, path: impl AsRef<Path>, mode: u32) -> io::Result<Dir> {
        self.create_dir_all_with(path, mode, |_, _, _| Ok(()))
    }

    /// The same, and calls `made` for each folder that it made: with the folder above, the name
    /// and the path beneath the root.
    pub fn create_dir_all_with(
        &self,
        path: impl AsRef<Path>,
        mode: u32,
        mut made: impl FnMut(&Dir, &OsStr, &Path) -> io::Result<()>,
    ) -> io::Result<Dir> {
        const MAX_LINKS: u32 = 40;
        let mut path = path.as_ref().to_owned();
        for _ in 0..MAX_LINKS {
            match self.dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => return done,
            }
            // Stops at a link to what is not there: then its target is made first.
            if let Some(instead) = self.create_until_link(&path, mode, &mut made)? {
                path = instead;
            }
        }
        Err(Errno::LOOP.into())
    }

    /// Makes the folders of `path` one by one. At a dangling link stops and says which path to
    /// make instead.
    fn create_until_link(
        &self,
        path: &Path,
        mode: u32,
        made: &mut impl FnMut(&Dir, &OsStr, &Path) -> io::Result<()>,
    ) -> io::Result<Option<PathBuf>> {
        let mut here = PathBuf::from("/");
        let mut dir = self.dir(&here)?;
        let mut components = path.components();
        while let Some(component) = components.next() {
            match component {
                Component::ParentDir => {
                    here.push("..");
                    dir = self.dir(&here)?;
                }
                Component::Normal(name) => {
                    let next = here.join(name);
                    dir = match self.dir(&next) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            match dir.create_dir(name, mode) {
                                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                                    let target = here.join(dir.read_link(name)?);
                                    return Ok(Some(target.join(components.as_path())));
                                }
                                created => created?,
                            }
                            made(&dir, name, &next)?;
                            self.dir(&next)?
                        }
                        opened => opened?,
                    };
                    here = next;
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Facts about `path`; a link in the last name is described itself.
    pub fn meta(&self, path: impl AsRef<Path>) -> io::Result<Meta> {
        let fd = self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())?;
        Meta::of_fd(&fd)
    }

    /// Facts about what `path` leads to.
    pub fn meta_followed(&self, path: impl AsRef<Path>) -> io::Result<Meta> {
        let fd = self.open_at(path, OFlags::PATH, Mode::empty())?;
        Meta::of_fd(&fd)
    }

    /// Target of the link `path`.
    pub fn read_link(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        let (dir, name) = self.parent(path.as_ref())?;
        dir.read_link(name)
    }

    /// Removes `path` with all beneath it. Nothing there is no error.
    pub fn remove_all(&self, path: impl AsRef<Path>) -> io::Result<()> {
        match self.parent(path.as_ref()) {
            Ok((dir, name)) => dir.remove_all(name),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The place that `path` leads to, beneath the root, as the kernel sees it: a descriptor that
    /// can be used as a mount target or read through `/proc/self/fd`.
    pub fn resolve(&self, path: impl AsRef<Path>) -> io::Result<OwnedFd> {
        self.open_at(path, OFlags::PATH, Mode::empty())
    }
}
