//! `KEY=VALUE` lists: labels, environment, files of both, sysctls, log options.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::Environment;

/// `key=value` pairs as a map; a key alone has an empty value; the last of equal keys wins.
pub(crate) fn map(pairs: &[String]) -> BTreeMap<String, String> {
    let split = |pair: &String| match pair.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (pair.clone(), String::new()),
    };
    pairs.iter().map(split).collect()
}

/// Environment entries of a container: `KEY=VALUE` stays, `KEY` takes the caller's value and is
/// left out when the caller has none.
pub(crate) fn environment(entries: &[String], own: &Environment) -> Result<Vec<String>, String> {
    let mut out = Vec::with_capacity(entries.len());
    for entry in entries {
        match entry.split_once('=') {
            Some(("", _)) => return Err(format!("invalid environment variable: {entry}")),
            Some(_) => out.push(entry.clone()),
            None => out.extend(own.get(entry).map(|value| format!("{entry}={value}"))),
        }
    }
    Ok(out)
}

/// The entries of files, in order.
pub(crate) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut entries = Vec::new();
    for path in paths {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        entries.extend(file(&name.to_string(), &text).map_err(anyhow::Error::msg)?);
    }
    Ok(entries)
}

/// The entries of an `--env-file` or `--label-file`: one per line, `#` starts a comment line.
pub(crate) fn file(name: &str, text: &str) -> Result<Vec<String>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = line.split_once('=').map_or(line, |(key, _)| key);
        if key.is_empty() {
            return Err(format!(
                "invalid env file ({name}): no variable name on line '{line}'"
            ));
        }
        if key.contains(char::is_whitespace) {
            return Err(format!(
                "invalid env file ({name}): variable '{key}' contains whitespaces"
            ));
        }
        out.push(line.to_owned());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_take_the_callers_values() {
        let own = Environment::of([("HOME", "/root"), ("EMPTY", "")]);
        let entries = ["A=1", "HOME", "EMPTY", "NONE", "B="].map(ToOwned::to_owned);
        assert_eq!(
            environment(&entries, &own).unwrap(),
            ["A=1", "HOME=/root", "EMPTY=", "B="]
        );
        assert!(environment(&["=x".to_owned()], &own).is_err());
    }

    #[test]
    fn files() {
        let text = "\u{feff}# comment\n\n  A=1 # kept\nB\n";
        assert_eq!(file("f", text).unwrap(), ["A=1 # kept", "B"]);
        insta::assert_snapshot!(file("f", "A B=1").unwrap_err(), @"invalid env file (f): variable 'A B' contains whitespaces");
        insta::assert_snapshot!(file("f", "=1").unwrap_err(), @"invalid env file (f): no variable name on line '=1'");
    }
}
