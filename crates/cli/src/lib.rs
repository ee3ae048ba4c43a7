//! The command line: words in, requests to the engine, text out.
//!
//! Every command runs in three stages: clap reads its words (`commands/*`, `app`), flags,
//! environment and configuration file become settings (`settings`, `words`), and calls of the
//! engine's API follow (`connection`). What comes back is turned into text by `format` and
//! `progress`, which are pure.
//!
//! This crate is the edge: it alone reads the environment and the terminal. Errors are
//! [`anyhow::Error`]s here, because their only use is to be printed; one that carries an exit
//! status of its own is a [`failure::Failure`].

mod app;
mod attachment;
mod autostart;
mod commands;
mod config;
mod console;
mod environment;
mod failure;
mod format;
mod progress;
mod settings;
mod streams;
mod terminal;
mod transfer;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

pub use environment::Environment;

use console::Console;
use failure::Failure;
use settings::Session;

/// Runs one command to its end. The first argument is the name under which the program was
/// called: with `docker` help and errors speak of `docker`.
pub fn main(args: impl IntoIterator<Item = OsString>, environment: Environment) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let program = app::program(args.first());
    match start(program, args, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn start(
    program: &'static str,
    args: Vec<OsString>,
    environment: Environment,
) -> anyhow::Result<()> {
    let Some(call) = app::resolve(program, args, &environment)? else {
        return Ok(());
    };
    let session = Session {
        console: Console::of_process(&environment),
        settings: call.settings,
        environment,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(call.entry.call(&call.called, &call.words, &session));
    // A thread that still reads standard input must not hold the process.
    runtime.shutdown_background();
    outcome
}

/// Prints an error, once, and says what to exit with.
fn report(error: &anyhow::Error) -> ExitCode {
    let failure = error.downcast_ref::<Failure>();
    let status = failure.map_or(1, |failure| failure.status);
    match failure {
        Some(Failure { message, .. }) if message.is_empty() => {}
        Some(Failure { status: 0, message }) => drop(console::print(message)),
        _ => console::note(failure::describe(error)),
    }
    ExitCode::from(status)
}
