//! From words to a command: the global flags, the table of commands, and clap for one of them.
//!
//! Only the clap definition of the command that runs is built, which keeps the start below a
//! millisecond; the whole tree is built for completions and man pages.

mod overview;
mod parse;
mod resolve;

use std::ffi::OsString;
use std::future::Future;
use std::pin::Pin;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, error::ErrorKind};

use crate::failure::Failure;
use crate::settings::Session;

use parse::flag_mistake;
pub(crate) use parse::lenient_flags;
pub(crate) use resolve::{program, resolve, root};

/// A command's words, and what it does with them.
pub(crate) trait Verb: Args + 'static {
    /// Runs the command.
    async fn run(self, session: &Session) -> anyhow::Result<()>;

    /// Flags of Docker's command that are not served yet.
    const LATER: &'static [Later] = &[];
}

/// A flag that Docker has and Corten does not serve yet. Using it is an error that says so; help
/// and completions do not offer it.
pub(crate) struct Later {
    name: &'static str,
    short: Option<char>,
    takes_value: bool,
}

impl Later {
    /// A flag with a value.
    pub(crate) const fn value(name: &'static str) -> Self {
        Self {
            name,
            short: None,
            takes_value: true,
        }
    }

    /// A flag without a value.
    pub(crate) const fn switch(name: &'static str) -> Self {
        Self {
            name,
            short: None,
            takes_value: false,
        }
    }

    /// The flag's one-letter name.
    pub(crate) const fn short(self, short: char) -> Self {
        Self {
            short: Some(short),
            ..self
        }
    }

    fn arg(&self) -> Arg {
        let action = if self.takes_value {
            ArgAction::Append
        } else {
            ArgAction::SetTrue
        };
        Arg::new(self.name)
            .long(self.name)
            .short(self.short)
            .action(action)
            .required(false)
    }

    fn is_used(&self, matches: &ArgMatches) -> bool {
        matches.value_source(self.name) == Some(clap::parser::ValueSource::CommandLine)
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
    later: &'static [Later],
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
            later: V::LATER,
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
        let usage = self.usage_line(program, called);
        let command = Command::new(last)
            .about(self.about)
            .hide(self.hidden)
            .bin_name(format!("{program} {called}"))
            .override_usage(usage)
            .before_help(self.names(program))
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

    /// The definition for parsing: with the flags that are only known to be refused.
    fn parser(&self, program: &str, called: &str) -> Command {
        lenient_flags(
            self.command(program, called)
                .args(self.later.iter().map(Later::arg)),
        )
    }

    fn usage_line(&self, program: &str, called: &str) -> String {
        let gap = if self.usage.is_empty() { "" } else { " " };
        format!("{program} {called} [OPTIONS]{gap}{}", self.usage)
    }

    /// All names of the command, where it has more than one.
    fn names(&self, program: &str) -> String {
        if self.aliases.is_empty() {
            return String::new();
        }
        let names = std::iter::once(&self.name).chain(self.aliases);
        let names: Vec<String> = names.map(|name| format!("{program} {name}")).collect();
        format!("Aliases:\n  {}", names.join(", "))
    }

    /// Reads the words after the command and runs it.
    pub(crate) async fn call(
        &self,
        called: &str,
        words: &[OsString],
        session: &Session,
    ) -> anyhow::Result<()> {
        let program = session.settings.program;
        let strict = self.parser(program, called);
        let first = OsString::from(program);
        let matches = strict
            .try_get_matches_from(std::iter::once(&first).chain(words))
            .map_err(|error| self.explain(&error, program, called))?;
        match self.later.iter().find(|later| later.is_used(&matches)) {
            Some(later) => Err(Failure::exit(
                125,
                format!("--{}: not available yet", later.name),
            )),
            None => (self.run)(&matches, session).await,
        }
    }

    /// Docker's words for what clap found wrong.
    fn explain(&self, error: &clap::Error, program: &str, called: &str) -> anyhow::Error {
        let usage = self.usage_line(program, called);
        match error.kind() {
            ErrorKind::DisplayHelp => {
                Failure::exit(0, self.command(program, called).render_help().to_string())
            }
            ErrorKind::MissingRequiredArgument | ErrorKind::TooFewValues => Failure::exit(
                1,
                format!(
                    "{program}: '{program} {called}' is missing an argument\n\nUsage:  {usage}\n\nSee '{program} {called} --help'."
                ),
            ),
            _ => Failure::exit(
                125,
                format!(
                    "{}\n\nUsage:  {usage}\n\nRun '{program} {called} --help' for more information",
                    flag_mistake(error),
                ),
            ),
        }
    }
}

const HELP: &str = "\nUsage:  {usage}\n\n{about}\n\n{before-help}{all-args}{after-help}\n";

fn run<'a, V: Verb>(matches: &'a ArgMatches, session: &'a Session) -> Running<'a> {
    Box::pin(async move {
        let words = V::from_arg_matches(matches);
        words
            .map_err(|error| Failure::exit(125, flag_mistake(&error)))?
            .run(session)
            .await
    })
}
