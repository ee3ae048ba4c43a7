//! `RUN` and its flags.

use super::command;
use super::files::{has_variable, no_variables};
use super::flags::{Flags, Kind};
use super::statement::Item;
use crate::instruction::{CommandLine, Device, Network, Run, Security};
use crate::mount::{self, MountFlag};
use crate::suggest::nearest;
use crate::{Diagnostic, Spanned};

const NETWORKS: [(&str, Network); 3] = [
    ("default", Network::Default),
    ("none", Network::None),
    ("host", Network::Host),
];

const SECURITIES: [(&str, Security); 2] = [
    ("sandbox", Security::Sandbox),
    ("insecure", Security::Insecure),
];

pub(super) fn run(item: &Item<'_>) -> Result<Run, Diagnostic> {
    let flags = item.flags(&[
        ("mount", Kind::List),
        ("network", Kind::Text),
        ("security", Kind::Text),
        ("device", Kind::List),
    ])?;
    let command = command::command(item, item.args.start)?;
    let empty = match &command {
        CommandLine::Shell(text) => text.is_empty(),
        CommandLine::Exec(arguments) => arguments.is_empty(),
    };
    if empty {
        return Err(item.missing("a command"));
    }
    Ok(Run {
        command,
        heredocs: item.heredocs.clone(),
        mount_flags: mounts(item, &flags)?,
        network: choice(item, &flags, "network", &NETWORKS)?,
        security: choice(item, &flags, "security", &SECURITIES)?,
        devices: devices(item, &flags)?,
    })
}

fn mounts(item: &Item<'_>, flags: &Flags) -> Result<Vec<MountFlag>, Diagnostic> {
    let mounts = flags.list("mount").into_iter().map(|raw| {
        let flag = MountFlag {
            raw,
            file: item.file.clone(),
        };
        flag.check()?;
        if flag.from().is_some_and(|from| has_variable(&from)) {
            return Err(no_variables(item, &flag.raw, "`from` of a mount"));
        }
        Ok(flag)
    });
    mounts.collect()
}

fn choice<T: Copy>(
    item: &Item<'_>,
    flags: &Flags,
    name: &str,
    choices: &[(&'static str, T)],
) -> Result<Option<Spanned<T>>, Diagnostic> {
    let Some(value) = flags.text(name) else {
        return Ok(None);
    };
    if let Some((_, choice)) = choices.iter().find(|(choice, _)| *choice == value.as_str()) {
        return Ok(Some(value.map(|_| *choice)));
    }
    let names: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
    let error = item
        .error(
            value.span,
            format!("`{}` is not a value of --{name}", value.value),
        )
        .label(format!("expected one of {}", names.join(", ")));
    Err(match nearest(&value, names) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None => error,
    })
}

/// `[name=]device[,required[=bool]]`; the name of a device may itself have an `=`.
fn devices(item: &Item<'_>, flags: &Flags) -> Result<Vec<Device>, Diagnostic> {
    let devices = flags.list("device").into_iter().map(|value| {
        let wrong = |what: String| {
            item.error(value.span, what)
                .label("expected name[,required]")
        };
        let fields =
            mount::csv(&value).ok_or_else(|| wrong("the quotes do not match".to_owned()))?;
        let (mut name, mut required) = (None, false);
        for field in fields {
            match field.split_once('=') {
                Some(("required", flag)) => {
                    required = mount::boolean(flag)
                        .ok_or_else(|| wrong(format!("`{flag}` is neither true nor false")))?;
                }
                None if field == "required" => required = true,
                Some(("name", given)) if name.is_none() => name = Some(given.to_owned()),
                _ if name.is_none() => name = Some(field.clone()),
                _ => return Err(wrong(format!("unexpected field `{field}`"))),
            }
        }
        let name = name.ok_or_else(|| wrong("the device has no name".to_owned()))?;
        Ok(Device {
            name: Spanned::new(name, value.span),
            required,
        })
    });
    devices.collect()
}
