//! Here-documents: the lines after an instruction, up to their delimiter.

use std::borrow::Cow;

use crate::Span;
use crate::expand::{Lexer, Style};
use crate::lines::PhysicalLines;

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

/// The delimiter of a here-document, before its body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delimiter {
    pub(crate) name: String,
    fd: u32,
    expand: bool,
    strip_tabs: bool,
}

/// The here-documents that a line announces, in order. A line whose quotes are not closed
/// announces none: the shell will complain.
pub(crate) fn delimiters(line: &str) -> Vec<Delimiter> {
    if !line.contains("<<") {
        return Vec::new();
    }
    let style = Style {
        keep_quotes: true,
        keep_escapes: true,
        keep_unset: true,
        ..Style::default()
    };
    let words = Lexer::new(line, '\\', style, &|_| None).run();
    let words = words.map(|words| words.value.1).unwrap_or_default();
    words.iter().filter_map(|word| delimiter(word)).collect()
}

/// Reads a word like `3<<-"EOF"`.
pub(crate) fn delimiter(word: &str) -> Option<Delimiter> {
    let (fd, rest) = word.split_once("<<")?;
    if !fd.bytes().all(|digit| digit.is_ascii_digit()) || rest.contains('<') {
        return None;
    }
    let strip_tabs = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    let single = |keep_quotes| {
        let style = Style {
            keep_quotes,
            keep_unset: true,
            ..Style::default()
        };
        let expanded = Lexer::new(rest, '\\', style, &|_| None).run().ok()?;
        let [word] = expanded.value.1.try_into().ok()?;
        Some(word)
    };
    let (name, raw): (String, String) = (single(false)?, single(true)?);
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Some(Delimiter {
        fd: fd.parse().unwrap_or(0),
        expand: quotes(&name) == quotes(&raw),
        strip_tabs,
        name,
    })
}

impl Delimiter {
    /// Reads the body from the lines up to the delimiter; none if the file ends before.
    pub(crate) fn read(self, text: &str, lines: &mut PhysicalLines<'_>) -> Option<Heredoc> {
        let start = lines.offset();
        let line = lines.find(|line| {
            let line = text[line.clone()].trim_end_matches(['\r', '\n']);
            let stripped = line.trim_start_matches('\t');
            self.name == if self.strip_tabs { stripped } else { line }
        })?;
        Some(Heredoc {
            name: self.name,
            fd: self.fd,
            expand: self.expand,
            strip_tabs: self.strip_tabs,
            content: text[start..line.start].to_owned(),
            span: Span::new(start, line.start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        let found = delimiters(line).into_iter();
        found.map(|delimiter| delimiter.name).collect()
    }

    #[test]
    fn finds_delimiters_anywhere_in_the_line() {
        assert_eq!(names("RUN cat <<A && cat <<B"), ["A", "B"]);
        assert_eq!(names("RUN cat << EOF"), ["EOF"]);
        assert_eq!(names("RUN 3<<'X' <<-Y"), ["X", "Y"]);
        assert_eq!(names("RUN a <<<b"), [""; 0]);
        assert_eq!(names("RUN echo '<<A' \"<<B\" x<<C"), [""; 0]);
        assert_eq!(names("RUN echo 'a <<B"), [""; 0]);
        assert_eq!(names("COPY <<$X /a"), ["$X"]);
        assert_eq!(names("RUN <<"), [""; 0]);
    }

    #[test]
    fn reads_a_delimiter() {
        let quoted = delimiter("3<<-\"E F\"").unwrap();
        assert_eq!((quoted.name.as_str(), quoted.fd), ("E F", 3));
        assert!(quoted.strip_tabs && !quoted.expand);
        assert!(delimiter("<<EOF").unwrap().expand);
        assert!(!delimiter("<<E'O'F").unwrap().expand);
        assert_eq!(delimiter("<<a b"), None);
    }
}
