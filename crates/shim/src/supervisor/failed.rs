//! Why a request was not done, as it is told to the client.

use std::io;

use runtime::Step;
use rustix::io::Errno;

use crate::protocol::{FailureKind, Message};

/// A failure on its way to a client.
#[derive(Debug)]
pub(crate) struct Failed {
    kind: FailureKind,
    message: String,
}

impl Failed {
    /// A system call of the shim failed.
    pub(crate) fn io(action: &str, error: &io::Error) -> Self {
        Self {
            kind: FailureKind::Internal,
            message: format!("cannot {action}: {error}"),
        }
    }

    /// Any other failure in here.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        Self {
            kind: FailureKind::Internal,
            message: chain(error),
        }
    }

    /// The state forbids it.
    pub(crate) fn conflict(message: String) -> Self {
        Self {
            kind: FailureKind::Conflict,
            message,
        }
    }

    /// It makes no sense.
    pub(crate) fn invalid(message: String) -> Self {
        Self {
            kind: FailureKind::Invalid,
            message,
        }
    }

    /// It is of another release.
    pub(crate) fn unsupported(message: String) -> Self {
        Self {
            kind: FailureKind::Unsupported,
            message,
        }
    }

    /// The runtime failed.
    pub(crate) fn runtime(error: &runtime::Error) -> Self {
        let kind = match error {
            runtime::Error::Child(failure) if failure.step == Step::Executable => {
                let missing = [Errno::NOENT, Errno::NOTDIR].map(Errno::raw_os_error);
                match missing.contains(&failure.errno) {
                    true => FailureKind::NotFound,
                    false => FailureKind::NotExecutable,
                }
            }
            _ => FailureKind::Internal,
        };
        Self {
            kind,
            message: chain(error),
        }
    }

    pub(crate) fn into_message(self) -> Message {
        Message::Failed {
            kind: self.kind,
            message: self.message,
        }
    }
}

/// The error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
