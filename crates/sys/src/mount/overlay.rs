//! overlayfs as a detached mount.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;

use super::{Filesystem, proc_path};

/// The longest string that `fsconfig` takes.
const LONGEST_VALUE: usize = 255;

/// An overlay of folders. The options make the upper folder a layer that stands for itself: no
/// redirects, no metadata-only copies and no index, so that it can be read, or stacked on another
/// parent, without the mount that wrote it.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// Folders below, the topmost first. At least one, or two without [`Overlay::upper`].
    pub lower: Vec<PathBuf>,
    /// The folder that takes the writes, and its work folder on the same filesystem. Without it
    /// the overlay is read-only.
    pub upper: Option<(PathBuf, PathBuf)>,
    /// Skip every sync of the upper folder: after a crash of the machine it must be thrown away.
    pub volatile: bool,
}

impl Overlay {
    /// Makes the mount, attached nowhere: it goes away with the last descriptor of it.
    ///
    /// Before Linux 6.7 a stack of lower folders must fit into one option of 255 bytes (about 14
    /// folders); later kernels take 500. An error carries the kernel's own message.
    pub fn mount(&self) -> io::Result<OwnedFd> {
        let filesystem = Filesystem::open("overlay")?;
        let mut open = Vec::new();
        self.configure(&filesystem, &mut open)
            .and_then(|()| {
                rustix::mount::fsconfig_create(filesystem.0.as_fd())?;
                Ok(rustix::mount::fsmount(
                    filesystem.0.as_fd(),
                    rustix::mount::FsMountFlags::FSMOUNT_CLOEXEC,
                    self.attributes(),
                )?)
            })
            .map_err(|error| explain(error, &filesystem))
    }

    fn attributes(&self) -> MountAttrFlags {
        match self.upper {
            Some(_) => MountAttrFlags::empty(),
            None => MountAttrFlags::MOUNT_ATTR_RDONLY,
        }
    }

    fn configure(&self, filesystem: &Filesystem, open: &mut Vec<OwnedFd>) -> io::Result<()> {
        for (key, value) in [
            ("source", "overlay"),
            ("redirect_dir", "off"),
            ("metacopy", "off"),
            ("index", "off"),
            ("xino", "off"),
        ] {
            filesystem.string(key, value)?;
        }
        self.set_lower(filesystem, open)?;
        if let Some((upper, work)) = &self.upper {
            filesystem.string("upperdir", short(upper, open)?.as_path())?;
            filesystem.string("workdir", short(work, open)?.as_path())?;
            if self.volatile {
                filesystem.flag("volatile")?;
            }
        }
        Ok(())
    }

    fn set_lower(&self, filesystem: &Filesystem, open: &mut Vec<OwnedFd>) -> io::Result<()> {
        for (at, lower) in self.lower.iter().enumerate() {
            match filesystem.string("lowerdir+", short(lower, open)?.as_path()) {
                // A kernel that does not know the option says so at the first folder.
                Err(error)
                    if at == 0 && error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) =>
                {
                    return self.set_lower_at_once(filesystem, open);
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn set_lower_at_once(
        &self,
        filesystem: &Filesystem,
        open: &mut Vec<OwnedFd>,
    ) -> io::Result<()> {
        let mut names = Vec::with_capacity(self.lower.len());
        for lower in &self.lower {
            names.push(by_descriptor(lower, open)?);
        }
        filesystem.string("lowerdir", names.join(":"))
    }
}

/// `path`, or a short name of the same folder if `path` is longer than the kernel takes.
fn short(path: &Path, open: &mut Vec<OwnedFd>) -> io::Result<PathBuf> {
    match path.as_os_str().len() > LONGEST_VALUE {
        true => Ok(by_descriptor(path, open)?.into()),
        false => Ok(path.to_owned()),
    }
}

fn by_descriptor(path: &Path, open: &mut Vec<OwnedFd>) -> io::Result<String> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    let name = proc_path(folder.as_fd());
    open.push(folder);
    Ok(name)
}

fn explain(error: io::Error, filesystem: &Filesystem) -> io::Error {
    let log = filesystem.log();
    match log.is_empty() {
        true => error,
        false => io::Error::new(error.kind(), format!("{error}: {log}")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{openat, statfs};

    use super::*;

    fn read(mount: &OwnedFd, path: &str) -> String {
        let fd = openat(mount, path, OFlags::RDONLY, Mode::empty()).unwrap();
        let mut text = String::new();
        io::Read::read_to_string(&mut fs::File::from(fd), &mut text).unwrap();
        text
    }

    #[test]
    fn stacks_folders_and_leaves_no_mount() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["a", "b", "upper", "work"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("a/file"), "top").unwrap();
        fs::write(at("b/file"), "bottom").unwrap();
        fs::write(at("b/other"), "other").unwrap();
        let overlay = Overlay {
            lower: vec![at("a"), at("b")],
            upper: Some((at("upper"), at("work"))),
            volatile: true,
        };
        let mount = overlay.mount().unwrap();
        assert_eq!(read(&mount, "file"), "top");
        assert_eq!(read(&mount, "other"), "other");
        let flags = OFlags::CREATE | OFlags::WRONLY;
        openat(&mount, "new", flags, Mode::from_raw_mode(0o600)).unwrap();
        assert!(at("upper/new").exists());
        assert_ne!(
            statfs(root.path()).unwrap().f_type,
            rustix::fs::fstatfs(&mount).unwrap().f_type
        );
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(root.path().to_str().unwrap()));
    }

    #[test]
    fn long_paths_and_read_only_views() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("d".repeat(200)).join("e".repeat(200));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "deep").unwrap();
        let other = root.path().join("other");
        fs::create_dir(&other).unwrap();
        let overlay = Overlay {
            lower: vec![deep, other],
            ..Overlay::default()
        };
        let mount = overlay.mount().unwrap();
        assert_eq!(read(&mount, "file"), "deep");
        let flags = OFlags::CREATE | OFlags::WRONLY;
        let refused = openat(&mount, "new", flags, Mode::from_raw_mode(0o600));
        assert_eq!(refused.unwrap_err(), Errno::ROFS);
    }

    #[test]
    fn says_what_the_kernel_says() {
        let overlay = Overlay {
            lower: vec!["/nonexistent".into()],
            ..Overlay::default()
        };
        let error = overlay.mount().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
