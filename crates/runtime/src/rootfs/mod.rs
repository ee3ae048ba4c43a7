//! The container's root filesystem, built inside its mount namespace by its first process.
//!
//! Everything happens on descriptors: trees are made detached and attached to places that were
//! resolved beneath the root, nodes are made in open folders, hidden paths are opened once and
//! covered by what the descriptor stands for. So neither an image with odd links nor another
//! container that shares a volume can lead a mount or a write out of the root.

mod cgroups;
mod copy_up;
pub(crate) mod devices;
mod masks;
mod mounts;
pub(crate) mod options;
pub(crate) mod sysctls;

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci::runtime::{Linux, Spec};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountAttrFlags as Attr, MountPropagationFlags, UnmountFlags};
use sys::mount::{Attributes, attach, set_attributes};
use sys::process::Namespaces;
use sys::root::RootDir;

use crate::cgroup::Groups;
use crate::channel::{Channel, Message};
use crate::error::{At, Failure, Step};
use crate::terminal::Terminal;
pub(crate) use mounts::Prepared;
use options::{Change, Options};

/// What the root is made of.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) bundle: &'a Path,
    /// The root as a detached tree, if it was given or opened before; else it is at `path`.
    pub(crate) tree: Option<OwnedFd>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) mounts: Vec<Prepared<'a>>,
    /// Devices of the spec that were made outside of the user namespace, by their paths.
    pub(crate) nodes: Vec<(PathBuf, OwnedFd)>,
    pub(crate) cgroup: &'a Groups,
    pub(crate) namespaces: Namespaces,
    pub(crate) in_user_namespace: bool,
    pub(crate) no_pivot: bool,
}

/// The root while it is being furnished.
pub(crate) struct Layout<'a> {
    root: RootDir,
    root_tree: OwnedFd,
    bundle: &'a Path,
    cgroup: &'a Groups,
    channel: &'a Channel,
    /// The process's id outside, known once it is in its control groups.
    joined: Option<i32>,
    own_cgroup_namespace: bool,
    in_user_namespace: bool,
    proc: Option<OwnedFd>,
    devpts: Option<OwnedFd>,
    nodes: Vec<(PathBuf, OwnedFd)>,
    read_only_later: Vec<(OwnedFd, Change)>,
}

impl Plan<'_> {
    /// Does one of the mounts want its ids mapped?
    pub(crate) fn wears_id_maps(&self) -> bool {
        self.mounts.iter().any(|mount| mount.id_map().is_some())
    }
}

/// Opens the trees of the host that the container will see, while their paths still lead there.
pub(crate) fn open_trees(plan: &mut Plan<'_>) -> Result<(), Failure> {
    if let (None, Some(path)) = (&plan.tree, &plan.path) {
        let tree = sys::mount::clone_tree(rustix::fs::CWD, path, true);
        plan.tree = Some(tree.at(Step::Rootfs, path.display())?);
    }
    plan.mounts
        .iter_mut()
        .try_for_each(|mount| mount.open_tree(plan.bundle))
}

/// Attaches the root and furnishes it; the caller still stands outside.
pub(crate) fn furnish<'a>(
    mut plan: Plan<'a>,
    channel: &'a Channel,
) -> Result<(Layout<'a>, Option<Terminal>), Failure> {
    open_trees(&mut plan)?;
    let (root_tree, root) = attach_root(&mut plan)?;
    let mut layout = Layout {
        root,
        root_tree,
        bundle: plan.bundle,
        cgroup: plan.cgroup,
        channel,
        joined: None,
        own_cgroup_namespace: plan.namespaces.contains(Namespaces::CGROUP),
        in_user_namespace: plan.in_user_namespace,
        proc: None,
        devpts: None,
        nodes: std::mem::take(&mut plan.nodes),
        read_only_later: Vec::new(),
    };
    let host_dev = plan
        .mounts
        .iter()
        .any(|mount| mount.is_bind() && mount.spec.destination().as_path() == Path::new("/dev"));
    mounts::make_all(&mut layout, std::mem::take(&mut plan.mounts))?;
    layout.wait_for_cgroups()?;
    let linux = plan.spec.linux().as_ref();
    let terminal = layout.dev(plan.spec, host_dev)?;
    if let Some(sysctls) = linux.and_then(|linux| linux.sysctl().as_ref()) {
        sysctls::set(layout.proc.as_ref(), sysctls)?;
    }
    if let Some(linux) = linux {
        layout.cover(linux)?;
    }
    layout.make_working_directory(plan.spec);
    layout.close_writes()?;
    Ok((layout, terminal))
}

fn attach_root(plan: &mut Plan<'_>) -> Result<(OwnedFd, RootDir), Failure> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = rustix::fs::open("/", flags, Mode::empty()).at(Step::Rootfs, "/")?;
    let follows = Attributes {
        propagation: Some(MountPropagationFlags::DOWNSTREAM),
        recursive: true,
        ..Attributes::default()
    };
    set_attributes(&top, &follows).at(Step::Rootfs, "/")?;
    let tree = plan.tree.take();
    let tree = tree.ok_or_else(|| Failure::said(Step::Rootfs, "root", "there is none"))?;
    let private = Attributes {
        propagation: Some(MountPropagationFlags::PRIVATE),
        recursive: true,
        ..Attributes::default()
    };
    set_attributes(&tree, &private).at(Step::Rootfs, "propagation")?;
    // Hooks look for the root where the bundle has it. A root without a path, or with one that
    // this user may not walk, goes on top of `/`.
    let place = plan.path.as_ref();
    let place = place.and_then(|path| rustix::fs::open(path, flags, Mode::empty()).ok());
    attach(&tree, place.as_ref().unwrap_or(&top)).at(Step::Rootfs, "attach")?;
    let root = tree.try_clone().at(Step::Rootfs, "root")?;
    Ok((tree, RootDir::from(root)))
}

impl Layout<'_> {
    /// Waits until the parent has put this process into its control groups; only then do their
    /// namespace and their folders mean them.
    fn wait_for_cgroups(&mut self) -> Result<(), Failure> {
        if self.joined.is_some() {
            return Ok(());
        }
        match self.channel.receive().at(Step::Protocol, "joined")? {
            Some(Message::Joined(pid)) => self.joined = Some(pid),
            // The parent has given up.
            None => sys::process::exit(1),
            other => {
                return Err(Failure::said(
                    Step::Protocol,
                    "joined",
                    &format!("got {other:?}"),
                ));
            }
        }
        if self.own_cgroup_namespace {
            sys::process::unshare(Namespaces::CGROUP).at(Step::Namespace, "cgroup")?;
        }
        Ok(())
    }

    /// The process's id outside.
    pub(crate) fn pid(&self) -> i32 {
        self.joined.unwrap_or(0)
    }

    fn remember(&mut self, kind: &str, destination: &Path, options: &Options, tree: OwnedFd) {
        let is_at = |path: &str| destination == Path::new(path);
        let kept = tree.try_clone().ok();
        if kind == "proc" && is_at("/proc") {
            self.proc = kept;
        } else if kind == "devpts" && is_at("/dev/pts") {
            self.devpts = kept;
        }
        if options.own.set.contains(Attr::MOUNT_ATTR_RDONLY) {
            self.read_only_later.push((tree, options.own));
        }
    }

    fn dev(&self, spec: &Spec, host_dev: bool) -> Result<Option<Terminal>, Failure> {
        if !host_dev {
            devices::make(self, spec)?;
        }
        let process = spec.process().as_ref();
        let Some(process) = process.filter(|process| process.terminal() == Some(true)) else {
            return Ok(None);
        };
        let terminal = match &self.devpts {
            Some(devpts) => Terminal::in_devpts(devpts)?,
            None => Terminal::of_host()?,
        };
        terminal.prepare(process)?;
        if !host_dev {
            devices::bind_console(self, &terminal)?;
        }
        Ok(Some(terminal))
    }

    /// While the root can still be written to. If it cannot be made, entering it says why.
    fn make_working_directory(&self, spec: &Spec) {
        if let Some(process) = spec.process() {
            let _ = self.root.create_dir_all(process.cwd(), 0o755);
        }
    }

    fn cover(&self, linux: &Linux) -> Result<(), Failure> {
        for path in linux.readonly_paths().iter().flatten() {
            masks::make_read_only(self, Path::new(path))?;
        }
        let masked = linux.masked_paths().iter().flatten();
        masks::hide(self, masked.map(Path::new))
    }

    fn close_writes(&mut self) -> Result<(), Failure> {
        for (tree, change) in self.read_only_later.drain(..) {
            set_attributes(&tree, &mounts::attributes(change, false))
                .at(Step::ReadOnly, "mount")?;
        }
        Ok(())
    }

    /// Makes the root the caller's `/` and lets go of the old one.
    pub(crate) fn enter(self, spec: &Spec, no_pivot: bool) -> Result<(), Failure> {
        let root = self.root_tree.as_fd();
        rustix::process::fchdir(root).at(Step::Rootfs, "/")?;
        if no_pivot {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let top = rustix::fs::open("/", flags, Mode::empty()).at(Step::Rootfs, "/")?;
            attach(root, &top).at(Step::Rootfs, "move")?;
            rustix::process::chroot(".").at(Step::Rootfs, "chroot")?;
        } else {
            rustix::process::pivot_root(".", ".").at(Step::Rootfs, "pivot")?;
            rustix::mount::unmount(".", UnmountFlags::DETACH).at(Step::Rootfs, "old root")?;
        }
        rustix::process::chdir("/").at(Step::Rootfs, "/")?;
        finish_root(&self.root_tree, spec)
    }
}

/// Propagation and read-only flag of the root, the last things that are done to it.
fn finish_root(root: &OwnedFd, spec: &Spec) -> Result<(), Failure> {
    let linux = spec.linux().as_ref();
    if let Some(word) = linux.and_then(|linux| linux.rootfs_propagation().clone()) {
        for (kind, recursive) in Options::parse(&[word]).propagation {
            let change = Attributes {
                propagation: Some(kind),
                recursive: recursive == options::Recursive::Yes,
                ..Attributes::default()
            };
            set_attributes(root, &change).at(Step::Rootfs, "propagation")?;
        }
    }
    let read_only = spec.root().as_ref().and_then(oci::runtime::Root::readonly);
    if read_only == Some(true) {
        let change = Attributes {
            set: Some(Attr::MOUNT_ATTR_RDONLY),
            ..Attributes::default()
        };
        set_attributes(root, &change).at(Step::ReadOnly, "/")?;
    }
    Ok(())
}
