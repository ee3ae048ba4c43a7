//! What Docker gives a container unless told otherwise, as an OCI config to start from.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use oci::runtime::{
    Capability, Linux, LinuxCapabilities, LinuxDeviceCgroup, LinuxDeviceType, LinuxNamespace,
    LinuxNamespaceType, LinuxResources, Mount, Process, Root, Spec,
};

/// The search path of containers.
pub const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The fourteen capabilities of an ordinary container.
pub const CAPABILITIES: [Capability; 14] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fsetid,
    Capability::Fowner,
    Capability::Mknod,
    Capability::NetRaw,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setfcap,
    Capability::Setpcap,
    Capability::NetBindService,
    Capability::SysChroot,
    Capability::Kill,
    Capability::AuditWrite,
];

/// Paths that are hidden, those per processor (see [`masked_paths`]) not included.
pub const MASKED_PATHS: [&str; 12] = [
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

/// Paths that cannot be written to.
pub const READONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Character devices that may be used: major and minor number.
const DEVICES: [(i64, i64); 6] = [(1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)];

/// All hidden paths on this machine: besides the fixed ones the thermal state of each processor.
pub fn masked_paths() -> Vec<String> {
    let mut paths: Vec<_> = MASKED_PATHS.map(str::to_owned).to_vec();
    let cpus = std::fs::read_dir("/sys/devices/system/cpu");
    let mut thermal: Vec<_> = cpus
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path().join("thermal_throttle");
            path.is_dir().then(|| path.to_string_lossy().into_owned())
        })
        .collect();
    thermal.sort();
    paths.extend(thermal);
    paths
}

/// The sets of a process that may have `capabilities`: bounding, permitted and effective.
pub fn capability_sets(capabilities: &HashSet<Capability>) -> LinuxCapabilities {
    let mut sets = LinuxCapabilities::default();
    let all = || Some(capabilities.clone());
    sets.set_bounding(all())
        .set_permitted(all())
        .set_effective(all());
    sets.set_inheritable(None).set_ambient(None);
    sets
}

/// The mounts of an ordinary container; `/dev/shm` has `shm_size` bytes.
pub fn mounts(shm_size: u64) -> Vec<Mount> {
    let shm = format!("size={shm_size}");
    [
        ("/proc", "proc", vec!["nosuid", "noexec", "nodev"]),
        (
            "/dev",
            "tmpfs",
            vec!["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        (
            "/dev/pts",
            "devpts",
            vec![
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        ),
        ("/sys", "sysfs", vec!["nosuid", "noexec", "nodev", "ro"]),
        (
            "/sys/fs/cgroup",
            "cgroup",
            vec!["ro", "nosuid", "noexec", "nodev"],
        ),
        ("/dev/mqueue", "mqueue", vec!["nosuid", "noexec", "nodev"]),
        (
            "/dev/shm",
            "tmpfs",
            vec!["nosuid", "noexec", "nodev", "mode=1777", shm.as_str()],
        ),
    ]
    .into_iter()
    .map(|(target, kind, options)| mount(target, kind, &options))
    .collect()
}

fn mount(target: &str, kind: &str, options: &[&str]) -> Mount {
    let source = match target {
        "/dev/shm" => "shm",
        _ => kind,
    };
    let mut mount = Mount::default();
    mount
        .set_destination(PathBuf::from(target))
        .set_typ(Some(kind.to_owned()))
        .set_source(Some(PathBuf::from(source)))
        .set_options(Some(
            options.iter().map(|option| (*option).to_owned()).collect(),
        ));
    mount
}

/// A bind mount of `source` with what is below it.
pub fn bind(source: &Path, target: &Path, read_only: bool) -> Mount {
    let mut options = vec!["rbind".to_owned(), "rprivate".to_owned()];
    options.push(if read_only { "ro" } else { "rw" }.to_owned());
    let mut mount = Mount::default();
    mount
        .set_destination(target.to_owned())
        .set_typ(Some("bind".to_owned()))
        .set_source(Some(source.to_owned()))
        .set_options(Some(options));
    mount
}

/// Rules of the device control group: what an ordinary container may use. Making any node is
/// allowed, using it is not.
pub fn device_rules() -> Vec<LinuxDeviceCgroup> {
    let rule = |allow, kind, major, minor, access: &str| {
        let mut rule = LinuxDeviceCgroup::default();
        rule.set_allow(allow)
            .set_typ(Some(kind))
            .set_major(major)
            .set_minor(minor)
            .set_access(Some(access.to_owned()));
        rule
    };
    let mut rules = vec![rule(false, LinuxDeviceType::A, None, None, "rwm")];
    for (major, minor) in DEVICES {
        rules.push(rule(
            true,
            LinuxDeviceType::C,
            Some(major),
            Some(minor),
            "rwm",
        ));
    }
    rules.push(rule(false, LinuxDeviceType::C, Some(10), Some(229), "rwm"));
    rules
}

/// The rule that allows all devices, for privileged containers.
pub fn all_devices() -> Vec<LinuxDeviceCgroup> {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(true)
        .set_typ(Some(LinuxDeviceType::A))
        .set_access(Some("rwm".to_owned()));
    vec![rule]
}

/// Mount, network, name, process and IPC namespaces of its own. The cgroup namespace is left out:
/// it depends on the host's hierarchy and the caller's wish.
pub fn namespaces() -> Vec<LinuxNamespace> {
    [
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Network,
        LinuxNamespaceType::Uts,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Ipc,
    ]
    .into_iter()
    .map(|kind| {
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind).set_path(None);
        namespace
    })
    .collect()
}

/// The config of an ordinary container that runs `sh`, with its root in `rootfs`.
pub fn spec() -> Spec {
    const SHM_SIZE: u64 = 64 << 20;
    let mut process = Process::default();
    process
        .set_terminal(Some(false))
        .set_args(Some(vec!["sh".to_owned()]))
        .set_env(Some(vec![PATH.to_owned(), "TERM=xterm".to_owned()]))
        .set_cwd(PathBuf::from("/"))
        .set_capabilities(Some(capability_sets(&CAPABILITIES.into())))
        .set_no_new_privileges(None)
        .set_rlimits(None);
    let mut resources = LinuxResources::default();
    resources.set_devices(Some(device_rules()));
    let mut linux = Linux::default();
    linux
        .set_namespaces(Some(namespaces()))
        .set_resources(Some(resources))
        .set_masked_paths(Some(masked_paths()))
        .set_readonly_paths(Some(READONLY_PATHS.map(str::to_owned).to_vec()));
    let mut root = Root::default();
    root.set_path(PathBuf::from("rootfs"))
        .set_readonly(Some(false));
    let mut spec = Spec::default();
    spec.set_version("1.2.0".to_owned())
        .set_hostname(None)
        .set_root(Some(root))
        .set_mounts(Some(mounts(SHM_SIZE)))
        .set_process(Some(process))
        .set_annotations(None)
        .set_linux(Some(linux));
    spec
}
