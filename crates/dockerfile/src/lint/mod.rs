//! Build checks: what parses but is likely wrong. Names and messages are those that people know
//! from `docker build --check`.
//!
//! [`lint`] runs the rules that need the file alone. The others are made where their facts are:
//! [`undefined_variable`], [`ignored_sources`] and [`base_platform`].

mod instructions;
mod rules;
mod stages;

pub use rules::{RULES, Rule};

use oci::Platform;

use crate::ignore::Patterns;
use crate::instruction::{Copy, Source};
use crate::suggest::nearest;
use crate::{Add, Diagnostic, Dockerfile, File, Instruction, Span, Unset};

/// What `# check=` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks {
    /// Rules that are off.
    pub skip: Vec<String>,
    /// Experimental rules that are on.
    pub experimental: Vec<String>,
    /// Does a finding fail the build?
    pub error: bool,
}

impl Checks {
    /// Reads `skip=A,B;error=true;experimental=all`.
    pub fn parse(text: &str) -> Self {
        let mut checks = Self::default();
        for part in text.split(';') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let list = || {
                value
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect()
            };
            match key.trim().to_lowercase().as_str() {
                "skip" => checks.skip = list(),
                "experimental" => checks.experimental = list(),
                "error" => checks.error = crate::mount::boolean(value.trim()).unwrap_or(false),
                _ => {}
            }
        }
        checks
    }

    /// What the directive of a file asks for.
    pub fn of(dockerfile: &Dockerfile) -> Self {
        let check = dockerfile.directives.check.as_ref();
        check.map(|check| Self::parse(check)).unwrap_or_default()
    }

    /// Is the rule on?
    pub fn allow(&self, rule: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|name| name == "all" || name == rule);
        let experimental = RULES
            .iter()
            .any(|known| known.name == rule && known.experimental);
        !named(&self.skip) && (!experimental || named(&self.experimental))
    }
}

/// What the file alone shows, in order of place, without what `# check=skip=` switches off.
pub fn lint(dockerfile: &Dockerfile) -> Vec<Diagnostic> {
    let mut found = dockerfile.warnings.clone();
    stages::check(dockerfile, &mut found);
    instructions::check(dockerfile, &mut found);
    let checks = Checks::of(dockerfile);
    found.retain(|finding| finding.rule.is_none_or(|rule| checks.allow(rule)));
    found.sort_by_key(|finding| finding.span.start);
    found
}

/// A variable that an instruction uses and that is not set; `known` are the names that are.
pub fn undefined_variable<'a>(
    file: &File,
    unset: &Unset,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let message = format!("Usage of undefined variable '${}'", unset.name);
    let finding = warning(file, unset.span, "UndefinedVar", message);
    match nearest(&unset.name, known) {
        Some(near) => finding.help(format!("did you mean ${near}?")),
        None => finding,
    }
}

/// The sources of an instruction that the context does not have, because they are ignored.
pub fn ignored_sources(
    file: &File,
    instruction: &Instruction,
    ignored: &Patterns,
) -> Vec<Diagnostic> {
    let sources = match instruction {
        Instruction::Copy(Copy {
            sources,
            from: None,
            ..
        })
        | Instruction::Add(Add { sources, .. }) => sources,
        _ => return Vec::new(),
    };
    let paths = sources.iter().filter_map(|source| match source {
        Source::Path(path) if !path.contains("://") && !crate::glob::has_meta(path) => Some(path),
        _ => None,
    });
    let hidden = paths.filter(|path| {
        let clean = crate::ignore::clean(path);
        let relative = clean.trim_start_matches('/');
        !matches!(relative, "" | ".") && ignored.ignores(relative)
    });
    let finding = |path: &crate::Spanned<String>| {
        let name = instruction.name();
        let message = format!(
            "Attempting to {name} file {:?} that is excluded by .dockerignore",
            path.value
        );
        warning(file, path.span, "CopyIgnoredFile", message)
    };
    hidden.map(finding).collect()
}

/// A base image of another platform than the build's.
pub fn base_platform(
    file: &File,
    span: Span,
    expected: &Platform,
    actual: &Platform,
) -> Diagnostic {
    let image = file.slice(span);
    let message = format!(
        "Base image {image} was pulled with platform \"{actual}\", expected \"{expected}\" for current build"
    );
    warning(file, span, "InvalidBaseImagePlatform", message)
}

fn warning(file: &File, span: Span, rule: &'static str, message: String) -> Diagnostic {
    Diagnostic {
        rule: Some(rule),
        ..Diagnostic::warning(file, span, message)
    }
}
