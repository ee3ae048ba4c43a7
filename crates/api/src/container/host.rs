//! What a container may use and see of the host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::go;

/// What a container may use and see of the host, limits included. Keys that no field has are
/// kept in [`HostConfig::unknown`], so that a server can refuse those that carry a value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct HostConfig {
    /// `-v`: `source:target[:options]`.
    pub binds: Option<Vec<String>>,
    /// File that the client writes the id to; the server does not use it.
    #[serde(rename = "ContainerIDFile")]
    pub container_id_file: String,
    /// Where output goes.
    #[serde(deserialize_with = "go::null_as_default")]
    pub log_config: LogConfig,
    /// Where the network comes from.
    pub network_mode: String,
    /// Published ports by `port/protocol`.
    #[serde(deserialize_with = "go::null_as_default")]
    pub port_bindings: BTreeMap<String, Option<Vec<PortBinding>>>,
    /// What happens when the process ends.
    #[serde(deserialize_with = "go::null_as_default")]
    pub restart_policy: RestartPolicy,
    /// Remove the container when its process ends.
    pub auto_remove: bool,
    /// Driver of volumes that come by `-v`.
    pub volume_driver: String,
    /// Containers whose mounts are taken over.
    pub volumes_from: Option<Vec<String>>,
    /// Size of the terminal at the start: rows, columns.
    #[serde(deserialize_with = "go::null_as_default")]
    pub console_size: [u16; 2],
    /// OCI annotations.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub annotations: BTreeMap<String, String>,
    /// Capabilities added.
    #[serde(deserialize_with = "go::words")]
    pub cap_add: Option<Vec<String>>,
    /// Capabilities taken away.
    #[serde(deserialize_with = "go::words")]
    pub cap_drop: Option<Vec<String>>,
    /// `host` or `private`.
    pub cgroupns_mode: String,
    /// Name servers.
    #[serde(deserialize_with = "go::null_as_default")]
    pub dns: Vec<String>,
    /// Resolver options.
    #[serde(deserialize_with = "go::null_as_default")]
    pub dns_options: Vec<String>,
    /// Search domains.
    #[serde(deserialize_with = "go::null_as_default")]
    pub dns_search: Vec<String>,
    /// `name:address`.
    pub extra_hosts: Option<Vec<String>>,
    /// Supplementary groups.
    pub group_add: Option<Vec<String>>,
    /// Inter-process communication.
    pub ipc_mode: String,
    /// Windows.
    pub cgroup: String,
    /// `--link`.
    pub links: Option<Vec<String>>,
    /// -1000 to 1000.
    pub oom_score_adj: i32,
    /// Process ids.
    pub pid_mode: String,
    /// Everything is allowed.
    pub privileged: bool,
    /// `-P`.
    pub publish_all_ports: bool,
    /// The root file system is read-only.
    pub readonly_rootfs: bool,
    /// `--security-opt`.
    pub security_opt: Option<Vec<String>>,
    /// Options of the storage driver.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub storage_opt: BTreeMap<String, String>,
    /// `--tmpfs`: options by target.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub tmpfs: BTreeMap<String, String>,
    /// Host name.
    #[serde(rename = "UTSMode")]
    pub uts_mode: String,
    /// User namespace.
    pub userns_mode: String,
    /// Bytes of `/dev/shm`.
    pub shm_size: i64,
    /// Kernel settings.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub sysctls: BTreeMap<String, String>,
    /// Name of the OCI runtime.
    pub runtime: String,
    /// Windows.
    pub isolation: String,
    /// Weight on the processors.
    pub cpu_shares: i64,
    /// Bytes of memory.
    pub memory: i64,
    /// Billionths of a processor.
    pub nano_cpus: i64,
    /// Parent of the control group.
    pub cgroup_parent: String,
    /// Weight of block I/O.
    pub blkio_weight: u16,
    /// Weights by device.
    pub blkio_weight_device: Option<Vec<Value>>,
    /// Limits by device.
    pub blkio_device_read_bps: Option<Vec<Value>>,
    /// Limits by device.
    pub blkio_device_write_bps: Option<Vec<Value>>,
    /// Limits by device.
    #[serde(rename = "BlkioDeviceReadIOps")]
    pub blkio_device_read_iops: Option<Vec<Value>>,
    /// Limits by device.
    #[serde(rename = "BlkioDeviceWriteIOps")]
    pub blkio_device_write_iops: Option<Vec<Value>>,
    /// Microseconds of a period.
    pub cpu_period: i64,
    /// Microseconds that it may run in a period.
    pub cpu_quota: i64,
    /// Microseconds of a real-time period.
    pub cpu_realtime_period: i64,
    /// Microseconds that it may run in it.
    pub cpu_realtime_runtime: i64,
    /// Processors.
    pub cpuset_cpus: String,
    /// Memory nodes.
    pub cpuset_mems: String,
    /// Devices of the host.
    #[serde(deserialize_with = "go::null_as_default")]
    pub devices: Vec<DeviceMapping>,
    /// `c 1:3 rwm`.
    pub device_cgroup_rules: Option<Vec<String>>,
    /// `--gpus` and the like.
    pub device_requests: Option<Vec<Value>>,
    /// Bytes of memory that are not reclaimed first.
    pub memory_reservation: i64,
    /// Bytes of memory and swap; -1 for no limit.
    pub memory_swap: i64,
    /// 0 to 100.
    pub memory_swappiness: Option<i64>,
    /// Do not kill when memory runs out.
    pub oom_kill_disable: Option<bool>,
    /// A tiny init as process 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    /// Number of processes; 0 or -1 for no limit.
    pub pids_limit: Option<i64>,
    /// Limits of processes.
    #[serde(deserialize_with = "go::null_as_default")]
    pub ulimits: Vec<Ulimit>,
    /// Windows.
    pub cpu_count: i64,
    /// Windows.
    pub cpu_percent: i64,
    /// Windows.
    #[serde(rename = "IOMaximumIOps")]
    pub io_maximum_iops: u64,
    /// Windows.
    #[serde(rename = "IOMaximumBandwidth")]
    pub io_maximum_bandwidth: u64,
    /// `--mount`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub mounts: Vec<Mount>,
    /// Paths that look empty; `null` for the default ones, `[]` for none.
    pub masked_paths: Option<Vec<String>>,
    /// Paths that are read-only; `null` for the default ones, `[]` for none.
    pub readonly_paths: Option<Vec<String>>,
    /// What no field has.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Value>,
}

/// Where output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    /// Driver; empty for the default one.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Its options.
    #[serde(deserialize_with = "go::null_as_default")]
    pub config: BTreeMap<String, String>,
}

/// Where a port is published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortBinding {
    /// Address on the host.
    pub host_ip: String,
    /// Port on the host; empty for any.
    pub host_port: String,
}

/// What happens when the process ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    /// `no`, `always`, `on-failure`, `unless-stopped`.
    pub name: String,
    /// How often, for `on-failure`.
    pub maximum_retry_count: i64,
}

/// A device of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeviceMapping {
    /// Path on the host.
    pub path_on_host: String,
    /// Path in the container.
    pub path_in_container: String,
    /// Of `r`, `w` and `m`.
    pub cgroup_permissions: String,
}

/// A limit of processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ulimit {
    /// `nofile`, `nproc`, …
    pub name: String,
    /// How far a process may raise it; -1 for no limit.
    pub hard: i64,
    /// What it starts with; -1 for no limit.
    pub soft: i64,
}

/// `--mount`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`; also `image`, `npipe`, `cluster`.
    #[serde(rename = "Type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Path of the host or name of a volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Path in the container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// No writing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Only for some platforms.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consistency: String,
    /// For a path of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_options: Option<BindOptions>,
    /// For a volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_options: Option<VolumeOptions>,
    /// For an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_options: Option<Value>,
    /// For memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<TmpfsOptions>,
}

/// Options of a mount of a path of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct BindOptions {
    /// `rprivate`, `rslave`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// Without the mounts below.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub non_recursive: bool,
    /// Make a missing path as a folder.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_mountpoint: bool,
    /// Mounts below stay writable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only_non_recursive: bool,
    /// Fail where mounts below cannot be made read-only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only_force_recursive: bool,
}

/// Options of a mount of a volume.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeOptions {
    /// Do not copy what the image has there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_copy: bool,
    /// Labels of a volume that is made for it.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub labels: BTreeMap<String, String>,
    /// A folder in the volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
    /// Driver and its options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_config: Option<Value>,
}

/// Options of memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TmpfsOptions {
    /// Bytes.
    #[serde(skip_serializing_if = "go::is_zero")]
    pub size_bytes: i64,
    /// Permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Further options, each a list of one or two words.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub options: Vec<Vec<String>>,
}
