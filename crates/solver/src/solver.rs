//! The solver: what all builds of a process share.

use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join_all;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::cache::CacheError;
use crate::flight::Flights;
use crate::session::Session;
use crate::{CacheStore, Domain, Graph, Observer, VertexId};

/// Why a vertex could not be solved.
pub enum SolveError<D: Domain> {
    /// An op failed.
    Op {
        /// Which vertex of the asking build.
        vertex: VertexId,
        /// Why.
        error: Arc<D::Error>,
    },
    /// The cache failed.
    Cache(Arc<CacheError>),
    /// The build was cancelled.
    Cancelled,
    /// An op or the solver has a bug.
    Panicked,
}

impl<D: Domain> Clone for SolveError<D> {
    fn clone(&self) -> Self {
        match self {
            Self::Op { vertex, error } => Self::Op {
                vertex: *vertex,
                error: Arc::clone(error),
            },
            Self::Cache(error) => Self::Cache(Arc::clone(error)),
            Self::Cancelled => Self::Cancelled,
            Self::Panicked => Self::Panicked,
        }
    }
}

impl<D: Domain> fmt::Display for SolveError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Op { error, .. } => fmt::Display::fmt(error, f),
            Self::Cache(error) => write!(f, "the build cache failed: {error}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Panicked => f.write_str("a build step panicked"),
        }
    }
}

impl<D: Domain> fmt::Debug for SolveError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Solves graphs. Cheap to clone; all clones share ops in flight, the cache and the limit.
pub struct Solver<D: Domain> {
    pub(crate) shared: Arc<Shared<D>>,
}

pub(crate) struct Shared<D: Domain> {
    pub(crate) cache: Arc<dyn CacheStore>,
    pub(crate) flights: Arc<Flights<D>>,
    pub(crate) limit: Semaphore,
}

impl<D: Domain> Clone for Solver<D> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

/// What belongs to one call of [`Solver::solve`].
pub struct Solve<D: Domain> {
    /// The graph.
    pub graph: Graph<D>,
    /// The vertices whose values are asked for.
    pub targets: Vec<VertexId>,
    /// Differs for every build: it tells apart what fresh vertices make.
    pub nonce: String,
    /// Follows the build.
    pub observer: Arc<dyn Observer<D>>,
    /// Stops the build.
    pub cancel: CancellationToken,
}

impl<D: Domain> Solver<D> {
    /// A solver that runs at most `limit` ops at a time.
    pub fn new(cache: Arc<dyn CacheStore>, limit: usize) -> Self {
        let shared = Shared {
            cache,
            flights: Flights::new(),
            limit: Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The values of the targets, in their order. A failure, or `cancel`, stops what no other build
    /// waits for; when this returns, nothing of it runs any more. Dropping the future stops the same
    /// without waiting.
    pub async fn solve(&self, solve: Solve<D>) -> Result<Vec<D::Value>, SolveError<D>> {
        let cancel = solve.cancel.child_token();
        let _guard = cancel.clone().drop_guard();
        let targets = solve.targets.clone();
        let session = Session::new(Arc::clone(&self.shared), solve, cancel);
        let values = try_join_all(targets.into_iter().map(|target| session.value(target))).await;
        if values.is_err() {
            session.stop().await;
            self.shared.flights.settled().await;
        }
        values
    }
}
