//! Logical lines: continuations joined, comments dropped, every byte still mapped to the file.

use std::ops::Range;

use crate::{Span, Spanned};

/// The lines of a text, each with its newline, by byte range.
pub(crate) struct PhysicalLines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> PhysicalLines<'a> {
    pub(crate) fn new(text: &'a str, start: usize) -> Self {
        Self { text, at: start }
    }

    /// Where the next line begins.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }
}

impl Iterator for PhysicalLines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        self.at = start + length;
        Some(start..self.at)
    }
}

/// A line made of pieces of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// Offset in `text` → offset in the file, ascending.
    pieces: Vec<(usize, usize)>,
}

impl Line {
    /// A line that is one piece of the file.
    pub(crate) fn of(text: &str, at: usize) -> Self {
        let mut line = Self::default();
        line.push(text, at);
        line
    }

    /// Appends the text that stands at `at` in the file.
    pub(crate) fn push(&mut self, text: &str, at: usize) {
        self.pieces.push((self.text.len(), at));
        self.text.push_str(text);
    }

    /// Where in the file a part of the line stands.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        let start = self.map(range.start, range.start);
        if range.is_empty() {
            return Span::new(start, start);
        }
        Span::new(start, self.map(range.end - 1, range.end))
    }

    /// Offset `at` in the file, by the piece that holds the byte `within`.
    fn map(&self, within: usize, at: usize) -> usize {
        let index = self.pieces.partition_point(|&(start, _)| start <= within);
        let (start, source) = self.pieces[..index].last().copied().unwrap_or_default();
        source + at - start
    }

    /// A part of the line as a token.
    pub(crate) fn token(&self, range: Range<usize>) -> Spanned<String> {
        Spanned::new(self.text[range.clone()].to_owned(), self.span(range))
    }

    /// The rest of the line from `start`.
    pub(crate) fn tail(&self, start: usize) -> Self {
        let mut line = Self {
            text: self.text[start..].to_owned(),
            pieces: Vec::new(),
        };
        line.pieces.push((0, self.map(start, start)));
        let later = self.pieces.iter().filter(|(at, _)| *at > start);
        line.pieces
            .extend(later.map(|&(at, source)| (at - start, source)));
        line
    }

    /// The range of a part without the spaces around it.
    pub(crate) fn trim(&self, range: Range<usize>) -> Range<usize> {
        let text = &self.text[range.clone()];
        let start = range.start + text.len() - text.trim_start().len();
        start..(range.start + text.trim_end().len()).max(start)
    }
}

/// What the reader found.
pub(crate) struct Logical {
    pub(crate) line: Line,
    /// The comment lines right above, without `#`.
    pub(crate) comments: Vec<Spanned<String>>,
    /// Empty lines in the middle of it.
    pub(crate) empty: Vec<Span>,
}

/// Reads logical lines; between two of them the caller may take heredoc lines from `lines`.
pub(crate) struct Reader<'a> {
    text: &'a str,
    escape: char,
    pub(crate) lines: PhysicalLines<'a>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, start: usize, escape: char) -> Self {
        Self {
            text,
            escape,
            lines: PhysicalLines::new(text, start),
        }
    }

    /// The next line that is neither empty nor a comment.
    pub(crate) fn next_line(&mut self) -> Option<Logical> {
        let mut comments = Vec::new();
        loop {
            let physical = self.lines.next()?;
            let content = self.without_newline(&physical);
            let text = content.trim_start();
            let at = physical.start + content.len() - text.len();
            if let Some(comment) = text.strip_prefix('#') {
                let trimmed = comment.trim();
                if trimmed.is_empty() {
                    comments.clear();
                } else {
                    let start = at + 1 + comment.len() - comment.trim_start().len();
                    let span = Span::new(start, start + trimmed.len());
                    comments.push(Spanned::new(trimmed.to_owned(), span));
                }
                continue;
            }
            let (text, continues) = self.cut_continuation(text);
            if text.is_empty() && !continues {
                comments.clear();
                continue;
            }
            let mut line = Line::of(text, at);
            let empty = if continues {
                self.join(&mut line)
            } else {
                Vec::new()
            };
            if !line.text.trim().is_empty() {
                return Some(Logical {
                    line,
                    comments,
                    empty,
                });
            }
        }
    }

    /// Appends continuation lines, returns the empty ones among them.
    fn join(&mut self, line: &mut Line) -> Vec<Span> {
        let mut empty = Vec::new();
        while let Some(physical) = self.lines.next() {
            let content = self.without_newline(&physical);
            let trimmed = content.trim_start();
            if trimmed.starts_with('#') {
                continue;
            }
            if trimmed.is_empty() {
                empty.push(Span::new(physical.start, physical.start + content.len()));
                continue;
            }
            let (text, continues) = self.cut_continuation(content);
            line.push(text, physical.start);
            if !continues {
                break;
            }
        }
        empty
    }

    fn without_newline(&self, physical: &Range<usize>) -> &'a str {
        self.text[physical.clone()].trim_end_matches(['\r', '\n'])
    }

    /// The line without its continuation character, if it ends in one that is not itself escaped.
    fn cut_continuation<'t>(&self, line: &'t str) -> (&'t str, bool) {
        let ended = line.trim_end_matches([' ', '\t']);
        match ended.strip_suffix(self.escape) {
            Some(rest) if !rest.ends_with(self.escape) => (rest, true),
            _ => (line, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, usize)> {
        let mut reader = Reader::new(text, 0, '\\');
        std::iter::from_fn(|| reader.next_line())
            .map(|logical| (logical.line.text, logical.empty.len()))
            .collect()
    }

    #[test]
    fn joins_and_drops() {
        assert_eq!(
            read("# c\n\nRUN a \\\n  # no\n\n  b \\ \t\n c\nX\\\\\nY\\"),
            [
                ("RUN a   b  c".to_owned(), 1),
                ("X\\\\".to_owned(), 0),
                ("Y".to_owned(), 0)
            ]
        );
        assert_eq!(read("\\\n"), []);
        assert_eq!(read("\\"), []);
        assert_eq!(read("RUN a\r\nRUN b\\\r\nc\r\n").len(), 2);
    }

    #[test]
    fn maps_back() {
        let text = "RUN a \\\n  b";
        let logical = Reader::new(text, 0, '\\').next_line().unwrap();
        let at = logical.line.text.find('b').unwrap();
        assert_eq!(logical.line.span(at..at + 1), Span::new(10, 11));
        assert_eq!(logical.line.span(0..at + 1), Span::new(0, 11));
        assert_eq!(logical.line.tail(at).span(0..1), Span::new(10, 11));
        assert_eq!(logical.line.tail(4).span(0..1), Span::new(4, 5));
    }
}
