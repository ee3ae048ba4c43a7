//! Making, entering and removing of the folders, and the processes in them.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::{Groups, Hierarchy, Place, read, try_write, v2};
use crate::Error;
use crate::error::{At as _, During, Failure, Step};

impl Groups {
    /// Makes the folders. With `lenient` (no privileges) a hierarchy that refuses is left out.
    pub(crate) fn create(&mut self, lenient: bool) -> Result<(), Error> {
        let mut refused = Vec::new();
        for place in &self.places {
            match create(place) {
                Err(error) if lenient && is_refusal(&error) => refused.push(place.clone()),
                other => other.during(|| format!("make the group {}", place.folder.display()))?,
            }
        }
        self.places.retain(|place| !refused.contains(place));
        Ok(())
    }

    /// Puts a process into all groups.
    pub(crate) fn join(&self, pid: Pid) -> Result<(), Error> {
        self.join_at(None, pid)
    }

    /// Puts a process into the groups at `below` in each of the container's, or into these.
    pub(crate) fn join_at(&self, below: Option<&Path>, pid: Pid) -> Result<(), Error> {
        let below = beneath(below);
        let pid = pid.as_raw_nonzero().to_string();
        for place in &self.places {
            super::write(&group(place, &below), "cgroup.procs", &pid)?;
        }
        Ok(())
    }

    /// The way into the groups, or those at `below` in each, for a process that enters them itself.
    /// Without privileges there is none: the parent tries, and may fail.
    pub(crate) fn entrance(&self, below: Option<&Path>) -> Result<Entrance, Error> {
        let below = beneath(below);
        let mut entrance = Entrance::default();
        if !rustix::process::geteuid().is_root() {
            return Ok(entrance);
        }
        for place in &self.places {
            let path = match place.is_unified() {
                true => group(place, &below),
                false => group(place, &below).join("tasks"),
            };
            let mut options = File::options();
            options.read(place.is_unified()).write(!place.is_unified());
            let file = options
                .open(&path)
                .during(|| format!("open {}", path.display()))?;
            match place.is_unified() {
                true => entrance.unified = Some(file),
                false => entrance.tasks.push((path, file)),
            }
        }
        Ok(entrance)
    }

    /// The processes in the container's groups, those below included.
    pub fn processes(&self) -> io::Result<Vec<Pid>> {
        let Some(place) = self.controller("pids").or(self.places.first()) else {
            return Ok(Vec::new());
        };
        let mut pids = Vec::new();
        for folder in tree(&place.folder)? {
            let text = match read(&folder, "cgroup.procs") {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                // A threaded group lists its processes only in the group above.
                Err(error) if error.raw_os_error() == Some(95) => continue,
                other => other?,
            };
            pids.extend(
                text.lines()
                    .filter_map(|line| Pid::from_raw(line.parse().ok()?)),
            );
        }
        Ok(pids)
    }

    /// Sends a signal to all processes.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        if signal == Signal::KILL && self.is_unified() {
            let kill = self.places[0].folder.join("cgroup.kill");
            if try_write(&kill, "1").is_ok() {
                return Ok(());
            }
        }
        let pids = self
            .processes()
            .during(|| "list the container's processes".to_owned())?;
        for pid in pids {
            match rustix::process::kill_process(pid, signal) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => {
                    return Err(error).during(|| format!("signal {}", pid.as_raw_nonzero()));
                }
            }
        }
        Ok(())
    }

    /// Kills what is left, then removes the folders.
    pub fn remove(&self) -> Result<(), Error> {
        let limit = Instant::now() + Duration::from_secs(10);
        let mut pause = Duration::from_micros(50);
        loop {
            let failed = self.places.iter().find_map(|place| {
                let error = remove(&place.folder).err()?;
                Some((place, error))
            });
            let Some((place, error)) = failed else {
                return Ok(());
            };
            if error.raw_os_error() != Some(rustix::io::Errno::BUSY.raw_os_error())
                || Instant::now() > limit
            {
                return Err(error).during(|| format!("remove {}", place.folder.display()));
            }
            self.thaw_quietly();
            self.signal(Signal::KILL)?;
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Do the groups exist?
    pub fn exist(&self) -> bool {
        self.places.iter().any(|place| place.folder.is_dir())
    }
}

fn beneath(below: Option<&Path>) -> PathBuf {
    let names = below.into_iter().flat_map(Path::components);
    names
        .filter(|name| matches!(name, Component::Normal(_)))
        .collect()
}

/// Ways into the groups that do not make every fork of the machine wait.
///
/// To move a process by its id, the kernel first stops forks and exits everywhere, which takes an
/// RCU grace period: about ten milliseconds, more than all the rest of a start. It does without
/// when a process is born in its group (only in the unified hierarchy), and when a thread moves
/// itself alone (only with v1); a process that has just begun has one thread.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    unified: Option<File>,
    tasks: Vec<(PathBuf, File)>,
}

impl Entrance {
    /// The group to be born in.
    pub(crate) fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        self.unified.as_ref().map(AsFd::as_fd)
    }

    /// Puts the calling process, which must have one thread, into the other groups.
    pub(crate) fn enter(&self) -> Result<(), Failure> {
        for (path, file) in &self.tasks {
            let written = rustix::io::write(file, b"0");
            written.at(Step::Group, path.display())?;
        }
        Ok(())
    }
}

/// The group at `below`, or the container's own in a hierarchy that has none there.
fn group(place: &Place, below: &Path) -> PathBuf {
    match place.folder.join(below) {
        folder if folder.is_dir() => folder,
        _ => place.folder.clone(),
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn create(place: &Place) -> io::Result<()> {
    match fs::create_dir(&place.folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_with_parents(place)?,
        Err(error) => return Err(error),
    }
    match place.hierarchy {
        Hierarchy::Unified => v2::delegate(place),
        _ if place.has("cpuset") => fill_cpuset(place),
        _ => Ok(()),
    }
}

fn create_with_parents(place: &Place) -> io::Result<()> {
    fs::create_dir_all(&place.folder)?;
    if !place.has("cpuset") {
        return Ok(());
    }
    for parent in parents(place).iter().skip(1) {
        inherit_cpuset(parent)?;
        // Groups made in it from now on start with its values.
        let _ = try_write(&parent.join("cgroup.clone_children"), "1");
    }
    Ok(())
}

/// The folders above the container's, from the mount point down.
pub(super) fn parents(place: &Place) -> Vec<PathBuf> {
    let mut parents: Vec<_> = place
        .folder
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(&place.mount_point))
        .map(Path::to_owned)
        .collect();
    parents.reverse();
    parents
}

fn fill_cpuset(place: &Place) -> io::Result<()> {
    inherit_cpuset(&place.folder)
}

/// A new cpuset is empty, and nothing can run in an empty one.
fn inherit_cpuset(folder: &Path) -> io::Result<()> {
    if !read(folder, "cpuset.mems")?.trim().is_empty() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let value = read(parent, file)?;
        try_write(&folder.join(file), value.trim())?;
    }
    Ok(())
}

/// `folder` and all below it, the deepest last.
fn tree(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = vec![folder.to_owned()];
    let mut at = 0;
    while at < all.len() {
        let entries = match fs::read_dir(&all[at]) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                at += 1;
                continue;
            }
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                all.push(entry.path());
            }
        }
        at += 1;
    }
    Ok(all)
}

fn remove(folder: &Path) -> io::Result<()> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    };
    match fs::remove_dir(folder) {
        // Perhaps only because the container made groups of its own in it.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::BUSY.raw_os_error()) => {
            tree(folder)?
                .iter()
                .rev()
                .try_for_each(|folder| fs::remove_dir(folder).or_else(gone))
        }
        other => other.or_else(gone),
    }
}
