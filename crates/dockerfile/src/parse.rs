//! Text → stages of typed instructions.

use crate::instruction::{Arg, From};
use crate::{Diagnostic, Directives, File, Instruction, ParseError, Span, Spanned};

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

impl Dockerfile {
    /// The stage that a name (any case) or an index means, among the first `before` stages; the
    /// last of several with one name.
    pub fn stage(&self, name: &str, before: usize) -> Option<&Stage> {
        let _ = (name, before);
        todo!()
    }
}

/// Parses a Dockerfile. `name` is what messages call it.
pub fn parse(text: &str, name: &str) -> Result<Dockerfile, ParseError> {
    let _ = File::new(name, text);
    todo!()
}

/// As [`parse`], for bytes that must be UTF-8.
pub fn parse_bytes(bytes: &[u8], name: &str) -> Result<Dockerfile, ParseError> {
    let _ = (bytes, name);
    todo!()
}

/// Parses one instruction that an image stores for its children (`ONBUILD`).
pub fn parse_trigger(text: &str, name: &str) -> Result<Statement, ParseError> {
    let _ = (text, name);
    todo!()
}
