//! Why a build failed.

/// Why a build failed. `Display` is what a person reads; Dockerfile errors show the line.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The Dockerfile is wrong, or asks for what is not there: a rendered diagnostic.
    #[error("{0}")]
    Dockerfile(String),
    /// There is no Dockerfile at this path of the context.
    #[error("failed to read dockerfile: open {0}: no such file or directory")]
    NoDockerfile(String),
    /// `--target` names no stage.
    #[error("target stage \"{0}\" could not be found")]
    NoTarget(String),
    /// Asked for, understood, and not there yet.
    #[error("{0} is not supported yet")]
    Unsupported(String),
    /// A step's process ended with another code than 0.
    #[error("{excerpt}process \"{command}\" did not complete successfully: exit code: {code}")]
    Exit {
        /// The lines of the Dockerfile, rendered; ends with a line break when not empty.
        excerpt: String,
        /// The command line.
        command: String,
        /// Its exit code.
        code: i32,
    },
    /// A step failed for another reason than its process' exit code.
    #[error("{excerpt}{message}")]
    Step {
        /// The lines of the Dockerfile, rendered; ends with a line break when not empty.
        excerpt: String,
        /// What went wrong.
        message: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The result cannot be written as a tar, or read from one.
    #[error(transparent)]
    Tar(#[from] store::tar::TarError),
    /// A bug of ours stopped the build.
    #[error("the build stopped unexpectedly")]
    Panicked,
    /// The build was cancelled.
    #[error("the build was cancelled")]
    Cancelled,
    /// The context cannot be read.
    #[error("cannot read the build context: {action}")]
    Context {
        /// What was tried on which path.
        action: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The result cannot be written.
    #[error("cannot write the output: {action}")]
    Output {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: std::io::Error,
    },
}
