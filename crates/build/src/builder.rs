//! The entrance: one [`Builder`] for the engine's lifetime, one call for each build.

use std::path::PathBuf;
use std::sync::Arc;

use store::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{BuildError, BuildRequest, BuildResult, ContextSource, Event, Executor};

/// Where a [`Builder`] keeps things and how much it does at once.
#[derive(Debug, Clone)]
pub struct BuilderOptions {
    /// A folder in memory for what must not reach a disk: secrets while a step runs.
    pub run_dir: PathBuf,
    /// How many steps of all builds together run at a time.
    pub parallelism: usize,
}

/// One build, with everything that belongs to it alone.
#[derive(Debug)]
pub struct Job {
    /// What to build.
    pub request: BuildRequest,
    /// Where `COPY` takes files from.
    pub context: ContextSource,
    /// Progress. The builder waits while it is full and goes on without it when it is closed.
    pub events: mpsc::Sender<Event>,
    /// Stops the build: running steps are killed unless another build waits for them too.
    pub cancel: CancellationToken,
}

/// Builds images. Builds that run at the same time share it, so equal steps run once.
pub struct Builder {
    #[expect(dead_code, reason = "first landing")]
    store: Store,
    #[expect(dead_code, reason = "first landing")]
    executor: Arc<dyn Executor>,
    #[expect(dead_code, reason = "first landing")]
    options: BuilderOptions,
}

impl Builder {
    /// A builder on `store` that runs processes with `executor`.
    pub fn new(store: Store, executor: Arc<dyn Executor>, options: BuilderOptions) -> Self {
        Self {
            store,
            executor,
            options,
        }
    }

    /// Runs one build. It returns when every output is written, or nothing of it runs any more.
    pub async fn build(&self, job: Job) -> Result<BuildResult, BuildError> {
        let _ = job;
        todo!()
    }
}
