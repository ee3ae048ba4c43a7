//! Control groups: one folder per hierarchy for a container, its limits, its freezer.
//!
//! The host may have the unified hierarchy (v2), one hierarchy per controller (v1), or both
//! (hybrid, where controllers are on v1 and the unified one may carry the rest). A container gets
//! the same path in all of them, so that it is found, and can be killed, wherever one looks.

mod devices;
mod freezer;
mod lifetime;
mod limits;
mod stats;
mod v1;
mod v2;

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::Error;
use crate::error::During;

pub(crate) use lifetime::Entrance;
pub use stats::{BlockIo, Cpu, Memory, Stats};

const MOUNT: &str = "/sys/fs/cgroup";

/// Which hierarchy a folder is in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hierarchy {
    /// v2.
    Unified,
    /// v1, with these controllers.
    Controllers(Vec<String>),
    /// v1 without controllers (systemd's own).
    Named,
}

/// A container's folder in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    hierarchy: Hierarchy,
    mount_point: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// Is it in the unified hierarchy?
    pub(crate) fn is_unified(&self) -> bool {
        self.hierarchy == Hierarchy::Unified
    }

    /// The container's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the hierarchy is mounted.
    pub(crate) fn mount_point(&self) -> &Path {
        &self.mount_point
    }

    /// Last name of the mount point.
    pub(crate) fn name(&self) -> &Path {
        Path::new(self.mount_point.file_name().unwrap_or_default())
    }

    /// Names of the controllers, if there are many in one hierarchy.
    pub(crate) fn aliases(&self) -> &[String] {
        match &self.hierarchy {
            Hierarchy::Controllers(names) if names.len() > 1 => names,
            _ => &[],
        }
    }

    fn has(&self, controller: &str) -> bool {
        matches!(&self.hierarchy, Hierarchy::Controllers(names) if names.iter().any(|name| name == controller))
    }
}

/// A container's folders in all hierarchies of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    path: PathBuf,
    places: Vec<Place>,
}

impl Groups {
    /// The groups at `path` (see [`path_of`]); nothing is made yet. The empty path stands for no
    /// groups: processes stay where the caller is.
    pub fn at(path: &Path) -> Result<Self, Error> {
        if path.as_os_str().is_empty() {
            return Ok(Self {
                path: PathBuf::new(),
                places: Vec::new(),
            });
        }
        let table = std::fs::read_to_string("/proc/self/cgroup")
            .during(|| "read the control groups".to_owned())?;
        let unified_only = is_unified(Path::new(MOUNT));
        Ok(Self::in_table(path, &table, unified_only))
    }

    fn in_table(path: &Path, table: &str, unified_only: bool) -> Self {
        let beneath = path.strip_prefix("/").unwrap_or(path);
        let place = |hierarchy, mount_point: PathBuf| Place {
            hierarchy,
            folder: mount_point.join(beneath),
            mount_point,
        };
        let mut places = Vec::new();
        if unified_only {
            places.push(place(Hierarchy::Unified, MOUNT.into()));
        } else {
            for line in table.lines() {
                let Some((hierarchy, mount_point)) = read_line(line) else {
                    continue;
                };
                if is_hierarchy(&mount_point) {
                    places.push(place(hierarchy, mount_point));
                }
            }
        }
        Self {
            path: path.to_owned(),
            places,
        }
    }

    /// The path in every hierarchy.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    fn controller(&self, name: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.has(name))
    }

    fn unified(&self) -> Option<&Place> {
        self.places.iter().find(|place| place.is_unified())
    }

    /// Is everything in the unified hierarchy?
    pub fn is_unified(&self) -> bool {
        matches!(self.places.as_slice(), [only] if only.is_unified())
    }

    /// Is the host a mix of both?
    pub fn is_hybrid(&self) -> bool {
        !self.is_unified() && self.unified().is_some()
    }
}

/// Reads a line of `/proc/self/cgroup`.
fn read_line(line: &str) -> Option<(Hierarchy, PathBuf)> {
    let (_, rest) = line.split_once(':')?;
    let (names, _) = rest.split_once(':')?;
    let mount_point = |name: &str| Path::new(MOUNT).join(name);
    Some(match names.strip_prefix("name=") {
        _ if names.is_empty() => (Hierarchy::Unified, mount_point("unified")),
        Some(name) => (Hierarchy::Named, mount_point(name)),
        None => {
            let controllers = names.split(',').map(str::to_owned).collect();
            (Hierarchy::Controllers(controllers), mount_point(names))
        }
    })
}

/// Is one of either version mounted there? The table lists what the kernel has, mounted or not.
fn is_hierarchy(mount: &Path) -> bool {
    /// `CGROUP_SUPER_MAGIC`.
    const MAGIC: i64 = 0x0027_e0eb;
    is_unified(mount) || rustix::fs::statfs(mount).is_ok_and(|stat| stat.f_type == MAGIC)
}

fn is_unified(mount: &Path) -> bool {
    /// `CGROUP2_SUPER_MAGIC`.
    const MAGIC: i64 = 0x6367_7270;
    rustix::fs::statfs(mount).is_ok_and(|stat| stat.f_type == MAGIC)
}

/// Where a container's groups are: `linux.cgroupsPath`, else `/corten/<id>`. systemd's form
/// `slice:prefix:name` becomes the path that systemd would use. `..` goes nowhere.
pub fn path_of(spec: Option<&Path>, id: &str) -> PathBuf {
    let Some(path) = spec.filter(|path| !path.as_os_str().is_empty()) else {
        return Path::new("/corten").join(id);
    };
    if let Some(scope) = path.to_str().and_then(systemd_scope) {
        return scope;
    }
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    Path::new("/").join(names.collect::<PathBuf>())
}

fn systemd_scope(text: &str) -> Option<PathBuf> {
    let mut parts = text.split(':');
    let (slice, prefix, name) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || text.contains('/') {
        return None;
    }
    let mut path = PathBuf::from("/");
    let slice = match slice {
        "" => "system.slice",
        slice => slice,
    };
    // `a-b.slice` lies in `a.slice`.
    let stem = slice.strip_suffix(".slice").unwrap_or(slice);
    for (at, _) in stem.match_indices('-').chain([(stem.len(), "")]) {
        path.push(format!("{}.slice", &stem[..at]));
    }
    let scope = match prefix {
        "" => format!("{name}.scope"),
        prefix => format!("{prefix}-{name}.scope"),
    };
    path.push(scope);
    Some(path)
}

/// Writes a value to a file of a group.
fn write(folder: &Path, file: &str, value: &str) -> Result<(), Error> {
    let path = folder.join(file);
    try_write(&path, value).during(|| format!("write `{value}` to {}", path.display()))
}

fn try_write(path: &Path, value: &str) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    rustix::io::write(&file, value.as_bytes())?;
    Ok(())
}

fn read(folder: &Path, file: &str) -> io::Result<String> {
    std::fs::read_to_string(folder.join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let of = |path: &str| path_of(Some(Path::new(path)), "c");
        assert_eq!(path_of(None, "c"), Path::new("/corten/c"));
        assert_eq!(of("/a/b"), Path::new("/a/b"));
        assert_eq!(of("a/../../b"), Path::new("/a/b"));
        let scope = Path::new("/a.slice/a-b.slice/pod-1.scope");
        assert_eq!(of("a-b.slice:pod:1"), scope);
        assert_eq!(of(":corten:1"), Path::new("/system.slice/corten-1.scope"));
    }

    #[test]
    fn lines_of_the_table() {
        let (hierarchy, mount) = read_line("5:cpu,cpuacct:/a").unwrap();
        assert_eq!(mount, Path::new("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(
            hierarchy,
            Hierarchy::Controllers(vec!["cpu".into(), "cpuacct".into()])
        );
        assert_eq!(read_line("1:name=systemd:/").unwrap().0, Hierarchy::Named);
        assert_eq!(read_line("0::/").unwrap().0, Hierarchy::Unified);
    }
}
