//! How a command ends when it does not end well.

use std::fmt;

use api::ClientError;

/// An error with the exit status that it stands for. Every other error ends with status 1, or
/// 125 in `run`, `create`, `start` and `exec`.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the process exits with.
    pub(crate) status: u8,
    /// What is printed on standard error; nothing when it is empty.
    pub(crate) message: String,
}

impl Failure {
    /// A failure with a message.
    pub(crate) fn exit(status: u8, message: impl Into<String>) -> anyhow::Error {
        Self {
            status,
            message: message.into(),
        }
        .into()
    }

    /// The exit status of a container or a process in it, already reported by that process.
    pub(crate) fn silent(status: u8) -> anyhow::Error {
        Self::exit(status, "")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The failures of a command that takes many names: every name was tried, each failure is a line,
/// and the command fails if one did.
pub(crate) fn each(failures: &[anyhow::Error]) -> anyhow::Result<()> {
    let lines: Vec<String> = failures.iter().map(describe).collect();
    match lines.is_empty() {
        true => Ok(()),
        false => Err(Failure::exit(1, lines.join("\n"))),
    }
}

/// An error as the user reads it. Refusals of the engine carry Docker's words, for which scripts
/// look.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    match error
        .downcast_ref::<ClientError>()
        .and_then(ClientError::api)
    {
        Some(refusal) => format!("Error response from daemon: {refusal}"),
        None => format!("{error:#}"),
    }
}
