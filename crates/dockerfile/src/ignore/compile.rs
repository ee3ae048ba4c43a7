//! One pattern, ready to match. Nearly all are a sequence of components; `**` glued to other text
//! has odd old meanings, which are kept.

use regex::Regex;

use crate::glob::Glob;

#[derive(Debug, Clone)]
pub(super) enum Compiled {
    /// No special character: this path.
    Exact(String),
    /// `a**`: everything that begins so.
    Prefix(String),
    /// `**b`: everything that ends so.
    Suffix(String),
    /// `**` only as whole components.
    Components(Glob),
    /// `**` glued to other text and to wildcards.
    Odd(Regex),
}

impl Compiled {
    pub(super) fn new(pattern: &str) -> Result<Self, &'static str> {
        let components = Glob::compile(pattern, true)?;
        let glued = pattern
            .split('/')
            .any(|component| component != "**" && component.contains("**"));
        if !crate::glob::has_meta(pattern) {
            return Ok(Self::Exact(pattern.to_owned()));
        }
        if !glued {
            return Ok(Self::Components(components));
        }
        let plain = |text: &str| !crate::glob::has_meta(text);
        if let Some(text) = pattern.strip_prefix("**").filter(|text| plain(text)) {
            return Ok(Self::Suffix(text.to_owned()));
        }
        if let Some(text) = pattern.strip_suffix("**").filter(|text| plain(text)) {
            return Ok(Self::Prefix(text.to_owned()));
        }
        let regex = Regex::new(&expression(pattern)).map_err(|_| "it is too large")?;
        Ok(Self::Odd(regex))
    }

    /// Does it match the path itself?
    pub(super) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(text) => path.starts_with(text.as_str()),
            Self::Suffix(text) => path.ends_with(text.as_str()),
            Self::Components(glob) => glob.matches(path),
            Self::Odd(regex) => regex.is_match(path),
        }
    }

    /// Does it match the path or a folder above it?
    pub(super) fn matches_or_parent(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path
                .strip_prefix(text.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Components(glob) => glob.matches_or_parent(path),
            _ => {
                let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
                self.matches(path) || parents.into_iter().any(|parent| self.matches(parent))
            }
        }
    }

    /// May it match something below the folder? Never wrongly no.
    pub(super) fn may_match_below(&self, folder: &str) -> bool {
        match self {
            Self::Exact(text) => text
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/')),
            Self::Components(glob) => glob.may_match_below(folder),
            Self::Prefix(_) | Self::Suffix(_) | Self::Odd(_) => true,
        }
    }
}

/// The pattern as a regular expression: `**` is any text up to a slash, or nothing.
fn expression(pattern: &str) -> String {
    let mut result = String::from("^(?s:");
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            rest = after.strip_prefix('/').unwrap_or(after);
            result.push_str(if rest.is_empty() { ".*" } else { "(?:.*/)?" });
            continue;
        }
        rest = &rest[first.len_utf8()..];
        match first {
            '*' => result.push_str("[^/]*"),
            '?' => result.push_str("[^/]"),
            '[' => {
                let end = class_end(rest);
                result.push('[');
                result.push_str(&class(&rest[..end]));
                rest = &rest[end..];
            }
            '\\' => {
                let escaped = rest.chars().next().unwrap_or('\\');
                result.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
                rest = rest.strip_prefix(escaped).unwrap_or(rest);
            }
            other => result.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    result.push_str(")$");
    result
}

/// Where a class ends, after its `]`. The pattern is known to be well-formed.
fn class_end(text: &str) -> usize {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            ']' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A class with what is special only to regular expressions escaped.
fn class(text: &str) -> String {
    let mut result = String::new();
    let mut characters = text.chars().enumerate();
    while let Some((at, character)) = characters.next() {
        match character {
            '^' if at == 0 => result.push('^'),
            '-' | ']' => result.push(character),
            '\\' => {
                let escaped = characters.next().map_or('\\', |(_, escaped)| escaped);
                result.extend(
                    ['\\', escaped]
                        .into_iter()
                        .skip(usize::from(escaped.is_alphanumeric())),
                );
            }
            other if other.is_alphanumeric() => result.push(other),
            other if other.is_ascii_punctuation() => result.extend(['\\', other]),
            other => result.push(other),
        }
    }
    result
}

/// Go's `filepath.Clean` on slashes: no `.`, no `..` that can be resolved, no double slashes.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
