//! Text → stages of typed instructions.

mod command;
mod duration;
mod files;
mod flags;
mod pairs;
mod run;
mod simple;
mod statement;

use statement::{Parsed, Parser};

use crate::instruction::{Arg, From};
use crate::lines::Reader;
use crate::{Diagnostic, Directives, File, Instruction, ParseError, Span, Spanned, directive};

/// A parsed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The text that all spans refer to.
    pub file: File,
    /// Lines like `# escape=`.
    pub directives: Directives,
    /// `ARG` before the first `FROM`.
    pub global_args: Vec<Statement<Arg>>,
    /// At least one.
    pub stages: Vec<Stage>,
    /// What is odd but was accepted.
    pub warnings: Vec<Diagnostic>,
}

/// A `FROM` and the instructions after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Position in the file, from 0.
    pub index: usize,
    /// Name in lower case.
    pub name: Option<String>,
    /// Its first line.
    pub from: Statement<From>,
    /// What a comment above says about it.
    pub description: Option<String>,
    /// The rest.
    pub instructions: Vec<Statement>,
}

/// An instruction and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<T = Instruction> {
    /// What it means.
    pub node: T,
    /// The instruction word as it was written.
    pub keyword: Spanned<String>,
    /// The instruction as one line: continuations joined, without here-documents. For step names
    /// and history.
    pub text: String,
    /// From the instruction word to the end of its last line, here-documents included.
    pub span: Span,
    /// The comment lines right above it, without `#`.
    pub comments: Vec<Spanned<String>>,
}

impl<T> Statement<T> {
    /// What it means, apart from how it was written.
    fn split(self) -> (T, Statement<()>) {
        let written = Statement {
            node: (),
            keyword: self.keyword,
            text: self.text,
            span: self.span,
            comments: self.comments,
        };
        (self.node, written)
    }
}

impl Statement<()> {
    fn with<T>(self, node: T) -> Statement<T> {
        Statement {
            node,
            keyword: self.keyword,
            text: self.text,
            span: self.span,
            comments: self.comments,
        }
    }
}

impl Dockerfile {
    /// The stage that a name (any case) or an index means, among the first `before` stages; the
    /// last of several with one name.
    pub fn stage(&self, name: &str, before: usize) -> Option<&Stage> {
        let earlier = &self.stages[..before.min(self.stages.len())];
        let lower = name.to_lowercase();
        let named = earlier
            .iter()
            .rev()
            .find(|stage| stage.name.as_deref() == Some(&lower));
        named.or_else(|| earlier.get(name.parse::<usize>().ok()?))
    }
}

/// Parses a Dockerfile. `name` is what messages call it. The error holds every mistake that was
/// found, not only the first.
pub fn parse(text: &str, name: &str) -> Result<Dockerfile, ParseError> {
    let file = File::new(name, text);
    let (directives, start) = directive::read(&file)?;
    let mut builder = Builder::new(&file);
    let mut reader = Reader::new(file.text(), start, directives.escape);
    let parser = Parser::new(&file, directives.escape);
    while let Some(logical) = reader.next_line() {
        if let Some(first) = logical.empty.first() {
            let message = "Empty continuation line";
            let warning = Diagnostic::warning(&file, *first, message)
                .label("this line is skipped, the instruction goes on after it");
            builder.warnings.push(Diagnostic {
                rule: Some("NoEmptyContinuation"),
                ..warning
            });
        }
        match parser.statement(logical, &mut reader.lines) {
            Ok(statement) => builder.add(statement),
            Err(error) => builder.fail(error),
        }
    }
    builder.finish(directives)
}

/// As [`parse`], for bytes that must be UTF-8.
pub fn parse_bytes(bytes: &[u8], name: &str) -> Result<Dockerfile, ParseError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text, name),
        Err(error) => {
            let file = File::new(name, String::from_utf8_lossy(bytes));
            let at = error.valid_up_to();
            let span = Span::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8());
            let diagnostic = Diagnostic::error(&file, span, "the file is not UTF-8 text");
            Err(diagnostic.label("expected a character").into())
        }
    }
}

/// Parses one instruction that an image stores for its children (`ONBUILD`).
pub fn parse_trigger(text: &str, name: &str) -> Result<Statement, ParseError> {
    let file = File::new(name, text);
    let mut reader = Reader::new(file.text(), 0, '\\');
    let all = Span::new(0, text.len());
    let logical = reader.next_line().ok_or_else(|| {
        Diagnostic::error(&file, all, "the trigger is empty").label("expected an instruction")
    })?;
    let statement = Parser::new(&file, '\\').statement(logical, &mut reader.lines)?;
    let (node, written) = statement.split();
    let Parsed::Instruction(instruction) = node else {
        let message = "FROM cannot be a trigger";
        return Err(Diagnostic::error(&file, written.keyword.span, message)
            .label("expected another instruction")
            .into());
    };
    if reader.next_line().is_some() {
        let message = "the trigger has more than one instruction";
        return Err(Diagnostic::error(&file, all, message)
            .label("expected one instruction")
            .into());
    }
    Ok(written.with(instruction))
}

/// Collects statements into stages.
struct Builder<'a> {
    file: &'a File,
    global_args: Vec<Statement<Arg>>,
    stages: Vec<Stage>,
    warnings: Vec<Diagnostic>,
    errors: Vec<Diagnostic>,
    /// Once an instruction was wrong (it may have been a `FROM`), "before FROM" would only be noise.
    lost_from: bool,
}

impl<'a> Builder<'a> {
    fn new(file: &'a File) -> Self {
        Self {
            file,
            global_args: Vec::new(),
            stages: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
            lost_from: false,
        }
    }

    fn add(&mut self, statement: Statement<Parsed>) {
        let (node, written) = statement.split();
        match (node, self.stages.last_mut()) {
            (Parsed::From(from), _) => self.begin_stage(written.with(from)),
            (Parsed::Instruction(node), Some(stage)) => stage.instructions.push(written.with(node)),
            (Parsed::Instruction(Instruction::Arg(arg)), None) => {
                self.global_args.push(written.with(arg));
            }
            (Parsed::Instruction(_), None) if self.lost_from => {}
            (Parsed::Instruction(instruction), None) => {
                let message = format!("{} before the first FROM", instruction.name());
                let error = Diagnostic::error(self.file, written.keyword.span, message)
                    .label("expected FROM or ARG");
                self.errors
                    .push(error.help("a stage begins with FROM, for example FROM debian:12"));
            }
        }
    }

    fn begin_stage(&mut self, from: Statement<From>) {
        let name = from.node.name.as_ref().map(|name| name.to_lowercase());
        let description = name
            .as_deref()
            .and_then(|name| statement::description(&from.comments, name));
        self.stages.push(Stage {
            index: self.stages.len(),
            name,
            from,
            description,
            instructions: Vec::new(),
        });
    }

    fn fail(&mut self, error: Diagnostic) {
        self.lost_from = true;
        self.errors.push(error);
    }

    fn finish(mut self, directives: Directives) -> Result<Dockerfile, ParseError> {
        if self.stages.is_empty() && self.errors.is_empty() {
            let end = self.file.text().trim_end().len();
            let message = if self.global_args.is_empty() {
                "the file has no instructions"
            } else {
                "the file has no stage"
            };
            let error = Diagnostic::error(self.file, Span::new(end, end), message);
            self.errors.push(error.label("expected FROM"));
        }
        if !self.errors.is_empty() {
            let first = self.errors.remove(0);
            return Err(ParseError::new(first, self.errors));
        }
        Ok(Dockerfile {
            file: self.file.clone(),
            directives,
            global_args: self.global_args,
            stages: self.stages,
            warnings: self.warnings,
        })
    }
}
