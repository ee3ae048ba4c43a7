//! Words of the container service: options and answers.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::spec::{Attach, Document};
use crate::{Filters, Id};

/// What `create` made.
#[derive(Debug, Clone)]
pub struct Created {
    /// Of the new container.
    pub id: Id,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Not only those that run.
    pub all: bool,
    /// At most so many, newest first; implies `all`.
    pub limit: Option<usize>,
    /// Measure the writable layers.
    pub size: bool,
    /// `ancestor before exited id label label! name network since status volume …`.
    pub filters: Filters,
}

/// A container as `list` and `inspect` see it.
#[derive(Debug, Clone)]
pub struct Container {
    /// What is stored.
    pub document: Document,
    /// Name or id of the image, as it was asked for; the id where the name has gone elsewhere.
    pub image: String,
    /// Bytes in the writable layer and in all layers, where they were asked for.
    pub size: Option<Size>,
    /// Ids of its execs.
    pub execs: Vec<Id>,
    /// Its log file, where it has one.
    pub log_path: Option<PathBuf>,
    /// Its folder with `hosts`, `hostname` and `resolv.conf`.
    pub folder: PathBuf,
}

/// Bytes of a container's file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// In the writable layer.
    pub writable: u64,
    /// In all layers.
    pub total: u64,
}

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitCondition {
    /// That it does not run: at once where it does not.
    #[default]
    NotRunning,
    /// That it ends after now.
    NextExit,
    /// That it is gone.
    Removed,
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Exit code.
    pub code: u8,
    /// Why it could not be started or waited for.
    pub error: Option<String>,
}

/// What `remove` may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemoveOptions {
    /// Kill it first if it runs.
    pub force: bool,
    /// Remove its anonymous volumes as well.
    pub volumes: bool,
}

/// Which part of the log.
#[derive(Debug, Clone, Default)]
pub struct LogsOptions {
    /// Go on as more comes.
    pub follow: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Up to this time.
    pub until: Option<Timestamp>,
    /// The last so many lines.
    pub tail: Option<usize>,
}

/// One of the output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line of the log, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Where it was written to.
    pub output: Output,
    /// When.
    pub time: Timestamp,
    /// With its line break, where it had one.
    pub text: Vec<u8>,
}

/// How to attach.
#[derive(Debug, Clone, Default)]
pub struct AttachOptions {
    /// Which streams.
    pub streams: Attach,
    /// First what is in the log.
    pub logs: bool,
    /// Then what comes.
    pub stream: bool,
    /// Keys that end the attachment; Ctrl-P Ctrl-Q where nothing is said.
    pub detach_keys: Option<String>,
}

/// What `top` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessTable {
    /// Column heads.
    pub titles: Vec<String>,
    /// Rows.
    pub processes: Vec<Vec<String>>,
}

/// Facts of a path in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStat {
    /// Last component.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// `st_mode`: type and permissions.
    pub mode: u32,
    /// Time of modification.
    pub modified: Timestamp,
    /// What it points to, for a symbolic link.
    pub link_target: String,
}

/// What `put_archive` may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct PutOptions {
    /// Do not replace a folder by a file or the other way round.
    pub no_overwrite_dir_non_dir: bool,
    /// Keep owners of the archive instead of the owner of the target.
    pub copy_uid_gid: bool,
}

/// How a path differs from the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Other content or metadata.
    Modified,
    /// New.
    Added,
    /// Gone.
    Deleted,
}

/// A path that differs from the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Absolute path in the container.
    pub path: String,
    /// How.
    pub kind: ChangeKind,
}

/// What a prune took away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Identifiers or names.
    pub deleted: Vec<String>,
    /// Bytes that are free again.
    pub reclaimed: u64,
}
