//! What a container may use and see of the host.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Mount;
use crate::Error;

/// Everything about the host's side of a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostOptions {
    /// `-v`, `--mount` and `--tmpfs`, in the order of their saying.
    pub mounts: Vec<Mount>,
    /// Where the network comes from.
    pub network: NetworkMode,
    /// Remove the container when its process ends.
    pub auto_remove: bool,
    /// Every capability, every device, no masks, no filter.
    pub privileged: bool,
    /// The root file system is read-only.
    pub read_only: bool,
    /// A tiny init as process 1.
    pub init: bool,
    /// Capabilities added to the default ones: `ALL`, `NET_ADMIN`, `CAP_NET_ADMIN`.
    pub cap_add: Vec<String>,
    /// Capabilities taken away.
    pub cap_drop: Vec<String>,
    /// `--security-opt`.
    pub security: SecurityOptions,
    /// Limits.
    pub resources: Resources,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
    /// `--device`.
    pub devices: Vec<Device>,
    /// `--device-cgroup-rule`, as `c 1:3 rwm`.
    pub device_cgroup_rules: Vec<String>,
    /// Kernel settings of the container's own namespaces.
    pub sysctls: BTreeMap<String, String>,
    /// Supplementary groups by name or number.
    pub group_add: Vec<String>,
    /// `--add-host`.
    pub extra_hosts: Vec<ExtraHost>,
    /// Name servers instead of the host's.
    pub dns: Vec<IpAddr>,
    /// Resolver options.
    pub dns_options: Vec<String>,
    /// Search domains.
    pub dns_search: Vec<String>,
    /// Inter-process communication.
    pub ipc: Namespace,
    /// Process ids.
    pub pid: Namespace,
    /// Host name.
    pub uts: Namespace,
    /// Control groups.
    pub cgroup: CgroupNamespace,
    /// `--userns host`. There is no other mode yet, so it is only for `inspect`.
    pub userns_host: bool,
    /// Size of `/dev/shm` in bytes; 64 MiB where nothing is said.
    pub shm_size: Option<u64>,
    /// How eager the kernel is to kill it when memory runs out: -1000 to 1000.
    pub oom_score_adj: i32,
    /// Parent of its control group.
    pub cgroup_parent: String,
    /// Where its output goes.
    pub log: LogOptions,
    /// What happens when the process ends.
    pub restart: RestartPolicy,
    /// Masked paths instead of the default ones.
    pub masked_paths: Option<Vec<String>>,
    /// Read-only paths instead of the default ones.
    pub readonly_paths: Option<Vec<String>>,
    /// OCI annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Where a container's network comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkMode {
    /// An address of its own on the default bridge.
    #[default]
    Bridge,
    /// The host's network.
    Host,
    /// A loopback device and nothing else.
    None,
    /// That of another container.
    Container(String),
}

impl NetworkMode {
    /// Reads Docker's words: ``, `default`, `bridge`, `host`, `none`, `container:<name>`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "" | "default" | "bridge" => Ok(Self::Bridge),
            "host" => Ok(Self::Host),
            "none" => Ok(Self::None),
            other => match other.strip_prefix("container:") {
                Some(name) if !name.is_empty() => Ok(Self::Container(name.to_owned())),
                _ => Err(Error::NoSuchNetwork(other.to_owned())),
            },
        }
    }
}

impl std::fmt::Display for NetworkMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bridge => f.write_str("bridge"),
            Self::Host => f.write_str("host"),
            Self::None => f.write_str("none"),
            Self::Container(name) => write!(f, "container:{name}"),
        }
    }
}

/// Whose namespace: the container's own, the host's or another container's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Namespace {
    /// Its own.
    #[default]
    Private,
    /// Its own, and others may join it.
    Shareable,
    /// The host's.
    Host,
    /// That of another container.
    Container(String),
}

impl Namespace {
    /// Reads Docker's words: ``, `private`, `shareable`, `host`, `container:<name>`. `what` is the
    /// option's name, for the error.
    pub fn parse(what: &'static str, text: &str) -> Result<Self, Error> {
        match text {
            "" | "private" => Ok(Self::Private),
            "shareable" => Ok(Self::Shareable),
            "host" => Ok(Self::Host),
            other => match other.strip_prefix("container:") {
                Some(name) if !name.is_empty() => Ok(Self::Container(name.to_owned())),
                _ => Err(Error::invalid(
                    what,
                    text,
                    "expected private, shareable, host or container:<name>",
                )),
            },
        }
    }
}

/// Whose view of the control groups. The default is private on cgroup v2 and the host's on v1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CgroupNamespace {
    /// As the host's version of control groups has it.
    #[default]
    Default,
    /// Its own.
    Private,
    /// The host's.
    Host,
}

/// `--security-opt`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityOptions {
    /// Programs cannot gain privileges.
    pub no_new_privileges: bool,
    /// System call filter.
    pub seccomp: SeccompChoice,
    /// No masked or read-only paths.
    pub unconfined_system_paths: bool,
    /// The options as they were said, for `inspect`.
    pub said: Vec<String>,
}

/// System call filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeccompChoice {
    /// The built-in profile; none for a privileged container.
    #[default]
    Default,
    /// No filter.
    Unconfined,
    /// A profile in Docker's JSON schema.
    Profile(String),
}

/// Limits. `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Bytes of memory and swap together; -1 for no limit; twice the memory where nothing is said.
    pub memory_swap: Option<i64>,
    /// Bytes of memory below which the kernel does not reclaim first.
    pub memory_reservation: Option<u64>,
    /// How eager the kernel is to swap: 0 to 100.
    pub memory_swappiness: Option<u64>,
    /// Do not kill when memory runs out.
    pub oom_kill_disable: bool,
    /// Billionths of a processor.
    pub nano_cpus: Option<u64>,
    /// Relative weight.
    pub cpu_shares: Option<u64>,
    /// Microseconds of a period.
    pub cpu_period: Option<u64>,
    /// Microseconds that it may run in a period.
    pub cpu_quota: Option<i64>,
    /// Processors, as `0-2,7`.
    pub cpuset_cpus: String,
    /// Memory nodes.
    pub cpuset_mems: String,
    /// Number of processes; -1 for no limit.
    pub pids_limit: Option<i64>,
    /// Relative weight of block I/O, 10 to 1000.
    pub blkio_weight: Option<u16>,
}

/// A resource limit of processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// `nofile`, `nproc`, …
    pub name: String,
    /// What processes start with; -1 for no limit.
    pub soft: i64,
    /// How far they may raise it; -1 for no limit.
    pub hard: i64,
}

/// A device of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// On the host.
    pub host_path: PathBuf,
    /// In the container.
    pub container_path: PathBuf,
    /// Of `r`, `w` and `m`.
    pub permissions: String,
}

/// A line of `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraHost {
    /// Name.
    pub name: String,
    /// Address; none stands for `host-gateway`, the host as the container sees it.
    pub address: Option<IpAddr>,
}

/// Where the output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogOptions {
    /// Which kind of log.
    pub driver: LogDriver,
    /// `max-size`: bytes of one file.
    pub max_size: Option<u64>,
    /// `max-file`: how many files.
    pub max_files: Option<u32>,
    /// The options as they were said, for `inspect`.
    pub said: BTreeMap<String, String>,
}

/// Which kind of log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogDriver {
    /// JSON lines.
    #[default]
    JsonFile,
    /// No log.
    None,
}

/// What happens when the process ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartPolicy {
    /// Nothing.
    #[default]
    No,
}

impl RestartPolicy {
    /// Reads Docker's words.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "" | "no" => Ok(Self::No),
            "always" | "on-failure" | "unless-stopped" => Err(Error::Unsupported {
                option: format!("--restart {text}"),
                way_out: "use --restart no",
            }),
            _ => Err(Error::invalid(
                "restart policy",
                text,
                "expected no, always, on-failure or unless-stopped",
            )),
        }
    }
}
