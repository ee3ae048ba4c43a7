//! The engine: the one process that owns all state.
//!
//! One service for each noun ([`Containers`], [`Images`], …), each holding only what it uses; the
//! [`Engine`] itself has no verbs but start and stop. The engine knows no HTTP and no version of
//! any API; it prints nothing for people. Facts are in the store, live handles in memory.
//!
//! Work on files and the database runs on the blocking pool of tokio: see [`runtime`] for the
//! size of it.

mod builds;
mod containers;
mod error;
mod events;
mod execs;
mod filter;
mod id;
mod images;
mod name;
mod networks;
mod sandbox;
mod signal;
pub mod spec;
mod state;
mod stream;
mod system;
mod volumes;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use builds::{Builds, CacheRecord};
pub use containers::{
    AttachOptions, Attachment, Change, ChangeKind, Container, Containers, Created, Ended,
    ListOptions, LogLine, LogStream, LogsOptions, Output, PathStat, ProcessTable, Pruned,
    PutOptions, RemoveOptions, Size, WaitCondition, Waiter,
};
pub use error::{Error, ErrorKind};
pub use events::{Event, EventStream, Events, Noun};
pub use execs::{Exec, ExecOptions, ExecStart, ExecState, Execs};
pub use filter::Filters;
pub use id::Id;
pub use images::{HistoryStep, Image, ImageListOptions, Images, ImportOptions, Loaded, Removed};
pub use networks::{Network, Networks};
pub use state::{ContainerState, Exited, Running};
pub use stream::ByteStream;
pub use system::{ContainerCounts, DiskUsage, Info, Limits, System};
pub use volumes::{Volume, Volumes};

/// Where an engine lives.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Data root: `/var/lib/corten`.
    pub root: PathBuf,
    /// Run files, gone after a boot: `/run/corten`.
    pub run_dir: PathBuf,
    /// This very binary: it is run again as supervisor and as init of containers.
    pub exe: PathBuf,
}

/// A running engine: its services.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Containers.
    pub containers: Containers,
    /// Further processes in them.
    pub execs: Execs,
    /// Images.
    pub images: Images,
    /// Builds.
    pub builds: Builds,
    /// Volumes.
    pub volumes: Volumes,
    /// Networks.
    pub networks: Networks,
    /// Facts about engine and host.
    pub system: System,
    /// What happened.
    pub events: Events,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Engine {
    /// Locks the data root, opens the store, takes running containers over and cleans up what an
    /// engine that died left behind.
    pub async fn start(config: EngineConfig) -> Result<Self, Error> {
        let _ = config;
        todo!()
    }

    /// Waits for background work and lets the data root go. Containers go on.
    pub async fn stop(self) -> Result<(), Error> {
        todo!()
    }
}

/// The tokio runtime that an engine wants: two workers, and few, short-lived threads for blocking
/// work, because each thread costs memory while it idles.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    const BLOCKING_THREADS: usize = 32;
    const KEEP_ALIVE: Duration = Duration::from_secs(2);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(KEEP_ALIVE)
        .enable_all()
        .build()
}
