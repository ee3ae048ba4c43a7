//! Variables: `$v`, `${v}` and the modifiers of `${v…}`, quotes and escapes.

mod glob;
mod lexer;

use std::collections::BTreeSet;

pub(crate) use lexer::{Lexer, Style};

use crate::{Diagnostic, File, Span, Spanned};

/// Where values come from; `None` where a variable is not set.
pub type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Replaces variables in the words of instructions.
pub struct Expander<'a> {
    file: &'a File,
    escape: char,
    lookup: &'a Lookup<'a>,
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

impl<T> Expanded<T> {
    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Expanded<U> {
        Expanded {
            value: change(self.value),
            used: self.used,
            unset: self.unset,
        }
    }

    /// Takes the names of another expansion and returns its value.
    pub fn absorb<U>(&mut self, other: Expanded<U>) -> U {
        self.used.extend(other.used);
        self.unset.extend(other.unset);
        other.value
    }
}

/// A variable that was used and not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// Its name.
    pub name: String,
    /// The word that uses it; of a text without a file, the place in the text.
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
    pub fn new(file: &'a File, escape: char, lookup: &'a Lookup<'a>) -> Self {
        Self {
            file,
            escape,
            lookup,
        }
    }

    /// Expands a word: variables replaced, quotes and escapes taken off.
    pub fn word(&self, word: &Spanned<String>) -> Result<Expanded<Spanned<String>>, Diagnostic> {
        let expanded = self.run(word, Style::default())?;
        Ok(expanded.map(|(text, _)| Spanned::new(text, word.span)))
    }

    /// Expands a word and splits the result at spaces that are not quoted.
    pub fn words(
        &self,
        word: &Spanned<String>,
    ) -> Result<Expanded<Vec<Spanned<String>>>, Diagnostic> {
        let expanded = self.run(word, Style::default())?;
        Ok(expanded.map(|(_, words)| {
            let words = words.into_iter();
            words.map(|text| Spanned::new(text, word.span)).collect()
        }))
    }

    /// Expands the body of a here-document that becomes a file: quotes are plain characters, and
    /// the escape is always a backslash.
    pub fn body(&self, text: &str, span: Span) -> Result<Expanded<String>, Diagnostic> {
        let style = Style {
            plain_quotes: true,
            ..Style::default()
        };
        let body = Spanned::new(text.to_owned(), span);
        Ok(self.run_with(&body, style, '\\')?.map(|(text, _)| text))
    }

    /// The error for a word that is wrong after expansion.
    pub(crate) fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.file, span, message)
    }

    fn run(
        &self,
        word: &Spanned<String>,
        style: Style,
    ) -> Result<Expanded<(String, Vec<String>)>, Diagnostic> {
        self.run_with(word, style, self.escape)
    }

    fn run_with(
        &self,
        word: &Spanned<String>,
        style: Style,
        escape: char,
    ) -> Result<Expanded<(String, Vec<String>)>, Diagnostic> {
        let lexer = Lexer::new(&word.value, escape, style, self.lookup);
        let mut expanded = lexer.run().map_err(|error| {
            let span = self.place(word, error.at);
            Diagnostic::error(self.file, span, error.message)
                .label("this cannot be expanded")
                .help(format!("a literal dollar sign is written {escape}$"))
        })?;
        for unset in &mut expanded.unset {
            unset.span = self.place(word, unset.span);
        }
        Ok(expanded)
    }

    /// A part of a word in the file, exact if the word stands there as it is.
    fn place(&self, word: &Spanned<String>, part: Span) -> Span {
        let exact = self.file.slice(word.span) == word.value && part.end <= word.value.len();
        if !exact {
            return word.span;
        }
        Span::new(word.span.start + part.start, word.span.start + part.end)
    }
}

/// Expands a text that stands in no file.
pub fn text<'a>(
    text: &str,
    escape: char,
    lookup: &'a Lookup<'a>,
) -> Result<Expanded<String>, ExpandError> {
    let expanded = Lexer::new(text, escape, Style::default(), lookup).run()?;
    Ok(expanded.map(|(text, _)| text))
}

#[cfg(test)]
mod tests;
