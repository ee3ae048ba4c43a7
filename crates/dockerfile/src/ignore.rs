//! `.dockerignore` and `--exclude`: Go's patterns (not those of git).

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
    _later: (),
}

/// What the patterns said about a folder: entries of it are matched from here.
#[derive(Debug, Clone, Default)]
pub struct Parent {
    _later: (),
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
        let _ = text;
        todo!()
    }

    /// Takes patterns one by one, as `--exclude` gives them.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let _ = patterns.into_iter().count();
        todo!()
    }

    /// Is there no pattern?
    pub fn is_empty(&self) -> bool {
        todo!()
    }

    /// Is this path (with slashes, relative, clean) ignored, by itself or by a parent?
    pub fn ignores(&self, path: &str) -> bool {
        let _ = path;
        todo!()
    }

    /// Matches a path during a walk: `parent` is what its folder's verdict says (default at the
    /// top). Costs one match per pattern, however deep the path is.
    pub fn walk(&self, path: &str, parent: &Parent) -> Verdict {
        let _ = (path, parent);
        todo!()
    }
}
