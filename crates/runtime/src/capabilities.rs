//! The five capability sets of a process.

use std::collections::HashSet;

use oci::runtime::{Capability, LinuxCapabilities};
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::error::{At, Failure, Step};

/// All capabilities in the order of their numbers, with their names.
const ALL: &[(Capability, &str)] = &[
    (Capability::Chown, "CAP_CHOWN"),
    (Capability::DacOverride, "CAP_DAC_OVERRIDE"),
    (Capability::DacReadSearch, "CAP_DAC_READ_SEARCH"),
    (Capability::Fowner, "CAP_FOWNER"),
    (Capability::Fsetid, "CAP_FSETID"),
    (Capability::Kill, "CAP_KILL"),
    (Capability::Setgid, "CAP_SETGID"),
    (Capability::Setuid, "CAP_SETUID"),
    (Capability::Setpcap, "CAP_SETPCAP"),
    (Capability::LinuxImmutable, "CAP_LINUX_IMMUTABLE"),
    (Capability::NetBindService, "CAP_NET_BIND_SERVICE"),
    (Capability::NetBroadcast, "CAP_NET_BROADCAST"),
    (Capability::NetAdmin, "CAP_NET_ADMIN"),
    (Capability::NetRaw, "CAP_NET_RAW"),
    (Capability::IpcLock, "CAP_IPC_LOCK"),
    (Capability::IpcOwner, "CAP_IPC_OWNER"),
    (Capability::SysModule, "CAP_SYS_MODULE"),
    (Capability::SysRawio, "CAP_SYS_RAWIO"),
    (Capability::SysChroot, "CAP_SYS_CHROOT"),
    (Capability::SysPtrace, "CAP_SYS_PTRACE"),
    (Capability::SysPacct, "CAP_SYS_PACCT"),
    (Capability::SysAdmin, "CAP_SYS_ADMIN"),
    (Capability::SysBoot, "CAP_SYS_BOOT"),
    (Capability::SysNice, "CAP_SYS_NICE"),
    (Capability::SysResource, "CAP_SYS_RESOURCE"),
    (Capability::SysTime, "CAP_SYS_TIME"),
    (Capability::SysTtyConfig, "CAP_SYS_TTY_CONFIG"),
    (Capability::Mknod, "CAP_MKNOD"),
    (Capability::Lease, "CAP_LEASE"),
    (Capability::AuditWrite, "CAP_AUDIT_WRITE"),
    (Capability::AuditControl, "CAP_AUDIT_CONTROL"),
    (Capability::Setfcap, "CAP_SETFCAP"),
    (Capability::MacOverride, "CAP_MAC_OVERRIDE"),
    (Capability::MacAdmin, "CAP_MAC_ADMIN"),
    (Capability::Syslog, "CAP_SYSLOG"),
    (Capability::WakeAlarm, "CAP_WAKE_ALARM"),
    (Capability::BlockSuspend, "CAP_BLOCK_SUSPEND"),
    (Capability::AuditRead, "CAP_AUDIT_READ"),
    (Capability::Perfmon, "CAP_PERFMON"),
    (Capability::Bpf, "CAP_BPF"),
    (Capability::CheckpointRestore, "CAP_CHECKPOINT_RESTORE"),
];

/// The names of all capabilities, `CAP_CHOWN` first, in the kernel's order.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(_, name)| *name)
}

/// All capabilities that the runtime knows.
pub fn all() -> HashSet<Capability> {
    ALL.iter().map(|(capability, _)| *capability).collect()
}

/// The name of one.
pub fn name(capability: Capability) -> &'static str {
    let found = ALL.iter().find(|(known, _)| *known == capability);
    found.map_or("", |(_, name)| *name)
}

fn bits(set: Option<&HashSet<Capability>>) -> CapabilitySet {
    let mut bits = CapabilitySet::empty();
    for (number, (capability, _)) in ALL.iter().enumerate() {
        if set.is_some_and(|set| set.contains(capability)) {
            bits |= CapabilitySet::from_bits_retain(1 << number);
        }
    }
    bits
}

/// The sets in the kernel's form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sets {
    bounding: CapabilitySet,
    process: CapabilitySets,
    ambient: CapabilitySet,
}

impl Sets {
    /// Those of the spec. A capability that this process itself cannot have (its own bounding set
    /// lacks it) is left out: nobody could give it.
    pub(crate) fn new(spec: Option<&LinuxCapabilities>) -> Result<Self, Failure> {
        let own = rustix::thread::capabilities(None).at(Step::Capabilities, "own")?;
        let of = |set: Option<&Option<HashSet<Capability>>>| bits(set.and_then(Option::as_ref));
        let permitted = of(spec.map(LinuxCapabilities::permitted)) & own.permitted;
        Ok(Self {
            bounding: of(spec.map(LinuxCapabilities::bounding)),
            process: CapabilitySets {
                effective: of(spec.map(LinuxCapabilities::effective)) & permitted,
                permitted,
                inheritable: of(spec.map(LinuxCapabilities::inheritable)) & own.permitted,
            },
            ambient: of(spec.map(LinuxCapabilities::ambient)),
        })
    }

    /// Limits what programs can ever get, while the process may still do so.
    pub(crate) fn bound(&self) -> Result<(), Failure> {
        for (number, (_, name)) in ALL.iter().enumerate() {
            let one = CapabilitySet::from_bits_retain(1 << number);
            if self.bounding.contains(one) {
                continue;
            }
            match rustix::thread::remove_capability_from_bounding_set(one) {
                // Older kernels know fewer.
                Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                Err(error) => return Err(error).at(Step::Capabilities, name),
            }
        }
        Ok(())
    }

    /// The sets, and besides what the last steps before `execve` need.
    pub(crate) fn apply_with(&self, besides: CapabilitySet) -> Result<(), Failure> {
        let sets = CapabilitySets {
            effective: self.process.effective | besides,
            permitted: self.process.permitted | besides,
            inheritable: self.process.inheritable,
        };
        rustix::thread::set_capabilities(None, sets).at(Step::Capabilities, "sets")
    }

    /// The sets for good, with the ambient one.
    pub(crate) fn apply(&self) -> Result<(), Failure> {
        self.apply_with(CapabilitySet::empty())?;
        for (number, (_, name)) in ALL.iter().enumerate() {
            let one = CapabilitySet::from_bits_retain(1 << number);
            // The kernel wants an ambient capability to be permitted and inheritable.
            let possible = self.process.permitted & self.process.inheritable;
            if self.ambient.contains(one) && possible.contains(one) {
                rustix::thread::configure_capability_in_ambient_set(one, true)
                    .at(Step::Capabilities, name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_kernels() {
        let one = |capability| bits(Some(&HashSet::from([capability])));
        assert_eq!(one(Capability::SysAdmin), CapabilitySet::SYS_ADMIN);
        assert_eq!(one(Capability::AuditWrite), CapabilitySet::AUDIT_WRITE);
        assert_eq!(
            one(Capability::CheckpointRestore),
            CapabilitySet::CHECKPOINT_RESTORE
        );
        assert_eq!(names().count(), 41);
    }
}
