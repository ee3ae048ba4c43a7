//! Builds images: Dockerfile → graph → solve → export.
#![expect(clippy::todo, reason = "first landing")]

mod builder;
mod error;
mod event;
mod executor;
mod request;

pub use builder::{Builder, BuilderOptions, Job};
pub use error::BuildError;
pub use event::{Event, StepId};
pub use executor::{Chunk, Exec, ExecError, Executor, Mount, MountSource, Network, Stream};
pub use request::{BuildRequest, BuildResult, ContextSource, DockerfileSource, Output, Secret};
