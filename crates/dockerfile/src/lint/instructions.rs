//! Rules about the instructions of a stage.

use std::collections::HashMap;

use super::{stages, warning};
use crate::instruction::{CommandLine, Pair};
use crate::{Diagnostic, Dockerfile, Instruction, Spanned, Stage, Statement};

pub(super) fn check(dockerfile: &Dockerfile, found: &mut Vec<Diagnostic>) {
    casing(dockerfile, found);
    let mut absolute = vec![false; dockerfile.stages.len()];
    for stage in &dockerfile.stages {
        let base = dockerfile.stage(&stage.from.node.image, stage.index);
        absolute[stage.index] = base.is_some_and(|base| absolute[base.index]);
        repeated(dockerfile, stage, found);
        let mut shell = false;
        for statement in &stage.instructions {
            shell |= matches!(statement.node, Instruction::Shell(_));
            workdir(dockerfile, statement, &mut absolute[stage.index], found);
            one(dockerfile, statement, shell, found);
        }
    }
    for item in dockerfile
        .global_args
        .iter()
        .flat_map(|arg| &arg.node.items)
    {
        secret(dockerfile, "ARG", &item.name, found);
    }
}

fn one(dockerfile: &Dockerfile, statement: &Statement, shell: bool, found: &mut Vec<Diagnostic>) {
    let keyword = statement.keyword.span;
    match &statement.node {
        Instruction::Maintainer(_) => {
            let message = "Maintainer instruction is deprecated in favor of using label".to_owned();
            found.push(warning(
                &dockerfile.file,
                keyword,
                "MaintainerDeprecated",
                message,
            ));
        }
        Instruction::Cmd(crate::Cmd {
            command: CommandLine::Shell(_),
        })
        | Instruction::Entrypoint(crate::Entrypoint {
            command: CommandLine::Shell(_),
        }) if !shell => {
            let message = format!(
                "JSON arguments recommended for {} to prevent unintended behavior related to OS signals",
                statement.node.name()
            );
            found.push(warning(
                &dockerfile.file,
                keyword,
                "JSONArgsRecommended",
                message,
            ));
        }
        Instruction::Arg(arg) => {
            for item in &arg.items {
                secret(dockerfile, "ARG", &item.name, found);
            }
            let names: Vec<_> = arg
                .items
                .iter()
                .map(|item| item.name.value.clone())
                .collect();
            stages::description(dockerfile, "ARG", statement, &names, found);
        }
        Instruction::Env(env) => {
            for pair in &env.pairs {
                secret(dockerfile, "ENV", &pair.name, found);
            }
            legacy(dockerfile, "ENV", &env.pairs, found);
        }
        Instruction::Label(label) => legacy(dockerfile, "LABEL", &label.pairs, found),
        Instruction::Expose(expose) => {
            for port in &expose.ports {
                exposed(dockerfile, port, found);
            }
        }
        _ => {}
    }
}

fn legacy(dockerfile: &Dockerfile, name: &str, pairs: &[Pair], found: &mut Vec<Diagnostic>) {
    for pair in pairs.iter().filter(|pair| pair.legacy) {
        let message = format!(
            "\"{name} key=value\" should be used instead of legacy \"{name} key value\" format"
        );
        let span = pair.name.span.to(pair.value.span);
        found.push(warning(
            &dockerfile.file,
            span,
            "LegacyKeyValueFormat",
            message,
        ));
    }
}

fn exposed(dockerfile: &Dockerfile, port: &Spanned<String>, found: &mut Vec<Diagnostic>) {
    let protocol = port.rsplit_once('/').map_or("", |(_, protocol)| protocol);
    if !protocol.contains('$') && protocol != protocol.to_lowercase() {
        let message = format!(
            "Defined protocol '{}' in EXPOSE instruction should be lowercase",
            port.value
        );
        found.push(warning(
            &dockerfile.file,
            port.span,
            "ExposeProtoCasing",
            message,
        ));
    }
    if port.contains(':') && !port.contains('$') {
        let message = format!(
            "EXPOSE instruction should not define an IP address or host-port mapping, found '{}'",
            port.value
        );
        found.push(warning(
            &dockerfile.file,
            port.span,
            "ExposeInvalidFormat",
            message,
        ));
    }
}

fn secret(
    dockerfile: &Dockerfile,
    kind: &str,
    name: &Spanned<String>,
    found: &mut Vec<Diagnostic>,
) {
    const SECRET: [&str; 10] = [
        "apikey",
        "auth",
        "credential",
        "credentials",
        "key",
        "password",
        "pword",
        "passwd",
        "secret",
        "token",
    ];
    const HARMLESS: [&str; 3] = ["public", "file", "version"];
    let lower = name.to_lowercase();
    let has = |words: &[&str]| lower.split('_').any(|part| words.contains(&part));
    if has(&SECRET) && !has(&HARMLESS) {
        let message = format!(
            "Do not use ARG or ENV instructions for sensitive data ({kind} {:?})",
            name.value
        );
        found.push(warning(
            &dockerfile.file,
            name.span,
            "SecretsUsedInArgOrEnv",
            message,
        ));
    }
}

fn workdir(
    dockerfile: &Dockerfile,
    statement: &Statement,
    absolute: &mut bool,
    found: &mut Vec<Diagnostic>,
) {
    let Instruction::Workdir(workdir) = &statement.node else {
        return;
    };
    // What a variable holds is not known here; it is taken to be absolute.
    if workdir.path.starts_with(['/', '$', '"', '\'']) {
        *absolute = true;
    } else if !*absolute {
        let message = format!(
            "Relative workdir {:?} can have unexpected results if the base image changes",
            workdir.path.value
        );
        found.push(warning(
            &dockerfile.file,
            workdir.path.span,
            "WorkdirRelativePath",
            message,
        ));
    }
}

/// Of `CMD`, `ENTRYPOINT` and `HEALTHCHECK` only the last counts: those before are reported.
fn repeated(dockerfile: &Dockerfile, stage: &Stage, found: &mut Vec<Diagnostic>) {
    let mut last: HashMap<&str, &Statement> = HashMap::new();
    for statement in &stage.instructions {
        let name = statement.node.name();
        if !matches!(name, "CMD" | "ENTRYPOINT" | "HEALTHCHECK") {
            continue;
        }
        if let Some(earlier) = last.insert(name, statement) {
            let message = format!(
                "Multiple {name} instructions should not be used in the same stage because only the last one will be used"
            );
            let span = earlier.keyword.span;
            found.push(warning(
                &dockerfile.file,
                span,
                "MultipleInstructionsDisallowed",
                message,
            ));
        }
    }
}

/// All words in the case of the majority.
fn casing(dockerfile: &Dockerfile, found: &mut Vec<Diagnostic>) {
    let globals = dockerfile.global_args.iter().map(|arg| &arg.keyword);
    let words: Vec<_> = globals
        .chain(dockerfile.stages.iter().flat_map(keywords))
        .collect();
    let lower = words
        .iter()
        .filter(|word| word.value == word.to_lowercase())
        .count();
    let upper = words
        .iter()
        .filter(|word| word.value == word.to_uppercase())
        .count();
    let majority = if lower > upper {
        "lowercase"
    } else {
        "uppercase"
    };
    for word in words {
        let right = if lower > upper {
            word.to_lowercase()
        } else {
            word.to_uppercase()
        };
        if word.value != right {
            let message = format!(
                "Command '{}' should match the case of the command majority ({majority})",
                word.value
            );
            found.push(warning(
                &dockerfile.file,
                word.span,
                "ConsistentInstructionCasing",
                message,
            ));
        }
    }
}

fn keywords(stage: &Stage) -> impl Iterator<Item = &Spanned<String>> {
    let rest = stage
        .instructions
        .iter()
        .map(|statement| &statement.keyword);
    std::iter::once(&stage.from.keyword).chain(rest)
}
