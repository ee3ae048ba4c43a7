//! Which capabilities a container's processes may have.

use std::str::FromStr as _;

use oci::runtime::{Capabilities, Capability, LinuxCapabilities};

use crate::Error;
use crate::spec::HostOptions;

/// What every container gets.
const DEFAULT: [Capability; 14] = [
    Capability::AuditWrite,
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Mknod,
    Capability::NetBindService,
    Capability::NetRaw,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysChroot,
];

const ALL: [Capability; 41] = [
    Capability::AuditControl,
    Capability::AuditRead,
    Capability::AuditWrite,
    Capability::BlockSuspend,
    Capability::Bpf,
    Capability::CheckpointRestore,
    Capability::Chown,
    Capability::DacOverride,
    Capability::DacReadSearch,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::IpcLock,
    Capability::IpcOwner,
    Capability::Kill,
    Capability::Lease,
    Capability::LinuxImmutable,
    Capability::MacAdmin,
    Capability::MacOverride,
    Capability::Mknod,
    Capability::NetAdmin,
    Capability::NetBindService,
    Capability::NetBroadcast,
    Capability::NetRaw,
    Capability::Perfmon,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysAdmin,
    Capability::SysBoot,
    Capability::SysChroot,
    Capability::SysModule,
    Capability::SysNice,
    Capability::SysPacct,
    Capability::SysPtrace,
    Capability::SysRawio,
    Capability::SysResource,
    Capability::SysTime,
    Capability::SysTtyConfig,
    Capability::Syslog,
    Capability::WakeAlarm,
];

/// The bounding set: defaults, additions and removals, in Docker's order of precedence. `ALL` in
/// one list is overruled by names in the other.
pub(crate) fn bounding(host: &HostOptions) -> Result<Capabilities, Error> {
    let (add_all, add) = parse("capability to add", &host.cap_add)?;
    let (drop_all, drop) = parse("capability to drop", &host.cap_drop)?;
    if host.privileged {
        return Ok(ALL.into_iter().collect());
    }
    let start: &[Capability] = match (add_all, drop_all) {
        (true, _) => &ALL,
        (false, true) => &[],
        (false, false) => &DEFAULT,
    };
    // With both, what is dropped by name goes and what is added by name stays.
    let mut set: Capabilities = start.iter().copied().collect();
    set.retain(|capability| !drop.contains(capability));
    set.extend(add);
    Ok(set)
}

/// The five sets of a process. A process of another user than root gets none but by the programs
/// that it runs.
pub(crate) fn process(bounding: &Capabilities, uid: u32) -> LinuxCapabilities {
    let own = match uid {
        0 => bounding.clone(),
        _ => Capabilities::new(),
    };
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(Some(bounding.clone()))
        .set_effective(Some(own.clone()))
        .set_permitted(Some(own))
        .set_inheritable(Some(Capabilities::new()))
        .set_ambient(Some(Capabilities::new()));
    sets
}

fn parse(what: &'static str, names: &[String]) -> Result<(bool, Vec<Capability>), Error> {
    let mut list = Vec::new();
    let mut all = false;
    for name in names {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        match bare {
            "ALL" => all = true,
            bare => list.push(Capability::from_str(bare).map_err(|_| {
                Error::invalid(what, name, "expected a name such as NET_ADMIN, or ALL")
            })?),
        }
    }
    Ok((all, list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(add: &[&str], drop: &[&str]) -> Result<Capabilities, Error> {
        let strings = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
        bounding(&HostOptions {
            cap_add: strings(add),
            cap_drop: strings(drop),
            ..HostOptions::default()
        })
    }

    #[test]
    fn adds_and_drops() {
        assert_eq!(set(&[], &[]).unwrap().len(), DEFAULT.len());
        assert_eq!(set(&["ALL"], &[]).unwrap().len(), ALL.len());
        assert_eq!(
            set(&["all"], &["cap_net_raw"]).unwrap().len(),
            ALL.len() - 1
        );
        assert_eq!(set(&["SYS_ADMIN"], &["ALL"]).unwrap().len(), 1);
        assert_eq!(
            set(&["NET_RAW"], &["CHOWN"]).unwrap().len(),
            DEFAULT.len() - 1
        );
        assert!(set(&["WHAT"], &[]).is_err());
    }

    #[test]
    fn all_is_complete() {
        assert!(DEFAULT.iter().all(|capability| ALL.contains(capability)));
        for capability in ALL {
            assert_eq!(
                Capability::from_str(&capability.to_string()).unwrap(),
                capability
            );
        }
    }

    #[test]
    fn other_users_have_none_of_their_own() {
        let sets = process(&set(&[], &[]).unwrap(), 1000);
        assert!(sets.effective().as_ref().unwrap().is_empty());
        assert_eq!(sets.bounding().as_ref().unwrap().len(), DEFAULT.len());
    }
}
