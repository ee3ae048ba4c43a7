//! What a container sees unless something else was said: Docker's defaults, which images rely on.

use oci::runtime::{LinuxDeviceCgroup, LinuxDeviceType, Mount};

/// Bytes of `/dev/shm`.
pub(crate) const SHM_SIZE: u64 = 64 << 20;

/// Hidden from the container.
pub(crate) const MASKED_PATHS: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Visible and not writable.
pub(crate) const READONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// How the standard mounts of a container differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MountChoice {
    /// Everything writable.
    pub(crate) privileged: bool,
    /// Mount queue and shared memory of an own IPC namespace.
    pub(crate) own_ipc: bool,
    /// Show control groups.
    pub(crate) cgroup: bool,
    /// Bytes of `/dev/shm`.
    pub(crate) shm_size: u64,
}

/// The standard mounts, in order.
pub(crate) fn mounts(choice: MountChoice) -> Vec<Mount> {
    let access = if choice.privileged { "rw" } else { "ro" };
    let strict = ["nosuid", "noexec", "nodev"];
    let mut list = vec![
        mount("/proc", "proc", "proc", &strict),
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        ),
        mount("/sys", "sysfs", "sysfs", &[&strict[..], &[access]].concat()),
    ];
    if choice.cgroup {
        list.push(mount(
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &[&strict[..], &[access]].concat(),
        ));
    }
    if choice.own_ipc {
        let size = format!("size={}", choice.shm_size);
        list.push(mount("/dev/mqueue", "mqueue", "mqueue", &strict));
        list.push(mount(
            "/dev/shm",
            "tmpfs",
            "shm",
            &[&strict[..], &["mode=1777", &size]].concat(),
        ));
    }
    list
}

/// A mount from its four parts.
pub(crate) fn mount(target: &str, kind: &str, source: &str, options: &[&str]) -> Mount {
    let mut mount = Mount::default();
    mount
        .set_destination(target.into())
        .set_typ(Some(kind.to_owned()))
        .set_source(Some(source.into()))
        .set_options(Some(
            options.iter().map(|&option| option.to_owned()).collect(),
        ));
    mount
}

/// Nothing but a few character devices.
pub(crate) fn device_rules() -> Vec<LinuxDeviceCgroup> {
    let character = Some(LinuxDeviceType::C);
    let mut rules = vec![device_rule(false, None, (None, None), "rwm")];
    for (major, minor) in [(1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)] {
        rules.push(device_rule(
            true,
            character,
            (Some(major), Some(minor)),
            "rwm",
        ));
    }
    // /dev/fuse opens a way into the kernel that few containers need.
    rules.push(device_rule(false, character, (Some(10), Some(229)), "rwm"));
    rules
}

/// A rule; `None` stands for any.
pub(crate) fn device_rule(
    allow: bool,
    kind: Option<LinuxDeviceType>,
    (major, minor): (Option<i64>, Option<i64>),
    access: &str,
) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(allow)
        .set_typ(kind)
        .set_major(major)
        .set_minor(minor)
        .set_access(Some(access.to_owned()));
    rule
}
