//! The words of the command line: global flags, the command, and what is the command's own.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Args, Command, FromArgMatches};

use super::parse::{flag_mistake, lenient_flags};
use super::{Entry, overview};
use crate::failure::Failure;
use crate::settings::{Global, Settings};
use crate::{Environment, commands, console};

/// A command line whose command is known.
pub(crate) struct Call {
    pub(crate) entry: &'static Entry,
    /// The words that named the command.
    pub(crate) called: String,
    /// The words after them.
    pub(crate) words: Vec<OsString>,
    pub(crate) settings: Settings,
}

/// The name that help and errors use for this program.
pub(crate) fn program(first: Option<&OsString>) -> &'static str {
    let name = first
        .map(std::path::Path::new)
        .and_then(std::path::Path::file_name);
    if name == Some("docker".as_ref()) {
        "docker"
    } else {
        "corten"
    }
}

/// The flags before the command.
pub(crate) fn root(program: &'static str) -> Command {
    let help = Arg::new("help")
        .long("help")
        .short('h')
        .action(ArgAction::SetTrue);
    Global::augment_args(Command::new(program))
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .disable_help_flag(true)
        .arg(help.help("Print usage"))
}

/// Reads the global flags and finds the command. Nothing is left to do for `--version` and help.
pub(crate) fn resolve(
    program: &'static str,
    args: Vec<OsString>,
    environment: &Environment,
) -> anyhow::Result<Option<Call>> {
    let root = root(program)
        .args_override_self(true)
        .allow_external_subcommands(true)
        .external_subcommand_value_parser(clap::value_parser!(OsString));
    let matches = lenient_flags(root.clone())
        .try_get_matches_from(args)
        .map_err(|error| {
            let mistake = flag_mistake(&error);
            Failure::exit(
                125,
                format!("{mistake}\n\nRun '{program} --help' for more information"),
            )
        })?;
    let global = Global::from_arg_matches(&matches)?;
    if global.version {
        console::line(format!("Corten version {}", env!("CARGO_PKG_VERSION")))?;
        return Ok(None);
    }
    let wants_help = matches.get_flag("help");
    let mut words: Vec<OsString> = Vec::new();
    if let Some((first, rest)) = matches.subcommand() {
        words.push(first.into());
        words.extend(rest.get_many::<OsString>("").into_iter().flatten().cloned());
    }
    let settings = || Settings::resolve(program, global, environment);
    match command(words, wants_help) {
        Named::Command {
            entry,
            called,
            words,
        } => Ok(Some(Call {
            entry,
            called,
            words,
            settings: settings()?,
        })),
        Named::Group(group) => console::print(&overview::group(program, group)).map(|()| None),
        Named::Nothing => console::print(&overview::root(program, root)).map(|()| None),
        Named::Unknown(called) => Err(Failure::exit(
            1,
            format!(
                "{program}: unknown command: {program} {called}\n\nRun '{program} --help' for more information"
            ),
        )),
    }
}

/// What the words after the global flags name.
enum Named {
    Command {
        entry: &'static Entry,
        called: String,
        words: Vec<OsString>,
    },
    Group(&'static commands::Group),
    Nothing,
    Unknown(String),
}

/// Finds the command; `help` before it asks for its help.
fn command(mut words: Vec<OsString>, mut wants_help: bool) -> Named {
    if words.first().is_some_and(|word| word == "help") {
        words.remove(0);
        wants_help = true;
    }
    let text: Vec<&str> = words
        .iter()
        .map(|word| word.to_str().unwrap_or(""))
        .collect();
    match commands::find(&text) {
        commands::Found::Command(entry, length) => {
            let called = text[..length].join(" ");
            let rest = if wants_help {
                vec!["--help".into()]
            } else {
                words.split_off(length)
            };
            Named::Command {
                entry,
                called,
                words: rest,
            }
        }
        commands::Found::Group(group) => Named::Group(group),
        commands::Found::Nothing => Named::Nothing,
        commands::Found::Unknown(called) => Named::Unknown(called),
    }
}
