//! The help of the whole program and of a group of commands.

use std::fmt::Write as _;

use clap::Command;

use crate::commands::{GROUPS, Group, TABLE};

/// Commands that a newcomer needs first.
const COMMON: [&str; 8] = [
    "run", "exec", "ps", "build", "images", "load", "version", "info",
];

/// `corten --help`.
pub(super) fn root(program: &str, flags: Command) -> String {
    let mut text = format!(
        "\nUsage:  {program} [OPTIONS] COMMAND\n\nBuild, run and ship containers\n\nCommon Commands:\n"
    );
    let short = |entry: &'static crate::app::Entry| {
        entry
            .aliases
            .iter()
            .copied()
            .find(|alias| !alias.contains(' '))
            .or_else(|| (!entry.name.contains(' ')).then_some(entry.name))
    };
    let words: Vec<(&str, &str)> = TABLE
        .iter()
        .filter(|entry| !entry.hidden)
        .filter_map(|entry| Some((short(entry)?, entry.about)))
        .collect();
    for name in COMMON {
        list(&mut text, words.iter().filter(|(word, _)| *word == name));
    }
    text.push_str("\nManagement Commands:\n");
    for group in GROUPS {
        list(&mut text, std::iter::once(&(group.name, group.about)));
    }
    text.push_str("\nCommands:\n");
    let mut rest: Vec<_> = words
        .into_iter()
        .filter(|(word, _)| !COMMON.contains(word))
        .collect();
    rest.sort_unstable();
    list(&mut text, rest.iter());
    let flags = flags
        .help_template("\nGlobal Options:\n{options}\n")
        .render_help();
    let _ = write!(
        text,
        "\n{flags}\nRun '{program} COMMAND --help' for more information on a command.\n"
    );
    text
}

/// `corten container --help`.
pub(super) fn group(program: &str, group: &Group) -> String {
    let mut text = format!(
        "\nUsage:  {program} {} COMMAND\n\n{}\n\nCommands:\n",
        group.name, group.about
    );
    list(
        &mut text,
        group
            .commands()
            .map(|(word, entry)| (word, entry.about))
            .collect::<Vec<_>>()
            .iter(),
    );
    let _ = write!(
        text,
        "\nRun '{program} {} COMMAND --help' for more information on a command.\n",
        group.name
    );
    text
}

fn list<'a>(text: &mut String, rows: impl Iterator<Item = &'a (&'a str, &'a str)>) {
    for (word, about) in rows {
        let _ = writeln!(text, "  {word:<11} {about}");
    }
}
