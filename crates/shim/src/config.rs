//! What the engine tells a shim when it starts it.

use std::path::PathBuf;
use std::time::Duration;

use oci::runtime::Spec;
use serde::{Deserialize, Serialize};

/// Everything about one container. The engine keeps it as `containers/<id>/shim.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    /// [`Config::VERSION`] of the writer. A shim refuses a newer one and ignores unknown fields.
    pub version: u32,
    /// The container's id: name of the control socket and of the runtime's state.
    pub id: String,
    /// The engine's run folder.
    pub run_dir: PathBuf,
    /// The container's folder: the exit file is written there.
    pub dir: PathBuf,
    /// A supervised container, or a build step.
    pub mode: Mode,
    /// The container's root.
    pub rootfs: Rootfs,
    /// What is run, in OCI's words. `root.path` is ignored in favour of `rootfs`;
    /// `linux.seccomp` in favour of `seccomp`; `process.terminal` and `consoleSize` count.
    pub spec: Spec,
    /// File with the compiled system call filter; none means no filter.
    #[serde(default)]
    pub seccomp: Option<PathBuf>,
    /// What becomes of the container's standard input.
    #[serde(default)]
    pub stdin: StdinMode,
    /// The log file; none keeps no log.
    #[serde(default)]
    pub log: Option<LogOptions>,
    /// How the container wants to be stopped: signal number.
    pub stop_signal: i32,
    /// How long a stop waits before SIGKILL; none waits forever.
    pub stop_timeout: Option<Duration>,
}

impl Config {
    /// Version of the document that this release writes.
    pub const VERSION: u32 = 1;
}

/// What kind of life the shim leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Log, exit file and control socket; outlives the engine.
    Supervised,
    /// A build step: stdio as given, neither log nor exit file nor socket; the container is killed
    /// and cleaned up when the connection that [`crate::spawn`] returned is closed.
    OneShot,
}

/// The root of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rootfs {
    /// A stack of snapshots; mounted by the shim, seen by the container alone.
    Overlay(Overlay),
    /// A folder, used as it is.
    Path(PathBuf),
}

/// An overlay mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// Lower folders, top first.
    pub lower: Vec<PathBuf>,
    /// Upper and work folder; none makes it read-only.
    pub upper: Option<(PathBuf, PathBuf)>,
    /// No syncs: the content is of no use after a crash of the machine.
    #[serde(default)]
    pub volatile: bool,
}

/// What becomes of standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StdinMode {
    /// `/dev/null`.
    #[default]
    Closed,
    /// Stays open, also when attached clients come and go.
    Open,
    /// Ends when the first attached client ends its side.
    Once,
}

/// Where and how much is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOptions {
    /// The newest file; older ones are `<path>.1`, `<path>.2`, …
    pub path: PathBuf,
    /// A file that would grow over this is rotated; 0 means no limit.
    pub max_size: u64,
    /// How many files are kept, the newest included; at least 1.
    pub max_files: u32,
}

impl LogOptions {
    /// Bounded by default: 5 files of 20 MiB.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            max_size: 20 << 20,
            max_files: 5,
        }
    }
}
