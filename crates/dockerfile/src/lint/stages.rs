//! Rules about `FROM` and stages.

use std::collections::HashMap;

use super::warning;
use crate::suggest::nearest;
use crate::{Diagnostic, Dockerfile, Expander, Spanned, Stage};

/// Arguments that exist without being declared, in `FROM`.
const PLATFORM_ARGS: [&str; 11] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
];

pub(super) fn check(dockerfile: &Dockerfile, found: &mut Vec<Diagnostic>) {
    let globals = globals(dockerfile);
    for stage in &dockerfile.stages {
        name(dockerfile, stage, found);
        platform(dockerfile, stage, found);
        arguments(dockerfile, stage, &globals, found);
        let keyword = stage
            .from
            .node
            .name
            .iter()
            .map(|name| name.to_lowercase())
            .collect::<Vec<_>>();
        description(dockerfile, "FROM", &stage.from, &keyword, found);
    }
    for arg in &dockerfile.global_args {
        let names: Vec<_> = arg
            .node
            .items
            .iter()
            .map(|item| item.name.value.clone())
            .collect();
        description(dockerfile, "ARG", arg, &names, found);
    }
}

fn name(dockerfile: &Dockerfile, stage: &Stage, found: &mut Vec<Diagnostic>) {
    let (Some(written), Some(lower)) = (&stage.from.node.name, &stage.name) else {
        return;
    };
    let mut add =
        |rule, message| found.push(warning(&dockerfile.file, written.span, rule, message));
    if written.value != *lower {
        add(
            "StageNameCasing",
            format!("Stage name '{}' should be lowercase", written.value),
        );
    }
    if matches!(lower.as_str(), "scratch" | "context") {
        add(
            "ReservedStageName",
            format!("Stage name should not use the same name as reserved stage {lower:?}"),
        );
    }
    let earlier = &dockerfile.stages[..stage.index];
    if earlier
        .iter()
        .any(|other| other.name.as_ref() == Some(lower))
    {
        add(
            "DuplicateStageName",
            format!(
                "Duplicate stage name {:?}, stage names should be unique",
                written.value
            ),
        );
    }
    let (from, Some(word)) = (&stage.from.keyword, &stage.from.node.as_word) else {
        return;
    };
    let lower = from.value == from.to_lowercase() && word.value != word.to_lowercase();
    let upper = from.value == from.to_uppercase() && word.value != word.to_uppercase();
    if lower || upper {
        let message = format!(
            "'{}' and '{}' keywords' casing do not match",
            word.value, from.value
        );
        found.push(warning(
            &dockerfile.file,
            word.span,
            "FromAsCasing",
            message,
        ));
    }
}

fn platform(dockerfile: &Dockerfile, stage: &Stage, found: &mut Vec<Diagnostic>) {
    let Some(platform) = &stage.from.node.platform else {
        return;
    };
    if matches!(platform.as_str(), "$TARGETPLATFORM" | "${TARGETPLATFORM}") {
        let message = format!(
            "Setting platform to predefined {} in FROM is redundant as this is the default behavior",
            platform.value
        );
        found.push(warning(
            &dockerfile.file,
            platform.span,
            "RedundantTargetPlatform",
            message,
        ));
    }
    // A stage that is named after its platform is meant to be of that platform.
    let name = stage.name.as_deref().unwrap_or_default();
    let named = platform.split('/').any(|part| name.contains(part));
    if !platform.contains('$') && !named {
        let message = format!(
            "FROM --platform flag should not use constant value {:?}",
            platform.value
        );
        found.push(warning(
            &dockerfile.file,
            platform.span,
            "FromPlatformFlagConstDisallowed",
            message,
        ));
    }
}

/// The global arguments with their defaults, each seeing those before it.
fn globals(dockerfile: &Dockerfile) -> HashMap<String, String> {
    let mut globals = HashMap::new();
    for item in dockerfile
        .global_args
        .iter()
        .flat_map(|arg| &arg.node.items)
    {
        let lookup = |name: &str| globals.get(name).cloned();
        let expander = Expander::new(&dockerfile.file, dockerfile.directives.escape, &lookup);
        let default = item.default.as_ref().map(|default| expander.word(default));
        let value = default
            .and_then(Result::ok)
            .map(|expanded| expanded.value.value);
        globals.insert(item.name.value.clone(), value.unwrap_or_default());
    }
    globals
}

fn arguments(
    dockerfile: &Dockerfile,
    stage: &Stage,
    globals: &HashMap<String, String>,
    found: &mut Vec<Diagnostic>,
) {
    let lookup = |name: &str| {
        let predefined = PLATFORM_ARGS
            .contains(&name)
            .then(|| "linux/amd64".to_owned());
        globals.get(name).cloned().or(predefined)
    };
    let expander = Expander::new(&dockerfile.file, dockerfile.directives.escape, &lookup);
    let Ok(expanded) = stage.from.node.expand(&expander) else {
        return;
    };
    let image = &stage.from.node.image;
    for unset in &expanded.unset {
        let message = format!("FROM argument '{}' is not declared", unset.name);
        let finding = warning(&dockerfile.file, unset.span, "UndefinedArgInFrom", message);
        let known = globals.keys().map(String::as_str).chain(PLATFORM_ARGS);
        found.push(match nearest(&unset.name, known) {
            Some(near) => finding.help(format!("did you mean {near}?")),
            None => finding,
        });
    }
    let valid = expanded.value.image.value.parse::<oci::Reference>().is_ok();
    if image.contains('$') && expanded.unset.is_empty() && !valid {
        let message = format!(
            "Default value for ARG {} results in empty or invalid base image name",
            image.value
        );
        found.push(warning(
            &dockerfile.file,
            image.span,
            "InvalidDefaultArgInFrom",
            message,
        ));
    }
}

/// The last comment line above must begin with a name that is defined here.
pub(super) fn description<T>(
    dockerfile: &Dockerfile,
    instruction: &str,
    statement: &crate::Statement<T>,
    names: &[String],
    found: &mut Vec<Diagnostic>,
) {
    let (Some(comment), Some(first)) = (statement.comments.last(), names.first()) else {
        return;
    };
    let word = comment.split(' ').next().unwrap_or_default();
    if !names.iter().any(|name| name == word) {
        let name = if names.len() > 1 { "<arg_key>" } else { first };
        let message =
            format!("Comment for {instruction} should follow the format: `# {name} <description>`");
        let place: &Spanned<String> = comment;
        found.push(warning(
            &dockerfile.file,
            place.span,
            "InvalidDefinitionDescription",
            message,
        ));
    }
}
