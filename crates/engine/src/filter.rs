//! `--filter key=value`: which keys a list knows and what they match.

use std::collections::BTreeMap;

use crate::Error;

/// Values by key. Values of one key are alternatives, but all labels must match; all keys must
/// match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Adds an alternative.
    pub fn add(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.entry(key.into()).or_default().push(value.into());
    }

    /// Nothing to match.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of `key`.
    pub fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Is `key` there at all?
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Refuses a key that the list does not know.
    pub(crate) fn check_keys(&self, known: &[&str]) -> Result<(), Error> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(Error::invalid(
                "filter",
                key,
                format!("expected one of {}", known.join(", ")),
            )),
        }
    }

    /// Does any value of `key` satisfy `matches`? True where the key is not there.
    pub(crate) fn any(&self, key: &str, matches: impl FnMut(&String) -> bool) -> bool {
        self.0
            .get(key)
            .is_none_or(|values| values.iter().any(matches))
    }

    /// Do all `label` and no `label!` values match?
    pub(crate) fn labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |value: &String| match value.split_once('=') {
            Some((key, expected)) => labels.get(key).is_some_and(|found| found == expected),
            None => labels.contains_key(value),
        };
        self.values("label").iter().all(has) && !self.values("label!").iter().any(has)
    }

    /// A truth value: `true`, `1`, `false`, `0`.
    pub(crate) fn truth(&self, key: &'static str) -> Result<Option<bool>, Error> {
        match self.values(key).first().map(String::as_str) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(Error::invalid(
                "filter",
                &format!("{key}={other}"),
                "expected true or false",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_must_all_match() {
        let labels = BTreeMap::from([
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), String::new()),
        ]);
        let mut filters = Filters::default();
        filters.add("label", "a=1");
        filters.add("label", "b");
        assert!(filters.labels(&labels));
        filters.add("label", "c");
        assert!(!filters.labels(&labels));
        let mut none = Filters::default();
        none.add("label!", "a=2");
        assert!(none.labels(&labels));
        none.add("label!", "a");
        assert!(!none.labels(&labels));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let mut filters = Filters::default();
        filters.add("what", "1");
        let error = filters.check_keys(&["id", "name"]).unwrap_err();
        assert!(
            error.to_string().contains("expected one of id, name"),
            "{error}"
        );
    }
}
