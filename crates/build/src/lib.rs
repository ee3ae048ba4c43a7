//! Builds images: Dockerfile → graph → solve → export.
//!
//! ```text
//! context/   the folder or stream that files come from, and the index of what they hash to
//! frontend/  Dockerfile → graph of ops; config and history of the image
//! ops/       what vertices do: source, context, copy, exec, link, workdir
//! files/     which files a COPY takes, what they are worth in a key, how they are written
//! cache      the solver's cache in the store's tables
//! export/    results → store, folders, archives
//! ```
//!
//! # Invariants
//! - The same Dockerfile, context and base give the same image digest: no time of a file or of the
//!   build is in a layer or config, and no file is newer than the epoch.
//! - A step's key holds everything that its result depends on; secrets and proxies are neither in
//!   keys nor in layers.
//! - Nothing is mounted in the engine's mount namespace, and paths from images and contexts are
//!   opened beneath a [`sys::root::RootDir`] only.
//! - The context is read with the caller's permissions and never written.
//! - What is parsed and cannot be done is refused with its line, never ignored.

mod builder;
mod cache;
mod context;
mod domain;
mod error;
mod event;
mod excerpt;
mod executor;
mod export;
mod files;
mod frontend;
mod ops;
mod progress;
mod request;

pub use builder::{Builder, BuilderOptions, Job};
pub use error::BuildError;
pub use event::{Event, StepId};
pub use executor::{Chunk, Exec, ExecError, Executor, Mount, MountSource, Network, Stream};
pub use frontend::{DEFAULT_EPOCH, apply_changes};
pub use request::{BuildRequest, BuildResult, ContextSource, DockerfileSource, Output, Secret};
