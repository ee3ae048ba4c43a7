//! What runs in a container, independent of the host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::go;
use crate::{Empty, HealthCheck};

/// What runs in a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct Config {
    /// Host name.
    pub hostname: String,
    /// NIS domain name.
    pub domainname: String,
    /// `user[:group]`.
    pub user: String,
    /// The client attaches to standard input.
    pub attach_stdin: bool,
    /// The client attaches to standard output.
    pub attach_stdout: bool,
    /// The client attaches to standard error.
    pub attach_stderr: bool,
    /// `port/protocol`.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "go::null_as_default"
    )]
    pub exposed_ports: BTreeMap<String, Empty>,
    /// A terminal.
    pub tty: bool,
    /// Keep standard input open.
    pub open_stdin: bool,
    /// Close standard input when the first client goes.
    pub stdin_once: bool,
    /// `KEY=value`.
    pub env: Option<Vec<String>>,
    /// Command, or arguments of the entrypoint.
    #[serde(deserialize_with = "go::words")]
    pub cmd: Option<Vec<String>>,
    /// How to tell whether it is healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<HealthCheck>,
    /// Windows: the command is escaped already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub args_escaped: bool,
    /// Image as it was named.
    pub image: String,
    /// Folders that get a volume.
    pub volumes: Option<BTreeMap<String, Empty>>,
    /// Where it starts.
    pub working_dir: String,
    /// What always runs.
    #[serde(deserialize_with = "go::words")]
    pub entrypoint: Option<Vec<String>>,
    /// No network.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub network_disabled: bool,
    /// Hardware address; gone in 1.44.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac_address: String,
    /// Instructions for the build of a child image.
    pub on_build: Option<Vec<String>>,
    /// Labels.
    #[serde(deserialize_with = "go::null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// Signal that asks it to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Seconds to wait after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// Shell of the shell forms.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "go::words"
    )]
    pub shell: Option<Vec<String>>,
}
