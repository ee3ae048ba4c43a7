//! `mount_setattr`: the flags of a mount, or of a whole tree, after it was made.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::mount::{MountAttrFlags, MountPropagationFlags};

/// What to change on a mount.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attributes<'a> {
    /// Flags to set.
    pub set: Option<MountAttrFlags>,
    /// Flags to clear.
    pub clear: Option<MountAttrFlags>,
    /// Propagation, if it changes: exactly one of the four kinds.
    pub propagation: Option<MountPropagationFlags>,
    /// A user namespace whose id map the mount shall wear.
    pub id_map: Option<BorrowedFd<'a>>,
    /// Change the mounts below, too.
    pub recursive: bool,
}

/// Changes the mount that `mount` is the root of.
pub fn set_attributes(mount: impl AsFd, attributes: &Attributes<'_>) -> io::Result<()> {
    let bits = |flags: Option<MountAttrFlags>| flags.map_or(0, |flags| u64::from(flags.bits()));
    let mut argument = libc::mount_attr {
        attr_set: bits(attributes.set),
        attr_clr: bits(attributes.clear),
        propagation: attributes
            .propagation
            .map_or(0, |propagation| u64::from(propagation.bits())),
        userns_fd: 0,
    };
    if let Some(namespace) = attributes.id_map {
        argument.attr_set |= libc::MOUNT_ATTR_IDMAP;
        argument.userns_fd = u64::from(namespace.as_raw_fd().cast_unsigned());
    }
    // Changing access time flags means replacing them as a group.
    if argument.attr_set & libc::MOUNT_ATTR__ATIME != 0 {
        argument.attr_clr |= libc::MOUNT_ATTR__ATIME;
    }
    let mut flags = libc::AT_EMPTY_PATH;
    if attributes.recursive {
        flags |= libc::AT_RECURSIVE;
    }
    // SAFETY: the path is a static C string, the argument is a live `mount_attr` whose size is
    // passed along, and the kernel only reads both.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const argument,
            size_of::<libc::mount_attr>(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
