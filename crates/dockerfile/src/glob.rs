//! Globs of `COPY` and `ADD` sources: Go's `filepath.Match`, and `**` for `--parents`.

/// Does the pattern have a character with a special meaning?
pub fn has_meta(pattern: &str) -> bool {
    let _ = pattern;
    todo!()
}

/// Does one path component match one pattern component? `None` if the pattern is malformed.
pub fn matches_component(pattern: &str, name: &str) -> Option<bool> {
    let _ = (pattern, name);
    todo!()
}

/// A pattern of several components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    components: Vec<String>,
}

impl Glob {
    /// Compiles a relative, clean pattern; `deep` gives `**` its meaning (any number of folders).
    pub fn new(pattern: &str, deep: bool) -> Result<Self, crate::ignore::PatternError> {
        let _ = (pattern, deep);
        todo!()
    }

    /// Does this path match?
    pub fn matches(&self, path: &str) -> bool {
        let _ = (path, &self.components);
        todo!()
    }

    /// Can something below this folder match? If not, a walk need not enter it.
    pub fn may_match_below(&self, folder: &str) -> bool {
        let _ = folder;
        todo!()
    }
}
