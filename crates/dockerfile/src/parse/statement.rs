//! One logical line → one statement.

use std::ops::Range;

use super::flags::{Flags, Kind, Known};
use super::{Statement, command, files, pairs, run, simple};
use crate::heredoc::{self, Heredoc};
use crate::instruction::{From, Instruction, Maintainer, OnBuild, Shell};
use crate::json::{self, Array};
use crate::lines::{Line, Logical, PhysicalLines};
use crate::suggest::nearest;
use crate::{Diagnostic, File, Span, Spanned, words};

/// The instruction words.
const WORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// What a line can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parsed {
    From(From),
    Instruction(Instruction),
}

/// Parses lines of one file.
pub(super) struct Parser<'a> {
    file: &'a File,
    escape: char,
}

/// One line on its way to become an instruction.
pub(super) struct Item<'a> {
    pub(super) file: &'a File,
    pub(super) escape: char,
    /// In capitals.
    pub(super) name: &'static str,
    pub(super) keyword: Spanned<String>,
    pub(super) line: &'a Line,
    flag_words: Vec<words::FlagWord>,
    /// What stands after the flags, trimmed.
    pub(super) args: Range<usize>,
    pub(super) heredocs: Vec<Heredoc>,
    pub(super) comments: &'a [Spanned<String>],
}

type Result<T> = std::result::Result<T, Diagnostic>;

impl<'a> Parser<'a> {
    pub(super) fn new(file: &'a File, escape: char) -> Self {
        Self { file, escape }
    }

    /// Parses a line; its here-documents are taken from `lines`, also when the line is wrong.
    pub(super) fn statement(
        &self,
        logical: Logical,
        lines: &mut PhysicalLines<'_>,
    ) -> Result<Statement<Parsed>> {
        let Logical { line, comments, .. } = logical;
        let all = line.trim(0..line.text.len());
        let mut item = self.item(&line, all.clone(), &comments)?;
        let mut span = line.span(all.clone());
        if item.takes_heredocs() {
            for delimiter in heredoc::delimiters(&line.text) {
                let name = delimiter.name.clone();
                let heredoc = delimiter.read(self.file.text(), lines);
                item.heredocs
                    .push(heredoc.ok_or_else(|| self.unterminated(span, &name))?);
            }
        }
        if !item.heredocs.is_empty() {
            span.end = self.file.text()[..lines.offset()]
                .trim_end_matches(['\r', '\n'])
                .len();
        }
        let node = self.parse(&item)?;
        Ok(Statement {
            node,
            keyword: item.keyword,
            text: line.text[all].to_owned(),
            span,
            comments,
        })
    }

    fn unterminated(&self, span: Span, name: &str) -> Diagnostic {
        let at = self.file.slice(span).find("<<").unwrap_or(0);
        let place = Span::new(span.start + at, span.end);
        Diagnostic::error(self.file, place, "the here-document has no end")
            .label(format!("expected a later line that is only `{name}`"))
    }

    /// Splits a line into word, flags and arguments.
    fn item<'l>(
        &self,
        line: &'l Line,
        range: Range<usize>,
        comments: &'l [Spanned<String>],
    ) -> Result<Item<'l>>
    where
        'a: 'l,
    {
        let (word, rest) = words::split_first(&line.text, range);
        let keyword = line.token(word);
        let upper = keyword.to_uppercase();
        let Some(name) = WORDS.into_iter().find(|word| *word == upper) else {
            return Err(self.unknown(&keyword));
        };
        let (flag_words, start) = words::flags(&line.text, rest.clone());
        Ok(Item {
            file: self.file,
            escape: self.escape,
            name,
            keyword,
            line,
            flag_words,
            args: line.trim(start..rest.end),
            heredocs: Vec::new(),
            comments,
        })
    }

    fn unknown(&self, keyword: &Spanned<String>) -> Diagnostic {
        let message = format!("unknown instruction `{}`", keyword.value);
        let error = Diagnostic::error(self.file, keyword.span, message)
            .label("expected an instruction, for example RUN or COPY");
        match nearest(keyword, WORDS) {
            Some(word) => error.help(format!("did you mean {word}?")),
            None => error.help("a line that goes on needs a continuation character at its end"),
        }
    }

    fn parse(&self, item: &Item<'_>) -> Result<Parsed> {
        Ok(Parsed::Instruction(match item.name {
            "FROM" => return simple::from(item).map(Parsed::From),
            "ADD" => Instruction::Add(files::add(item)?),
            "ARG" => Instruction::Arg(pairs::arg(item)?),
            "CMD" => Instruction::Cmd(command::cmd(item)?),
            "COPY" => Instruction::Copy(files::copy(item)?),
            "ENTRYPOINT" => Instruction::Entrypoint(command::entrypoint(item)?),
            "ENV" => Instruction::Env(pairs::env(item)?),
            "EXPOSE" => Instruction::Expose(simple::expose(item)?),
            "HEALTHCHECK" => Instruction::HealthCheck(command::health_check(item)?),
            "LABEL" => Instruction::Label(pairs::label(item)?),
            "MAINTAINER" => Instruction::Maintainer(Maintainer {
                author: item.text()?,
            }),
            "ONBUILD" => Instruction::OnBuild(self.on_build(item)?),
            "RUN" => Instruction::Run(run::run(item)?),
            "SHELL" => Instruction::Shell(Shell {
                shell: command::shell(item)?,
            }),
            "STOPSIGNAL" => Instruction::StopSignal(simple::stop_signal(item)?),
            "USER" => Instruction::User(simple::user(item)?),
            "VOLUME" => Instruction::Volume(simple::volume(item)?),
            _ => Instruction::Workdir(simple::workdir(item)?),
        }))
    }

    /// The inner line is parsed like any other, with the here-documents of the outer.
    fn on_build(&self, item: &Item<'_>) -> Result<OnBuild> {
        item.flags(&[])?;
        if item.args.is_empty() {
            return Err(item.missing("an instruction"));
        }
        let line = item.line.tail(item.args.start);
        let mut inner = self.item(&line, 0..item.args.len(), &[])?;
        if matches!(inner.name, "ONBUILD" | "FROM" | "MAINTAINER") {
            let message = format!("{} cannot be a trigger", inner.name);
            return Err(Diagnostic::error(self.file, inner.keyword.span, message)
                .label("expected another instruction"));
        }
        inner.heredocs.clone_from(&item.heredocs);
        let text = line.text[..item.args.len()].to_owned();
        let mut stored = text.clone();
        for heredoc in &item.heredocs {
            stored = format!("{stored}\n{}{}", heredoc.content, heredoc.name);
        }
        let Parsed::Instruction(node) = self.parse(&inner)? else {
            return Err(item.missing("an instruction"));
        };
        let mut span = line.span(0..item.args.len());
        if let Some(last) = item.heredocs.last() {
            let end = last.span.end;
            span.end = end + self.file.text()[end..].lines().next().map_or(0, str::len);
        }
        Ok(OnBuild {
            text: stored,
            trigger: Box::new(Statement {
                node,
                keyword: inner.keyword,
                text,
                span,
                comments: Vec::new(),
            }),
        })
    }
}

impl Item<'_> {
    /// `ADD`, `COPY`, `RUN` and those in `ONBUILD` take here-documents, but not in JSON form.
    fn takes_heredocs(&self) -> bool {
        match self.name {
            "ADD" | "COPY" | "RUN" => !matches!(
                json::array(&self.line.text, self.args.clone()),
                Array::Strings(_)
            ),
            "ONBUILD" => {
                let text = &self.line.text;
                let (word, rest) = words::split_first(text, self.args.clone());
                let (_, start) = words::flags(text, rest.clone());
                let inner = text[word].to_uppercase();
                matches!(inner.as_str(), "ADD" | "COPY" | "RUN")
                    && !matches!(json::array(text, start..rest.end), Array::Strings(_))
            }
            _ => false,
        }
    }

    /// The flags, checked.
    pub(super) fn flags(&self, known: &'static [(&'static str, Kind)]) -> Result<Flags> {
        let known: Known = known;
        Flags::check(self.file, self.line, &self.flag_words, (self.name, known))
    }

    /// An error at a place.
    pub(super) fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.file, span, message)
    }

    /// The error of an instruction without what it needs.
    pub(super) fn missing(&self, what: &str) -> Diagnostic {
        let end = self
            .line
            .span(self.args.clone())
            .end
            .max(self.keyword.span.end);
        let message = format!("{} needs {what}", self.name);
        self.error(Span::new(self.keyword.span.start, end), message)
            .label(format!("expected {what}"))
    }

    /// The whole of the arguments as one text; an instruction that has no flags.
    pub(super) fn text(&self) -> Result<Spanned<String>> {
        self.flags(&[])?;
        if self.args.is_empty() {
            return Err(self.missing("one argument"));
        }
        Ok(self.line.token(self.args.clone()))
    }

    /// The arguments as words between blanks.
    pub(super) fn words(&self) -> Vec<Spanned<String>> {
        let words = words::split(&self.line.text, self.args.clone());
        words
            .into_iter()
            .map(|word| self.line.token(word))
            .collect()
    }

    /// The part of the line from `start` on as a JSON array of strings, if it is one. An array of
    /// other things is an error: nobody means that for the shell.
    pub(super) fn json(&self, start: usize) -> Result<Option<Vec<Spanned<String>>>> {
        match json::array(&self.line.text, start..self.args.end) {
            Array::Not => Ok(None),
            Array::Mixed(place) => {
                let message = format!("{} takes an array of strings only", self.name);
                Err(self
                    .error(self.line.span(place), message)
                    .label("expected a string in double quotes"))
            }
            Array::Strings(strings) => {
                let strings = strings.into_iter();
                let token = |(value, range)| Spanned::new(value, self.line.span(range));
                Ok(Some(strings.map(token).collect()))
            }
        }
    }
}

/// What the comments say about `name`: the rest of the line that begins with it.
pub(super) fn description(comments: &[Spanned<String>], name: &str) -> Option<String> {
    let mut lines = comments.iter();
    lines.find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(' ')
            .map(str::to_owned)
    })
}
