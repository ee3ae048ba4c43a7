//! One process per container: it owns pid 1, its stdio or pty, the log and the exit file.
//!
//! The engine writes a [`Config`] and calls [`spawn`]; the shim answers on the control socket that
//! it inherited, and later on `<run>/shims/<id>.sock`, to any number of [`Client`]s. It outlives
//! the engine. It is synchronous and has one thread; nothing in it waits for a client.
//!
//! ```text
//!  engine                                shim                                container
//!    │ spawn(exe, config, fds) ───────────▶│ mount overlay, namespaces, pid 1 ──▶│ (waits)
//!    │◀───────────────────── Ready{pid} ───│                                     │
//!    │ Attach + stream fd (any number) ───▶│ keeps the stream                    │
//!    │ Start ─────────────────────────────▶│ ───────────────────────────────────▶│ exec
//!    │◀───────────────────────── Done ─────│                                     │
//!    │ Subscribe ─────────────────────────▶│                                     │
//!    │           client bytes ◀════════════╪═══ stdio, log file ════════════════▶│
//!    │                                     │◀────────────────────────── exit ────│
//!    │                                     │ drain, log, exit file               │
//!    │◀──────────────────── Exited{exit} ──│ end streams, remove cgroup, exit    ▀
//! ```
//!
//! Invariants
//! - The exit file is complete before anybody is told of the exit and before a stream ends.
//! - A slow or dead client never holds up the container: it is dropped when its buffer is full.
//! - If the shim is killed the container dies with it; then there is no exit file.
//! - A socket speaks the [`protocol`] of this release, the one before and the one after.

mod client;
mod clock;
mod config;
mod error;
mod exit;
mod init;
pub mod log;
pub mod protocol;
mod spawn;
mod supervisor;
mod wire;

pub use client::{Client, Events, Next};
pub use config::{Config, LogOptions, Mode, Overlay, Rootfs, StdinMode};
pub use error::Error;
pub use exit::Exit;
pub use init::init;
pub use protocol::{Attach, Event, Exec, ExecState, Size, State, Status, Streams};
pub use spawn::{Fds, Stdio, Tree, spawn};

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs the process `corten shim ID`, as started by [`spawn`]. `args` are those after `shim`: the
/// container's id, for people who look at the list of processes; everything that counts comes
/// over the inherited connection.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match args.into_iter().count() {
        1 => supervisor::main(),
        _ => ExitCode::from(2),
    }
}

/// The socket of a container's shim.
pub fn socket_path(run_dir: &Path, id: &str) -> PathBuf {
    sockets_folder(run_dir).join(format!("{id}.sock"))
}

/// The folder of the sockets of all shims.
fn sockets_folder(run_dir: &Path) -> PathBuf {
    run_dir.join("shims")
}
