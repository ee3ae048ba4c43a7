//! Id maps of user namespaces and of mounts.

use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};

use oci::runtime::{LinuxIdMapping, Spec};
use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use sys::mount::{Attributes, set_attributes};
use sys::process::{Namespaces, Parent};

use crate::Error;
use crate::channel::Channel;
use crate::error::During;
use crate::rootfs;
use crate::rootfs::options::Recursive;

fn table(maps: &[LinuxIdMapping]) -> String {
    maps.iter().fold(String::new(), |mut table, map| {
        let _ = writeln!(
            table,
            "{} {} {}",
            map.container_id(),
            map.host_id(),
            map.size()
        );
        table
    })
}

/// Writes the maps of a process that is in a new user namespace. Without privileges only the own
/// ids can be mapped, and more with the help of `newuidmap` and `newgidmap`.
pub(crate) fn write(
    pid: Pid,
    uids: &[LinuxIdMapping],
    gids: &[LinuxIdMapping],
) -> Result<(), Error> {
    if uids.is_empty() || gids.is_empty() {
        return Err(Error::Spec(
            "a new user namespace needs uidMappings and gidMappings".to_owned(),
        ));
    }
    let process = pid.as_raw_nonzero();
    let file = |name: &str| format!("/proc/{process}/{name}");
    let put = |name: &str, value: &str| std::fs::write(file(name), value);
    if let Err(error) = put("gid_map", &table(gids)) {
        // The kernel wants this before it lets an unprivileged process map groups.
        let alone = put("setgroups", "deny").and_then(|()| put("gid_map", &table(gids)));
        if alone.is_err() && !with_program("newgidmap", process.get(), gids) {
            return Err(error).during(|| "write the group id map".to_owned());
        }
    }
    match put("uid_map", &table(uids)) {
        Err(_) if with_program("newuidmap", process.get(), uids) => Ok(()),
        other => other.during(|| "write the user id map".to_owned()),
    }
}

fn with_program(program: &str, pid: i32, maps: &[LinuxIdMapping]) -> bool {
    let numbers = maps
        .iter()
        .flat_map(|map| [map.container_id(), map.host_id(), map.size()]);
    let status = Command::new(program)
        .arg(pid.to_string())
        .args(numbers.map(|number| number.to_string()))
        .stdin(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The host's ids for those of a device's owner in the container.
pub(crate) fn owner_outside(spec: &Spec, uid: u32, gid: u32) -> (u32, u32) {
    let linux = spec.linux().as_ref();
    let map = |maps: Option<&Vec<LinuxIdMapping>>, id: u32| {
        let ranges = maps.into_iter().flatten();
        let ranges = ranges.map(|map| (map.container_id(), map.host_id(), map.size()));
        oci::IdMap::new(ranges)
            .ok()
            .and_then(|map| map.to_host(id))
            .unwrap_or(id)
    };
    (
        map(linux.and_then(|linux| linux.uid_mappings().as_ref()), uid),
        map(linux.and_then(|linux| linux.gid_mappings().as_ref()), gid),
    )
}

/// Puts id maps on the mounts that ask for them; their trees are open.
pub(crate) fn dress(root: &mut rootfs::Plan<'_>) -> Result<(), Error> {
    let linux = root.spec.linux().as_ref();
    for mount in &root.mounts {
        let Some(recursive) = mount.id_map() else {
            continue;
        };
        let Some(tree) = &mount.tree else {
            return Err(Error::Spec(
                "only bind mounts can wear an id map".to_owned(),
            ));
        };
        let containers = linux.map(|linux| (linux.uid_mappings(), linux.gid_mappings()));
        let (uids, gids) = match (
            mount.spec.uid_mappings(),
            mount.spec.gid_mappings(),
            containers,
        ) {
            (Some(uids), Some(gids), _) => (uids, gids),
            (None, None, Some((Some(uids), Some(gids)))) => (uids, gids),
            _ => return Err(Error::Spec("an id-mapped mount needs both maps".to_owned())),
        };
        let namespace = namespace(uids, gids)?;
        let change = Attributes {
            id_map: Some(namespace.as_fd()),
            recursive: recursive == Recursive::Yes,
            ..Attributes::default()
        };
        let name = mount.spec.destination().display();
        set_attributes(tree, &change).during(|| format!("map the ids of {name}"))?;
    }
    Ok(())
}

/// A user namespace with these maps and nobody in it.
fn namespace(uids: &[LinuxIdMapping], gids: &[LinuxIdMapping]) -> Result<OwnedFd, Error> {
    let action = || "make a user namespace for an id map".to_owned();
    let (ours, theirs) = Channel::pair().during(action)?;
    let mut ours = Some(ours);
    let child = sys::process::spawn(Namespaces::USER, Parent::Caller, || {
        drop(ours.take());
        // Stays until it is told, or the parent is gone.
        i32::from(theirs.receive().is_err())
    })
    .during(action)?;
    let open = || {
        write(child.pid, uids, gids)?;
        let path = format!("/proc/{}/ns/user", child.pid.as_raw_nonzero());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).during(action)
    };
    let namespace = open();
    drop(ours);
    rustix::process::waitpid(Some(child.pid), rustix::process::WaitOptions::empty())
        .during(action)?;
    namespace
}
