//! Answers without what differs from run to run.

use std::path::Path;

use serde_json::Value;

/// What depends on the file system below.
const MEASURED: [&str; 4] = ["LayersSize", "SizeRootFs", "SizeRw", "SpaceReclaimed"];

/// Replaces identifiers, times, measured sizes, and the folder of the engine. The same identifier gets the same
/// replacement within all answers.
#[derive(Debug, Default)]
pub(crate) struct Normal {
    folder: String,
    ids: Vec<String>,
}

impl Normal {
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.display().to_string(),
            ids: Vec::new(),
        }
    }

    /// The document without what differs.
    pub(crate) fn document(&mut self, value: &mut Value) {
        const SECONDS: i64 = 1_600_000_000;
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Number(number) if number.as_i64().is_some_and(|n| n > SECONDS) => {
                *value = "<number>".into();
            }
            Value::Array(list) => list.iter_mut().for_each(|item| self.document(item)),
            Value::Object(fields) => {
                let old = std::mem::take(fields);
                for (key, mut item) in old {
                    match MEASURED.contains(&key.as_str()) {
                        true => item = "<bytes>".into(),
                        false => self.document(&mut item),
                    }
                    fields.insert(self.text(&key), item);
                }
            }
            _ => {}
        }
    }

    /// The text without what differs.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let text = text.replace(&self.folder, "<folder>");
        if is_time(&text) {
            return "<time>".to_owned();
        }
        let mut normal = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
            let digits = &rest[start..];
            let length = digits
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(digits.len());
            normal.push_str(&rest[..start]);
            normal.push_str(&self.id(&digits[..length]));
            rest = &digits[length..];
        }
        normal + rest
    }

    fn id(&mut self, digits: &str) -> String {
        let known = self
            .ids
            .iter()
            .position(|id| digits.len() >= 12 && id.starts_with(digits));
        match (known, digits.len()) {
            (Some(place), 64) => format!("<id {place}>"),
            (Some(place), _) => format!("<short id {place}>"),
            (None, 64) => {
                self.ids.push(digits.to_owned());
                format!("<id {}>", self.ids.len() - 1)
            }
            (None, _) => digits.to_owned(),
        }
    }
}

/// RFC 3339, but not Go's zero.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.starts_with("20")
        && text.ends_with('Z')
        && bytes.get(10) == Some(&b'T')
        && bytes.get(4) == Some(&b'-')
}
