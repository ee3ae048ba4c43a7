//! Containers: `/containers/…`.

mod config;
mod host;
mod inspect;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::go;
use crate::network::EndpointSettings;

pub use config::Config;
pub use host::{
    BindOptions, DeviceMapping, HostConfig, LogConfig, Mount, PortBinding, RestartPolicy,
    TmpfsOptions, Ulimit, VolumeOptions,
};
pub use inspect::{GraphDriver, Inspect, MountPoint, NetworkSettings, State};

/// Body of `POST /containers/create`: a [`Config`] with two more keys beside its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateRequest {
    /// What runs.
    #[serde(flatten)]
    pub config: Config,
    /// What it may use of the host.
    #[serde(rename = "HostConfig", deserialize_with = "go::null_as_default")]
    pub host_config: HostConfig,
    /// Places in networks.
    #[serde(rename = "NetworkingConfig", deserialize_with = "go::null_as_default")]
    pub networking_config: NetworkingConfig,
}

/// Places in networks that a new container gets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkingConfig {
    /// By name of the network.
    #[serde(deserialize_with = "go::null_as_default")]
    pub endpoints_config: BTreeMap<String, Option<EndpointSettings>>,
}

/// Answer to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Created {
    /// Identifier of the container.
    pub id: String,
    /// What the user should know.
    #[serde(default, deserialize_with = "go::null_as_default")]
    pub warnings: Vec<String>,
}

/// A row of `GET /containers/json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Summary {
    /// Identifier.
    pub id: String,
    /// Names, each with a slash in front.
    #[serde(deserialize_with = "go::null_as_default")]
    pub names: Vec<String>,
    /// Image as it was named.
    pub image: String,
    /// Image by id.
    #[serde(rename = "ImageID")]
    pub image_id: String,
    /// What runs, as one line.
    pub command: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Published ports.
    #[serde(deserialize_with = "go::null_as_default")]
    pub ports: Vec<Port>,
    /// Bytes in the writable layer.
    #[serde(skip_serializing_if = "go::is_zero")]
    pub size_rw: i64,
    /// Bytes in all layers.
    #[serde(rename = "SizeRootFs", skip_serializing_if = "go::is_zero")]
    pub size_root_fs: i64,
    /// Labels.
    #[serde(deserialize_with = "go::null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// `created`, `running`, `paused`, `exited`, `dead`, …
    pub state: String,
    /// For people: `Up 3 minutes`, `Exited (1) 2 hours ago`.
    pub status: String,
    /// A part of the host configuration.
    pub host_config: SummaryHostConfig,
    /// Places in networks.
    pub network_settings: SummaryNetworkSettings,
    /// What is mounted.
    #[serde(deserialize_with = "go::null_as_default")]
    pub mounts: Vec<MountPoint>,
}

/// A published or exposed port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Port {
    /// Address on the host.
    #[serde(rename = "IP", skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// In the container.
    pub private_port: u16,
    /// On the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    #[serde(rename = "Type")]
    pub kind: String,
}

/// Host configuration in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SummaryHostConfig {
    /// Where the network comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub network_mode: String,
    /// OCI annotations.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub annotations: BTreeMap<String, String>,
}

/// Networks in a row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SummaryNetworkSettings {
    /// By name of the network.
    #[serde(deserialize_with = "go::null_as_default")]
    pub networks: BTreeMap<String, EndpointSettings>,
}

/// Answer to `POST /containers/{id}/wait`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WaitResponse {
    /// Exit code.
    pub status_code: i64,
    /// Why it could not be waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<WaitError>,
}

/// Why a container could not be waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WaitError {
    /// One sentence.
    pub message: String,
}

/// Answer to `GET /containers/{id}/top`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Top {
    /// Rows.
    pub processes: Vec<Vec<String>>,
    /// Heads of columns.
    pub titles: Vec<String>,
}

/// An entry of `GET /containers/{id}/changes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Change {
    /// 0 modified, 1 added, 2 deleted.
    pub kind: u8,
    /// Absolute path in the container.
    pub path: String,
}

/// Facts of a path in a container: the header `X-Docker-Container-Path-Stat`, in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PathStat {
    /// Last component.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Go's bits for type and permissions: see [`PathStat::GO_DIR`] and its neighbours.
    pub mode: u32,
    /// RFC 3339.
    pub mtime: String,
    /// What it points to, for a symbolic link.
    #[serde(rename = "linkTarget")]
    pub link_target: String,
}

impl PathStat {
    /// The header's name.
    pub const HEADER: &'static str = "X-Docker-Container-Path-Stat";
    /// Go's bit for a folder.
    pub const GO_DIR: u32 = 1 << 31;
    /// Go's bit for a symbolic link.
    pub const GO_SYMLINK: u32 = 1 << 27;

    /// Is it a folder?
    pub fn is_dir(&self) -> bool {
        self.mode & Self::GO_DIR != 0
    }

    /// Is it a symbolic link?
    pub fn is_symlink(&self) -> bool {
        self.mode & Self::GO_SYMLINK != 0
    }
}
