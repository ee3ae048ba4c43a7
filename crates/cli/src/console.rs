//! The three standard streams, and what is known of the terminals behind them.

use std::io::{self, IsTerminal as _};

use crate::Environment;

/// Facts about the standard streams, taken once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    pub(crate) stdin_terminal: bool,
    pub(crate) stdout_terminal: bool,
    pub(crate) stderr_terminal: bool,
    /// Whether text on standard error may be coloured.
    pub(crate) colour: bool,
}

impl Console {
    pub(crate) fn of_process(environment: &Environment) -> Self {
        let stderr_terminal = io::stderr().is_terminal();
        let dumb = environment.get("TERM") == Some("dumb");
        Self {
            stdin_terminal: io::stdin().is_terminal(),
            stdout_terminal: io::stdout().is_terminal(),
            stderr_terminal,
            colour: stderr_terminal && !dumb && environment.set("NO_COLOR").is_none(),
        }
    }
}

/// Writes a command's result. A reader that went away (`corten ps | head -1`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    write(io::stdout().lock(), text.as_bytes())
}

/// Writes a line of a command's result.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    print(&format!("{text}\n"))
}

/// Writes a line for the user beside the result. A standard error that is closed is ignored:
/// there is nobody to tell.
pub(crate) fn note(text: impl std::fmt::Display) {
    drop(write(io::stderr().lock(), format!("{text}\n").as_bytes()));
}

fn write(mut to: impl io::Write, bytes: &[u8]) -> anyhow::Result<()> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Asks a question on standard error; only `y` or `yes` is a yes.
pub(crate) fn ask(question: &str) -> anyhow::Result<bool> {
    let mut error = io::stderr().lock();
    io::Write::write_all(
        &mut error,
        format!("{question}\nAre you sure you want to continue? [y/N] ").as_bytes(),
    )?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}
