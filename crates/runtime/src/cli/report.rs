//! Errors for people and for engines.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use serde::Serialize;

use super::arguments::LogFormat;
use super::record::now;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// There is no such container.
    #[error("container `{0}` does not exist")]
    NoContainer(String),
    /// The name is taken.
    #[error("container `{0}` already exists")]
    Exists(String),
    /// It is in another state than the command needs.
    #[error("container `{id}` is {is}, not {needed}")]
    WrongState {
        /// Its name.
        id: String,
        /// What it is.
        is: &'static str,
        /// What it should be.
        needed: &'static str,
    },
    /// A document that cannot be read.
    #[error("cannot read {}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A system call of the command line itself.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The runtime.
    #[error(transparent)]
    Runtime(#[from] crate::Error),
}

impl CliError {
    /// 127 and 126 say, as in a shell, that the program was not found or not executable.
    pub(super) fn exit_code(&self) -> u8 {
        let Self::Runtime(crate::Error::Child(failure)) = self else {
            return 1;
        };
        match (failure.step, failure.errno) {
            (crate::Step::Executable, 13) => 126,
            (crate::Step::Executable, _) => 127,
            _ => 1,
        }
    }
}

/// Names the action of an error.
pub(super) trait Doing<T> {
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, CliError>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, CliError> {
        self.map_err(|error| CliError::Io {
            action: action(),
            source: error.into(),
        })
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    msg: &'a str,
    level: &'a str,
    time: &'a str,
}

/// Writes the error with its causes to standard error and to the log.
pub(super) fn report(error: &CliError, log: Option<&str>, format: LogFormat) {
    let text = chain(error);
    // There is nobody left to tell if telling fails.
    let _ = writeln!(io::stderr(), "corten-runtime: {text}");
    if let Some(Ok(log)) = log.map(log_path) {
        let _ = write_log(log, format, &text);
    }
}

/// Tells of an error that stops nothing.
pub(super) fn warn(error: &crate::Error) {
    let _ = writeln!(io::stderr(), "corten-runtime: warning: {}", chain(error));
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The file that `--log` names.
pub(super) fn log_path(log: &str) -> Result<&str, CliError> {
    match log.split_once(':') {
        Some(("file", path)) => Ok(path),
        Some((kind, _)) if !kind.contains('/') => {
            Err(CliError::Usage(format!("`{kind}` is no kind of log")))
        }
        _ => Ok(log),
    }
}

fn write_log(log: &str, format: LogFormat, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(log)?;
    let time = now();
    match format {
        LogFormat::Text => writeln!(file, "{time} error: {text}"),
        LogFormat::Json => {
            let entry = Entry {
                msg: text,
                level: "error",
                time: &time,
            };
            let line = serde_json::to_string(&entry)?;
            writeln!(file, "{line}")
        }
    }
}
