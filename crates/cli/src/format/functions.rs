//! The functions that Docker adds to Go's templates.

use gotmpl::{TemplateError, Value};

use super::json;

type Answer = Result<Value, TemplateError>;

/// Adds every function to a template.
pub(super) fn add(template: gotmpl::Template) -> gotmpl::Template {
    template
        .func("json", |args| {
            text(document(first("json", args)?).to_string())
        })
        .func("split", split)
        .func("join", join)
        .func("title", |args| text(title(&string("title", args)?)))
        .func("lower", |args| text(string("lower", args)?.to_lowercase()))
        .func("upper", |args| text(string("upper", args)?.to_uppercase()))
        .func("pad", pad)
        .func("truncate", truncate)
        .func("index", index)
        .func("label", label)
}

fn text(text: impl Into<String>) -> Answer {
    Ok(Value::String(text.into().into()))
}

fn first<'a>(name: &str, args: &'a [Value]) -> Result<&'a Value, TemplateError> {
    nth(name, args, 0, 1)
}

fn nth<'a>(
    name: &str,
    args: &'a [Value],
    at: usize,
    expected: usize,
) -> Result<&'a Value, TemplateError> {
    args.get(at).ok_or_else(|| TemplateError::ArgCount {
        name: name.to_owned(),
        expected,
        got: args.len(),
    })
}

fn string(name: &str, args: &[Value]) -> Result<String, TemplateError> {
    first(name, args).map(ToString::to_string)
}

/// A value as JSON, without the fields that are not for templates.
fn document(value: &Value) -> serde_json::Value {
    let mut document = json::from_template(value);
    if let Some(map) = document.as_object_mut() {
        map.remove(super::List::LABELS);
    }
    document
}

/// `label ROW KEY`: what `{{.Label "key"}}` stands for. In the heading it is the key's last part.
fn label(args: &[Value]) -> Answer {
    let key = nth("label", args, 1, 2)?;
    match first("label", args)?.field(super::List::LABELS) {
        Some(labels) => match labels.index(key)? {
            Value::Nil => text(""),
            value => Ok(value),
        },
        None => {
            let key = key.to_string();
            let last = key.rsplit('.').next().unwrap_or_default();
            text(last.replace(['-', '_'], " "))
        }
    }
}

/// `split TEXT SEPARATOR`.
fn split(args: &[Value]) -> Answer {
    let whole = string("split", args)?;
    let separator = nth("split", args, 1, 2)?.to_string();
    let part = |part: &str| Value::String(part.into());
    Ok(Value::List(match separator.is_empty() {
        true => whole.chars().map(|c| part(&c.to_string())).collect(),
        false => whole.split(&separator).map(part).collect(),
    }))
}

/// `join LIST SEPARATOR`.
fn join(args: &[Value]) -> Answer {
    let separator = nth("join", args, 1, 2)?.to_string();
    match first("join", args)? {
        Value::List(items) => text(
            items
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(&separator),
        ),
        Value::Nil => text(""),
        other => Err(TemplateError::TypeMismatch {
            expected: "list",
            got: other.type_name(),
        }),
    }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        start = !(c.is_alphanumeric() || c == '_' || c == '\'');
    }
    out
}

fn count(name: &str, args: &[Value], at: usize, expected: usize) -> Result<usize, TemplateError> {
    let value = nth(name, args, at, expected)?;
    value
        .as_int()
        .and_then(|n| usize::try_from(n).ok())
        .ok_or(TemplateError::TypeMismatch {
            expected: "int",
            got: value.type_name(),
        })
}

/// `pad TEXT BEFORE AFTER`: spaces around a text that is not empty.
fn pad(args: &[Value]) -> Answer {
    let inner = string("pad", args)?;
    if inner.is_empty() {
        return text(inner);
    }
    let (before, after) = (count("pad", args, 1, 3)?, count("pad", args, 2, 3)?);
    text(format!(
        "{}{inner}{}",
        " ".repeat(before),
        " ".repeat(after)
    ))
}

/// `truncate TEXT LENGTH`.
fn truncate(args: &[Value]) -> Answer {
    let length = count("truncate", args, 1, 2)?;
    text(
        string("truncate", args)?
            .chars()
            .take(length)
            .collect::<String>(),
    )
}

/// Go's `index`, but a missing key of a map is an empty text, which is what it is for the maps of
/// texts (labels) that scripts look into.
fn index(args: &[Value]) -> Answer {
    let (value, path) = args.split_first().ok_or(TemplateError::ArgCount {
        name: "index".to_owned(),
        expected: 1,
        got: 0,
    })?;
    let found = path
        .iter()
        .try_fold(value.clone(), |value, step| value.index(step))?;
    Ok(match found {
        Value::Nil if matches!(value, Value::Map(_) | Value::Nil) => Value::String("".into()),
        found => found,
    })
}
