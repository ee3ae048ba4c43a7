//! What is remembered of a container between commands.
//!
//! ```text
//! <root>/<id>/config.json   the config it was created with
//! <root>/<id>/state.json    a `Record`, versioned; its presence makes the container exist
//! <root>/<id>/gate          socket at which a created container waits for its start
//! ```

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oci::runtime::Spec;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::report::{CliError, Doing};
use crate::Container;
use crate::cgroup::Groups;

/// The version of [`Record`].
const VERSION: u32 = 1;
/// Name of the socket.
pub(super) const GATE: &str = "gate";

/// The folder of all containers.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

/// A container on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    version: u32,
    pub(super) id: String,
    pub(super) pid: i32,
    /// When the process started, in the kernel's ticks: ids are used again, these are not.
    started: u64,
    pub(super) bundle: PathBuf,
    pub(super) rootfs: PathBuf,
    pub(super) created: String,
    pub(super) cgroup: PathBuf,
    pub(super) oci_version: String,
    #[serde(default)]
    pub(super) annotations: HashMap<String, String>,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Created,
    Running,
    Paused,
    Stopped,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

impl Root {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder of one container. Names are names, not paths.
    pub(super) fn folder(&self, id: &str) -> Result<PathBuf, CliError> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+-.".contains(letter);
        match id.starts_with(|first: char| first.is_ascii_alphanumeric()) && id.chars().all(allowed)
        {
            true => Ok(self.0.join(id)),
            false => Err(CliError::Usage(format!(
                "invalid character in the container ID `{id}`"
            ))),
        }
    }

    /// Makes the folder of a new container.
    pub(super) fn reserve(&self, id: &str) -> Result<PathBuf, CliError> {
        let folder = self.folder(id)?;
        fs::create_dir_all(&self.0).doing(|| format!("make {}", self.0.display()))?;
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(CliError::Exists(id.to_owned()))
            }
            other => other
                .doing(|| format!("make {}", folder.display()))
                .map(|()| folder),
        }
    }

    /// Reads a container.
    pub(super) fn load(&self, id: &str) -> Result<Record, CliError> {
        let path = self.folder(id)?.join("state.json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CliError::NoContainer(id.to_owned()));
            }
            other => other.doing(|| format!("read {}", path.display()))?,
        };
        let record: Record =
            serde_json::from_slice(&bytes).map_err(|source| CliError::Document { path, source })?;
        match record.version {
            VERSION => Ok(record),
            other => Err(CliError::Usage(format!(
                "container `{id}` was made by another release (state version {other})"
            ))),
        }
    }

    /// The names of all containers, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>, CliError> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.doing(|| format!("list {}", self.0.display()))?,
        };
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| self.0.join(name).join("state.json").exists())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Forgets a container.
    pub(super) fn forget(&self, id: &str) -> Result<(), CliError> {
        let folder = self.folder(id)?;
        fs::remove_dir_all(&folder).doing(|| format!("remove {}", folder.display()))
    }

    /// The config that a container was created with.
    pub(super) fn config(&self, id: &str) -> Result<Spec, CliError> {
        read_document(&self.folder(id)?.join("config.json"))
    }
}

impl Record {
    /// Of a container that was just created.
    pub(super) fn new(id: &str, spec: &Spec, bundle: &Path, container: &Container) -> Self {
        let pid = container.init().pid().as_raw_nonzero().get();
        let root = spec.root().as_ref().map(|root| bundle.join(root.path()));
        Self {
            version: VERSION,
            id: id.to_owned(),
            pid,
            started: start_time(pid).map_or(0, |(_, started)| started),
            bundle: bundle.to_owned(),
            rootfs: root.unwrap_or_default(),
            created: now(),
            cgroup: container.groups().path().to_owned(),
            oci_version: spec.version().clone(),
            annotations: spec.annotations().clone().unwrap_or_default(),
        }
    }

    /// Writes it; from then on the container exists for other commands.
    pub(super) fn save(&self, folder: &Path) -> Result<(), CliError> {
        let path = folder.join("state.json");
        let bytes = serde_json::to_vec(self).map_err(|source| CliError::Document {
            path: path.clone(),
            source,
        })?;
        let new = folder.join("state.json.new");
        fs::write(&new, bytes)
            .and_then(|()| fs::rename(&new, &path))
            .doing(|| format!("write {}", path.display()))
    }

    pub(super) fn groups(&self) -> Result<Groups, CliError> {
        Ok(Groups::at(&self.cgroup)?)
    }

    /// What it is doing now.
    pub(super) fn status(&self, root: &Root) -> Result<Status, CliError> {
        match start_time(self.pid) {
            Some((state, started)) if started == self.started && !"ZX".contains(state) => {}
            _ => return Ok(Status::Stopped),
        }
        if root.folder(&self.id)?.join(GATE).exists() {
            return Ok(Status::Created);
        }
        Ok(match self.groups()?.is_frozen() {
            true => Status::Paused,
            false => Status::Running,
        })
    }

    /// A handle on it, if its process lives.
    pub(super) fn container(&self) -> Result<Container, CliError> {
        let gone = || CliError::WrongState {
            id: self.id.clone(),
            is: "stopped",
            needed: "running",
        };
        let pid = Pid::from_raw(self.pid).ok_or_else(gone)?;
        match Container::find(pid, self.groups()?) {
            Err(crate::Error::Io { source, .. }) if source.raw_os_error() == Some(3) => Err(gone()),
            other => Ok(other?),
        }
    }
}

/// Reads a JSON file.
pub(super) fn read_document<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let bytes = fs::read(path).doing(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|source| CliError::Document {
        path: path.to_owned(),
        source,
    })
}

/// State letter and start time of a process.
fn start_time(pid: i32) -> Option<(char, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// The time as RFC 3339 writes it.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    rfc3339(since.unwrap_or(Duration::ZERO))
}

fn rfc3339(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut day = days;
    let mut year = 1970;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let nanoseconds = since_epoch.subsec_nanos();
    format!(
        "{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{nanoseconds:09}Z",
        day + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let text = |seconds| rfc3339(Duration::from_secs(seconds));
        assert_eq!(text(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(text(1_767_225_599), "2025-12-31T23:59:59.000000000Z");
    }

    #[test]
    fn names_are_no_paths() {
        let root = Root::at("/r".into());
        assert!(root.folder("a.b-c_1").is_ok());
        for name in ["", ".", "..", ".a", "a/b", "a b"] {
            assert!(root.folder(name).is_err(), "{name}");
        }
    }
}
