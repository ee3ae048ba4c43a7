//! Facts about the engine and its host.

use std::path::PathBuf;

use crate::Error;
use crate::builds::CacheRecord;
use crate::containers::Container;
use crate::images::Image;
use crate::volumes::Volume;

/// Facts about the engine and its host.
#[derive(Debug, Clone)]
pub struct System {}

/// Facts for `info` and `version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// Identifier of the data root, made with it.
    pub id: String,
    /// How many containers run, are paused, are stopped.
    pub containers: ContainerCounts,
    /// How many images.
    pub images: usize,
    /// The data root.
    pub root: PathBuf,
    /// Of the host.
    pub hostname: String,
    /// `uname -r`.
    pub kernel_version: String,
    /// `PRETTY_NAME` of the host's `os-release`.
    pub operating_system: String,
    /// `VERSION_ID` of the same.
    pub os_version: String,
    /// `uname -m`.
    pub architecture: String,
    /// Processors.
    pub cpus: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// 1 or 2.
    pub cgroup_version: u8,
    /// Which limits the host can set.
    pub limits: Limits,
    /// `net.ipv4.ip_forward`.
    pub ip_forward: bool,
    /// Open file descriptors of the engine.
    pub file_descriptors: usize,
    /// Followers of the events.
    pub event_listeners: usize,
    /// File system under the data root.
    pub backing_filesystem: String,
    /// System call filters work.
    pub seccomp: bool,
    /// AppArmor is there.
    pub apparmor: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// How many containers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContainerCounts {
    /// Of any state.
    pub total: usize,
    /// Running.
    pub running: usize,
    /// Paused.
    pub paused: usize,
    /// Neither.
    pub stopped: usize,
}

/// Which limits the host can set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a list of facts")]
pub struct Limits {
    /// Memory.
    pub memory: bool,
    /// Swap.
    pub swap: bool,
    /// Share of the processors.
    pub cpu_cfs: bool,
    /// Weight on the processors.
    pub cpu_shares: bool,
    /// Choice of processors.
    pub cpuset: bool,
    /// Number of processes.
    pub pids: bool,
    /// The out-of-memory killer can be turned off.
    pub oom_kill_disable: bool,
}

/// Who uses how much of the disk.
#[derive(Debug, Clone)]
pub struct DiskUsage {
    /// Bytes of all layers, each counted once.
    pub layers_size: u64,
    /// Images.
    pub images: Vec<Image>,
    /// Containers, with sizes.
    pub containers: Vec<Container>,
    /// Volumes, with sizes.
    pub volumes: Vec<Volume>,
    /// The build cache.
    pub cache: Vec<CacheRecord>,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl System {
    /// Facts for `info`.
    pub async fn info(&self) -> Result<Info, Error> {
        todo!()
    }

    /// `uname -r`, for `version`.
    pub fn kernel_version(&self) -> String {
        todo!()
    }

    /// Who uses how much of the disk.
    pub async fn disk_usage(&self) -> Result<DiskUsage, Error> {
        todo!()
    }
}
