//! Commands in shell or exec form: `CMD`, `ENTRYPOINT`, `SHELL`, `HEALTHCHECK`.

use std::time::Duration;

use super::duration;
use super::flags::{Flags, Kind};
use super::statement::Item;
use crate::instruction::{Cmd, CommandLine, Entrypoint, HealthCheck, HealthTest};
use crate::{Diagnostic, Spanned, words};

/// The text from `start` on: JSON if it is an array of strings, else text for the shell.
pub(super) fn command(item: &Item<'_>, start: usize) -> Result<CommandLine, Diagnostic> {
    Ok(match item.json(start)? {
        Some(strings) => CommandLine::Exec(strings),
        None => CommandLine::Shell(item.line.token(start..item.args.end)),
    })
}

pub(super) fn cmd(item: &Item<'_>) -> Result<Cmd, Diagnostic> {
    item.flags(&[])?;
    let command = command(item, item.args.start)?;
    Ok(Cmd { command })
}

pub(super) fn entrypoint(item: &Item<'_>) -> Result<Entrypoint, Diagnostic> {
    item.flags(&[])?;
    let command = command(item, item.args.start)?;
    Ok(Entrypoint { command })
}

pub(super) fn shell(item: &Item<'_>) -> Result<Vec<Spanned<String>>, Diagnostic> {
    item.flags(&[])?;
    let example = "SHELL [\"/bin/bash\", \"-c\"]";
    match item.json(item.args.start)? {
        Some(shell) if !shell.is_empty() => Ok(shell),
        Some(_) => Err(item
            .missing("at least one argument")
            .help(format!("for example {example}"))),
        None if item.args.is_empty() => Err(item
            .missing("a JSON array")
            .help(format!("for example {example}"))),
        None => {
            let span = item.line.span(item.args.clone());
            Err(item
                .error(span, "SHELL takes the JSON form only")
                .label("expected an array of strings")
                .help(format!("for example {example}")))
        }
    }
}

pub(super) fn health_check(item: &Item<'_>) -> Result<HealthCheck, Diagnostic> {
    let flags = item.flags(&[
        ("interval", Kind::Text),
        ("timeout", Kind::Text),
        ("start-period", Kind::Text),
        ("start-interval", Kind::Text),
        ("retries", Kind::Text),
    ])?;
    Ok(HealthCheck {
        test: health_test(item)?,
        interval: time(item, &flags, "interval")?,
        timeout: time(item, &flags, "timeout")?,
        start_period: time(item, &flags, "start-period")?,
        start_interval: time(item, &flags, "start-interval")?,
        retries: retries(item, &flags)?,
    })
}

fn health_test(item: &Item<'_>) -> Result<HealthTest, Diagnostic> {
    let (word, rest) = words::split_first(&item.line.text, item.args.clone());
    if word.is_empty() {
        return Err(item
            .missing("a check")
            .label("expected CMD <command> or NONE"));
    }
    let kind = item.line.token(word);
    match kind.to_uppercase().as_str() {
        "NONE" if rest.is_empty() => Ok(HealthTest::None),
        "NONE" => Err(item
            .error(item.line.span(rest), "HEALTHCHECK NONE takes no arguments")
            .label("expected nothing here")),
        "CMD" => match command(item, rest.start)? {
            CommandLine::Exec(arguments) if arguments.is_empty() => Err(item
                .missing("a command")
                .label("expected a command after CMD")),
            CommandLine::Shell(text) if text.is_empty() => Err(item
                .missing("a command")
                .label("expected a command after CMD")),
            command => Ok(HealthTest::Command(command)),
        },
        _ => Err(item
            .error(
                kind.span,
                format!("unknown kind of health check `{}`", kind.value),
            )
            .label("expected CMD <command> or NONE")),
    }
}

/// A time of at least a millisecond; 0 and nothing inherit.
fn time(item: &Item<'_>, flags: &Flags, name: &str) -> Result<Option<Duration>, Diagnostic> {
    let Some(text) = flags.text(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match duration::parse(&text) {
        Some(time) if time.is_zero() => Ok(None),
        Some(time) if time >= Duration::from_millis(1) => Ok(Some(time)),
        Some(_) => Err(item
            .error(text.span, format!("--{name} is too short"))
            .label("expected at least 1ms")),
        None => Err(item
            .error(text.span, format!("`{}` is not a time", text.value))
            .label("expected a number with a unit, for example 30s or 1m30s")),
    }
}

fn retries(item: &Item<'_>, flags: &Flags) -> Result<Option<u32>, Diagnostic> {
    let Some(text) = flags.text("retries").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text
        .parse::<i32>()
        .ok()
        .and_then(|retries| u32::try_from(retries).ok())
    {
        Some(retries) => Ok(Some(retries)),
        None => Err(item
            .error(
                text.span,
                format!("`{}` is not a number of retries", text.value),
            )
            .label("expected a whole number, 0 or more")),
    }
}
