//! What an engine can leave behind in the kernel.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Kernel objects that belong to an engine's folder or to no container.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Leaks {
    /// Mounts in our own mount namespace below the engine's folder.
    pub mounts: Vec<String>,
    /// Shims of the engine's containers.
    pub shims: Vec<i32>,
    /// Control groups below `/corten`.
    pub cgroups: BTreeSet<String>,
    /// Ends of veth pairs on the host.
    pub interfaces: BTreeSet<String>,
}

impl Leaks {
    /// Looks now. Control groups and interfaces are those of every engine on the machine: compare
    /// with an earlier look.
    pub fn find(folder: &Path) -> Self {
        Self {
            mounts: mounts(folder),
            shims: shims(folder),
            cgroups: cgroups(),
            interfaces: interfaces(),
        }
    }

    /// What is here that was not there `before`.
    #[must_use]
    pub fn since(self, before: &Self) -> Self {
        Self {
            mounts: self.mounts,
            shims: self.shims,
            cgroups: &self.cgroups - &before.cgroups,
            interfaces: &self.interfaces - &before.interfaces,
        }
    }

    /// Nothing at all?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn mounts(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let folder = folder.to_str().unwrap();
    table
        .lines()
        .filter(|line| line.contains(folder))
        .map(str::to_owned)
        .collect()
}

/// A shim holds the folder of its container open.
pub(crate) fn shims(folder: &Path) -> Vec<i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let shims = processes.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        let files = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        let holds =
            |file: fs::DirEntry| fs::read_link(file.path()).is_ok_and(|to| to.starts_with(folder));
        (name.trim_end() == "corten-shim" && files.into_iter().any(holds)).then_some(pid)
    });
    shims.collect()
}

fn cgroups() -> BTreeSet<String> {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
    let folders = hierarchies.filter_map(|entry| fs::read_dir(entry.path().join("corten")).ok());
    let groups = folders
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir());
    groups
        .map(|entry| entry.path().display().to_string())
        .collect()
}

fn interfaces() -> BTreeSet<String> {
    let links = fs::read_dir("/sys/class/net").unwrap().flatten();
    let names = links.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.starts_with("veth") || name.starts_with("ct"))
        .collect()
}
