//! Variables: `$v`, `${v}` and the modifiers of `${v…}`, quotes and escapes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::{Diagnostic, File, Span, Spanned};

/// Replaces variables in the words of instructions.
pub struct Expander<'a> {
    file: &'a File,
    escape: char,
    lookup: &'a dyn Fn(&str) -> Option<Cow<'a, str>>,
}

/// What expansion gave, and which variables it asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded<T> {
    /// The result.
    pub value: T,
    /// Names that were set.
    pub used: BTreeSet<String>,
    /// Names that were not set, in order.
    pub unset: Vec<Unset>,
}

/// A variable that was used and not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// Its name.
    pub name: String,
    /// The word that uses it.
    pub span: Span,
}

/// Why a word cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpandError {
    /// What is wrong.
    pub message: String,
    /// Where in the word, in bytes.
    pub at: Span,
}

impl<'a> Expander<'a> {
    /// An expander for instructions of `file` (messages show it) with its escape character.
    pub fn new(
        file: &'a File,
        escape: char,
        lookup: &'a dyn Fn(&str) -> Option<Cow<'a, str>>,
    ) -> Self {
        Self {
            file,
            escape,
            lookup,
        }
    }

    /// Expands a word: variables replaced, quotes and escapes taken off.
    pub fn word(&self, word: &Spanned<String>) -> Result<Expanded<Spanned<String>>, Diagnostic> {
        let _ = (word, self.file, self.escape, self.lookup);
        todo!()
    }

    /// Expands a word and splits the result at spaces that are not quoted.
    pub fn words(
        &self,
        word: &Spanned<String>,
    ) -> Result<Expanded<Vec<Spanned<String>>>, Diagnostic> {
        let _ = word;
        todo!()
    }

    /// Expands the body of a here-document: quotes and escapes stay.
    pub fn body(&self, text: &str, span: Span) -> Result<Expanded<String>, Diagnostic> {
        let _ = (text, span);
        todo!()
    }
}

/// Expands a text that stands in no file.
pub fn text<'a>(
    text: &str,
    escape: char,
    lookup: &'a dyn Fn(&str) -> Option<Cow<'a, str>>,
) -> Result<Expanded<String>, ExpandError> {
    let _ = (text, escape, lookup);
    todo!()
}
