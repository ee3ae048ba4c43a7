//! The boundary to what runs processes: the engine implements [`Executor`] with the same sandbox
//! path as `run`; tests implement it with an interpreter of a few commands.

use std::future::Future;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One process of a `RUN` step.
#[derive(Debug)]
pub struct Exec {
    /// The writable root. Not mounted: the sandbox mounts it inside itself.
    pub rootfs: sys::mount::Overlay,
    /// Program and arguments; the program is looked up in `PATH` of `env`.
    pub args: Vec<String>,
    /// `KEY=value`.
    pub env: Vec<String>,
    /// Absolute working folder.
    pub cwd: String,
    /// `user[:group]`, names or ids, looked up in the root; empty for root.
    pub user: String,
    /// In mount order. Targets are absolute paths inside the root and are created when missing;
    /// the builder removes such stubs from the layer afterwards.
    pub mounts: Vec<Mount>,
    /// What network the process sees.
    pub network: Network,
    /// Host name, where the build fixes it.
    pub hostname: Option<String>,
    /// More lines for `/etc/hosts`: name and address.
    pub extra_hosts: Vec<(String, String)>,
    /// Size of `/dev/shm` in bytes, where it is not the default.
    pub shm_size: Option<u64>,
    /// Where standard output and standard error go.
    pub output: mpsc::Sender<Chunk>,
}

/// Something mounted into the root of a step, beside what every container gets.
#[derive(Debug)]
pub struct Mount {
    /// Absolute path inside the root.
    pub target: String,
    /// Mounted without write permission.
    pub read_only: bool,
    /// What is mounted there.
    pub source: MountSource,
}

/// What a [`Mount`] shows.
#[derive(Debug)]
pub enum MountSource {
    /// A folder or file of the engine's own (a cache folder, a secret, a script).
    Path(PathBuf),
    /// A detached mount (a part of a stage), ready to be moved to its place.
    Tree(OwnedFd),
    /// An empty file system in memory, at most this many bytes.
    Tmpfs {
        /// Limit in bytes.
        size: Option<u64>,
    },
}

/// The network of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The default bridge with name resolution.
    #[default]
    Default,
    /// Loopback only.
    None,
    /// The host's own.
    Host,
}

/// A stream of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Bytes that the process wrote.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Where it wrote them.
    pub stream: Stream,
    /// What it wrote; not cut at lines.
    pub bytes: Vec<u8>,
}

/// Why a process could not be run at all.
pub type ExecError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the process of a step to its end.
pub trait Executor: Send + Sync + 'static {
    /// Resolves to the exit code (128 + n for a process that signal n ended). Every byte of output
    /// has been sent, and nothing of the process is left, when it resolves. Cancelling kills the
    /// process and then resolves too.
    fn run(
        &self,
        exec: Exec,
        cancel: CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Result<i32, ExecError>> + Send + '_>>;
}
