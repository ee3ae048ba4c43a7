//! What a domain (container builds, a test's arithmetic) gives to the solver.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::flight::Notes;
use crate::{Content, Difference, Explanation, Ingredient, SolveError, VertexId};

/// A boxed future.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The types that a kind of build is about.
pub trait Domain: Sized + Send + Sync + 'static {
    /// What a vertex makes. Cheap to clone; it keeps what it stands for alive.
    type Value: Clone + Send + Sync + 'static;
    /// What a running op reports.
    type Note: Clone + Send + Sync + 'static;
    /// Why an op failed.
    type Error: std::error::Error + Send + Sync + 'static;
}

/// What a vertex does.
pub trait Op<D: Domain>: Send + Sync + 'static {
    /// For people.
    fn name(&self) -> String;

    /// Identity over time: the same text for the same place in the same project, however its
    /// definition changes. Misses are explained against the latest record of the same step.
    fn step(&self) -> String;

    /// Everything but the inputs that the result depends on. `None`: the result cannot be
    /// recognised later (a folder that anybody may change), so it is never cached, and what needs
    /// it must be keyed by its content.
    fn definition(&self) -> Option<Vec<Ingredient>>;

    /// Which part of an input that is keyed by content the op looks at, in words of its own. With
    /// the input's identity it stands for the content until that is looked at.
    fn selector(&self, input: usize) -> String;

    /// What this op would see of input number `input`, for an edge keyed by content.
    fn content_key<'a>(
        &'a self,
        input: usize,
        value: &'a D::Value,
    ) -> Task<'a, Result<Content, D::Error>>;

    /// What differs between two details of an input's content.
    fn explain_content(&self, input: usize, old: &str, new: &str) -> Vec<Difference>;

    /// Makes the result. Stops soon after `run.cancel` is cancelled, leaving nothing behind.
    fn run<'a>(
        &'a self,
        inputs: Vec<D::Value>,
        run: Run<D>,
    ) -> Task<'a, Result<D::Value, D::Error>>;

    /// How to find the value again; `None` if it is not to be cached.
    fn save(&self, value: &D::Value) -> Option<String>;

    /// The value again; `None` if it is gone.
    fn load(&self, saved: String) -> Task<'_, Result<Option<D::Value>, D::Error>>;
}

/// What a running op is given beside its inputs.
pub struct Run<D: Domain> {
    /// Set when nobody waits for the result any more.
    pub cancel: CancellationToken,
    pub(crate) notes: Notes<D>,
}

impl<D: Domain> Run<D> {
    /// Reports to every build that waits for this op. Waits while one of them is slow.
    pub async fn note(&self, note: D::Note) {
        self.notes.send(note).await;
    }
}

impl<D: Domain> Clone for Run<D> {
    fn clone(&self) -> Self {
        Self {
            cancel: self.cancel.clone(),
            notes: self.notes.clone(),
        }
    }
}

/// What happens to a vertex of one build.
pub enum Progress<D: Domain> {
    /// Its result is in the cache.
    Cached,
    /// It is not, for this reason.
    Missed(Arc<Explanation>),
    /// It runs now, or waits for another build's equal vertex.
    Started,
    /// It reports.
    Note(D::Note),
    /// It is done.
    Completed,
    /// It failed.
    Failed(SolveError<D>),
}

/// Who follows a build.
pub trait Observer<D: Domain>: Send + Sync + 'static {
    /// Called in the order of events of each vertex; the vertex waits for it.
    fn observe(&self, vertex: VertexId, progress: Progress<D>) -> Task<'_, ()>;
}
