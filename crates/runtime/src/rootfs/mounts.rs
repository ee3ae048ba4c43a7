//! The spec's mounts, made as detached trees and attached to places that were resolved beneath
//! the container's root: no path of the container is ever given to the kernel twice.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci::runtime::Mount;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::mount::{MountAttrFlags as Attr, MountPropagationFlags};
use sys::mount::{Attributes, Filesystem, attach, set_attributes};
use sys::root::RootDir;

use super::options::{Change, Options, Recursive};
use super::{Layout, cgroups};
use crate::error::{At, Failure, Step};

/// One mount of the spec with its options read, and its source if that is a tree of the host.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    pub(crate) spec: &'a Mount,
    pub(crate) options: Options,
    pub(crate) tree: Option<OwnedFd>,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(spec: &'a Mount) -> Self {
        let words = spec.options().iter().flatten();
        let mut options = Options::parse(words);
        let is_bind = matches!(spec.typ().as_deref(), Some("bind" | "rbind"));
        if is_bind && options.bind.is_none() {
            options.bind = Some(match spec.typ().as_deref() {
                Some("rbind") => Recursive::Yes,
                _ => Recursive::No,
            });
        }
        Self {
            spec,
            options,
            tree: None,
        }
    }

    pub(crate) fn is_bind(&self) -> bool {
        self.options.bind.is_some()
    }

    pub(crate) fn kind(&self) -> &str {
        self.spec.typ().as_deref().unwrap_or_default()
    }

    /// Shall the mount wear an id map, and those below it?
    pub(crate) fn id_map(&self) -> Option<Recursive> {
        let maps = self.spec.uid_mappings().is_some() || self.spec.gid_mappings().is_some();
        self.options.id_map.or(maps.then_some(Recursive::No))
    }

    /// Where the source of a bind mount is: relative paths start at the bundle.
    pub(crate) fn source(&self, bundle: &Path) -> PathBuf {
        bundle.join(self.spec.source().as_deref().unwrap_or(Path::new("")))
    }

    /// Opens the source of a bind mount as a detached tree.
    pub(crate) fn open_tree(&mut self, bundle: &Path) -> Result<(), Failure> {
        let Some(recursive) = self.options.bind else {
            return Ok(());
        };
        let source = self.source(bundle);
        if self.tree.is_some() || (self.options.copy_symlink && source.is_symlink()) {
            return Ok(());
        }
        let recursive = recursive == Recursive::Yes;
        let tree = match self.options.source_nofollow {
            false => sys::mount::clone_tree(rustix::fs::CWD, &source, recursive),
            true => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                rustix::fs::open(&source, flags, Mode::empty())
                    .map_err(io::Error::from)
                    .and_then(|fd| sys::mount::clone_tree(fd, Path::new(""), recursive))
            }
        };
        self.tree = Some(tree.at(Step::Mount, source.display())?);
        Ok(())
    }
}

/// Makes all mounts in order.
pub(crate) fn make_all(layout: &mut Layout<'_>, mounts: Vec<Prepared<'_>>) -> Result<(), Failure> {
    for mount in mounts {
        make(layout, mount)?;
    }
    Ok(())
}

fn make(layout: &mut Layout<'_>, mut mount: Prepared<'_>) -> Result<(), Failure> {
    let destination = Path::new("/").join(mount.spec.destination());
    let name = destination.display();
    if mount.options.copy_symlink && mount.tree.is_none() && mount.is_bind() {
        return copy_link(layout, &mount, &destination);
    }
    if mount.is_bind() {
        let tree = mount.tree.take();
        let tree = tree.ok_or_else(|| Failure::said(Step::Mount, &name, "no source"))?;
        let target = target_for(&layout.root, &destination, &mount, &tree)?;
        shape(&tree, &mount.options, Place::Bind).at(Step::Mount, &name)?;
        return attach(&tree, &target).at(Step::Mount, &name);
    }
    if matches!(mount.kind(), "cgroup" | "cgroup2") {
        layout.wait_for_cgroups()?;
        let target = folder(&layout.root, &destination, &mount)?;
        return cgroups::mount(layout, &mount.options, &target).at(Step::Mount, &name);
    }
    let target = folder(&layout.root, &destination, &mount)?;
    let tree = filesystem(layout, &mount).at(Step::Mount, format!("{} on {name}", mount.kind()))?;
    if mount.options.copy_up {
        super::copy_up::copy(&target, &tree).at(Step::Mount, &name)?;
    }
    shape(&tree, &mount.options, Place::Own).at(Step::Mount, &name)?;
    attach(&tree, &target).at(Step::Mount, &name)?;
    layout.remember(mount.kind(), &destination, &mount.options, tree);
    Ok(())
}

fn filesystem(layout: &Layout<'_>, mount: &Prepared<'_>) -> io::Result<OwnedFd> {
    let result = configure(mount, &[]);
    match result {
        // A group that the user namespace does not know.
        Err(error) if mount.kind() == "devpts" && is(&error, rustix::io::Errno::INVAL) => {
            configure(mount, &["gid"])
        }
        // Without a network namespace of its own, or below another sysfs, it is the host's.
        Err(error) if layout.in_user_namespace && is(&error, rustix::io::Errno::PERM) => {
            match mount.kind() {
                "sysfs" => sys::mount::clone_tree(rustix::fs::CWD, Path::new("/sys"), true),
                "mqueue" => {
                    sys::mount::clone_tree(rustix::fs::CWD, Path::new("/dev/mqueue"), false)
                }
                "proc" => sys::mount::clone_tree(rustix::fs::CWD, Path::new("/proc"), true),
                _ => Err(error),
            }
        }
        other => other,
    }
}

fn is(error: &io::Error, errno: rustix::io::Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

fn configure(mount: &Prepared<'_>, without: &[&str]) -> io::Result<OwnedFd> {
    let filesystem = Filesystem::open(mount.kind())?;
    if let Some(source) = mount.spec.source() {
        filesystem.string("source", source.as_path())?;
    }
    for flag in &mount.options.flags {
        filesystem.flag(flag)?;
    }
    for (key, value) in &mount.options.data {
        match value {
            _ if without.contains(&key.as_str()) => {}
            Some(value) => filesystem.string(key, value.as_str())?,
            None => filesystem.flag(key)?,
        }
    }
    filesystem.mount(mount.options.own.set - Attr::MOUNT_ATTR_RDONLY)
}

/// Whether a tree is of the host or was made for the container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Bind,
    Own,
}

/// Sets attributes and propagation while the tree is still detached. A filesystem of the
/// container's own becomes read-only only at the end: others may have to be mounted in it.
fn shape(tree: &OwnedFd, options: &Options, place: Place) -> io::Result<()> {
    let mut own = options.own;
    if place == Place::Own {
        own.set.remove(Attr::MOUNT_ATTR_RDONLY);
    }
    if place == Place::Bind {
        let cuts_off = Attributes {
            propagation: Some(MountPropagationFlags::PRIVATE),
            recursive: true,
            ..Attributes::default()
        };
        if options.propagation.is_empty() {
            set_attributes(tree, &cuts_off)?;
        }
        if !own.is_none() {
            set_attributes(tree, &attributes(own, false))?;
        }
    }
    if !options.recursive.is_none() {
        set_attributes(tree, &attributes(options.recursive, true))?;
    }
    for (kind, recursive) in &options.propagation {
        let change = Attributes {
            propagation: Some(*kind),
            recursive: *recursive == Recursive::Yes,
            ..Attributes::default()
        };
        set_attributes(tree, &change)?;
    }
    Ok(())
}

pub(crate) fn attributes(change: Change, recursive: bool) -> Attributes<'static> {
    Attributes {
        set: Some(change.set),
        clear: Some(change.clear),
        recursive,
        ..Attributes::default()
    }
}

/// Opens the place of a bind mount, making a folder or an empty file if there is none.
fn target_for(
    root: &RootDir,
    path: &Path,
    mount: &Prepared<'_>,
    tree: &OwnedFd,
) -> Result<OwnedFd, Failure> {
    let kind = rustix::fs::fstat(tree)
        .at(Step::Mount, path.display())?
        .st_mode;
    match FileType::from_raw_mode(kind) {
        FileType::Directory => folder(root, path, mount),
        _ => file(root, path, mount).at(Step::Mount, path.display()),
    }
}

fn folder(root: &RootDir, path: &Path, mount: &Prepared<'_>) -> Result<OwnedFd, Failure> {
    // What the rest of the set-up writes to must be where it seems to be.
    let strict = matches!(mount.kind(), "proc" | "sysfs") || mount.options.target_nofollow;
    if strict {
        let flags = OFlags::PATH | OFlags::NOFOLLOW;
        if let Ok(found) = root.open_at(path, flags, Mode::empty()) {
            let mode = rustix::fs::fstat(&found)
                .at(Step::Mount, path.display())?
                .st_mode;
            if FileType::from_raw_mode(mode) == FileType::Symlink {
                let cause = "the target is a symbolic link";
                return Err(Failure::said(Step::Mount, path.display(), cause));
            }
        }
    }
    let made = root.create_dir_all(path, 0o755);
    made.map(OwnedFd::from).at(Step::Mount, path.display())
}

fn file(root: &RootDir, path: &Path, mount: &Prepared<'_>) -> io::Result<OwnedFd> {
    let mut flags = OFlags::PATH;
    flags.set(
        OFlags::NOFOLLOW,
        mount.options.target_nofollow || mount.options.source_nofollow,
    );
    match root.open_at(path, flags, Mode::empty()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    root.create_dir_all(parent, 0o755)?;
    let create = OFlags::CREATE | OFlags::WRONLY | OFlags::NOFOLLOW;
    match root.open_at(path, create, Mode::from_raw_mode(0o644)) {
        // A link to a file that does not exist: made where it points to, beneath the root.
        Err(error) if is(&error, rustix::io::Errno::LOOP) && !flags.contains(OFlags::NOFOLLOW) => {
            let create = OFlags::CREATE | OFlags::WRONLY;
            root.open_at(path, create, Mode::from_raw_mode(0o644))?;
        }
        other => drop(other?),
    }
    root.open_at(path, flags, Mode::empty())
}

fn copy_link(layout: &Layout<'_>, mount: &Prepared<'_>, destination: &Path) -> Result<(), Failure> {
    let name = destination.display();
    let target = std::fs::read_link(mount.source(layout.bundle)).at(Step::Mount, &name)?;
    let parent = destination.parent().unwrap_or(Path::new("/"));
    let dir = layout
        .root
        .create_dir_all(parent, 0o755)
        .at(Step::Mount, &name)?;
    let last = destination.file_name().unwrap_or_default();
    match rustix::fs::symlinkat(&target, dir.as_fd(), last) {
        Err(rustix::io::Errno::EXIST) => {
            let found = dir.read_link(last).at(Step::Mount, &name)?;
            match found == target {
                true => Ok(()),
                false => Err(Failure::said(
                    Step::Mount,
                    &name,
                    "another link is there already",
                )),
            }
        }
        other => other.at(Step::Mount, &name),
    }
}
