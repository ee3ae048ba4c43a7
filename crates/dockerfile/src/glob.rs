//! Globs of `COPY` and `ADD` sources: Go's `filepath.Match`, and `**` for `--parents`.
//!
//! `*` is any text without a slash, `?` one character, `[a-z]` and `[^a-z]` classes, `\` takes the
//! meaning of the next character. No `{a,b}`, and `[!a]` is the class of `!` and `a`.

use crate::ignore::PatternError;

/// Does the pattern have a character with a special meaning?
pub fn has_meta(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '\\'])
}

/// Does one path component match one pattern component? `None` if the pattern is malformed.
pub fn matches_component(pattern: &str, name: &str) -> Option<bool> {
    Some(Component::new(pattern).ok()?.matches(name))
}

/// A pattern of several components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    components: Vec<Component>,
}

impl Glob {
    /// Compiles a relative, clean pattern; `deep` gives `**` its meaning (any number of folders).
    pub fn new(pattern: &str, deep: bool) -> Result<Self, PatternError> {
        Self::compile(pattern, deep).map_err(|reason| PatternError {
            pattern: pattern.to_owned(),
            reason,
        })
    }

    pub(crate) fn compile(pattern: &str, deep: bool) -> Result<Self, &'static str> {
        let components = pattern.split('/').map(|component| match component {
            "**" if deep => Ok(Component::Deep),
            component => Component::new(component),
        });
        let mut components = components.collect::<Result<Vec<_>, _>>()?;
        // Two `**` in a row are one.
        components.dedup_by(|a, b| *a == Component::Deep && *b == Component::Deep);
        Ok(Self { components })
    }

    /// Does this path (with slashes, relative, clean) match?
    pub fn matches(&self, path: &str) -> bool {
        // Most patterns are `**/name`: only the last component counts.
        if let [Component::Deep, last] = self.components.as_slice()
            && *last != Component::Deep
        {
            return last.matches(path.rsplit_once('/').map_or(path, |(_, name)| name));
        }
        let mut at = 0;
        let mut rest = Some(path);
        // Where to go on if the part after the last `**` does not fit: one component further.
        let mut retry: Option<(usize, Option<&str>)> = None;
        loop {
            match (self.components.get(at), rest) {
                // A trailing `**` is everything below, not the folder itself.
                (Some(Component::Deep), rest) if at + 1 == self.components.len() => {
                    return rest.is_some();
                }
                (Some(Component::Deep), _) => {
                    at += 1;
                    retry = Some((at, rest));
                    continue;
                }
                (Some(component), Some(path)) => {
                    let (name, after) = split(path);
                    if component.matches(name) {
                        at += 1;
                        rest = after;
                        continue;
                    }
                }
                (None, None) => return true,
                _ => {}
            }
            let Some((again, Some(path))) = retry else {
                return false;
            };
            at = again;
            rest = split(path).1;
            retry = Some((at, rest));
        }
    }

    /// Does this path or a folder above it match? One pass for all but the rare patterns.
    pub(crate) fn matches_or_parent(&self, path: &str) -> bool {
        let mut names = path.split('/');
        match self.components.as_slice() {
            [Component::Deep, last] if *last != Component::Deep => {
                names.any(|name| last.matches(name))
            }
            components if !components.contains(&Component::Deep) => components
                .iter()
                .all(|component| names.next().is_some_and(|name| component.matches(name))),
            _ => {
                let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
                self.matches(path) || parents.any(|parent| self.matches(parent))
            }
        }
    }

    /// Can something below this folder match? If not, a walk need not enter it.
    pub fn may_match_below(&self, folder: &str) -> bool {
        let mut components = self.components.iter();
        for name in folder.split('/') {
            match components.next() {
                Some(Component::Deep) => return true,
                Some(component) if component.matches(name) => {}
                _ => return false,
            }
        }
        components.next().is_some()
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    }
}

/// A pattern for one component; the frequent shapes match without a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Component {
    /// `**`
    Deep,
    /// No wildcard.
    Literal(String),
    /// `*.txt`
    Suffix(String),
    /// `name*`
    Prefix(String),
    /// Anything else.
    Pieces(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Literal(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Component {
    fn new(pattern: &str) -> Result<Self, &'static str> {
        let plain = |text: &str| !has_meta(text);
        if plain(pattern) {
            return Ok(Self::Literal(pattern.to_owned()));
        }
        if let Some(text) = pattern.strip_prefix('*').filter(|text| plain(text)) {
            return Ok(Self::Suffix(text.to_owned()));
        }
        if let Some(text) = pattern.strip_suffix('*').filter(|text| plain(text)) {
            return Ok(Self::Prefix(text.to_owned()));
        }
        let mut pieces = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                '*' if pieces.last() == Some(&Piece::Any) => continue,
                '*' => Piece::Any,
                '?' => Piece::One,
                '[' => class(&mut characters)?,
                '\\' => Piece::Literal(characters.next().ok_or("nothing follows the backslash")?),
                other => Piece::Literal(other),
            });
        }
        Ok(Self::Pieces(pieces))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Deep => false,
            Self::Literal(text) => name == text,
            Self::Suffix(text) => name.ends_with(text.as_str()),
            Self::Prefix(text) => name.starts_with(text.as_str()),
            Self::Pieces(pieces) => pieces_match(pieces, name),
        }
    }
}

/// Greedy with one way back, to the last star: never more than pieces × characters steps.
fn pieces_match(pieces: &[Piece], name: &str) -> bool {
    let mut at = 0;
    let mut rest = name.chars();
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let before = rest.clone();
        let fits = match (pieces.get(at), rest.next()) {
            (None, None) => return true,
            (Some(Piece::Any), _) => {
                rest = before;
                retry = Some((at + 1, rest.clone()));
                true
            }
            (Some(piece), Some(character)) => piece.matches(character),
            _ => false,
        };
        if fits {
            at += 1;
            continue;
        }
        let Some((again, text)) = &mut retry else {
            return false;
        };
        if text.next().is_none() {
            return false;
        }
        at = *again;
        rest = text.clone();
    }
}

impl Piece {
    fn matches(&self, character: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Literal(literal) => *literal == character,
            Self::Class { negated, ranges } => {
                let inside = ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&character));
                inside != *negated
            }
        }
    }
}

/// A class, after its `[`.
fn class(characters: &mut std::str::Chars<'_>) -> Result<Piece, &'static str> {
    let negated = characters.as_str().starts_with('^');
    if negated {
        characters.next();
    }
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && characters.as_str().starts_with(']') {
            characters.next();
            return Ok(Piece::Class { negated, ranges });
        }
        let low = class_character(characters)?;
        let mut high = low;
        if characters.as_str().starts_with('-') {
            characters.next();
            high = class_character(characters)?;
        }
        ranges.push((low, high));
    }
}

fn class_character(characters: &mut std::str::Chars<'_>) -> Result<char, &'static str> {
    match characters.next() {
        None => Err("a closing `]` is missing"),
        Some('-' | ']') => Err("`-` and `]` in a class need a backslash"),
        Some('\\') => characters.next().ok_or("nothing follows the backslash"),
        Some(character) => Ok(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_match_as_in_go() {
        for (pattern, name, expected) in [
            ("*", "", Some(true)),
            ("*.go", "a.go", Some(true)),
            ("a*b*c", "axbxbxc", Some(true)),
            ("a*b?c", "abxb", Some(false)),
            ("a[b-d]", "ac", Some(true)),
            ("a[^b-d]", "ac", Some(false)),
            ("[!a]", "!", Some(true)),
            ("[\\]]", "]", Some(true)),
            ("\\*", "*", Some(true)),
            ("{a,b}", "a", Some(false)),
            ("ü?", "üß", Some(true)),
            ("[a", "a", None),
            ("[]a]", "a", None),
            ("[a-]", "a", None),
            ("a\\", "a", None),
        ] {
            assert_eq!(
                matches_component(pattern, name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn deep_patterns() {
        let deep = |pattern, path| Glob::new(pattern, true).unwrap().matches(path);
        assert!(deep("**/a", "a") && deep("**/a", "x/y/a") && !deep("**/a", "x/ba"));
        assert!(deep("a/**", "a/b/c") && !deep("a/**", "a"));
        assert!(deep("a/**/b", "a/b") && deep("a/**/b", "a/x/b/b") && !deep("a/**/b", "a/x"));
        assert!(deep("**", "a/b") && deep("**/**", "a"));
        assert!(deep("**/a/**/b", "x/a/a/y/b") && !deep("**/a/**/b", "b/a"));
        assert!(!Glob::new("**", false).unwrap().matches("a/b"));
        assert!(Glob::new("a/*", false).unwrap().matches("a/b"));
    }

    #[test]
    fn knows_where_to_look() {
        let below = |pattern, folder| Glob::new(pattern, true).unwrap().may_match_below(folder);
        assert!(below("a/*/c", "a") && below("a/*/c", "a/b"));
        assert!(!below("a/*/c", "a/b/c") && !below("a/*/c", "b"));
        assert!(below("a/**", "a/b/c") && !below("a/**", "b"));
    }
}
