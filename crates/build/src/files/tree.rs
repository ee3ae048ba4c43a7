//! A tree of files to copy from: the build context or the root file system of a stage.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use dockerfile::ignore::{Parent, Patterns};
use sys::credentials::Caller;
use sys::root::{Dir, Entry, FileKind, Meta, RootDir};

/// A folder, who reads it, and what of it does not count.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: RootDir,
    pub(crate) caller: Caller,
    pub(crate) ignore: Patterns,
}

/// Something in a tree.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Relative to the tree's root; empty for the root itself.
    pub(crate) path: PathBuf,
    pub(crate) meta: Meta,
    /// Target of a symbolic link.
    pub(crate) link: Option<PathBuf>,
}

impl Tree {
    /// A root file system: everything counts.
    pub(crate) fn of_root(root: RootDir) -> Self {
        Self {
            root,
            caller: Caller::root(),
            ignore: Patterns::default(),
        }
    }

    /// The node `path`, links on the way followed beneath the root, also in the last name. Its
    /// path is where the links led.
    pub(crate) fn follow(&self, path: &Path) -> io::Result<Node> {
        let fd = self.root.resolve(absolute(path))?;
        let meta = Meta::of_fd(&fd)?;
        let path = match self.root.meta(absolute(path)) {
            Ok(meta) if meta.kind == FileKind::Symlink => self.real_path(path)?,
            _ => path.to_owned(),
        };
        Ok(Node {
            path,
            meta,
            link: None,
        })
    }

    /// Follows the link at `path` by hand, so that the result is a path of this tree.
    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        const MAX_LINKS: usize = 40;
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            match self.root.meta(absolute(&path)) {
                Ok(meta) if meta.kind == FileKind::Symlink => {
                    let target = self.root.read_link(absolute(&path))?;
                    let parent = path.parent().unwrap_or(Path::new(""));
                    path = clean(&parent.join(target));
                }
                done => return done.map(|_| path),
            }
        }
        Err(rustix::io::Errno::LOOP.into())
    }

    /// Is `path` left out by the ignore file?
    pub(crate) fn ignores(&self, path: &Path) -> bool {
        !path.as_os_str().is_empty() && self.ignore.ignores(&path.to_string_lossy())
    }

    /// Everything below the folder `top` that counts, sorted, folders before what is in them.
    /// `enter` may keep the walk out of a folder. Two threads share the entries of `top`.
    pub(crate) fn walk(&self, top: &Path, enter: Enter<'_>) -> io::Result<Vec<Node>> {
        let dir = self.root.dir(absolute(top))?;
        let mut entries = dir.list()?;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let start = Start {
            tree: self,
            dir,
            top,
            parent: self.parent_state(top),
            enter,
        };
        let units = units(entries);
        if units.len() < 2 {
            return units
                .into_iter()
                .next()
                .map_or(Ok(Vec::new()), |unit| start.walk(unit));
        }
        start.walk_all(&units)
    }

    fn parent_state(&self, top: &Path) -> Parent {
        let mut state = Parent::default();
        let mut path = PathBuf::new();
        for name in top {
            path.push(name);
            state = self.ignore.walk(&path.to_string_lossy(), &state).parent;
        }
        state
    }
}

/// May a walk go into this folder?
pub(crate) type Enter<'a> = &'a (dyn Fn(&Path) -> bool + Sync);

/// So many files of the top folder are walked together.
const UNIT: usize = 512;

/// Entries of the top folder in portions: each folder alone, files together.
fn units(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut units: Vec<Vec<Entry>> = Vec::new();
    let mut open = false;
    for entry in entries {
        let is_file = entry.kind.is_some_and(|kind| kind != FileKind::Dir);
        match units.last_mut() {
            Some(unit) if open && is_file && unit.len() < UNIT => unit.push(entry),
            _ => units.push(vec![entry]),
        }
        open = is_file;
    }
    units
}

/// Where a walk begins.
struct Start<'a> {
    tree: &'a Tree,
    dir: Dir,
    top: &'a Path,
    parent: Parent,
    enter: Enter<'a>,
}

impl Start<'_> {
    fn walk(&self, entries: Vec<Entry>) -> io::Result<Vec<Node>> {
        let mut walk = Walk {
            tree: self.tree,
            nodes: Vec::new(),
            stack: vec![Frame {
                dir: self.dir.try_clone()?,
                path: self.top.to_owned(),
                parent: self.parent.clone(),
                entries: entries.into_iter(),
                pending: None,
            }],
        };
        while walk.step(self.enter)? {}
        Ok(walk.nodes)
    }

    /// Walks the portions on two threads and puts them together in order.
    fn walk_all(&self, units: &[Vec<Entry>]) -> io::Result<Vec<Node>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                match units.get(at) {
                    Some(unit) => done.push((at, self.walk(unit.clone())?)),
                    None => return Ok(done),
                }
            }
        };
        let mut done = std::thread::scope(|scope| {
            // Credentials belong to a thread: the second one takes them on by itself.
            let second = scope.spawn(|| self.tree.caller.run(work).and_then(|done| done));
            let mut done: Vec<(usize, Vec<Node>)> = work()?;
            let panicked = || io::Error::other("a walk panicked");
            done.extend(second.join().map_err(|_| panicked())??);
            Ok::<_, io::Error>(done)
        })?;
        done.sort_unstable_by_key(|(at, _)| *at);
        Ok(done.into_iter().flat_map(|(_, nodes)| nodes).collect())
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    nodes: Vec<Node>,
    stack: Vec<Frame>,
}

struct Frame {
    dir: Dir,
    path: PathBuf,
    parent: Parent,
    entries: std::vec::IntoIter<Entry>,
    /// An ignored folder that something may be taken back from: listed with its first entry.
    pending: Option<Node>,
}

impl Walk<'_> {
    fn push(&mut self, dir: Dir, path: PathBuf, parent: Parent) -> io::Result<()> {
        let mut entries = dir.list()?;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        self.stack.push(Frame {
            dir,
            path,
            parent,
            entries: entries.into_iter(),
            pending: None,
        });
        Ok(())
    }

    /// Looks at one entry. False when the walk is over.
    fn step(&mut self, enter: Enter<'_>) -> io::Result<bool> {
        let Some(frame) = self.stack.last_mut() else {
            return Ok(false);
        };
        let Some(entry) = frame.entries.next() else {
            self.stack.pop();
            return Ok(true);
        };
        let path = frame.path.join(&entry.name);
        let (ignored, skip, parent) = match self.tree.ignore.is_empty() {
            true => (false, false, Parent::default()),
            false => {
                let verdict = self
                    .tree
                    .ignore
                    .walk(&path.to_string_lossy(), &frame.parent);
                (verdict.ignored, verdict.skip, verdict.parent)
            }
        };
        let is_folder = entry.kind.is_none_or(|kind| kind == FileKind::Dir);
        if ignored && (skip || !is_folder) {
            return Ok(true);
        }
        let node = node(&frame.dir, &entry.name, path)?;
        if !node.meta.is_dir() {
            if !ignored {
                self.list(node);
            }
            return Ok(true);
        }
        let dir = match enter(&node.path) {
            true => Some(frame.dir.dir(&entry.name)?),
            false => None,
        };
        let below = node.path.clone();
        let pending = match ignored {
            true => Some(node),
            false => {
                self.list(node);
                None
            }
        };
        if let Some(dir) = dir {
            self.push(dir, below, parent)?;
            if let Some(frame) = self.stack.last_mut() {
                frame.pending = pending;
            }
        }
        Ok(true)
    }

    fn list(&mut self, node: Node) {
        for frame in &mut self.stack {
            self.nodes.extend(frame.pending.take());
        }
        self.nodes.push(node);
    }
}

fn node(dir: &Dir, name: &OsString, path: PathBuf) -> io::Result<Node> {
    let meta = dir.meta(name)?;
    let link = match meta.kind {
        FileKind::Symlink => Some(dir.read_link(name)?),
        _ => None,
    };
    Ok(Node { path, meta, link })
}

/// `path` as a path of a root.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    Path::new("/").join(path)
}

/// A path inside a root, relative to it: no leading `/`, no `.`, and `..` stops at the root.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::Normal(name) => cleaned.push(name),
            std::path::Component::ParentDir => {
                cleaned.pop();
            }
            _ => {}
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_never_leads_out() {
        for (text, expected) in [
            ("/a/b", "a/b"),
            ("../../a", "a"),
            ("a/../../b/.", "b"),
            (".", ""),
            ("/", ""),
            ("a//b/", "a/b"),
        ] {
            assert_eq!(clean(Path::new(text)), Path::new(expected), "{text}");
        }
    }
}
