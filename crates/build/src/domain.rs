//! The types that the solver is used with.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use solver::Domain;
use store::{Committed, Snapshot};

use crate::Stream;
use crate::context::Context;

/// Container builds as a solver's domain.
pub(crate) struct Containers;

impl Domain for Containers {
    type Value = Value;
    type Note = Note;
    type Error = StepError;
}

/// What a vertex makes.
#[derive(Clone)]
pub(crate) enum Value {
    /// A root file system.
    Root(Root),
    /// The build context.
    Context(Arc<Context>),
}

/// A root file system and which steps made a layer of it.
#[derive(Clone, Default)]
pub(crate) struct Root {
    /// `None`: empty.
    pub(crate) snapshot: Option<Arc<Snapshot<Committed>>>,
    /// For each layer-making step since the base: did it leave anything?
    pub(crate) made: Vec<bool>,
}

impl Root {
    /// This root after one more step, which made `layer`, or nothing.
    pub(crate) fn then(&self, layer: Option<Arc<Snapshot<Committed>>>) -> Self {
        let mut made = self.made.clone();
        made.push(layer.is_some());
        Self {
            snapshot: layer.or_else(|| self.snapshot.clone()),
            made,
        }
    }
}

/// What a running step reports.
#[derive(Clone)]
pub(crate) enum Note {
    /// Its process wrote something.
    Log(Stream, Vec<u8>),
    /// So many files of so many are copied.
    Copied(u64, u64),
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("process \"{command}\" did not complete successfully: exit code: {code}")]
    Exit { command: String, code: i32 },
    /// A rendered diagnostic.
    #[error("{0}")]
    Dockerfile(String),
    #[error("{0}")]
    Invalid(String),
    #[error("cannot {action}")]
    File { action: String, source: io::Error },
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Tar(#[from] store::tar::TarError),
    #[error("cannot run the step")]
    Executor(#[source] crate::ExecError),
    #[error("the step was cancelled")]
    Cancelled,
    #[error("a build step panicked")]
    Panicked,
}

impl StepError {
    /// Adds to an I/O error what was tried.
    pub(crate) fn file(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::File { action, source }
    }
}

/// An error with its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

/// Runs blocking work for a step.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StepError> + Send + 'static,
) -> Result<T, StepError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(StepError::Panicked))
}
