//! Facts about the engine and its host.

use std::fs;
use std::path::{Path, PathBuf};

use store::{FsckOptions, Problem, Store};

use crate::blocking::blocking;
use crate::builds::{Builds, CacheRecord};
use crate::containers::{Container, Containers, ListOptions};
use crate::host::Host;
use crate::images::{Image, ImageListOptions, Images};
use crate::layout::Layout;
use crate::volumes::{Volume, Volumes};
use crate::{Error, Filters, Id};

const KIND: &str = "engine";
const KEY: &str = "id";

/// Facts about the engine and its host.
#[derive(Clone)]
pub struct System {
    store: Store,
    layout: Layout,
    host: Host,
    containers: Containers,
    images: Images,
    volumes: Volumes,
    builds: Builds,
}

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
    /// Bytes of all layers of images, each counted once.
    pub layers_size: u64,
    /// Images, each with the bytes that it shares with others.
    pub images: Vec<(Image, u64)>,
    /// Containers, with sizes.
    pub containers: Vec<Container>,
    /// Volumes, with sizes.
    pub volumes: Vec<Volume>,
    /// The build cache.
    pub cache: Vec<CacheRecord>,
    /// Bytes that only the build cache keeps.
    pub cache_size: u64,
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("System")
    }
}

/// The services whose facts are summed up here.
pub(crate) struct Services {
    pub(crate) containers: Containers,
    pub(crate) images: Images,
    pub(crate) volumes: Volumes,
    pub(crate) builds: Builds,
}

impl System {
    pub(crate) fn new(services: Services) -> Self {
        let parts = &services.containers.0;
        Self {
            store: parts.store.clone(),
            layout: parts.layout.clone(),
            host: parts.host.clone(),
            containers: services.containers.clone(),
            images: services.images,
            volumes: services.volumes,
            builds: services.builds,
        }
    }

    /// `uname -r`, for `version`.
    pub fn kernel_version(&self) -> String {
        rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned()
    }

    /// Facts for `info`.
    pub async fn info(&self) -> Result<Info, Error> {
        let counts = self.containers.count().await?;
        let count = |state: &str| counts.get(state).copied().unwrap_or(0);
        let total = counts.values().sum();
        let containers = ContainerCounts {
            total,
            running: count("running"),
            paused: count("paused"),
            stopped: total - count("running") - count("paused"),
        };
        let this = self.clone();
        blocking(move || this.facts(containers)).await
    }

    fn facts(&self, containers: ContainerCounts) -> Result<Info, Error> {
        let uname = rustix::system::uname();
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        Ok(Info {
            id: self.id()?,
            containers,
            images: self.store.read(|tx| tx.images())?.len(),
            root: self.layout.root().to_owned(),
            hostname: self.host.hostname(),
            kernel_version: self.kernel_version(),
            operating_system: os_release(&release, "PRETTY_NAME"),
            os_version: os_release(&release, "VERSION_ID"),
            architecture: uname.machine().to_string_lossy().into_owned(),
            cpus: self.host.cpus,
            memory: memory_total(),
            cgroup_version: if self.host.cgroup_v2 { 2 } else { 1 },
            limits: limits(self.host.cgroup_v2),
            ip_forward: fs::read("/proc/sys/net/ipv4/ip_forward")
                .is_ok_and(|text| text.starts_with(b"1")),
            file_descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            event_listeners: self.containers.0.events.listeners(),
            backing_filesystem: filesystem(self.layout.root()),
            seccomp: Path::new("/proc/sys/kernel/seccomp").exists(),
            apparmor: self.host.apparmor,
            warnings: Vec::new(),
        })
    }

    /// The identifier of the data root, made on first use.
    fn id(&self) -> Result<String, Error> {
        if let Some(known) = self.store.read(|tx| tx.document(KIND, KEY))? {
            return Ok(known.body);
        }
        let document = store::Document {
            key: KEY.to_owned(),
            version: 1,
            body: Id::random()?.to_string(),
        };
        self.store.write(|tx| tx.put_document(KIND, &document))?;
        Ok(document.body)
    }

    /// Compares what the database says with what is on the disk; with `digests` all content is
    /// read. An empty list means that all is well.
    pub async fn fsck(&self, digests: bool) -> Result<Vec<Problem>, Error> {
        let store = self.store.clone();
        blocking(move || Ok(store.fsck(&FsckOptions { digests })?)).await
    }

    /// Who uses how much of the disk.
    pub async fn disk_usage(&self) -> Result<DiskUsage, Error> {
        let store = self.store.clone();
        let usage = blocking(move || Ok(store.usage()?)).await?;
        let images = self.images.list(ImageListOptions {
            all: true,
            ..ImageListOptions::default()
        });
        let shared = |image: &Image| {
            let own = usage.images.iter().find(|usage| usage.id == image.id);
            own.map_or(0, |own| own.shared)
        };
        Ok(DiskUsage {
            layers_size: usage.layers,
            images: images
                .await?
                .into_iter()
                .map(|image| {
                    let bytes = shared(&image);
                    (image, bytes)
                })
                .collect(),
            containers: self
                .containers
                .list(ListOptions {
                    all: true,
                    size: true,
                    ..ListOptions::default()
                })
                .await?,
            volumes: self.volumes.list(Filters::default(), true).await?,
            cache: self.builds.cache().await?,
            cache_size: usage.build_cache,
        })
    }
}

fn os_release(text: &str, key: &str) -> String {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or("Linux").trim_matches('"').to_owned()
}

fn memory_total() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn limits(v2: bool) -> Limits {
    let controllers = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let has = |name: &str| match v2 {
        true => controllers
            .split_ascii_whitespace()
            .any(|word| word == name),
        false => Path::new("/sys/fs/cgroup").join(name).is_dir(),
    };
    let file = |path: &str| v2 || Path::new("/sys/fs/cgroup").join(path).exists();
    Limits {
        memory: has("memory"),
        swap: has("memory") && file("memory/memory.memsw.limit_in_bytes"),
        cpu_cfs: has("cpu") && file("cpu/cpu.cfs_quota_us"),
        cpu_shares: has("cpu"),
        cpuset: has("cpuset"),
        pids: has("pids"),
        oom_kill_disable: !v2 && has("memory"),
    }
}

/// Names of file systems by the number that the kernel gives them.
fn filesystem(root: &Path) -> String {
    let kind = rustix::fs::statfs(root).map(|facts| facts.f_type);
    match kind.unwrap_or_default() {
        0xef53 => "extfs",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x0102_1994 => "tmpfs",
        0x2fc1_2fc1 => "zfs",
        0x794c_7630 => "overlayfs",
        _ => "<unknown>",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_values() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_ID=12\n";
        assert_eq!(os_release(text, "PRETTY_NAME"), "Debian GNU/Linux 12");
        assert_eq!(os_release(text, "VERSION_ID"), "12");
        assert_eq!(os_release("", "VERSION_ID"), "Linux");
    }
}
