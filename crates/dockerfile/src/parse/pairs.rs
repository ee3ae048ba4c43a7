//! `ARG`, `ENV` and `LABEL`: names and values.

use std::ops::Range;

use super::statement::{Item, description};
use crate::instruction::{Arg, ArgItem, Env, Label, Pair};
use crate::{Diagnostic, words};

pub(super) fn arg(item: &Item<'_>) -> Result<Arg, Diagnostic> {
    item.flags(&[])?;
    let words = words::quoted(&item.line.text, item.args.clone(), item.escape);
    if words.is_empty() {
        return Err(item
            .missing("a name")
            .help("for example ARG VERSION or ARG VERSION=1.0"));
    }
    let items = words.into_iter().map(|word| {
        let (name, value) = split(item, word.clone());
        if name.is_empty() {
            return Err(blank(item, word));
        }
        let name = item.line.token(name);
        Ok(ArgItem {
            description: description(item.comments, &name),
            name,
            default: value.map(|value| item.line.token(value)),
        })
    });
    Ok(Arg {
        items: items.collect::<Result<_, _>>()?,
    })
}

pub(super) fn env(item: &Item<'_>) -> Result<Env, Diagnostic> {
    Ok(Env {
        pairs: pairs(item)?,
    })
}

pub(super) fn label(item: &Item<'_>) -> Result<Label, Diagnostic> {
    Ok(Label {
        pairs: pairs(item)?,
    })
}

/// `name=value…`, or the old form `name value` if the first word has no `=`.
fn pairs(item: &Item<'_>) -> Result<Vec<Pair>, Diagnostic> {
    item.flags(&[])?;
    let words = words::quoted(&item.line.text, item.args.clone(), item.escape);
    let Some(first) = words.first() else {
        return Err(item.missing("a name=value pair"));
    };
    if !item.line.text[first.clone()].contains('=') {
        return legacy(item).map(|pair| vec![pair]);
    }
    let pair = |word: Range<usize>| {
        let (name, value) = split(item, word.clone());
        if name.is_empty() {
            return Err(blank(item, word));
        }
        let Some(value) = value else {
            let text = &item.line.text[word.clone()];
            return Err(item
                .error(
                    item.line.span(word.clone()),
                    format!("`{text}` has no value"),
                )
                .label("expected name=value")
                .help("a value with spaces needs quotes around it"));
        };
        Ok(Pair {
            name: item.line.token(name),
            value: item.line.token(value),
            legacy: false,
        })
    };
    words.into_iter().map(pair).collect()
}

fn legacy(item: &Item<'_>) -> Result<Pair, Diagnostic> {
    let (name, value) = words::split_first(&item.line.text, item.args.clone());
    if value.is_empty() {
        let message = format!("{} has no value", item.name);
        return Err(item
            .error(item.line.span(name), message)
            .label("expected name=value"));
    }
    Ok(Pair {
        name: item.line.token(name),
        value: item.line.token(value),
        legacy: true,
    })
}

fn split(item: &Item<'_>, word: Range<usize>) -> (Range<usize>, Option<Range<usize>>) {
    match item.line.text[word.clone()].find('=') {
        Some(at) => (
            word.start..word.start + at,
            Some(word.start + at + 1..word.end),
        ),
        None => (word, None),
    }
}

fn blank(item: &Item<'_>, word: Range<usize>) -> Diagnostic {
    item.error(
        item.line.span(word),
        format!("{} with an empty name", item.name),
    )
    .label("expected a name before =")
}
