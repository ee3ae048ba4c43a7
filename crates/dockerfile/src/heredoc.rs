//! Here-documents: the lines after an instruction, up to their delimiter.

use std::borrow::Cow;

use crate::Span;

/// One here-document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Heredoc {
    /// The delimiter without quotes; also the file name where it is a source of `COPY`.
    pub name: String,
    /// The file descriptor before `<<`, 0 where there is none.
    pub fd: u32,
    /// May variables be expanded in the body? False where the delimiter has quotes.
    pub expand: bool,
    /// `<<-`: leading tabs are dropped from body and delimiter.
    pub strip_tabs: bool,
    /// The body as it stands in the file, last newline included.
    pub content: String,
    /// Where the body stands.
    pub span: Span,
}

impl Heredoc {
    /// The body as its reader gets it: without leading tabs if they are to be stripped.
    pub fn body(&self) -> Cow<'_, str> {
        if !self.strip_tabs {
            return Cow::Borrowed(&self.content);
        }
        let lines = self.content.split_inclusive('\n');
        Cow::Owned(lines.map(|line| line.trim_start_matches('\t')).collect())
    }
}
