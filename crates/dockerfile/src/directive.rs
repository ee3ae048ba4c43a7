//! Parser directives: `# key=value` lines at the top of the file.

use crate::{Span, Spanned};

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// What stands after `=`.
    pub value: String,
    /// Where the value stands.
    pub span: Span,
}

/// The directives of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    /// Frontend that the author asked for, for example `docker/dockerfile:1`.
    pub syntax: Option<Spanned<String>>,
    /// The escape character, `\` or a backtick.
    pub escape: char,
    /// Which build checks to skip, and whether they fail the build.
    pub check: Option<Spanned<String>>,
}
