//! Messages that show the file, the line and what was expected there.

use annotate_snippets::{AnnotationKind, Group, Level as Title, Renderer, Snippet};

use crate::{File, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The build goes on.
    Warning,
    /// The build cannot go on.
    Error,
}

/// One finding about one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// What is wrong, in one line without the file name.
    pub message: String,
    /// The file, for rendering.
    pub file: File,
    /// The place.
    pub span: Span,
    /// What was expected there: stands beside the place.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Name of the lint rule that found it.
    pub rule: Option<&'static str>,
}

impl Diagnostic {
    /// An error at a place of a file.
    pub fn error(file: &File, span: Span, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            message: message.into(),
            file: file.clone(),
            span,
            label: String::new(),
            help: None,
            rule: None,
        }
    }

    /// A warning at a place of a file.
    pub fn warning(file: &File, span: Span, message: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            ..Self::error(file, span, message)
        }
    }

    /// Says what was expected at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// First line of the place, counted from 1.
    pub fn line(&self) -> usize {
        self.file.line(self.span.start)
    }

    /// The message with file name, line number, the line itself and what was expected; plain text
    /// of several lines without one at the end.
    pub fn render(&self) -> String {
        self.draw(&Renderer::plain())
    }

    /// As [`Self::render`], with colours for a terminal.
    pub fn render_styled(&self) -> String {
        self.draw(&Renderer::styled())
    }

    fn draw(&self, renderer: &Renderer) -> String {
        let level = match self.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
        };
        let mut title = level.primary_title(self.message.as_str());
        if let Some(rule) = self.rule {
            title = title.id(rule);
        }
        let (text, first_line, span) = self.excerpt();
        let annotation = AnnotationKind::Primary
            .span(span.range())
            .label((!self.label.is_empty()).then_some(self.label.as_str()));
        let snippet = Snippet::source(text)
            .line_start(first_line)
            .path(self.file.name())
            .annotation(annotation);
        let mut group: Group<'_> = title.element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Title::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    /// The lines of the place, so that rendering costs the same in a large file. Of a place of
    /// many lines only the first is shown.
    fn excerpt(&self) -> (&str, usize, Span) {
        let text = self.file.text();
        let start = floor(text, self.span.start);
        let end = floor(text, self.span.end.max(self.span.start));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let line_end = line_start + line.len();
        let from = start.min(line_end);
        let span = Span::new(from - line_start, end.clamp(from, line_end) - line_start);
        (line, self.file.line(start), span)
    }
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Why a file is not a Dockerfile: at least one diagnostic of level error, in order of place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.summary())]
pub struct ParseError {
    diagnostics: Vec<Diagnostic>,
}

impl ParseError {
    /// The error made of these findings; the first is the one that a single line shows.
    pub(crate) fn new(first: Diagnostic, more: Vec<Diagnostic>) -> Self {
        let mut diagnostics = vec![first];
        diagnostics.extend(more);
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        Self { diagnostics }
    }

    /// All findings.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// All findings, rendered, with a blank line between two.
    pub fn render(&self) -> String {
        let parts: Vec<String> = self.diagnostics.iter().map(Diagnostic::render).collect();
        parts.join("\n\n")
    }

    fn summary(&self) -> String {
        self.diagnostics
            .first()
            .map(|first| format!("{}:{}: {}", first.file.name(), first.line(), first.message))
            .unwrap_or_default()
    }
}

impl From<Diagnostic> for ParseError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(diagnostic, Vec::new())
    }
}
