//! Hidden and read-only paths.
//!
//! Each path is resolved once, beneath the root; what is covered is the place that the descriptor
//! stands for. The cover for files is the host's `/dev/null`, checked to be that device: the
//! container's own could have been replaced.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::mount::MountAttrFlags as Attr;
use sys::mount::{Attributes, Filesystem, attach, clone_tree, set_attributes};

use super::Layout;
use crate::error::{At, Failure, Step};

/// Covers files by the null device and folders by an empty one.
pub(crate) fn hide<'p>(
    layout: &Layout<'_>,
    paths: impl Iterator<Item = &'p Path>,
) -> Result<(), Failure> {
    let mut covers = Covers {
        file: None,
        folder: None,
    };
    for path in paths {
        let name = path.display();
        let Some(target) = find(layout, path).at(Step::Mask, &name)? else {
            continue;
        };
        covers.put_on(&target).at(Step::Mask, &name)?;
    }
    Ok(())
}

/// Makes a path and all below it read-only.
pub(crate) fn make_read_only(layout: &Layout<'_>, path: &Path) -> Result<(), Failure> {
    let name = path.display();
    let Some(target) = find(layout, path).at(Step::ReadOnly, &name)? else {
        return Ok(());
    };
    let tree = clone_tree(&target, Path::new(""), true).at(Step::ReadOnly, &name)?;
    let change = Attributes {
        set: Some(Attr::MOUNT_ATTR_RDONLY),
        recursive: true,
        ..Attributes::default()
    };
    set_attributes(&tree, &change).at(Step::ReadOnly, &name)?;
    attach(&tree, &target).at(Step::ReadOnly, &name)
}

/// Opens what there is to cover; nothing there needs no cover.
fn find(layout: &Layout<'_>, path: &Path) -> io::Result<Option<OwnedFd>> {
    let target = match layout.root.resolve(path) {
        Err(error) => {
            use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
            return match error.kind() {
                NotFound | NotADirectory | PermissionDenied => Ok(None),
                _ => Err(error),
            };
        }
        Ok(target) => target,
    };
    // Under /proc of the container only what the kernel put there.
    if layout.proc.is_some() && path.starts_with("/proc") && !is_proc(&target)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "not on the proc filesystem",
        ));
    }
    Ok(Some(target))
}

fn is_proc(fd: &OwnedFd) -> io::Result<bool> {
    Ok(rustix::fs::fstatfs(fd)?.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

/// Detached covers to copy from; made when first needed, then the one that was attached last.
struct Covers {
    file: Option<OwnedFd>,
    folder: Option<OwnedFd>,
}

impl Covers {
    fn put_on(&mut self, target: &OwnedFd) -> io::Result<()> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(target)?.st_mode);
        let (kept, make): (_, fn() -> io::Result<OwnedFd>) = match kind {
            FileType::Directory => (&mut self.folder, empty_folder),
            _ => (&mut self.file, null_device),
        };
        let cover = match kept {
            Some(last) => clone_tree(&*last, Path::new(""), false)?,
            None => make()?,
        };
        attach(&cover, target)?;
        *kept = Some(cover);
        Ok(())
    }
}

fn empty_folder() -> io::Result<OwnedFd> {
    let filesystem = Filesystem::open("tmpfs")?;
    for (key, value) in [
        ("source", "tmpfs"),
        ("nr_blocks", "1"),
        ("nr_inodes", "1"),
        ("mode", "755"),
    ] {
        filesystem.string(key, value)?;
    }
    let flags = Attr::MOUNT_ATTR_RDONLY | Attr::MOUNT_ATTR_NOSUID;
    filesystem.mount(flags | Attr::MOUNT_ATTR_NODEV | Attr::MOUNT_ATTR_NOEXEC)
}

fn null_device() -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let null = rustix::fs::open("/dev/null", flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&null)?;
    let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    if !is_device || stat.st_rdev != rustix::fs::makedev(1, 3) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "/dev/null is not the null device",
        ));
    }
    clone_tree(&null, Path::new(""), false)
}
