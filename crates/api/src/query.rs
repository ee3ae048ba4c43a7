//! Query strings: pairs in order, percent-encoded, and Docker's idea of true and false.

use std::fmt::Write as _;
use std::str::FromStr;

/// The part of a request's target behind the question mark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// A parameter that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid value {value:?} of the query parameter {name}: expected {expected}")]
pub struct QueryError {
    /// Name of the parameter.
    pub name: String,
    /// What it says.
    pub value: String,
    /// What it should be.
    pub expected: &'static str,
}

impl Query {
    /// Nothing is asked.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what stands behind the question mark. Bytes that are no UTF-8 become U+FFFD.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name, true), decode(value, true))
                })
                .collect(),
        )
    }

    /// Adds a parameter.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and texts alike, as the caller has them"
    )]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a parameter that is there.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a parameter that is true.
    #[must_use]
    pub fn with_flag(self, name: &str, value: bool) -> Self {
        match value {
            true => self.with(name, 1),
            false => self,
        }
    }

    /// Nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first value of a parameter; an empty one counts as none.
    pub fn text(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(found, _)| found == name)?;
        Some(pair.1.as_str()).filter(|value| !value.is_empty())
    }

    /// Every value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter(move |(found, _)| found == name);
        pairs.map(|(_, value)| value.as_str())
    }

    /// Is the parameter there, and true in Docker's sense: anything but empty, `0`, `no`, `false`
    /// and `none`?
    pub fn flag(&self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// The same with another default.
    pub fn flag_or(&self, name: &str, default: bool) -> bool {
        match self.all(name).next() {
            None => default,
            Some(value) => !matches!(
                value.trim().to_ascii_lowercase().as_str(),
                "" | "0" | "no" | "false" | "none"
            ),
        }
    }

    /// A number.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, QueryError> {
        let parse = |value: &str| {
            value.parse().map_err(|_| QueryError {
                name: name.to_owned(),
                value: value.to_owned(),
                expected: "a number",
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// As it goes over the wire, without the question mark.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            encode(name, false, &mut text);
            text.push('=');
            encode(value, false, &mut text);
        }
        text
    }
}

/// Encodes a part of a path, where a slash stays: names of images have some.
pub(crate) fn encode_path(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode(text, true, &mut encoded);
    encoded
}

fn encode(text: &str, path: bool, to: &mut String) {
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        match plain || (path && b"/:@".contains(&byte)) {
            true => to.push(char::from(byte)),
            // Writing to a string does not fail.
            false => drop(write!(to, "%{byte:02X}")),
        }
    }
}

fn decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => match tail.split_at_checked(2).and_then(|(hex, tail)| {
                let hex = str::from_utf8(hex).ok()?;
                Some((u8::from_str_radix(hex, 16).ok()?, tail))
            }) {
                Some((byte, tail)) => {
                    bytes.push(byte);
                    rest = tail;
                }
                None => bytes.push(b'%'),
            },
            b'+' if plus => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn truth_is_dockers() {
        let query = Query::parse("a=1&b=0&c=False&d&e=&f=anything&g=none&h=no");
        let flags: String = "abcdefghi"
            .chars()
            .map(|name| u8::from(query.flag(&name.to_string())).to_string())
            .collect();
        assert_eq!(flags, "100001000");
        assert!(query.flag_or("i", true));
    }

    #[test]
    fn numbers_and_repetition() {
        let query = Query::parse("t=5&w=x&tag=a%2Fb%3A1&tag=c+d");
        assert_eq!(query.number::<i64>("t"), Ok(Some(5)));
        assert!(query.number::<i64>("w").is_err());
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["a/b:1", "c d"]);
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(
            Query::parse("a=%4&b=%zz&c=100%").encode(),
            "a=%254&b=%25zz&c=100%25"
        );
        assert_eq!(encode_path("a/b c:1@sha256:x"), "a/b%20c:1@sha256:x");
    }

    proptest! {
        #[test]
        fn round_trip(pairs in prop::collection::vec((".+", ".*"), 0..4)) {
            let query = Query(pairs);
            prop_assert_eq!(Query::parse(&query.encode()), query);
        }
    }
}
