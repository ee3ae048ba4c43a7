//! The flags of one instruction, checked against those that it knows.

use crate::lines::Line;
use crate::suggest::nearest;
use crate::words::FlagWord;
use crate::{Diagnostic, File, Span, Spanned};

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `--x` or `--x=true`.
    Switch,
    /// `--x=value`, once.
    Text,
    /// `--x=value`, many.
    List,
}

/// The flags that an instruction knows.
pub(super) type Known = &'static [(&'static str, Kind)];

#[derive(Debug, Clone, Default)]
pub(super) struct Flags(Vec<(&'static str, Spanned<String>)>);

impl Flags {
    /// Checks names, repeats and values.
    pub(super) fn check(
        file: &File,
        line: &Line,
        words: &[FlagWord],
        (instruction, known): (&str, Known),
    ) -> Result<Self, Diagnostic> {
        let mut flags = Self::default();
        for word in words {
            let span = line.span(word.range.clone());
            let (name, value) = match word.value.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.value.as_str(), None),
            };
            let bare = name.trim_start_matches("--");
            let found = known.iter().find(|(known, _)| *known == bare);
            let Some(&(name, kind)) = found else {
                return Err(unknown(
                    file,
                    name_span(file, span),
                    bare,
                    (instruction, known),
                ));
            };
            if kind != Kind::List && flags.text(name).is_some() {
                return Err(Diagnostic::error(
                    file,
                    span,
                    format!("the flag --{name} is given twice"),
                )
                .label(format!("expected --{name} once")));
            }
            if kind != Kind::Switch && value.is_none() || value == Some("") && kind == Kind::Switch
            {
                return Err(Diagnostic::error(
                    file,
                    span,
                    format!("the flag --{name} has no value"),
                )
                .label(format!("expected --{name}=<value>")));
            }
            let value = Spanned::new(
                value.unwrap_or("true").to_owned(),
                value_span(file, span, value),
            );
            if kind == Kind::Switch && switch(&value).is_none() {
                let message = format!("`{}` is not a value of --{name}", value.value);
                return Err(
                    Diagnostic::error(file, value.span, message).label("expected true or false")
                );
            }
            flags.0.push((name, value));
        }
        Ok(flags)
    }

    /// The value of a flag that is given once.
    pub(super) fn text(&self, name: &str) -> Option<Spanned<String>> {
        self.list(name).into_iter().next()
    }

    /// All values of a flag.
    pub(super) fn list(&self, name: &str) -> Vec<Spanned<String>> {
        let of_name = self.0.iter().filter(|(flag, _)| *flag == name);
        of_name.map(|(_, value)| value.clone()).collect()
    }

    /// The value of a switch, if it is given.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.text(name).as_ref().and_then(switch)
    }
}

fn switch(value: &Spanned<String>) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn unknown(file: &File, span: Span, name: &str, (instruction, known): (&str, Known)) -> Diagnostic {
    let message = format!("{instruction} has no flag --{name}");
    let diagnostic = Diagnostic::error(file, span, message);
    if known.is_empty() {
        return diagnostic
            .label(format!("expected no flag, {instruction} takes none"))
            .help(
                "an argument that begins with -- must follow another word, or use the JSON form",
            );
    }
    let names: Vec<_> = known.iter().map(|(name, _)| format!("--{name}")).collect();
    let diagnostic = diagnostic.label(format!("expected one of {}", names.join(", ")));
    match nearest(name, known.iter().map(|(name, _)| *name)) {
        Some(near) => diagnostic.help(format!("did you mean --{near}?")),
        None => diagnostic,
    }
}

/// The part before `=`.
fn name_span(file: &File, span: Span) -> Span {
    let length = file.slice(span).find('=').unwrap_or(span.len());
    Span::new(span.start, span.start + length)
}

/// The part after `=`, without quotes if they stand around all of it.
fn value_span(file: &File, span: Span, value: Option<&str>) -> Span {
    let raw = file.slice(span);
    match (raw.find('='), value) {
        (Some(equals), Some(value)) => {
            let after = &raw[equals + 1..];
            let skip = after.find(value).unwrap_or(0);
            let length = if after[skip..].starts_with(value) {
                value.len()
            } else {
                after.len()
            };
            let start = span.start + equals + 1 + skip;
            Span::new(start, start + length)
        }
        _ => span,
    }
}
