//! The entrance: one [`Builder`] for the engine's lifetime, one call for each build.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use solver::{Observer, Solve, SolveError, Solver};
use store::{Lease, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cache::StoreCache;
use crate::context::Context;
use crate::domain::{Containers, Root, StepError, Value, chain};
use crate::excerpt::excerpt;
use crate::export::{Export, finished_config};
use crate::frontend::{self, Given, Plan, Step};
use crate::ops::CacheMounts;
use crate::progress::{DEFINITION, EXPORT, Reporter, send, step_id};
use crate::{BuildError, BuildRequest, BuildResult, ContextSource, Event, Executor, Output};

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
    shared: Shared,
    solver: Solver<Containers>,
    cache: Arc<StoreCache>,
    builds: AtomicU64,
}

/// What blocking work needs too.
#[derive(Clone)]
struct Shared {
    store: Store,
    executor: Arc<dyn Executor>,
    cache_mounts: Arc<CacheMounts>,
    run_dir: PathBuf,
}

impl Builder {
    /// A builder on `store` that runs processes with `executor`.
    pub fn new(store: Store, executor: Arc<dyn Executor>, options: BuilderOptions) -> Self {
        let cache = Arc::new(StoreCache::new(store.clone()));
        let BuilderOptions {
            run_dir,
            parallelism,
        } = options;
        let run_dir = run_dir.join("build");
        // What a crash left of secrets goes at once.
        if let Err(error) = std::fs::remove_dir_all(&run_dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %run_dir.display(), %error, "cannot remove files of old steps");
        }
        let shared = Shared {
            cache_mounts: Arc::new(CacheMounts::new(store.clone())),
            store,
            executor,
            run_dir,
        };
        Self {
            shared,
            solver: Solver::new(Arc::<StoreCache>::clone(&cache), parallelism),
            cache,
            builds: AtomicU64::new(0),
        }
    }

    /// Runs one build. It returns when every output is written, or nothing of it runs any more.
    pub async fn build(&self, job: Job) -> Result<BuildResult, BuildError> {
        let Job {
            mut request,
            context,
            events,
            cancel,
        } = job;
        self.cache.set_now(request.now);
        let outputs = std::mem::take(&mut request.outputs);
        let request = Arc::new(request);
        let lease = self.shared.store.lease();
        let prepared = self.prepare(&request, context, &lease, &events).await?;
        let solved = self.solve(prepared.plan, &events, &request, &cancel).await;
        let context = prepared.context;
        let cache = Arc::clone(&self.cache);
        let remembered = tokio::task::spawn_blocking(move || {
            context.save_index();
            cache.flush_used()
        });
        let (plan, root, counts) = solved?;
        let result = self
            .export((plan, root, counts), (&request, outputs), &lease, &events)
            .await?;
        remembered.await.map_err(|_| BuildError::Panicked)??;
        Ok(result)
    }

    /// Reads the Dockerfile and plans the build.
    async fn prepare(
        &self,
        request: &Arc<BuildRequest>,
        source: ContextSource,
        lease: &Lease,
        events: &mpsc::Sender<Event>,
    ) -> Result<Prepared, BuildError> {
        let name = "[internal] load build definition".to_owned();
        announce(events, DEFINITION, name).await;
        let (shared, request, lease) = (self.shared.clone(), Arc::clone(request), lease.clone());
        let prepared = blocking(move || prepare(&shared, &request, source, lease)).await;
        match &prepared {
            Ok(prepared) => {
                for text in &prepared.plan.warnings {
                    let text = text.clone();
                    send(events, Event::Warning { text }).await;
                }
                send(events, Event::Completed { id: DEFINITION }).await;
            }
            Err(error) => fail(events, DEFINITION, error).await,
        }
        prepared
    }

    async fn solve(
        &self,
        mut plan: Plan,
        events: &mpsc::Sender<Event>,
        request: &BuildRequest,
        cancel: &CancellationToken,
    ) -> Result<(Plan, Root, (usize, usize)), BuildError> {
        let graph = std::mem::take(&mut plan.graph);
        for id in graph.needed(&[plan.target]) {
            let inputs = graph.vertex(id).inputs.iter();
            let step = Event::Step {
                id: step_id(id),
                name: plan.steps[id.index()].name.clone(),
                inputs: inputs.map(|edge| step_id(edge.from)).collect(),
            };
            send(events, step).await;
        }
        let reporter = Arc::new(Reporter::new(events.clone(), plan.steps.clone()));
        let number = self.builds.fetch_add(1, Ordering::Relaxed);
        let solve = Solve {
            graph,
            targets: vec![plan.target],
            // Differs between builds of this process, and from those of earlier ones.
            nonce: format!("{}-{}-{number}", request.now, std::process::id()),
            observer: Arc::clone(&reporter) as Arc<dyn Observer<Containers>>,
            cancel: cancel.clone(),
        };
        match self.solver.solve(solve).await {
            Ok(values) => match values.into_iter().next() {
                Some(Value::Root(root)) => Ok((plan, root, reporter.counts())),
                _ => Err(BuildError::Panicked),
            },
            Err(_) if cancel.is_cancelled() => Err(BuildError::Cancelled),
            Err(error) => Err(explain(&error, &plan.steps)),
        }
    }

    async fn export(
        &self,
        (plan, root, (cached, ran)): (Plan, Root, (usize, usize)),
        (request, outputs): (&Arc<BuildRequest>, Vec<Output>),
        lease: &Lease,
        events: &mpsc::Sender<Event>,
    ) -> Result<BuildResult, BuildError> {
        let mut result = BuildResult {
            image: None,
            manifest: None,
            tags: Vec::new(),
            cached,
            ran,
        };
        if outputs.is_empty() {
            return Ok(result);
        }
        announce(events, EXPORT, "exporting".to_owned()).await;
        let (store, lease, request) = (
            self.shared.store.clone(),
            lease.clone(),
            Arc::clone(request),
        );
        let tagged = outputs.iter().any(|output| matches!(output, Output::Image));
        let tags = if tagged {
            request.tags.clone()
        } else {
            Vec::new()
        };
        let written = blocking(move || {
            let export = Export {
                store: &store,
                lease: &lease,
                config: finished_config(&plan, &root),
                root: &root,
                base: plan.base,
                request: &request,
            };
            export.write(outputs)
        });
        match written.await {
            Ok(image) => {
                send(events, Event::Completed { id: EXPORT }).await;
                if let Some(image) = image {
                    result.image = Some(image.id);
                    result.manifest = Some(image.manifest);
                }
                result.tags = tags;
                Ok(result)
            }
            Err(error) => {
                fail(events, EXPORT, &error).await;
                Err(error)
            }
        }
    }
}

struct Prepared {
    plan: Plan,
    context: Arc<Context>,
}

fn prepare(
    shared: &Shared,
    request: &BuildRequest,
    source: ContextSource,
    lease: Lease,
) -> Result<Prepared, BuildError> {
    let label = request.tags.first().map(oci::Reference::familiar);
    let opened = Context::open(source, label.as_deref().unwrap_or("-"), &shared.store)?;
    let loaded = frontend::load(request, opened)?;
    let context = Arc::new(loaded.context);
    let given = Given {
        request,
        context: Arc::clone(&context),
        store: shared.store.clone(),
        lease,
        executor: Arc::clone(&shared.executor),
        cache_mounts: Arc::clone(&shared.cache_mounts),
        run_dir: shared.run_dir.clone(),
    };
    let plan = frontend::plan(&loaded.dockerfile, &given)?;
    Ok(Prepared { plan, context })
}

/// A failed step in the words of the Dockerfile.
fn explain(error: &SolveError<Containers>, steps: &[Step]) -> BuildError {
    let (vertex, error) = match error {
        SolveError::Op { vertex, error } => (vertex, error),
        SolveError::Cache(error) => {
            let message = format!("the build cache failed: {}", chain(&***error));
            let excerpt = String::new();
            return BuildError::Step { excerpt, message };
        }
        SolveError::Cancelled => return BuildError::Cancelled,
        SolveError::Panicked => return BuildError::Panicked,
    };
    let place = steps
        .get(vertex.index())
        .and_then(|step| step.place.as_ref());
    let excerpt = place.map_or_else(String::new, |(file, span)| excerpt(file, *span));
    match &**error {
        StepError::Exit { command, code } => BuildError::Exit {
            excerpt,
            command: command.clone(),
            code: *code,
        },
        StepError::Dockerfile(text) => BuildError::Dockerfile(text.clone()),
        StepError::Cancelled => BuildError::Cancelled,
        other => BuildError::Step {
            excerpt,
            message: chain(other),
        },
    }
}

async fn announce(events: &mpsc::Sender<Event>, id: usize, name: String) {
    let inputs = Vec::new();
    send(events, Event::Step { id, name, inputs }).await;
    send(events, Event::Started { id }).await;
}

async fn fail(events: &mpsc::Sender<Event>, id: usize, error: &BuildError) {
    let error = chain(error);
    send(events, Event::Failed { id, error }).await;
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, BuildError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(BuildError::Panicked))
}
