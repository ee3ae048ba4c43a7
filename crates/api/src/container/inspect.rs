//! Answer to `GET /containers/{id}/json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Config, HostConfig, PortBinding};
use crate::go;
use crate::network::EndpointSettings;

/// Everything about a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Inspect {
    /// Identifier.
    pub id: String,
    /// RFC 3339.
    pub created: String,
    /// Program.
    pub path: String,
    /// Its arguments.
    #[serde(deserialize_with = "go::null_as_default")]
    pub args: Vec<String>,
    /// Where it stands.
    pub state: State,
    /// Image by id.
    pub image: String,
    /// File on the host.
    pub resolv_conf_path: String,
    /// File on the host.
    pub hostname_path: String,
    /// File on the host.
    pub hosts_path: String,
    /// File on the host.
    pub log_path: String,
    /// With a slash in front.
    pub name: String,
    /// How often it was restarted by its policy.
    pub restart_count: i64,
    /// Storage driver.
    pub driver: String,
    /// Operating system.
    pub platform: String,
    /// SELinux.
    pub mount_label: String,
    /// SELinux.
    pub process_label: String,
    /// AppArmor.
    pub app_armor_profile: String,
    /// Identifiers of execs.
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Option<Vec<String>>,
    /// What it may use of the host.
    pub host_config: HostConfig,
    /// Storage.
    pub graph_driver: GraphDriver,
    /// Bytes in the writable layer, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_rw: Option<i64>,
    /// Bytes in all layers, where they were asked for.
    #[serde(rename = "SizeRootFs", skip_serializing_if = "Option::is_none")]
    pub size_root_fs: Option<i64>,
    /// What is mounted.
    #[serde(deserialize_with = "go::null_as_default")]
    pub mounts: Vec<MountPoint>,
    /// What runs.
    pub config: Config,
    /// Networks.
    pub network_settings: NetworkSettings,
}

/// Where a container stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct State {
    /// One word.
    pub status: String,
    /// It runs, paused or not.
    pub running: bool,
    /// It is frozen.
    pub paused: bool,
    /// It waits for its next start.
    pub restarting: bool,
    /// The kernel killed a process for want of memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// It could not be taken away wholly.
    pub dead: bool,
    /// First process; 0 for none.
    pub pid: i64,
    /// Of the last run.
    pub exit_code: i64,
    /// Why the last start failed.
    pub error: String,
    /// RFC 3339; year 1 for never.
    pub started_at: String,
    /// RFC 3339; year 1 for never.
    pub finished_at: String,
    /// What the probes say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Value>,
}

/// Storage of a container or image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GraphDriver {
    /// Folders.
    pub data: Option<BTreeMap<String, String>>,
    /// Driver.
    pub name: String,
}

/// What is mounted where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MountPoint {
    /// `bind`, `volume` or `tmpfs`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Name of the volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// On the host.
    pub source: String,
    /// In the container.
    pub destination: String,
    /// Driver of the volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// Options as they were said.
    pub mode: String,
    /// Writable.
    #[serde(rename = "RW")]
    pub rw: bool,
    /// Which later mounts are seen.
    pub propagation: String,
}

/// Networks of a container. The fields from `bridge` on describe its place in the default bridge;
/// they are gone in 1.52.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    /// Always empty.
    pub bridge: String,
    /// Identifier of the network namespace.
    #[serde(rename = "SandboxID")]
    pub sandbox_id: String,
    /// Path of the network namespace.
    pub sandbox_key: String,
    /// Published and exposed ports by `port/protocol`.
    #[serde(deserialize_with = "go::null_as_default")]
    pub ports: BTreeMap<String, Option<Vec<PortBinding>>>,
    /// Always false.
    #[serde(rename = "HairpinMode")]
    pub hairpin_mode: bool,
    /// Always empty.
    #[serde(rename = "LinkLocalIPv6Address")]
    pub link_local_ipv6_address: String,
    /// Always 0.
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    pub link_local_ipv6_prefix_len: i64,
    /// Always empty.
    #[serde(rename = "SecondaryIPAddresses")]
    pub secondary_ip_addresses: Option<Vec<Value>>,
    /// Always empty.
    #[serde(rename = "SecondaryIPv6Addresses")]
    pub secondary_ipv6_addresses: Option<Vec<Value>>,
    /// Of the place in the default bridge.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// Address of the host there.
    pub gateway: String,
    /// IPv6.
    #[serde(rename = "GlobalIPv6Address")]
    pub global_ipv6_address: String,
    /// IPv6.
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub global_ipv6_prefix_len: i64,
    /// Address.
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    /// Length of its prefix.
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_len: i64,
    /// IPv6.
    #[serde(rename = "IPv6Gateway")]
    pub ipv6_gateway: String,
    /// Hardware address.
    pub mac_address: String,
    /// By name of the network.
    #[serde(deserialize_with = "go::null_as_default")]
    pub networks: BTreeMap<String, EndpointSettings>,
}
