//! Mounts that the shim makes for its container: in detached mounts and a mount namespace of its
//! own, so that nothing is left of them when it dies.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use oci::runtime::{Mount, MountBuilder, Spec};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::mount::{MountPropagationFlags, mount_change};
use sys::process::Namespaces;

use super::Failed;
use crate::protocol::TreePlace;
use crate::{Config, Overlay};

/// Mounts an overlay, attached nowhere.
pub(super) fn overlay(overlay: &Overlay, action: &'static str) -> Result<OwnedFd, Failed> {
    let mount = sys::mount::Overlay {
        lower: overlay.lower.clone(),
        upper: overlay.upper.clone(),
        volatile: overlay.volatile,
    };
    // An overlay of one folder and nothing to write to is no overlay to the kernel: bind it.
    let made = match (&overlay.upper, overlay.lower.as_slice()) {
        (None, [only]) => sys::mount::clone_tree(CWD, only, false),
        _ => mount.mount(),
    };
    made.map_err(|error| Failed::io(action, &error))
}

/// Attaches trees in a mount namespace of the shim's own and adds them to the spec.
pub(super) fn add(
    config: &Config,
    trees: &[(TreePlace, OwnedFd)],
    spec: &mut Spec,
) -> Result<(), Failed> {
    let private = sys::process::unshare(Namespaces::MOUNT).and_then(|()| {
        let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
        Ok(mount_change("/", slave)?)
    });
    private.map_err(|error| Failed::io("make a mount namespace", &error))?;
    let mut mounts = spec.mounts().clone().unwrap_or_default();
    for (number, (wanted, tree)) in trees.iter().enumerate() {
        let place = config.dir.join("mounts").join(number.to_string());
        attach_at(tree, &place).map_err(|error| Failed::io("mount a part of a stage", &error))?;
        mounts.push(bind(&wanted.destination, place, wanted.read_only)?);
    }
    spec.set_mounts(Some(mounts));
    Ok(())
}

fn bind(destination: &Path, source: PathBuf, read_only: bool) -> Result<Mount, Failed> {
    let mode = if read_only { "ro" } else { "rw" };
    MountBuilder::default()
        .destination(destination)
        .source(source)
        .typ("bind")
        .options(["rbind", "rprivate", mode].map(str::to_owned))
        .build()
        .map_err(|error| Failed::invalid(error.to_string()))
}

/// Attaches a mount to a new place of its own kind: folder on folder, file on file.
fn attach_at(mount: &OwnedFd, place: &Path) -> io::Result<()> {
    let is_folder = FileType::from_raw_mode(rustix::fs::fstat(mount)?.st_mode).is_dir();
    let parent = place.parent().unwrap_or(place);
    fs::create_dir_all(if is_folder { place } else { parent })?;
    if !is_folder {
        fs::File::create(place)?;
    }
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let target = rustix::fs::open(place, flags, Mode::empty())?;
    sys::mount::attach(mount, &target)
}
