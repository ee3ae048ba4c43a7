//! From a written folder to a layer: stubs out, times clamped, space counted.
//!
//! This happens before anything lies on the layer, because overlayfs does not expect lower
//! folders to change.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sys::root::{Dir, FileKind, Meta, RootDir, Times};

use crate::error::FileResult;
use crate::facts::to_sql;
use crate::store::remove_tree;
use crate::timestamps::times_of;
use crate::{Active, Committed, Result, Snapshot};

/// What to do to the folder before it becomes a layer.
#[derive(Debug, Clone, Default)]
pub struct CommitOptions {
    /// Modification times later than this are set to it.
    pub clamp: Option<SystemTime>,
    /// Paths in the container that were made only so that something could be mounted on them
    /// (`/proc`, `/etc/resolv.conf`, cache mounts): removed where they are still empty, and so
    /// are folders above them that hold nothing and equal those of the parent snapshot.
    pub stubs: Vec<PathBuf>,
}

impl Snapshot<Active> {
    /// Makes it read-only for good. Nothing may have it mounted any more.
    pub fn commit(self, options: &CommitOptions) -> Result<Snapshot<Committed>> {
        let upper = self.upper();
        if !options.stubs.is_empty() {
            self.remove_stubs(&options.stubs)?;
        }
        let top = Dir::open(&upper).at("open", &upper)?;
        let usage = settle(top, options.clamp.map(times_of)).at("read", &upper)?;
        remove_tree(&self.work())?;
        self.store().write(|tx| {
            let sql = "UPDATE layers SET committed = 1, usage = ?2 WHERE id = ?1";
            tx.execute(sql, (self.layer_id().0, to_sql(usage)))
        })?;
        Ok(self.into_committed())
    }

    fn remove_stubs(&self, stubs: &[PathBuf]) -> Result<()> {
        let upper = self.upper();
        let root = RootDir::open(&upper).at("open", &upper)?;
        let lower = self.lower();
        for stub in stubs {
            remove_stub(&root, &lower, stub).at("remove", &upper.join(stub))?;
        }
        Ok(())
    }
}

/// Removes the stub and what was made or copied up for it.
fn remove_stub(root: &RootDir, lower: &[PathBuf], stub: &Path) -> std::io::Result<()> {
    let relative = stub.strip_prefix("/").unwrap_or(stub);
    let mut is_stub = true;
    for path in relative
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty())
    {
        let Ok((dir, name)) = root.parent(path) else {
            continue;
        };
        let Ok(meta) = dir.meta(name) else {
            continue;
        };
        let removable = match meta.kind {
            FileKind::File => is_stub && meta.size == 0 && !is_below(lower, path),
            FileKind::Dir if is_stub && !is_below(lower, path) => true,
            FileKind::Dir => is_plain_copy(&dir, name, &meta, lower, path)?,
            _ => false,
        };
        let removed = match (removable, meta.kind) {
            (false, _) => return Ok(()),
            (true, FileKind::File) => dir.remove_file(name),
            (true, _) => dir.remove_dir(name),
        };
        match removed {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => return Ok(()),
            removed => removed?,
        }
        is_stub = false;
    }
    Ok(())
}

/// Does a layer below have the path?
fn is_below(lower: &[PathBuf], path: &Path) -> bool {
    below(lower, path).is_some()
}

/// The path in the topmost layer that has it.
fn below(lower: &[PathBuf], path: &Path) -> Option<(Dir, Meta)> {
    let found = lower.iter().find_map(|folder| {
        let root = RootDir::open(folder).ok()?;
        let (dir, name) = root.parent(path).ok()?;
        let meta = dir.meta(name).ok()?;
        Some((dir, meta))
    });
    found.filter(|(_, meta)| !meta.is_whiteout())
}

/// Is the folder just overlay's copy of the one below, in owner, mode and attributes?
fn is_plain_copy(
    dir: &Dir,
    name: &OsStr,
    meta: &Meta,
    lower: &[PathBuf],
    path: &Path,
) -> std::io::Result<bool> {
    let Some((below_dir, below)) = below(lower, path) else {
        return Ok(false);
    };
    let same =
        |a: &Meta, b: &Meta| (a.kind, a.mode, a.uid, a.gid) == (b.kind, b.mode, b.uid, b.gid);
    if !same(meta, &below) {
        return Ok(false);
    }
    let own = |key: &[u8]| !key.starts_with(b"trusted.overlay.") || key == crate::tar::OPAQUE;
    let attributes = |dir: &Dir| -> std::io::Result<Vec<_>> {
        let all = dir.xattrs(name)?;
        Ok(all.into_iter().filter(|(key, _)| own(key)).collect())
    };
    Ok(attributes(dir)? == attributes(&below_dir)?)
}

/// Clamps the times of everything in a folder and counts the bytes on disk, every file once. One
/// folder is open for each level, not for each sibling.
fn settle(top: Dir, clamp: Option<Times>) -> std::io::Result<u64> {
    let mut settling = Settling {
        clamp,
        usage: 0,
        linked: HashSet::new(),
    };
    let folders = settling.folder(&top)?;
    let mut levels = vec![(top, folders)];
    while let Some((dir, folders)) = levels.last_mut() {
        let Some(name) = folders.pop() else {
            levels.pop();
            continue;
        };
        let inner = dir.dir(&name)?;
        let folders = settling.folder(&inner)?;
        levels.push((inner, folders));
    }
    Ok(settling.usage)
}

struct Settling {
    clamp: Option<Times>,
    usage: u64,
    /// Files with several names that were counted.
    linked: HashSet<u64>,
}

impl Settling {
    /// Settles a folder and the files in it; returns the folders in it.
    fn folder(&mut self, dir: &Dir) -> std::io::Result<Vec<OsString>> {
        let own = dir.own_meta()?;
        self.usage += own.blocks * 512;
        let mut folders = Vec::new();
        for entry in dir.list()? {
            if entry.kind == Some(FileKind::Dir) {
                folders.push(entry.name);
                continue;
            }
            let meta = dir.meta(&entry.name)?;
            if meta.is_dir() {
                folders.push(entry.name);
                continue;
            }
            if meta.links < 2 || self.linked.insert(meta.inode) {
                self.usage += meta.blocks * 512;
            }
            if let Some(clamp) = self.late(&meta).filter(|_| !meta.is_whiteout()) {
                dir.set_modified(&entry.name, clamp)?;
            }
        }
        if let Some(clamp) = self.late(&own) {
            dir.set_own_modified(clamp)?;
        }
        Ok(folders)
    }

    /// What to set the time to, if it is later.
    fn late(&self, meta: &Meta) -> Option<Times> {
        self.clamp.filter(|clamp| meta.modified > *clamp)
    }
}

/// Bytes on disk of everything in a folder.
pub(crate) fn usage_of(folder: &Path) -> Result<u64> {
    let top = Dir::open(folder).at("open", folder)?;
    settle(top, None).at("read", folder)
}
