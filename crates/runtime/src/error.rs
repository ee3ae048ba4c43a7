//! What can go wrong, in the caller or in the new process.

use std::io;

/// What the new process was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Anything.
    Set,
}

/// A failure inside the new process, as it told it to its parent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {cause}")]
pub struct Failure {
    /// What it was doing.
    pub step: Step,
    /// What it did it to.
    pub object: String,
    /// What the kernel said.
    pub cause: String,
    /// The error number, 0 if there is none.
    pub errno: i32,
}

/// An error of the runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The new process could not be set up.
    #[error(transparent)]
    Child(#[from] Failure),
    /// A step in the calling process failed.
    #[error("{action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
}
