//! Containers: from `create` to `remove`.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::OwnedFd;

use jiff::Timestamp;

use crate::spec::{CreateOptions, Document};
use crate::{ByteStream, Error, Filters, Id};

/// The containers of this engine. A clone is another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Containers {}

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
    pub log_path: Option<std::path::PathBuf>,
    /// Its folder with `hosts`, `hostname` and `resolv.conf`.
    pub folder: std::path::PathBuf,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Exit code.
    pub code: u8,
    /// Why it could not be started or waited for.
    pub error: Option<String>,
}

/// A `wait` that is registered: from here on no end is missed.
#[derive(Debug)]
pub struct Waiter {}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Waiter {
    /// Waits for it.
    pub async fn ended(self) -> Result<Ended, Error> {
        todo!()
    }
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

/// Lines of the log, as they come.
#[derive(Debug)]
pub struct LogStream {
    /// Does the container have a terminal? Then its log is not framed.
    pub tty: bool,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl LogStream {
    /// The next line, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<LogLine, Error>> {
        todo!()
    }
}

/// How to attach.
#[derive(Debug, Clone, Default)]
pub struct AttachOptions {
    /// Which streams.
    pub streams: crate::spec::Attach,
    /// First what is in the log.
    pub logs: bool,
    /// Then what comes.
    pub stream: bool,
    /// Keys that end the attachment; Ctrl-P Ctrl-Q where nothing is said.
    pub detach_keys: Option<String>,
}

/// An attachment that was found possible. The caller answers its client, then hands the
/// connection over.
#[derive(Debug)]
pub struct Attachment {
    /// Raw bytes of a terminal instead of frames.
    pub tty: bool,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Attachment {
    /// Gives the connection away, with what the client had already sent. It belongs to the
    /// container's supervisor from then on. Before the start it is kept until the start.
    pub async fn hand_over(self, connection: OwnedFd, sent: Vec<u8>) -> Result<(), Error> {
        let _ = (connection, sent);
        todo!()
    }
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

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Containers {
    /// Makes a container. It does not run yet.
    pub async fn create(&self, options: CreateOptions) -> Result<Created, Error> {
        let _ = options;
        todo!()
    }

    /// Starts it. Returns once its process runs, or could not be started.
    pub async fn start(&self, name: &str) -> Result<(), Error> {
        let _ = name;
        todo!()
    }

    /// Asks it to stop, then kills it. `timeout` in seconds over that of the container; negative
    /// waits for ever.
    pub async fn stop(
        &self,
        name: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<(), Error> {
        let _ = (name, signal, timeout);
        todo!()
    }

    /// Stops it, if it runs, and starts it.
    pub async fn restart(
        &self,
        name: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<(), Error> {
        let _ = (name, signal, timeout);
        todo!()
    }

    /// Sends a signal to its first process; SIGKILL where nothing is said.
    pub async fn kill(&self, name: &str, signal: Option<&str>) -> Result<(), Error> {
        let _ = (name, signal);
        todo!()
    }

    /// Freezes its processes.
    pub async fn pause(&self, name: &str) -> Result<(), Error> {
        let _ = name;
        todo!()
    }

    /// Lets its processes go on.
    pub async fn unpause(&self, name: &str) -> Result<(), Error> {
        let _ = name;
        todo!()
    }

    /// Registers a wait.
    pub async fn wait(&self, name: &str, condition: WaitCondition) -> Result<Waiter, Error> {
        let _ = (name, condition);
        todo!()
    }

    /// Takes it away.
    pub async fn remove(&self, name: &str, options: RemoveOptions) -> Result<(), Error> {
        let _ = (name, options);
        todo!()
    }

    /// Gives it another name.
    pub async fn rename(&self, name: &str, new: &str) -> Result<(), Error> {
        let _ = (name, new);
        todo!()
    }

    /// Those that match, newest first.
    pub async fn list(&self, options: ListOptions) -> Result<Vec<Container>, Error> {
        let _ = options;
        todo!()
    }

    /// One.
    pub async fn inspect(&self, name: &str, size: bool) -> Result<Container, Error> {
        let _ = (name, size);
        todo!()
    }

    /// What it wrote.
    pub async fn logs(&self, name: &str, options: LogsOptions) -> Result<LogStream, Error> {
        let _ = (name, options);
        todo!()
    }

    /// Checks that one can attach.
    pub async fn attach(&self, name: &str, options: AttachOptions) -> Result<Attachment, Error> {
        let _ = (name, options);
        todo!()
    }

    /// Sets the size of its terminal.
    pub async fn resize(&self, name: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let _ = (name, rows, columns);
        todo!()
    }

    /// Its processes. `arguments` are those of `ps`; of them `-ef` and `aux` are known.
    pub async fn top(&self, name: &str, arguments: &str) -> Result<ProcessTable, Error> {
        let _ = (name, arguments);
        todo!()
    }

    /// Paths that differ from the image.
    pub async fn changes(&self, name: &str) -> Result<Vec<Change>, Error> {
        let _ = name;
        todo!()
    }

    /// Its whole file system as a tar archive.
    pub async fn export(&self, name: &str) -> Result<ByteStream, Error> {
        let _ = name;
        todo!()
    }

    /// Facts of a path, without following a link in its last component.
    pub async fn stat_path(&self, name: &str, path: &str) -> Result<PathStat, Error> {
        let _ = (name, path);
        todo!()
    }

    /// A path and what is below it, as a tar archive whose root is the path's last component.
    pub async fn get_archive(
        &self,
        name: &str,
        path: &str,
    ) -> Result<(PathStat, ByteStream), Error> {
        let _ = (name, path);
        todo!()
    }

    /// Unpacks a tar archive, plain or compressed, into the folder `path`.
    pub async fn put_archive(
        &self,
        name: &str,
        path: &str,
        options: PutOptions,
        archive: impl Read + Send + 'static,
    ) -> Result<(), Error> {
        let _ = (name, path, options, archive);
        todo!()
    }

    /// Removes all that do not run. Filters: `until`, `label`, `label!`.
    pub async fn prune(&self, filters: Filters) -> Result<Pruned, Error> {
        let _ = filters;
        todo!()
    }

    /// How many there are in each state, by Docker's word for it.
    pub async fn count(&self) -> Result<BTreeMap<&'static str, usize>, Error> {
        todo!()
    }
}
