//! The instructions, one struct each. Values are as written: variables are not expanded yet.

mod expand;
mod script;

use std::time::Duration;

use crate::{Heredoc, MountFlag, Span, Spanned, Statement};

/// An instruction inside a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// `ADD`
    Add(Add),
    /// `ARG`
    Arg(Arg),
    /// `CMD`
    Cmd(Cmd),
    /// `COPY`
    Copy(Copy),
    /// `ENTRYPOINT`
    Entrypoint(Entrypoint),
    /// `ENV`
    Env(Env),
    /// `EXPOSE`
    Expose(Expose),
    /// `HEALTHCHECK`
    HealthCheck(HealthCheck),
    /// `LABEL`
    Label(Label),
    /// `MAINTAINER`
    Maintainer(Maintainer),
    /// `ONBUILD`
    OnBuild(OnBuild),
    /// `RUN`
    Run(Run),
    /// `SHELL`
    Shell(Shell),
    /// `STOPSIGNAL`
    StopSignal(StopSignal),
    /// `USER`
    User(User),
    /// `VOLUME`
    Volume(Volume),
    /// `WORKDIR`
    Workdir(Workdir),
}

impl Instruction {
    /// The instruction word in capitals.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::HealthCheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::OnBuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::StopSignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}

/// `FROM [--platform=…] image [AS name]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// Value of `--platform`.
    pub platform: Option<Spanned<String>>,
    /// Image, stage name or `scratch`.
    pub image: Spanned<String>,
    /// The word `AS` as it was written.
    pub as_word: Option<Spanned<String>>,
    /// Name of the stage as it was written; [`crate::Stage::name`] is in lower case.
    pub name: Option<Spanned<String>>,
}

/// Shell form or exec form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// Text for the shell.
    Shell(Spanned<String>),
    /// A JSON array of arguments.
    Exec(Vec<Spanned<String>>),
}

/// A source of `COPY` or `ADD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A path, pattern or, for `ADD`, an address.
    Path(Spanned<String>),
    /// A file made of a here-document.
    File(SourceFile),
}

/// A file whose content stands in the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// File name: the delimiter.
    pub name: Spanned<String>,
    /// The content, tabs already stripped.
    pub content: String,
    /// May variables be expanded in it?
    pub expand: bool,
    /// Where the body stands.
    pub span: Span,
}

/// `ADD [flags] source… destination`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// What to add, at least one.
    pub sources: Vec<Source>,
    /// Where to.
    pub destination: Spanned<String>,
    /// `--chown`
    pub chown: Option<Spanned<String>>,
    /// `--chmod`
    pub chmod: Option<Spanned<String>>,
    /// `--link`
    pub link: bool,
    /// `--exclude`, many.
    pub exclude: Vec<Spanned<String>>,
    /// `--keep-git-dir`
    pub keep_git_dir: Option<bool>,
    /// `--checksum`
    pub checksum: Option<Spanned<String>>,
    /// `--unpack`
    pub unpack: Option<bool>,
}

/// `COPY [flags] source… destination`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// What to copy, at least one.
    pub sources: Vec<Source>,
    /// Where to.
    pub destination: Spanned<String>,
    /// `--from`: stage name, stage index, image or named context. Never has variables.
    pub from: Option<Spanned<String>>,
    /// `--chown`
    pub chown: Option<Spanned<String>>,
    /// `--chmod`
    pub chmod: Option<Spanned<String>>,
    /// `--link`
    pub link: bool,
    /// `--parents`
    pub parents: bool,
    /// `--exclude`, many.
    pub exclude: Vec<Spanned<String>>,
}

/// `ARG name[=default]…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// At least one.
    pub items: Vec<ArgItem>,
}

/// One build argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgItem {
    /// Its name.
    pub name: Spanned<String>,
    /// Its default.
    pub default: Option<Spanned<String>>,
    /// What a comment above the instruction says about it.
    pub description: Option<String>,
}

/// `CMD`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cmd {
    /// The command.
    pub command: CommandLine,
}

/// `ENTRYPOINT`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrypoint {
    /// The command; an empty exec form resets it.
    pub command: CommandLine,
}

/// A name and a value, quotes and escapes still in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub name: Spanned<String>,
    /// The value.
    pub value: Spanned<String>,
    /// Was it written `name value`, without `=`?
    pub legacy: bool,
}

/// `ENV name=value…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Env {
    /// At least one.
    pub pairs: Vec<Pair>,
}

/// `LABEL name=value…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// At least one.
    pub pairs: Vec<Pair>,
}

/// `EXPOSE port[-port][/protocol]…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expose {
    /// At least one; one word may become several by expansion.
    pub ports: Vec<Spanned<String>>,
}

/// What probes the health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthTest {
    /// Switch an inherited check off.
    None,
    /// A command.
    Command(CommandLine),
}

/// `HEALTHCHECK`; a time that is not given is inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What probes the health.
    pub test: HealthTest,
    /// `--interval`
    pub interval: Option<Duration>,
    /// `--timeout`
    pub timeout: Option<Duration>,
    /// `--start-period`
    pub start_period: Option<Duration>,
    /// `--start-interval`
    pub start_interval: Option<Duration>,
    /// `--retries`
    pub retries: Option<u32>,
}

/// `MAINTAINER text`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintainer {
    /// The author.
    pub author: Spanned<String>,
}

/// `ONBUILD instruction`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnBuild {
    /// What the image config stores: the inner instruction with its here-documents. A child build
    /// reads it with [`crate::parse_trigger`].
    pub text: String,
    /// The inner instruction.
    pub trigger: Box<Statement>,
}

/// `--network` of `RUN`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// The network of the build.
    #[default]
    Default,
    /// None.
    None,
    /// That of the host.
    Host,
}

/// `--security` of `RUN`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Security {
    /// In the sandbox.
    #[default]
    Sandbox,
    /// With all privileges.
    Insecure,
}

/// `--device` of `RUN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Name of the CDI device.
    pub name: Spanned<String>,
    /// Does the build fail where it is missing?
    pub required: bool,
}

/// `RUN [flags] command`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The command.
    pub command: CommandLine,
    /// Its here-documents, in order.
    pub heredocs: Vec<Heredoc>,
    /// `--mount`, many, not typed before their variables are expanded: see [`Run::mounts`].
    pub mount_flags: Vec<MountFlag>,
    /// `--network`
    pub network: Option<Spanned<Network>>,
    /// `--security`
    pub security: Option<Spanned<Security>>,
    /// `--device`, many.
    pub devices: Vec<Device>,
}

/// What a `RUN` executes, here-documents put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// These arguments.
    Exec(Vec<String>),
    /// This text, by the shell of the stage.
    Shell(String),
    /// A file of that name with this content, executed itself (it begins with `#!`).
    File {
        /// File name.
        name: String,
        /// The content.
        content: String,
    },
}

/// `SHELL ["…"]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// At least one.
    pub shell: Vec<Spanned<String>>,
}

/// `STOPSIGNAL signal`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSignal {
    /// Name or number.
    pub signal: Spanned<String>,
}

/// `USER user[:group]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Names or ids.
    pub user: Spanned<String>,
}

/// `VOLUME path…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// At least one.
    pub paths: Vec<Spanned<String>>,
}

/// `WORKDIR path`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workdir {
    /// Absolute, or relative to the previous.
    pub path: Spanned<String>,
}
