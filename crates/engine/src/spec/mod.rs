//! What a container is asked to be. The engine's own words: no version of any API is known here.
//!
//! [`CreateOptions`] is what the caller said, and is kept as it was said, for `inspect`.
//! Merged with the image it becomes a [`Process`], which is what runs. Both stand in the
//! container's document, together with a version number.

mod check;
mod document;
mod host;
mod merge;
mod mount;

use std::collections::BTreeMap;
use std::time::Duration;

use oci::{HealthCheck, Platform};
use serde::{Deserialize, Serialize};

pub(crate) use check::check;
pub use document::{Document, Endpoint, MountPoint};
pub use host::{
    CgroupNamespace, Device, ExtraHost, HostOptions, LogDriver, LogOptions, Namespace, NetworkMode,
    Resources, RestartPolicy, SeccompChoice, SecurityOptions, Ulimit,
};
pub use mount::{Bind, Mount, MountSource, Propagation, Said, Tmpfs, VolumeMount};

/// A container that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateOptions {
    /// Its name; one is made up where there is none.
    pub name: Option<String>,
    /// The image by name, id or prefix of an id.
    pub image: String,
    /// Which variant of the image; the host's own where nothing is said.
    pub platform: Option<Platform>,
    /// The process and how one talks to it.
    pub process: ProcessOptions,
    /// What it may use and see of the host.
    pub host: HostOptions,
}

/// What runs. Where a field is empty the image decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessOptions {
    /// What always runs. Setting it drops the image's command. `[""]` clears the image's.
    pub entrypoint: Option<Vec<String>>,
    /// Arguments of the entrypoint, or the command.
    pub cmd: Option<Vec<String>>,
    /// `KEY=value`, or `KEY` to remove what the image sets.
    pub env: Vec<String>,
    /// `user[:group]` by name or number.
    pub user: String,
    /// Where it starts; made if it is missing.
    pub working_dir: String,
    /// Host name; the short id where there is none.
    pub hostname: String,
    /// NIS domain name.
    pub domainname: String,
    /// Labels over those of the image.
    pub labels: BTreeMap<String, String>,
    /// A terminal instead of three pipes.
    pub tty: bool,
    /// Keep stdin open.
    pub open_stdin: bool,
    /// Close stdin when the first attached client goes.
    pub stdin_once: bool,
    /// The client said that it would attach to these; for `inspect`.
    pub attach: Attach,
    /// Size of the terminal at the start: rows, columns.
    pub console_size: Option<(u16, u16)>,
    /// Signal that asks the process to stop, by name or number.
    pub stop_signal: Option<String>,
    /// How long to wait after it; `None` for the default, negative for ever.
    pub stop_timeout: Option<i64>,
    /// How to tell whether it is healthy.
    pub healthcheck: Option<HealthCheck>,
    /// `port/protocol` besides those of the image.
    pub exposed_ports: Vec<String>,
    /// Folders that get an anonymous volume besides those of the image.
    pub volumes: Vec<String>,
}

/// Which of the three standard streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attach {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// What runs, after the image had its say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Entrypoint and command behind each other: never empty.
    pub args: Vec<String>,
    /// How many of `args` are the entrypoint.
    pub entrypoint_len: usize,
    /// `KEY=value`, each key once.
    pub env: Vec<String>,
    /// `user[:group]` by name or number; empty for root.
    pub user: String,
    /// Absolute.
    pub working_dir: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Number of the signal that asks the process to stop.
    pub stop_signal: i32,
    /// `port/protocol`.
    pub exposed_ports: Vec<String>,
    /// Folders that get an anonymous volume.
    pub volumes: Vec<String>,
    /// How to tell whether it is healthy.
    pub healthcheck: Option<HealthCheck>,
    /// The image's `ONBUILD`, for `inspect`.
    pub on_build: Vec<String>,
    /// The image's `SHELL`, for `inspect`.
    pub shell: Vec<String>,
}

impl Process {
    /// Program that always runs.
    pub fn entrypoint(&self) -> &[String] {
        self.args.get(..self.entrypoint_len).unwrap_or_default()
    }

    /// Its arguments, or the command where there is no entrypoint.
    pub fn cmd(&self) -> &[String] {
        self.args.get(self.entrypoint_len..).unwrap_or_default()
    }
}

/// How long a stop waits before it kills; `None` is for ever.
pub(crate) fn stop_timeout(seconds: Option<i64>) -> Option<Duration> {
    const DEFAULT: Duration = Duration::from_secs(10);
    match seconds {
        None => Some(DEFAULT),
        Some(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
    }
}
