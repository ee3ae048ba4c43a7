//! `filters={"key":{"value":true}}`, and the older `{"key":["value"]}`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Values by key, both sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

/// Why a text is no set of filters.
#[derive(Debug, thiserror::Error)]
#[error("invalid filter: expected {{\"key\":{{\"value\":true}}}}: {0}")]
pub struct FiltersError(#[from] serde_json::Error);

impl Filters {
    /// Adds a value.
    pub fn add(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.entry(key.into()).or_default().insert(value.into());
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.add(key, value);
        self
    }

    /// Nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every pair, sorted.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(key, values)| values.iter().map(|value| (key.as_str(), value.as_str())))
    }

    /// Reads a query parameter. A value that is said to be false is left out.
    pub fn parse(text: &str) -> Result<Self, FiltersError> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Values {
            Map(BTreeMap<String, bool>),
            List(BTreeSet<String>),
        }
        if text.is_empty() {
            return Ok(Self::default());
        }
        let keys: BTreeMap<String, Values> = serde_json::from_str(text)?;
        let keys = keys.into_iter().map(|(key, values)| {
            let values = match values {
                Values::List(list) => list,
                Values::Map(map) => map
                    .into_iter()
                    .filter_map(|(value, is_on)| is_on.then_some(value))
                    .collect(),
            };
            (key, values)
        });
        Ok(Self(
            keys.filter(|(_, values)| !values.is_empty()).collect(),
        ))
    }

    /// As a query parameter; `None` where nothing is filtered.
    pub fn encode(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let keys = self.0.iter().map(|(key, values)| {
            let values = values.iter().map(|value| (value.clone(), true.into()));
            (key.clone(), serde_json::Value::Object(values.collect()))
        });
        Some(serde_json::Value::Object(keys.collect()).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings() {
        let expected = Filters::default().with("label", "a=b").with("label", "c");
        for text in [
            r#"{"label":{"c":true,"a=b":true,"x":false},"empty":{}}"#,
            r#"{"label":["c","a=b"]}"#,
        ] {
            assert_eq!(Filters::parse(text).unwrap(), expected, "{text}");
        }
        let text = expected.encode().unwrap();
        assert_eq!(text, r#"{"label":{"a=b":true,"c":true}}"#);
        assert_eq!(Filters::parse("").unwrap().encode(), None);
        for text in ["[]", "{\"a\":1}", "a"] {
            assert!(Filters::parse(text).is_err(), "{text}");
        }
    }
}
