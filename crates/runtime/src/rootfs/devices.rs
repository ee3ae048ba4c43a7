//! `/dev`: the nodes that every container has, those of the spec, links and the console.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci::runtime::{LinuxDevice, LinuxDeviceType, Spec};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::mount::MountAttrFlags as Attr;
use sys::mount::{Attributes, Filesystem, attach, clone_tree, set_attributes};
use sys::root::Dir;

use super::Layout;
use crate::error::{At, Failure, Step};
use crate::terminal::Terminal;

/// Name, major and minor number of the character devices that every container has.
const NODES: &[(&str, u32, u32)] = &[
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

const LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("core", "/proc/kcore"),
    ("ptmx", "pts/ptmx"),
];

struct Node<'a> {
    path: &'a Path,
    kind: FileType,
    major: u32,
    minor: u32,
    mode: u32,
    owner: (u32, u32),
}

/// Makes nodes and links. What exists already (a bind mount, say) is left alone.
pub(crate) fn make(layout: &Layout<'_>, spec: &Spec) -> Result<(), Failure> {
    let dev = folder_of_devices(layout)?;
    let linux = spec.linux().as_ref();
    let extra = linux.and_then(|linux| linux.devices().as_ref());
    for device in extra.into_iter().flatten() {
        let path = device.path().display();
        let node =
            node_of(device).ok_or_else(|| Failure::said(Step::Device, &path, "no device"))?;
        let name = node.path.strip_prefix("/dev/").unwrap_or(node.path);
        match name.parent() {
            Some(parent) if parent == Path::new("") && node.path.starts_with("/dev") => {
                make_node(layout, &dev, name, &node)
            }
            _ => in_folder(layout, &node),
        }
        .at(Step::Device, &path)?;
    }
    for (name, major, minor) in NODES {
        let node = Node {
            path: &Path::new("/dev").join(name),
            kind: FileType::CharacterDevice,
            major: *major,
            minor: *minor,
            mode: 0o666,
            owner: (0, 0),
        };
        make_node(layout, &dev, Path::new(name), &node).at(Step::Device, name)?;
    }
    for (name, target) in LINKS {
        if *name == "core" && !Path::new(target).exists() {
            continue;
        }
        match rustix::fs::symlinkat(*target, dev.as_fd(), *name) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) if *name == "ptmx" => replace_ptmx(layout, &dev)?,
            Err(rustix::io::Errno::EXIST | rustix::io::Errno::ROFS) => {}
            Err(error) => return Err(error).at(Step::Device, name),
        }
    }
    Ok(())
}

/// `/dev` itself. A link would lead to a folder that is not meant to have devices.
fn folder_of_devices(layout: &Layout<'_>) -> Result<Dir, Failure> {
    match layout.root.read_link(Path::new("/dev")) {
        Ok(_) => Err(Failure::said(Step::Device, "/dev", "it is a symbolic link")),
        Err(_) => layout
            .root
            .create_dir_all("/dev", 0o755)
            .at(Step::Device, "/dev"),
    }
}

/// An image's own `/dev/ptmx` would open the host's terminals.
fn replace_ptmx(layout: &Layout<'_>, dev: &Dir) -> Result<(), Failure> {
    if layout.devpts.is_none() {
        return Ok(());
    }
    let is_link = dev.read_link("ptmx".as_ref()).is_ok();
    if is_link {
        return Ok(());
    }
    rustix::fs::unlinkat(dev.as_fd(), "ptmx", AtFlags::empty()).at(Step::Device, "ptmx")?;
    rustix::fs::symlinkat("pts/ptmx", dev.as_fd(), "ptmx").at(Step::Device, "ptmx")
}

fn node_of(device: &LinuxDevice) -> Option<Node<'_>> {
    let kind = match device.typ() {
        LinuxDeviceType::C | LinuxDeviceType::U => FileType::CharacterDevice,
        LinuxDeviceType::B => FileType::BlockDevice,
        LinuxDeviceType::P => FileType::Fifo,
        LinuxDeviceType::A => return None,
    };
    let number = |number: i64| u32::try_from(number).ok();
    Some(Node {
        path: device.path(),
        kind,
        major: number(device.major())?,
        minor: number(device.minor())?,
        mode: device.file_mode().unwrap_or(0o666),
        owner: (device.uid().unwrap_or(0), device.gid().unwrap_or(0)),
    })
}

fn in_folder(layout: &Layout<'_>, node: &Node<'_>) -> io::Result<()> {
    let parent = node.path.parent().unwrap_or(Path::new("/"));
    let folder = layout.root.create_dir_all(parent, 0o755)?;
    let name = node.path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    make_node(layout, &folder, Path::new(name), node)
}

fn make_node(layout: &Layout<'_>, dir: &Dir, name: &Path, node: &Node<'_>) -> io::Result<()> {
    if layout.in_user_namespace {
        return bind_node(layout, dir, name, node);
    }
    let mode = Mode::from_raw_mode(node.mode & 0o7777);
    let number = rustix::fs::makedev(node.major, node.minor);
    match rustix::fs::mknodat(dir.as_fd(), name, node.kind, mode, number) {
        Ok(()) => {}
        Err(rustix::io::Errno::EXIST) => return Ok(()),
        // Not allowed to make devices: the host's will do.
        Err(rustix::io::Errno::PERM) => return bind_node(layout, dir, name, node),
        Err(error) => return Err(error.into()),
    }
    match node.owner {
        (0, 0) => {}
        (uid, gid) => {
            let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            rustix::fs::chownat(dir.as_fd(), name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        }
    }
    Ok(())
}

/// In a user namespace nodes cannot be made: one that was made before is bound, or the host's.
fn bind_node(layout: &Layout<'_>, dir: &Dir, name: &Path, node: &Node<'_>) -> io::Result<()> {
    let made = layout.nodes.iter().find(|(path, _)| path == node.path);
    let tree = match made {
        Some((_, tree)) => tree.try_clone()?,
        None => host_node(node)?,
    };
    let change = Attributes {
        set: Some(Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NOEXEC),
        ..Attributes::default()
    };
    set_attributes(&tree, &change)?;
    let create = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(dir.as_fd(), name, create, Mode::from_raw_mode(0o666)) {
        Ok(target) => attach(&tree, &target),
        Err(rustix::io::Errno::EXIST) => bind_on_existing(&tree, dir, name, node),
        Err(error) => Err(error.into()),
    }
}

/// An image may have a file where the device belongs; what is the device already stays.
fn bind_on_existing(tree: &OwnedFd, dir: &Dir, name: &Path, node: &Node<'_>) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let target = rustix::fs::openat(dir.as_fd(), name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&target)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => attach(tree, &target),
        kind if kind == node.kind => attach(tree, &target),
        _ => Ok(()),
    }
}

/// A detached bind mount of the host's device, if it is what is asked for.
fn host_node(node: &Node<'_>) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let host = rustix::fs::open(node.path, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&host)?;
    let number = rustix::fs::makedev(node.major, node.minor);
    let is_it = FileType::from_raw_mode(stat.st_mode) == node.kind && stat.st_rdev == number;
    match is_it {
        true => clone_tree(&host, Path::new(""), false),
        false => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the host's device is another one",
        )),
    }
}

/// Makes the spec's devices outside of the user namespace, each as a detached mount of its own on
/// a filesystem that is mounted nowhere. `owner` translates ids to the host's.
pub(crate) fn make_outside(
    spec: &Spec,
    owner: impl Fn(u32, u32) -> (u32, u32),
) -> io::Result<Vec<(PathBuf, OwnedFd)>> {
    let linux = spec.linux().as_ref();
    let devices = linux
        .and_then(|linux| linux.devices().as_deref())
        .unwrap_or(&[]);
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let filesystem = Filesystem::open("tmpfs")?;
    filesystem.string("source", "devices")?;
    let home = filesystem.mount(Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NOEXEC)?;
    let mut nodes = Vec::new();
    for (at, node) in devices.iter().filter_map(node_of).enumerate() {
        let name = at.to_string();
        let mode = Mode::from_raw_mode(node.mode & 0o7777);
        let number = rustix::fs::makedev(node.major, node.minor);
        rustix::fs::mknodat(&home, name.as_str(), node.kind, mode, number)?;
        rustix::fs::chmodat(&home, name.as_str(), mode, AtFlags::empty())?;
        let (uid, gid) = owner(node.owner.0, node.owner.1);
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        rustix::fs::chownat(&home, name.as_str(), uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        nodes.push((
            node.path.to_owned(),
            clone_tree(&home, Path::new(&name), false)?,
        ));
    }
    Ok(nodes)
}

/// Binds the terminal's own side on `/dev/console`, which must be a plain file or node there.
pub(crate) fn bind_console(layout: &Layout<'_>, terminal: &Terminal) -> Result<(), Failure> {
    let bind = || -> io::Result<()> {
        let dev = layout.root.create_dir_all("/dev", 0o755)?;
        let create = OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        match rustix::fs::openat(dir_fd(&dev), "console", create, mode) {
            Ok(_) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target: OwnedFd = rustix::fs::openat(dir_fd(&dev), "console", flags, Mode::empty())?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&target)?.st_mode);
        if !matches!(kind, FileType::RegularFile | FileType::CharacterDevice) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "neither file nor device",
            ));
        }
        attach(clone_tree(terminal.slave(), Path::new(""), false)?, &target)
    };
    bind().at(Step::Terminal, "/dev/console")
}

fn dir_fd(dir: &Dir) -> std::os::fd::BorrowedFd<'_> {
    dir.as_fd()
}
