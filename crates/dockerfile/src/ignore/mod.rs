//! `.dockerignore` and `--exclude`: Go's patterns (not those of git).
//!
//! A pattern names a path from the root of the context. `*` and `?` stay within a component, `**`
//! crosses them, `!` takes back; a path is ignored if the last pattern that matches it, or one of
//! its parents, does not begin with `!`.

mod compile;

use compile::Compiled;
pub(crate) use compile::clean;

/// Why a line is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern: {reason}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A list of patterns; the last that matches a path or one of its parents decides.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    text: String,
    /// Does it take back?
    exception: bool,
    compiled: Compiled,
}

/// What the patterns said about a folder: entries of it are matched from here.
#[derive(Debug, Clone, Default)]
pub struct Parent {
    /// For each pattern whether it matched the folder; empty at the top.
    matched: Vec<bool>,
}

/// What to do with a path during a walk.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Is it ignored?
    pub ignored: bool,
    /// If it is a folder: may it be skipped with all that is in it?
    pub skip: bool,
    /// State to match its entries with.
    pub parent: Parent,
}

impl Patterns {
    /// Reads the text of a `.dockerignore`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let patterns = lines
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (mark, rest) = match line.strip_prefix('!') {
                    Some(rest) => ("!", rest.trim()),
                    None => ("", line),
                };
                if rest.is_empty() {
                    return "!".to_owned();
                }
                let path = clean(rest);
                let path = path
                    .strip_prefix('/')
                    .filter(|rest| !rest.is_empty())
                    .unwrap_or(&path);
                format!("{mark}{path}")
            });
        patterns
            .map(|pattern| Pattern::new(&pattern))
            .collect::<Result<_, _>>()
            .map(Self::from_list)
    }

    /// Takes patterns one by one, as `--exclude` gives them.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let patterns = patterns
            .into_iter()
            .map(str::trim)
            .filter(|pattern| !pattern.is_empty());
        patterns
            .map(|pattern| Pattern::new(&clean(pattern)))
            .collect::<Result<_, _>>()
            .map(Self::from_list)
    }

    fn from_list(patterns: Vec<Pattern>) -> Self {
        Self { patterns }
    }

    /// Is there no pattern?
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns, clean, exceptions with their `!`: equal lists ignore the same paths.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        let mark = |pattern: &Pattern| if pattern.exception { "!" } else { "" };
        self.patterns
            .iter()
            .map(move |pattern| format!("{}{}", mark(pattern), pattern.text))
    }

    /// Is this path (with slashes, relative, clean) ignored, by itself or by a parent?
    pub fn ignores(&self, path: &str) -> bool {
        let mut ignored = false;
        for pattern in &self.patterns {
            if pattern.exception == ignored && pattern.compiled.matches_or_parent(path) {
                ignored = !pattern.exception;
            }
        }
        ignored
    }

    /// Matches a path during a walk: `parent` is what its folder's verdict says (default at the
    /// top). Costs at most one match per pattern, however deep the path is. The answer is that of
    /// [`Self::ignores`].
    pub fn walk(&self, path: &str, parent: &Parent) -> Verdict {
        let mut matched = Vec::with_capacity(self.patterns.len());
        let mut ignored = false;
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = parent.matched.get(index).copied().unwrap_or(false);
            // Every pattern must be asked, also one that cannot change the verdict here: below
            // this folder another pattern may have spoken in between.
            let matches = inherited || pattern.compiled.matches(path);
            matched.push(matches);
            if matches {
                ignored = !pattern.exception;
            }
        }
        Verdict {
            ignored,
            skip: ignored && !self.may_take_back(path, &matched),
            parent: Parent { matched },
        }
    }

    /// Can an exception match something below an ignored folder? Only those after the last
    /// pattern that holds for the whole folder count.
    fn may_take_back(&self, folder: &str, matched: &[bool]) -> bool {
        let holds = |(index, pattern): (usize, &Pattern)| !pattern.exception && matched[index];
        let last = self.patterns.iter().enumerate().rposition(holds);
        let after = last.map_or(0, |index| index + 1);
        let later = &self.patterns[after..];
        later
            .iter()
            .any(|pattern| pattern.exception && pattern.compiled.may_match_below(folder))
    }
}

impl Pattern {
    /// A clean pattern, with its `!`.
    fn new(text: &str) -> Result<Self, PatternError> {
        let (exception, path) = match text.strip_prefix('!') {
            Some(path) => (true, path),
            None => (false, text),
        };
        let wrong = |reason| PatternError {
            pattern: text.to_owned(),
            reason,
        };
        if path.is_empty() {
            return Err(wrong("a path must follow the `!`"));
        }
        Ok(Self {
            text: path.to_owned(),
            exception,
            compiled: Compiled::new(path).map_err(wrong)?,
        })
    }
}

#[cfg(test)]
mod tests;
