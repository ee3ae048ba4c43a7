//! From words to a command: the global flags, the table of commands, and clap for one of them.
//!
//! Only the clap definition of the command that runs is built, which keeps the start below a
//! millisecond; the whole tree is built for completions and man pages.

mod overview;

use std::ffi::OsString;
use std::future::Future;
use std::pin::Pin;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};

use crate::failure::Failure;
use crate::settings::{Global, Session, Settings};
use crate::words::csv::go_bool;
use crate::{Environment, commands, console};

/// A command's words, and what it does with them.
pub(crate) trait Verb: Args + 'static {
    /// Runs the command.
    async fn run(self, session: &Session) -> anyhow::Result<()>;

    /// Adds flags that are known only to be refused; people do not see them.
    fn refused(command: Command) -> Command {
        command
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// One row of the table of commands.
pub(crate) struct Entry {
    /// The full name: `container run`.
    pub(crate) name: &'static str,
    /// Other names, of one or two words: `run`.
    pub(crate) aliases: &'static [&'static str],
    /// One line for lists of commands.
    pub(crate) about: &'static str,
    /// The words after the flags.
    pub(crate) usage: &'static str,
    /// Left out of help and completions.
    pub(crate) hidden: bool,
    define: fn(Command) -> Command,
    refused: fn(Command) -> Command,
    run: for<'a> fn(&'a ArgMatches, &'a Session) -> Running<'a>,
}

impl Entry {
    /// A row for the verb `V`.
    pub(crate) const fn of<V: Verb>(
        name: &'static str,
        aliases: &'static [&'static str],
        usage: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            aliases,
            about,
            usage,
            hidden: false,
            define: V::augment_args,
            refused: V::refused,
            run: run::<V>,
        }
    }

    /// The same row, hidden.
    pub(crate) const fn hide(self) -> Self {
        Self {
            hidden: true,
            ..self
        }
    }

    /// The clap definition as people see it.
    pub(crate) fn command(&self, program: &str, called: &str) -> Command {
        let last = called.rsplit(' ').next().unwrap_or(called).to_owned();
        let options = if self.usage.is_empty() { "" } else { " " };
        let command = Command::new(last)
            .about(self.about)
            .hide(self.hidden)
            .bin_name(format!("{program} {called}"))
            .override_usage(format!(
                "{program} {called} [OPTIONS]{options}{}",
                self.usage
            ))
            .help_template(HELP)
            .disable_help_flag(true)
            .arg(
                Arg::new("help")
                    .long("help")
                    .action(ArgAction::Help)
                    .help("Print usage"),
            );
        (self.define)(command)
    }

    /// Reads the words after the command and runs it.
    pub(crate) async fn call(
        &self,
        called: &str,
        words: &[OsString],
        session: &Session,
    ) -> anyhow::Result<()> {
        let program = session.settings.program;
        let strict = lenient_flags((self.refused)(self.command(program, called)));
        let first = OsString::from(program);
        let matches = strict
            .try_get_matches_from(std::iter::once(&first).chain(words))
            .map_err(|error| self.explain(&error, program, called))?;
        (self.run)(&matches, session).await
    }

    /// Docker's words for what clap found wrong.
    fn explain(&self, error: &clap::Error, program: &str, called: &str) -> anyhow::Error {
        let mut shown = self.command(program, called);
        match error.kind() {
            ErrorKind::DisplayHelp => Failure::new(0, shown.render_help().to_string()),
            ErrorKind::MissingRequiredArgument | ErrorKind::TooFewValues => Failure::new(
                1,
                format!(
                    "{program}: '{program} {called}' is missing an argument\n\n{}\n\nSee '{program} {called} --help'.",
                    shown.render_usage()
                ),
            ),
            _ => Failure::new(
                125,
                format!(
                    "{}\n\n{}\n\nRun '{program} {called} --help' for more information",
                    flag_mistake(error),
                    shown.render_usage()
                ),
            ),
        }
    }
}

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
            Failure::new(
                125,
                format!("{mistake}\n\nRun '{program} --help' for more information"),
            )
        })?;
    let global = Global::from_arg_matches(&matches)?;
    if global.version {
        console::line(format!("Corten version {}", env!("CARGO_PKG_VERSION")))?;
        return Ok(None);
    }
    let mut words: Vec<OsString> = Vec::new();
    if let Some((first, rest)) = matches.subcommand() {
        words.push(first.into());
        words.extend(rest.get_many::<OsString>("").into_iter().flatten().cloned());
    }
    let text: Vec<&str> = words
        .iter()
        .map(|word| word.to_str().unwrap_or(""))
        .collect();
    let wants_help = matches.get_flag("help") || text.first() == Some(&"help");
    let skip = usize::from(text.first() == Some(&"help"));
    match commands::find(text.get(skip..).unwrap_or_default()) {
        commands::Found::Command(entry, length) => {
            let called = text[skip..skip + length].join(" ");
            let mut words = words.split_off(skip + length);
            if wants_help {
                words = vec!["--help".into()];
            }
            let settings = Settings::resolve(program, global, environment)?;
            Ok(Some(Call {
                entry,
                called,
                words,
                settings,
            }))
        }
        commands::Found::Group(group) => {
            console::print(&overview::group(program, group)).map(|()| None)
        }
        commands::Found::Nothing => console::print(&overview::root(program, root)).map(|()| None),
        commands::Found::Unknown(called) => Err(Failure::new(
            1,
            format!(
                "{program}: unknown command: {program} {called}\n\nRun '{program} --help' for more information"
            ),
        )),
    }
}

const HELP: &str = "\nUsage:  {usage}\n\n{about}\n\n{all-args}{after-help}\n";

fn run<'a, V: Verb>(matches: &'a ArgMatches, session: &'a Session) -> Running<'a> {
    Box::pin(async move {
        let words = V::from_arg_matches(matches);
        words
            .map_err(|error| Failure::new(125, flag_mistake(&error)))?
            .run(session)
            .await
    })
}

/// Flags as Go's flag library reads them: `--flag=false` works, a flag may be repeated and the
/// last one counts, and a value may start with a hyphen.
pub(crate) fn lenient_flags(command: Command) -> Command {
    command
        .args_override_self(true)
        .mut_args(|arg| match arg.get_action() {
            _ if arg.is_positional() => arg,
            ArgAction::SetTrue => arg
                .action(ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .default_value("false")
                .value_parser(go_bool),
            ArgAction::Set | ArgAction::Append => arg.allow_hyphen_values(true),
            _ => arg,
        })
}

/// One line for a flag that cannot be read.
fn flag_mistake(error: &clap::Error) -> String {
    use clap::error::{ContextKind, ContextValue};
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.split(' ').next().unwrap_or(text).to_owned(),
        _ => String::new(),
    };
    let flag = context(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with("--") => format!("unknown flag: {flag}"),
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!(
                "unknown shorthand flag: '{}' in {flag}",
                flag.trim_start_matches('-')
            )
        }
        ErrorKind::UnknownArgument => format!("unexpected argument: {flag}"),
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            format!("flag needs an argument: {flag}")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = match error.get(ContextKind::InvalidValue) {
                Some(ContextValue::String(value)) => value.as_str(),
                _ => "",
            };
            let why = std::error::Error::source(error).map(|why| format!(": {why}"));
            format!(
                "invalid argument \"{value}\" for \"{flag}\" flag{}",
                why.unwrap_or_default()
            )
        }
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            line.strip_prefix("error: ").unwrap_or(line).to_owned()
        }
    }
}
