//! What a container changed of its image: a walk over its writable layer.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use store::SnapshotId;
use sys::root::{Dir, RootDir};

use super::{Change, ChangeKind, Containers};
use crate::Error;
use crate::blocking::blocking;
use crate::error::IoContext as _;
use crate::rows::Row;
use crate::sandbox::root;

/// Places that the sandbox makes for its own mounts; Docker hides them in a layer of their own.
const OWN: [&str; 9] = [
    "/.dockerenv",
    "/dev/console",
    "/dev/mqueue",
    "/dev/pts",
    "/dev/shm",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/sbin/docker-init",
];

struct Walk {
    /// What was there before.
    below: RootDir,
    changes: Vec<Change>,
}

impl Containers {
    /// Paths that differ from the image.
    pub async fn changes(&self, name: &str) -> Result<Vec<Change>, Error> {
        let row = self.find(name).await?;
        let this = self.clone();
        blocking(move || this.changes_now(&row)).await
    }

    fn changes_now(&self, row: &Row) -> Result<Vec<Change>, Error> {
        let lease = self.0.store.lease();
        let id: SnapshotId = row
            .snapshot
            .ok_or_else(|| Error::NoSuchContainer(row.id().to_owned()))?;
        let snapshot = self.0.store.active(id, &lease)?;
        let mut walk = Walk {
            below: root::of_snapshot(&self.0.store, snapshot.parent())?,
            changes: Vec::new(),
        };
        let upper = snapshot.upper();
        walk.folder(&Dir::open(&upper).at("opening", &upper)?, Path::new("/"))?;
        walk.drop_own();
        Ok(walk.changes)
    }
}

impl Walk {
    fn folder(&mut self, dir: &Dir, path: &Path) -> Result<(), Error> {
        let listing = dir.list().at("reading", path)?;
        let mut names: Vec<_> = listing.into_iter().map(|entry| entry.name).collect();
        names.sort();
        for name in &names {
            self.entry(dir, name, &path.join(name))?;
        }
        Ok(())
    }

    fn entry(&mut self, dir: &Dir, name: &OsStr, path: &Path) -> Result<(), Error> {
        let meta = dir.meta(name).at("reading", path)?;
        let before = self.below.meta(beneath(path)).ok();
        let kind = match (&before, meta.is_whiteout()) {
            (_, true) => ChangeKind::Deleted,
            (Some(_), false) => ChangeKind::Modified,
            (None, false) => ChangeKind::Added,
        };
        self.changes.push(Change {
            path: path.to_string_lossy().into_owned(),
            kind,
        });
        match meta.is_dir() {
            true => self.folder(&dir.dir(name).at("opening", path)?, path),
            false => Ok(()),
        }
    }

    /// Takes the sandbox's own places away, and folders that only they changed.
    fn drop_own(&mut self) {
        self.changes
            .retain(|change| !OWN.contains(&change.path.as_str()));
        let paths: Vec<PathBuf> = self
            .changes
            .iter()
            .map(|c| PathBuf::from(&c.path))
            .collect();
        let parents: Vec<PathBuf> = OWN
            .iter()
            .filter_map(|own| Path::new(own).parent())
            .map(Path::to_owned)
            .collect();
        self.changes.retain(|change| {
            let path = Path::new(&change.path);
            let is_parent = parents.iter().any(|parent| parent == path);
            let has_more = paths
                .iter()
                .any(|other| other != path && other.starts_with(path));
            !is_parent || has_more || change.kind == ChangeKind::Deleted
        });
    }
}

fn beneath(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}
