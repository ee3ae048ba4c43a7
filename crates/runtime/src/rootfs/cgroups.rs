//! What the container sees of its control groups.
//!
//! It gets its own group, not the hierarchy: bind mounts of the host's folders, which need no
//! knowledge of how the host mounted them and are one system call each.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::Mode;
use rustix::mount::MountAttrFlags as Attr;
use sys::mount::{Attributes, Filesystem, attach, clone_tree, set_attributes};

use super::Layout;
use super::mounts::attributes;
use super::options::Options;

/// Mounts them on `target` with the attributes of `options`.
pub(crate) fn mount(layout: &Layout<'_>, options: &Options, target: &OwnedFd) -> io::Result<()> {
    let places = layout.cgroup.places();
    match places {
        [only] if only.is_unified() => {
            let folder = match layout.own_cgroup_namespace {
                true => only.folder(),
                false => only.mount_point(),
            };
            let tree = clone_tree(rustix::fs::CWD, folder, false)?;
            finish(&tree, options, false)?;
            attach(&tree, target)
        }
        _ => separate(layout, options, target),
    }
}

fn separate(layout: &Layout<'_>, options: &Options, target: &OwnedFd) -> io::Result<()> {
    let filesystem = Filesystem::open("tmpfs")?;
    filesystem.string("source", "tmpfs")?;
    filesystem.string("mode", "755")?;
    let top = filesystem.mount(Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NODEV)?;
    attach(&top, target)?;
    for place in layout.cgroup.places() {
        let name = place.name();
        rustix::fs::mkdirat(&top, name, Mode::from_raw_mode(0o755))?;
        let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&top, name, flags, Mode::empty())?;
        let tree = clone_tree(rustix::fs::CWD, place.folder(), false)?;
        set_attributes(&tree, &private())?;
        attach(&tree, &folder)?;
        for alias in place.aliases() {
            match rustix::fs::symlinkat(Path::new(name), &top, alias) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    finish(&top, options, true)
}

fn private() -> Attributes<'static> {
    Attributes {
        propagation: Some(rustix::mount::MountPropagationFlags::PRIVATE),
        ..Attributes::default()
    }
}

fn finish(tree: &OwnedFd, options: &Options, recursive: bool) -> io::Result<()> {
    let mut change = attributes(options.own, recursive);
    change.propagation = private().propagation;
    set_attributes(tree, &change)
}
