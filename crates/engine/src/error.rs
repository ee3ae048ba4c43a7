//! What can go wrong, in few kinds for machines and one sentence for people.
//!
//! A sentence names the object, the cause and, where there is one, the way out. Where clients
//! parse the text, it is the text that they know.

use std::io;
use std::path::PathBuf;

/// What sort of failure it is. The edge maps each kind to a status once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The named object does not exist.
    NotFound,
    /// It exists already.
    Exists,
    /// The request makes no sense.
    Invalid,
    /// The object is in a state that does not allow it.
    Conflict,
    /// Not permitted.
    Denied,
    /// Something that it needs does not answer.
    Unavailable,
    /// A part of the interface that Corten does not have.
    Unsupported,
    /// The caller gave up.
    Cancelled,
    /// The object is already as asked: nothing was done.
    NotModified,
    /// Corten or the machine failed.
    Internal,
}

/// Any failure of the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No container has this name, id or prefix of an id.
    #[error("No such container: {0}")]
    NoSuchContainer(String),
    /// No image has this name, id or prefix of an id.
    #[error("No such image: {0}")]
    NoSuchImage(String),
    /// The image is there, but for another platform.
    #[error("image {image} was found but its platform ({found}) is not {wanted}")]
    PlatformMismatch {
        /// The name that was asked for.
        image: String,
        /// What the image is for.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// No exec has this id.
    #[error("No such exec instance: {0}")]
    NoSuchExec(String),
    /// No build with this id runs.
    #[error("no build {0} is running")]
    NoSuchBuild(String),
    /// A build failed.
    #[error(transparent)]
    Build(#[from] build::BuildError),
    /// An exec can be started once.
    #[error("exec {0} has already run")]
    ExecRan(String),
    /// Writing where only reading is allowed.
    #[error("{0}")]
    ReadOnly(&'static str),
    /// No network has this name or id.
    #[error("network {0} not found")]
    NoSuchNetwork(String),
    /// No volume has this name.
    #[error("get {0}: no such volume")]
    NoSuchVolume(String),
    /// A path does not exist inside a container.
    #[error("Could not find the file {path} in container {container}")]
    NoSuchPath {
        /// The container, as it was named.
        container: String,
        /// The path.
        path: String,
    },
    /// The prefix of an id fits several objects.
    #[error("multiple IDs found with provided prefix: {0}")]
    AmbiguousPrefix(String),
    /// The name is taken.
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    )]
    NameInUse {
        /// The name, without a slash.
        name: String,
        /// Who has it.
        id: String,
    },
    /// The container must run for this.
    #[error("container {0} is not running")]
    NotRunning(String),
    /// A process survived SIGKILL for long: the kernel holds it.
    #[error("container {0} was killed and does not end: the kernel holds one of its processes")]
    WillNotDie(String),
    /// A container that runs cannot be removed.
    #[error(
        "cannot remove container \"/{0}\": container is running: \
         stop the container before removing or force remove"
    )]
    StillRunning(String),
    /// The container is paused.
    #[error("container {0} is paused, unpause the container first")]
    Paused(String),
    /// The container is being started.
    #[error("container {0} is being started")]
    Starting(String),
    /// The container is not paused.
    #[error("Container {0} is not paused")]
    NotPaused(String),
    /// The container is being removed.
    #[error("removal of container {0} is already in progress")]
    Removing(String),
    /// The container is already as asked.
    #[error("container {0} is already {1}")]
    AlreadyIs(String, &'static str),
    /// The image is needed by a container or by another name.
    #[error("conflict: unable to {action} {image} ({strength}) - {reason}")]
    ImageInUse {
        /// `delete` or `remove repository reference`.
        action: &'static str,
        /// The image, as it was named or by its short id.
        image: String,
        /// `must be forced` or `cannot be forced`.
        strength: &'static str,
        /// What keeps it.
        reason: String,
    },
    /// A volume is mounted by a container.
    #[error("remove {volume}: volume is in use - [{containers}]")]
    VolumeInUse {
        /// The volume.
        volume: String,
        /// Who uses it, by id.
        containers: String,
    },
    /// A container cannot have this name.
    #[error("Invalid container name ({0}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    ContainerName(String),
    /// A value of an option is wrong.
    #[error("invalid {what} {value:?}: {reason}")]
    Invalid {
        /// Name of the option, or of what the value stands for.
        what: &'static str,
        /// The value.
        value: String,
        /// Why it is refused, and what was expected.
        reason: String,
    },
    /// Two or more options do not go together, or one is missing.
    #[error("{0}")]
    BadRequest(&'static str),
    /// An option or verb of the interface that Corten does not have.
    #[error("{option} is not supported by this version of Corten: {way_out}")]
    Unsupported {
        /// The option by its name on the command line, or the verb.
        option: String,
        /// What to do instead.
        way_out: &'static str,
    },
    /// The user or group of a process is not in the container's own tables.
    #[error("unable to find {kind} {name}: no matching entries in {table} file")]
    NoSuchUser {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
        /// `passwd` or `group`.
        table: &'static str,
    },
    /// The process of a container or exec could not be started.
    #[error("failed to start container process: {message}")]
    StartFailed {
        /// 126 where it was found but could not run, 127 where it was not found, else 128.
        code: u8,
        /// The cause.
        message: String,
    },
    /// Another engine has the data root.
    #[error("the data root {} is in use by another engine", .0.display())]
    RootInUse(PathBuf),
    /// The engine is going down.
    #[error("the engine is stopping")]
    Stopping,
    /// The caller gave up.
    #[error("{0} was cancelled")]
    Cancelled(&'static str),
    /// A stored document is of a version that this engine does not read.
    #[error("container {id} was written by a newer Corten (document version {version})")]
    NewerDocument {
        /// The container.
        id: String,
        /// The version of its document.
        version: u32,
    },
    /// A step failed, and so did taking back what had been done before it.
    #[error("{first}; while undoing: {second}")]
    Undo {
        /// The failure.
        first: Box<Error>,
        /// The failure of the clean-up.
        second: Box<Error>,
    },
    /// The file system said no.
    #[error("{action} {}", .path.display())]
    Io {
        /// What was tried, as a verb in the present participle.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The kernel said no.
    #[error("{action} of container {id} failed")]
    Container {
        /// What was tried.
        action: &'static str,
        /// The container.
        id: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A document could not be written or read as JSON.
    #[error("the {what} is not valid")]
    Document {
        /// Which.
        what: &'static str,
        /// Where it breaks.
        source: serde_json::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(store::Error),
    /// The supervisor of a container failed.
    #[error("container {id}: {source}")]
    Shim {
        /// The container.
        id: String,
        /// Its answer.
        source: shim::Error,
    },
    /// The network failed.
    #[error(transparent)]
    Network(#[from] network::Error),
    /// A task of the engine itself broke down.
    #[error("a task of the engine was aborted")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// Which sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchContainer(_)
            | Self::NoSuchImage(_)
            | Self::PlatformMismatch { .. }
            | Self::NoSuchExec(_)
            | Self::NoSuchNetwork(_)
            | Self::NoSuchBuild(_)
            | Self::NoSuchVolume(_)
            | Self::NoSuchPath { .. } => ErrorKind::NotFound,
            Self::NameInUse { .. }
            | Self::NotRunning(_)
            | Self::StillRunning(_)
            | Self::Paused(_)
            | Self::NotPaused(_)
            | Self::ExecRan(_)
            | Self::Starting(_)
            | Self::Removing(_)
            | Self::ImageInUse { .. }
            | Self::VolumeInUse { .. } => ErrorKind::Conflict,
            Self::AlreadyIs(..) => ErrorKind::NotModified,
            Self::AmbiguousPrefix(_)
            | Self::ContainerName(_)
            | Self::Invalid { .. }
            | Self::BadRequest(_)
            | Self::NoSuchUser { .. }
            | Self::StartFailed { .. } => ErrorKind::Invalid,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::RootInUse(_) | Self::Stopping => ErrorKind::Unavailable,
            Self::Cancelled(_) => ErrorKind::Cancelled,
            Self::ReadOnly(_) => ErrorKind::Denied,
            Self::Build(error) => match error {
                build::BuildError::Cancelled => ErrorKind::Cancelled,
                build::BuildError::Unsupported(_) => ErrorKind::Unsupported,
                build::BuildError::Dockerfile(_)
                | build::BuildError::NoDockerfile(_)
                | build::BuildError::NoTarget(_) => ErrorKind::Invalid,
                _ => ErrorKind::Internal,
            },
            Self::Undo { first, .. } => first.kind(),
            Self::Io { source, .. } | Self::Container { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => ErrorKind::Denied,
                _ => ErrorKind::Internal,
            },
            Self::NewerDocument { .. }
            | Self::WillNotDie(_)
            | Self::Document { .. }
            | Self::Store(_)
            | Self::Shim { .. }
            | Self::Network(_)
            | Self::Task(_) => ErrorKind::Internal,
        }
    }

    /// A value that is refused.
    pub(crate) fn invalid(what: &'static str, value: &str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            what,
            value: value.to_owned(),
            reason: reason.into(),
        }
    }

    /// Keeps both failures where undoing failed as well.
    #[must_use]
    pub(crate) fn with_undo(self, undone: Result<(), Error>) -> Self {
        match undone {
            Ok(()) => self,
            Err(second) => Self::Undo {
                first: Box::new(self),
                second: Box::new(second),
            },
        }
    }
}

impl From<store::Error> for Error {
    /// What the store does not find, or finds twice, is the caller's affair and gets a kind.
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::ContainerNotFound(name) => Self::NoSuchContainer(name),
            store::Error::ImageNotFound(name) => Self::NoSuchImage(name),
            store::Error::AmbiguousId { prefix, .. } => Self::AmbiguousPrefix(prefix),
            store::Error::NameTaken { name, holder } => Self::NameInUse { name, id: holder },
            store::Error::InUse { root, .. } => Self::RootInUse(root),
            other => Self::Store(other),
        }
    }
}

impl From<store::tar::TarError> for Error {
    fn from(error: store::tar::TarError) -> Self {
        store::Error::from(error).into()
    }
}

/// Names an I/O error's path and what was tried.
pub(crate) trait IoContext<T> {
    /// `action` is a present participle: `opening`, `writing`.
    fn at(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> IoContext<T> for Result<T, E> {
    fn at(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            action,
            path: path.into(),
            source: source.into(),
        })
    }
}
