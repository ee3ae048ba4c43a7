//! The engine: the one process that owns all state.
//!
//! One service for each noun ([`Containers`], [`Images`], …), each holding only what it uses; the
//! [`Engine`] itself has no verbs but start and stop. The engine knows no HTTP and no version of
//! any API; it prints nothing for people. Facts are in the store, live handles in memory.
//!
//! Work on files and the database runs on the blocking pool of tokio: see [`runtime`] for the
//! size of it.
//!
//! Invariants:
//! - Before a side effect outside the store (supervisor, control group, cable, folder) its name is
//!   in a row; a row goes only when its side effects are gone or are named after it in a folder of
//!   ours. So recovery looks at rows and our own folders, never at everything of the machine.
//! - A container's state changes under the lock of its handle, on a thread that its caller cannot
//!   cancel.
//! - A path of a container or an image is opened only beneath a `RootDir`.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Tx<'_>` is not general enough for `Store::read`, a closure is"
)]

mod blocking;
mod bridge;
mod builds;
mod clock;
mod containers;
mod detach;
mod error;
mod events;
mod execs;
mod executor;
mod filter;
mod handles;
mod host;
mod id;
mod images;
mod layout;
mod name;
mod networks;
mod readiness;
mod recover;
mod rows;
mod sandbox;
mod signal;
pub mod spec;
mod state;
mod stream;
mod system;
mod volumes;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use store::Problem;
use store::Store;

pub use build;
pub use builds::{Build, Builds, CacheRecord};
pub use clock::parse as parse_time;
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

use blocking::blocking;
use bridge::BridgeNetwork;
use error::IoContext as _;
use layout::Layout;

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

impl Engine {
    /// Locks the data root, opens the store, takes running containers over and cleans up what an
    /// engine that died left behind.
    pub async fn start(config: EngineConfig) -> Result<Self, Error> {
        let layout = Layout::new(&config);
        let folders = layout.clone();
        let store = blocking(move || {
            let root = folders.root().to_owned();
            std::fs::create_dir_all(&root).at("making", &root)?;
            let store = open(&root)?;
            for folder in folders.folders() {
                std::fs::create_dir_all(&folder).at("making", folder)?;
            }
            Ok(store)
        })
        .await?;
        let engine = Self::assemble(store, layout);
        engine.containers.recover().await?;
        Ok(engine)
    }

    fn assemble(store: Store, layout: Layout) -> Self {
        let events = Events::default();
        let rows = rows::Rows::new(store.clone());
        let bridge = BridgeNetwork::of(&layout);
        let volumes = Volumes::new(store.clone(), layout.clone(), events.clone());
        let containers = Containers(Arc::new(containers::Parts {
            store: store.clone(),
            rows: rows.clone(),
            filters: sandbox::filters::SystemCallFilters::new(layout.clone()),
            layout,
            handles: handles::Handles::default(),
            events: events.clone(),
            volumes: volumes.clone(),
            bridge: bridge.clone(),
            host: host::Host::look(),
            identities: sandbox::root::Identities::default(),
            execs: execs::ExecTable::default(),
            steps: executor::Steps::default(),
        }));
        let builder = executor::builder(&containers);
        let builds = Builds::new(store.clone(), builder, events.clone());
        let images = Images::new(store, events.clone());
        let system = System::new(system::Services {
            containers: containers.clone(),
            images: images.clone(),
            volumes: volumes.clone(),
            builds: builds.clone(),
        });
        Self {
            execs: Execs::new(containers.clone()),
            containers,
            images,
            builds,
            volumes,
            networks: Networks::new(rows, bridge),
            system,
            events,
        }
    }
}

/// Opens the store. A supervisor that an engine was starting when it was killed has the engine's
/// lock until it executes its program, so the lock is tried for a moment.
fn open(root: &Path) -> Result<Store, Error> {
    const TRIES: usize = 10;
    const PAUSE: Duration = Duration::from_millis(30);
    for _ in 1..TRIES {
        match Store::open(root) {
            Err(store::Error::InUse { .. }) => std::thread::sleep(PAUSE),
            other => return Ok(other?),
        }
    }
    Ok(Store::open(root)?)
}

/// The tokio runtime that an engine wants: two workers, and few, short-lived threads for blocking
/// work, because each thread costs memory while it idles.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    const BLOCKING_THREADS: usize = 256;
    const KEEP_ALIVE: Duration = Duration::from_secs(2);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(KEEP_ALIVE)
        .enable_all()
        .build()
}
