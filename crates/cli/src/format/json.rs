//! Between JSON documents and template values.
//!
//! Also re-indentation of JSON text: `inspect` prints what the engine sent, with its key order
//! and its numbers untouched.

use std::sync::Arc;

use gotmpl::Value;
use serde_json::Value as Json;

/// A JSON document as a template's data.
pub(crate) fn to_template(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::Uint(value),
            (None, None) => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => Value::List(items.iter().map(to_template).collect()),
        Json::Object(map) => Value::Map(Arc::new(
            map.iter()
                .map(|(key, value)| (key.as_str().into(), to_template(value)))
                .collect(),
        )),
    }
}

/// A template's value as JSON; functions have no JSON form and become null.
pub(crate) fn from_template(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(items) => items.iter().map(from_template).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| (key.to_string(), from_template(value)))
            .collect(),
        _ => Json::Null,
    }
}

/// Lays out compact or indented JSON text with `indent` per level and `prefix` before every line
/// but the first. The text must be valid JSON.
pub(crate) fn indent(text: &str, prefix: &str, indent: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    let mut rest = text.chars().peekable();
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(prefix);
        (0..depth).for_each(|_| out.push_str(indent));
    };
    while let Some(c) = rest.next() {
        match c {
            '"' => copy_string(&mut rest, &mut out),
            '{' | '[' => {
                out.push(c);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                let close = if c == '{' { '}' } else { ']' };
                if rest.next_if_eq(&close).is_some() {
                    out.push(close);
                } else {
                    depth += 1;
                    newline(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

/// Copies the rest of a string whose opening quote was just read.
fn copy_string(rest: &mut impl Iterator<Item = char>, out: &mut String) {
    out.push('"');
    while let Some(c) = rest.next() {
        out.push(c);
        match c {
            '"' => return,
            '\\' => out.extend(rest.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_keeps_order_and_numbers() {
        let text = r#"{"z":1.0,"a":[],"m":{ },"s":"a,\"{:","l":[1,{"k":null}]}"#;
        insta::assert_snapshot!(indent(text, "    ", "    "), @r#"
        {
                "z": 1.0,
                "a": [],
                "m": {},
                "s": "a,\"{:",
                "l": [
                    1,
                    {
                        "k": null
                    }
                ]
            }
        "#);
    }

    #[test]
    fn round_trip() {
        let json = serde_json::json!({"a": [1, -2, 1.5, u64::MAX, "x", null, true], "b": {}});
        assert_eq!(from_template(&to_template(&json)), json);
    }
}
