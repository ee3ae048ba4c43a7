//! `RUN --mount=…`: comma-separated `key=value` fields, typed after expansion.

mod fields;

pub(crate) use fields::{boolean, csv};

use crate::{Diagnostic, Expanded, Expander, File, Spanned};

/// A `--mount` as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountFlag {
    /// The value of the flag.
    pub raw: Spanned<String>,
    /// The file, for messages after expansion.
    pub(crate) file: File,
}

impl MountFlag {
    /// The value of `from`, which never has variables: so a build knows its stages early.
    pub fn from(&self) -> Option<String> {
        let fields = csv(&self.raw)?;
        let mut pairs = fields.iter().filter_map(|field| field.split_once('='));
        let (_, from) = pairs.rfind(|(key, _)| key.eq_ignore_ascii_case("from"))?;
        Some(from.to_owned())
    }

    /// Types the mount already at parse time if it has no variables, so that a mistake is found
    /// before anything runs.
    pub(crate) fn check(&self) -> Result<(), Diagnostic> {
        if csv(&self.raw).is_some_and(|fields| fields.concat().contains('$')) {
            return Ok(());
        }
        self.expand(&Expander::new(&self.file, '\\', &|_| None))
            .map(|_| ())
    }

    /// The mount with its variables replaced.
    pub fn expand(&self, expander: &Expander<'_>) -> Result<Expanded<Mount>, Diagnostic> {
        fields::mount(self, expander)
    }
}

/// A mount of a `RUN`. Targets may be relative to the working folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// `type=bind`
    Bind(BindMount),
    /// `type=cache`
    Cache(CacheMount),
    /// `type=tmpfs`
    Tmpfs(TmpfsMount),
    /// `type=secret`
    Secret(SecretMount),
    /// `type=ssh`
    Ssh(SshMount),
}

/// Files of a stage, an image or the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindMount {
    /// Where in the step.
    pub target: String,
    /// Stage, image or named context; the build context where there is none.
    pub from: Option<String>,
    /// Path in there.
    pub source: Option<String>,
    /// If false, writes are allowed and thrown away.
    pub readonly: bool,
}

/// How steps share a cache that run at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// All at once.
    #[default]
    Shared,
    /// A second one gets a new cache.
    Private,
    /// A second one waits.
    Locked,
}

/// A folder that outlives the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMount {
    /// Its name; the cleaned target where there is none.
    pub id: Option<String>,
    /// Where in the step.
    pub target: String,
    /// Stage, image or named context that fills a new cache.
    pub from: Option<String>,
    /// Path in there.
    pub source: Option<String>,
    /// How steps share it.
    pub sharing: Sharing,
    /// No writes.
    pub readonly: bool,
    /// Mode of a new folder.
    pub mode: u32,
    /// Owner of a new folder.
    pub uid: u32,
    /// Group of a new folder.
    pub gid: u32,
}

/// A folder in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TmpfsMount {
    /// Where in the step.
    pub target: String,
    /// Most bytes.
    pub size: Option<u64>,
}

/// A secret as a file, an environment variable or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    /// Its name.
    pub id: String,
    /// The file; none where only an environment variable was asked for.
    pub target: Option<String>,
    /// The environment variable.
    pub env: Option<String>,
    /// Does the build fail where it is missing?
    pub required: bool,
    /// Mode of the file.
    pub mode: u32,
    /// Owner of the file.
    pub uid: u32,
    /// Group of the file.
    pub gid: u32,
}

/// The socket of an SSH agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshMount {
    /// Which agent.
    pub id: String,
    /// Where in the step; `/run/buildkit/ssh_agent.<n>` where there is none.
    pub target: Option<String>,
    /// Does the build fail where it is missing?
    pub required: bool,
    /// Mode of the socket.
    pub mode: u32,
    /// Owner of the socket.
    pub uid: u32,
    /// Group of the socket.
    pub gid: u32,
}
