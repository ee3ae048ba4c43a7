//! The new mount API: every mount is first an open file (a *detached* mount), then, perhaps,
//! attached somewhere. A detached mount goes away with its last descriptor, so a crash of its
//! maker leaves nothing behind, and no path is walked twice between check and use.

mod attributes;
mod overlay;
mod seal;

pub use attributes::{Attributes, set_attributes};
pub use overlay::Overlay;
pub use rustix::mount::{
    FsMountFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};
pub use seal::{is_sealed, sealed_program};

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::mount::{FsOpenFlags, fsconfig_create, fsmount, fsopen};

/// A filesystem that is being configured (`fsopen`), not yet mounted.
#[derive(Debug)]
pub struct Filesystem(OwnedFd);

impl Filesystem {
    /// Starts the set-up of a filesystem of the kind `name` (`tmpfs`, `proc`, `overlay`…).
    pub fn open(name: &str) -> io::Result<Self> {
        Ok(Self(fsopen(name, FsOpenFlags::FSOPEN_CLOEXEC)?))
    }

    /// Sets an option without a value.
    pub fn flag(&self, key: &str) -> io::Result<()> {
        Ok(rustix::mount::fsconfig_set_flag(self.0.as_fd(), key)?)
    }

    /// Sets an option that has a value. The kernel takes at most 255 bytes of it.
    pub fn string(&self, key: &str, value: impl rustix::path::Arg) -> io::Result<()> {
        Ok(rustix::mount::fsconfig_set_string(
            self.0.as_fd(),
            key,
            value,
        )?)
    }

    /// Makes the superblock and a detached mount of it.
    pub fn mount(self, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
        fsconfig_create(self.0.as_fd())?;
        Ok(fsmount(
            self.0.as_fd(),
            FsMountFlags::FSMOUNT_CLOEXEC,
            attributes,
        )?)
    }

    /// What the kernel says about the last failure, one message a line, empty if it says nothing.
    pub fn log(&self) -> String {
        let mut lines = Vec::new();
        let mut buffer = [0_u8; 512];
        while let Ok(length) = rustix::io::read(&self.0, &mut buffer) {
            if length == 0 {
                break;
            }
            lines.push(String::from_utf8_lossy(&buffer[..length]).trim().to_owned());
        }
        lines.join("; ")
    }
}

/// A detached copy of the mount that `path` (relative to `dir`) lies on, rooted at `path`; with
/// `recursive` the mounts below it come along.
pub fn clone_tree(dir: impl AsFd, path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    Ok(rustix::mount::open_tree(dir, path, flags)?)
}

/// Attaches the detached mount `mount` on the open file or folder `target`.
pub fn attach(mount: impl AsFd, target: impl AsFd) -> io::Result<()> {
    const EMPTY: &CStr = c"";
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(
        mount.as_fd(),
        EMPTY,
        target.as_fd(),
        EMPTY,
        flags,
    )?)
}

/// A path that names an open file for as long as the file stays open and `/proc` is mounted.
fn proc_path(fd: BorrowedFd<'_>) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
