//! The engine: `/_ping`, `/version`, `/info`, `/system/df`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::build::CacheRecord;
use crate::go;
use crate::{container, image, volume};

/// Answer to `GET /version`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Version {
    /// Product.
    pub platform: Platform,
    /// Parts and their versions.
    #[serde(deserialize_with = "go::null_as_default")]
    pub components: Vec<Component>,
    /// Of the engine.
    pub version: String,
    /// Newest of the API.
    pub api_version: String,
    /// Oldest of the API.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// Commit of the source.
    pub git_commit: String,
    /// Compiler.
    pub go_version: String,
    /// Operating system.
    pub os: String,
    /// Processor, in Go's word.
    pub arch: String,
    /// `uname -r`.
    pub kernel_version: String,
    /// Always false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub experimental: bool,
    /// RFC 3339.
    pub build_time: String,
}

/// Product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Platform {
    /// Its name.
    pub name: String,
}

/// A part and its version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Component {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Further facts.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub details: BTreeMap<String, String>,
}

/// Answer to `GET /info`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct Info {
    /// Identifier of the data root.
    #[serde(rename = "ID")]
    pub id: String,
    /// How many containers.
    pub containers: usize,
    /// That run.
    pub containers_running: usize,
    /// That are paused.
    pub containers_paused: usize,
    /// That are stopped.
    pub containers_stopped: usize,
    /// How many images.
    pub images: usize,
    /// Storage driver.
    pub driver: String,
    /// Facts about it, in pairs.
    pub driver_status: Vec<[String; 2]>,
    /// Kinds of plugins.
    pub plugins: Plugins,
    /// Memory can be limited.
    pub memory_limit: bool,
    /// Swap can be limited.
    pub swap_limit: bool,
    /// Processors can be limited.
    pub cpu_cfs_period: bool,
    /// Processors can be limited.
    pub cpu_cfs_quota: bool,
    /// Processors can be weighted.
    #[serde(rename = "CPUShares")]
    pub cpu_shares: bool,
    /// Processors can be chosen.
    #[serde(rename = "CPUSet")]
    pub cpu_set: bool,
    /// Processes can be limited.
    pub pids_limit: bool,
    /// Forwarding is on.
    #[serde(rename = "IPv4Forwarding")]
    pub ipv4_forwarding: bool,
    /// Debug mode.
    pub debug: bool,
    /// Open file descriptors.
    #[serde(rename = "NFd")]
    pub n_fd: usize,
    /// The out-of-memory killer can be turned off.
    pub oom_kill_disable: bool,
    /// Tasks.
    #[serde(rename = "NGoroutines")]
    pub n_goroutines: usize,
    /// RFC 3339.
    pub system_time: String,
    /// Default log driver.
    pub logging_driver: String,
    /// Who makes control groups.
    pub cgroup_driver: String,
    /// `1` or `2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cgroup_version: String,
    /// Followers of events.
    #[serde(rename = "NEventsListener")]
    pub n_events_listener: usize,
    /// `uname -r`.
    pub kernel_version: String,
    /// Name of the host's operating system.
    pub operating_system: String,
    /// Version of it.
    #[serde(rename = "OSVersion")]
    pub os_version: String,
    /// `linux`.
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// `uname -m`.
    pub architecture: String,
    /// Default registry.
    pub index_server_address: String,
    /// Registries.
    pub registry_config: Option<Value>,
    /// Processors.
    #[serde(rename = "NCPU")]
    pub n_cpu: usize,
    /// Bytes.
    pub mem_total: u64,
    /// Swarm.
    pub generic_resources: Option<Vec<Value>>,
    /// Data root.
    pub docker_root_dir: String,
    /// Proxy.
    pub http_proxy: String,
    /// Proxy.
    pub https_proxy: String,
    /// Proxy.
    pub no_proxy: String,
    /// Host name.
    pub name: String,
    /// Labels of the engine.
    #[serde(deserialize_with = "go::null_as_default")]
    pub labels: Vec<String>,
    /// Always false.
    pub experimental_build: bool,
    /// Of the engine.
    pub server_version: String,
    /// OCI runtimes by name.
    pub runtimes: BTreeMap<String, RuntimeInfo>,
    /// Which of them is used.
    pub default_runtime: String,
    /// Swarm.
    pub swarm: Swarm,
    /// Containers survive the engine.
    pub live_restore_enabled: bool,
    /// Windows.
    pub isolation: String,
    /// Name of the init.
    pub init_binary: String,
    /// Part and its commit.
    pub containerd_commit: Commit,
    /// Part and its commit.
    pub runc_commit: Commit,
    /// Part and its commit.
    pub init_commit: Commit,
    /// `name=seccomp,profile=builtin`, …
    #[serde(deserialize_with = "go::null_as_default")]
    pub security_options: Vec<String>,
    /// Product.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub product_license: String,
    /// Ranges of addresses for new networks.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub default_address_pools: Vec<Value>,
    /// Who filters packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_backend: Option<FirewallInfo>,
    /// Folders with device specifications.
    #[serde(rename = "CDISpecDirs", deserialize_with = "go::null_as_default")]
    pub cdi_spec_dirs: Vec<String>,
    /// What the user should know.
    pub warnings: Option<Vec<String>>,
}

/// Who filters packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FirewallInfo {
    /// `nftables`.
    pub driver: String,
}

/// Kinds of plugins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Plugins {
    /// Drivers of volumes.
    pub volume: Vec<String>,
    /// Drivers of networks.
    pub network: Vec<String>,
    /// Authorisers.
    pub authorization: Option<Vec<String>>,
    /// Drivers of logs.
    pub log: Vec<String>,
}

/// An OCI runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuntimeInfo {
    /// Program.
    pub path: String,
}

/// Swarm, which is not there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Swarm {
    /// Of the node.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Of the node.
    pub node_addr: String,
    /// `inactive`.
    pub local_node_state: String,
    /// Always false.
    pub control_available: bool,
    /// What is wrong.
    pub error: String,
    /// Managers.
    pub remote_managers: Option<Vec<Value>>,
}

/// A part and its commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Commit or version.
    #[serde(rename = "ID")]
    pub id: String,
}

/// Answer to `GET /system/df`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DiskUsage {
    /// Bytes of all layers, each counted once.
    pub layers_size: i64,
    /// Images.
    pub images: Option<Vec<image::Summary>>,
    /// Containers, with sizes.
    pub containers: Option<Vec<container::Summary>>,
    /// Volumes, with sizes.
    pub volumes: Option<Vec<volume::Volume>>,
    /// Records of the build cache.
    pub build_cache: Option<Vec<CacheRecord>>,
    /// Bytes of the build cache; gone in 1.42.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder_size: Option<i64>,
}

/// Answer to `POST /auth`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AuthResponse {
    /// For people.
    pub status: String,
    /// Token that stands for the password.
    pub identity_token: String,
}
