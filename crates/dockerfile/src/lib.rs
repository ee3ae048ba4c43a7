//! The language of Dockerfiles: text → typed instructions with source ranges, variable expansion,
//! `.dockerignore` patterns, globs, and messages that show the line.
//!
//! Layout: [`parse`] reads lines ([`Directives`], continuations, comments, heredocs) and types each
//! instruction; [`Expander`] replaces variables later, when the build knows them; [`ignore`] and
//! [`glob`] match paths; [`lint`] warns about what parses but is likely wrong.
//!
//! Invariants:
//! - Pure: no file, clock, environment or network. The same text gives the same answer.
//! - Every token has a [`Span`] of bytes in the file as it was given (BOM and CR included); a span
//!   is always in bounds and on character boundaries.
//! - Nothing panics, whatever the text.
//! - Where `BuildKit` accepts a file, so do we, and with the same meaning; the choices between
//!   shell and exec form, heredoc words and flag quoting follow it to the letter.

mod diagnostic;
mod directive;
pub mod expand;
pub mod glob;
mod heredoc;
pub mod ignore;
mod instruction;
mod json;
mod lines;
pub mod lint;
mod mount;
mod parse;
mod span;
mod suggest;
mod words;

pub use diagnostic::{Diagnostic, Level, ParseError};
pub use directive::{Directives, detect_syntax};
pub use expand::{Expanded, Expander, Unset};
pub use heredoc::Heredoc;
pub use instruction::{
    Add, Arg, ArgItem, Cmd, CommandLine, Copy, Device, Entrypoint, Env, Expose, From, HealthCheck,
    HealthTest, Instruction, Label, Maintainer, Network, OnBuild, Pair, Run, Script, Security,
    Shell, Source, SourceFile, StopSignal, User, Volume, Workdir,
};
pub use mount::{
    BindMount, CacheMount, Mount, MountFlag, SecretMount, Sharing, SshMount, TmpfsMount,
};
pub use parse::{Dockerfile, Stage, Statement, parse, parse_bytes, parse_trigger};
pub use span::{File, Span, Spanned};
