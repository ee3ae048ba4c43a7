//! One build: which vertices are asked for their key, which for their value, and what came out.
//!
//! Each vertex has three questions that are answered at most once, on demand, each by a task of
//! its own: what is its key ([`Session::resolve`]), what changed since the step's latest record
//! ([`Session::change`]), and what is its value ([`Session::value`]). Tasks wait for the tasks of
//! inputs, so a long chain needs no deep stack.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared as SharedFuture, try_join_all};
use oci::Digest;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::CacheError;
use crate::explain::compare;
use crate::solver::{Shared, Solve};
use crate::{
    CacheKey, CacheStore, Cause, Difference, Domain, Edge, Explanation, Ingredient, InputPart,
    Keyed, Parts, Progress, Record, Run, SolveError, Vertex, VertexId,
};

type Answer<D, T> = Result<T, SolveError<D>>;
type Pending<D, T> = SharedFuture<BoxFuture<'static, Answer<D, T>>>;
type Slot<D, T> = Mutex<Option<Pending<D, T>>>;

/// What is known of a vertex without its value.
struct Resolved {
    key: CacheKey,
    identity: CacheKey,
    definition: Vec<Ingredient>,
    /// `None` where the fast key made looking at content unnecessary.
    inputs: Option<Vec<InputPart>>,
    record: Option<Record>,
    /// The step's latest key before this build.
    latest: Option<CacheKey>,
}

type Known = Option<Arc<Resolved>>;
type Reason = Option<Arc<Explanation>>;

struct Slots<D: Domain> {
    resolved: Slot<D, Known>,
    change: Slot<D, Reason>,
    value: Slot<D, D::Value>,
}

pub(crate) struct Session<D: Domain> {
    shared: Arc<Shared<D>>,
    solve: Solve<D>,
    cancel: CancellationToken,
    tasks: TaskTracker,
    slots: Vec<Slots<D>>,
}

impl<D: Domain> Session<D> {
    pub(crate) fn new(
        shared: Arc<Shared<D>>,
        solve: Solve<D>,
        cancel: CancellationToken,
    ) -> Arc<Self> {
        let slot = |_| Slots {
            resolved: Mutex::new(None),
            change: Mutex::new(None),
            value: Mutex::new(None),
        };
        let slots = (0..solve.graph.len()).map(slot).collect();
        Arc::new(Self {
            shared,
            solve,
            cancel,
            tasks: TaskTracker::new(),
            slots,
        })
    }

    /// Stops all tasks and waits for their end.
    pub(crate) async fn stop(&self) {
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) fn value(self: &Arc<Self>, id: VertexId) -> Pending<D, D::Value> {
        let session = Arc::clone(self);
        self.once(&self.slots[id.index()].value, async move {
            session.make_value(id).await
        })
    }

    fn resolve(self: &Arc<Self>, id: VertexId) -> Pending<D, Known> {
        let session = Arc::clone(self);
        self.once(&self.slots[id.index()].resolved, async move {
            session.make_resolved(id).await
        })
    }

    fn change(self: &Arc<Self>, id: VertexId) -> Pending<D, Reason> {
        let session = Arc::clone(self);
        self.once(&self.slots[id.index()].change, async move {
            session.make_change(id).await
        })
    }

    fn once<T>(
        &self,
        slot: &Slot<D, T>,
        work: impl Future<Output = Answer<D, T>> + Send + 'static,
    ) -> Pending<D, T>
    where
        T: Clone + Send + Sync + 'static,
    {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = slot.get_or_insert_with(|| {
            let cancel = self.cancel.clone();
            let task = self.tasks.spawn(async move {
                let done = cancel.run_until_cancelled(work).await;
                done.unwrap_or(Err(SolveError::Cancelled))
            });
            task.map(|joined| joined.unwrap_or(Err(SolveError::Panicked)))
                .boxed()
                .shared()
        });
        pending.clone()
    }

    fn vertex(&self, id: VertexId) -> &Vertex<D> {
        self.solve.graph.vertex(id)
    }

    async fn observe(&self, id: VertexId, progress: Progress<D>) {
        self.solve.observer.observe(id, progress).await;
    }

    async fn cache<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn CacheStore) -> Result<T, CacheError> + Send + 'static,
    ) -> Answer<D, T> {
        let cache = Arc::clone(&self.shared.cache);
        match tokio::task::spawn_blocking(move || work(&*cache)).await {
            Ok(result) => result.map_err(|error| SolveError::Cache(Arc::new(error))),
            Err(_) => Err(SolveError::Panicked),
        }
    }

    // ---- keys -------------------------------------------------------------------------------

    async fn make_resolved(self: &Arc<Self>, id: VertexId) -> Answer<D, Known> {
        let vertex = self.vertex(id);
        let Some(definition) = vertex.op.definition() else {
            return Ok(None);
        };
        let edges = &vertex.inputs;
        let inputs = try_join_all(edges.iter().map(|edge| self.resolve(edge.from))).await?;
        let by_definition =
            |(edge, input): (&Edge, &Known)| edge.keyed == Keyed::Content || input.is_some();
        if !edges.iter().zip(&inputs).all(by_definition) {
            return Ok(None);
        }
        let (key, parts) = self.key(id, &definition, &inputs).await?;
        let step = vertex.op.step();
        let (record, latest) = self
            .cache(move |cache| Ok((cache.record(&key)?, cache.latest(&step)?)))
            .await?;
        let record = record.filter(|_| !vertex.fresh);
        let identity = match &record {
            _ if vertex.fresh => key.renewed(&self.solve.nonce),
            Some(record) => record.identity,
            None => key,
        };
        let known = Resolved {
            key,
            identity,
            definition,
            inputs: parts,
            record,
            latest,
        };
        if known.record.is_some() {
            self.observe(id, Progress::Cached).await;
            self.remember(id, &known).await?;
        }
        Ok(Some(Arc::new(known)))
    }

    /// The precise key, by the fast one if that is known.
    async fn key(
        self: &Arc<Self>,
        id: VertexId,
        definition: &[Ingredient],
        inputs: &[Known],
    ) -> Answer<D, (CacheKey, Option<Vec<InputPart>>)> {
        let edges = &self.vertex(id).inputs;
        let identities: Option<Vec<Digest>> = inputs
            .iter()
            .map(|input| input.as_ref().map(|known| known.identity.digest()))
            .collect();
        let by_content = edges.iter().any(|edge| edge.keyed == Keyed::Content);
        let fast = identities.filter(|_| by_content).map(|identities| {
            let op = &self.vertex(id).op;
            let selectors = (0..edges.len())
                .filter(|number| edges[*number].keyed == Keyed::Content)
                .map(|number| Ingredient::new("selector", op.selector(number)));
            let parts: Vec<_> = definition.iter().cloned().chain(selectors).collect();
            CacheKey::fast(&parts, &identities)
        });
        if let Some(fast) = fast {
            let known = self.cache(move |cache| cache.alias(&fast)).await?;
            if let Some(key) = known {
                return Ok((key, None));
            }
        }
        let parts = edges.iter().zip(inputs).enumerate();
        let parts = try_join_all(
            parts.map(|(number, (edge, known))| self.part(id, number, *edge, known.clone())),
        )
        .await?;
        let digests: Vec<Digest> = parts
            .iter()
            .map(|part| match part {
                InputPart::Definition(identity) => identity.digest(),
                InputPart::Content(digest, _) => *digest,
            })
            .collect();
        let key = CacheKey::precise(definition, &digests);
        if let Some(fast) = fast {
            self.cache(move |cache| cache.put_alias(&fast, &key))
                .await?;
        }
        Ok((key, Some(parts)))
    }

    async fn part(
        self: &Arc<Self>,
        id: VertexId,
        number: usize,
        edge: Edge,
        known: Known,
    ) -> Answer<D, InputPart> {
        if let (Keyed::Definition, Some(known)) = (edge.keyed, known) {
            return Ok(InputPart::Definition(known.identity));
        }
        let value = self.value(edge.from).await?;
        let content = self.vertex(id).op.content_key(number, &value).await;
        match content {
            Ok(content) => Ok(InputPart::Content(content.digest, content.detail)),
            Err(error) => {
                let error = SolveError::Op {
                    vertex: id,
                    error: Arc::new(error),
                };
                self.observe(id, Progress::Failed(error.clone())).await;
                Err(error)
            }
        }
    }

    // ---- values -----------------------------------------------------------------------------

    async fn make_value(self: &Arc<Self>, id: VertexId) -> Answer<D, D::Value> {
        let known = self.resolve(id).await?;
        if let Some(known) = &known
            && let Some(record) = &known.record
            && let Some(value) = self.load(id, record).await?
        {
            return Ok(value);
        }
        let edges = &self.vertex(id).inputs;
        let inputs = try_join_all(edges.iter().map(|edge| self.value(edge.from))).await?;
        if let Some(reason) = self.change(id).await? {
            self.observe(id, Progress::Missed(reason)).await;
        }
        self.observe(id, Progress::Started).await;
        let outcome = match &known {
            Some(known) => self.fly(id, Arc::clone(known), inputs).await,
            None => self.run_alone(id, inputs).await,
        };
        match &outcome {
            Ok(_) => self.observe(id, Progress::Completed).await,
            Err(error) => self.observe(id, Progress::Failed(error.clone())).await,
        }
        if let (Some(known), Ok(_)) = (&known, &outcome) {
            self.remember(id, known).await?;
        }
        outcome
    }

    async fn load(&self, id: VertexId, record: &Record) -> Answer<D, Option<D::Value>> {
        let loaded = self.vertex(id).op.load(record.saved.clone()).await;
        loaded.map_err(|error| SolveError::Op {
            vertex: id,
            error: Arc::new(error),
        })
    }

    /// Runs an op whose result nobody can recognise.
    async fn run_alone(&self, id: VertexId, inputs: Vec<D::Value>) -> Answer<D, D::Value> {
        let notes = crate::flight::Notes::new();
        let (_, mut heard) = notes.listen();
        let run = Run {
            cancel: self.cancel.clone(),
            notes,
        };
        let op = Arc::clone(&self.vertex(id).op);
        let work = async move { op.run(inputs, run).await };
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                Some(note) = heard.recv() => self.observe(id, Progress::Note(note)).await,
                done = &mut work => return done.map_err(|error| SolveError::Op {
                    vertex: id,
                    error: Arc::new(error),
                }),
            }
        }
    }

    /// Runs an op, or waits for an equal one that runs.
    async fn fly(
        &self,
        id: VertexId,
        known: Arc<Resolved>,
        inputs: Vec<D::Value>,
    ) -> Answer<D, D::Value> {
        let op = Arc::clone(&self.vertex(id).op);
        let shared = Arc::clone(&self.shared);
        let fresh = self.vertex(id).fresh;
        let ticket = self.shared.flights.join(known.identity, |flight| {
            let run = Run {
                cancel: flight.cancel.clone(),
                notes: flight.notes.clone(),
            };
            let job = crate::job::Job {
                id,
                op,
                shared,
                parts: known.parts(),
                key: known.key,
                identity: known.identity,
                fresh,
            };
            job.run(inputs, run)
        });
        let outcome = ticket
            .wait(|note| self.observe(id, Progress::Note(note)))
            .await;
        // The flight may be another build's: its vertex numbers mean nothing here.
        outcome.map_err(|error| match error {
            SolveError::Op { error, .. } => SolveError::Op { vertex: id, error },
            other => other,
        })
    }

    /// Files this build's key as the step's latest.
    async fn remember(&self, id: VertexId, known: &Resolved) -> Answer<D, ()> {
        if known.latest == Some(known.key) {
            return Ok(());
        }
        let (step, key) = (self.vertex(id).op.step(), known.key);
        self.cache(move |cache| cache.put_latest(&step, &key)).await
    }

    // ---- reasons ----------------------------------------------------------------------------

    /// What is not as it was when this step was last completed; `None` if nothing is.
    async fn make_change(self: &Arc<Self>, id: VertexId) -> Answer<D, Reason> {
        let Some(known) = self.resolve(id).await? else {
            return Ok(None);
        };
        if self.vertex(id).fresh {
            return Ok(Some(Arc::new(Explanation::own(Cause::Forced))));
        }
        let Some(latest) = known.latest else {
            return Ok(Some(Arc::new(Explanation::own(Cause::New))));
        };
        if latest == known.key {
            let removed = known.record.is_none();
            return Ok(removed.then(|| Arc::new(Explanation::own(Cause::Removed))));
        }
        let key = known.key;
        let (old, new) = self
            .cache(move |cache| Ok((cache.parts(&latest)?, cache.parts(&key)?)))
            .await?;
        let Some(old) = old else {
            return Ok(Some(Arc::new(Explanation::own(Cause::Removed))));
        };
        let new = known.inputs.clone().or(new.map(|parts| parts.inputs));
        let own = self.own_differences(id, &old, &known.definition, new.as_deref());
        if !own.is_empty() {
            return Ok(Some(Arc::new(Explanation::own(Cause::Changed(own)))));
        }
        self.inherited(id, &old, new.as_deref()).await
    }

    fn own_differences(
        &self,
        id: VertexId,
        old: &Parts,
        definition: &[Ingredient],
        inputs: Option<&[InputPart]>,
    ) -> Vec<Difference> {
        let mut found = compare(&old.definition, definition);
        let pairs = old.inputs.iter().zip(inputs.unwrap_or_default());
        for (number, pair) in pairs.enumerate() {
            if let (InputPart::Content(old, before), InputPart::Content(new, now)) = pair
                && old != new
            {
                found.extend(self.vertex(id).op.explain_content(number, before, now));
            }
        }
        found
    }

    /// The root cause of the first input that changed.
    async fn inherited(
        self: &Arc<Self>,
        id: VertexId,
        old: &Parts,
        new: Option<&[InputPart]>,
    ) -> Answer<D, Reason> {
        for (number, edge) in self.vertex(id).inputs.iter().enumerate() {
            let before = old.inputs.get(number);
            let now = new.and_then(|parts| parts.get(number));
            if before.is_some() && before == now {
                continue;
            }
            if let Some(reason) = self.change(edge.from).await? {
                let name = self.vertex(edge.from).op.name();
                return Ok(Some(Arc::new(reason.below(&name))));
            }
        }
        Ok(Some(Arc::new(Explanation::own(Cause::Changed(vec![
            Difference {
                label: "what it is built on".to_owned(),
                old: None,
                new: None,
            },
        ])))))
    }
}

impl Resolved {
    fn parts(&self) -> Parts {
        Parts {
            definition: self.definition.clone(),
            inputs: self.inputs.clone().unwrap_or_default(),
        }
    }
}
