//! Facts about the host that do not change while the engine runs.

use std::path::Path;

/// Facts about the host.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    /// Only cgroup v2 is there. On a hybrid host the controllers are on v1.
    pub(crate) cgroup_v2: bool,
    /// Processors.
    pub(crate) cpus: usize,
    /// AppArmor is enabled in the kernel.
    pub(crate) apparmor: bool,
}

impl Host {
    pub(crate) fn look() -> Self {
        Self {
            cgroup_v2: Path::new("/sys/fs/cgroup/cgroup.controllers").exists(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            apparmor: std::fs::read_to_string("/sys/module/apparmor/parameters/enabled")
                .is_ok_and(|text| text.starts_with('Y')),
        }
    }

    /// The host's name; it may change at any time.
    pub(crate) fn hostname(&self) -> String {
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned()
    }
}
