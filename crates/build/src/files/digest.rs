//! What selected files are worth for a cache key: content, mode, owner, kind, link target and
//! extended attributes; never times.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use oci::{Digest, Hasher};
use solver::{Content, Difference};
use sys::root::{Dir, FileKind};

use super::select::Item;
use super::tree::{Node, Tree, absolute};
use crate::domain::StepError;

/// What a regular file hashes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileFacts {
    /// Of its content, and of its extended attributes if it has any.
    pub(crate) digest: Digest,
    /// Has it extended attributes that a layer keeps?
    pub(crate) xattrs: bool,
}

/// Which attributes count beside content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// The owner in the source, where it is kept.
    pub(crate) owner: bool,
    /// The mode in the source, where it is kept.
    pub(crate) mode: bool,
}

/// Extended attributes that go into a layer: the others belong to the host.
pub(crate) fn is_kept(key: &[u8]) -> bool {
    key.starts_with(b"user.") || key == b"security.capability"
}

/// From so many files on two threads hash them.
const PARALLEL: usize = 64;

/// Hashes regular files, in their order.
pub(crate) fn hash_nodes(tree: &Tree, nodes: &[&Node]) -> Result<Vec<FileFacts>, StepError> {
    let all = || {
        if nodes.len() < PARALLEL {
            return hash_part(tree, nodes);
        }
        let (left, right) = nodes.split_at(nodes.len() / 2);
        std::thread::scope(|scope| {
            // Credentials belong to a thread: the second one takes them on by itself.
            let right = scope.spawn(|| {
                let hashed = tree.caller.run(|| hash_part(tree, right));
                hashed.map_err(StepError::file("read the build context"))?
            });
            let mut facts = hash_part(tree, left)?;
            facts.extend(right.join().unwrap_or(Err(StepError::Panicked))?);
            Ok(facts)
        })
    };
    let hashed = tree.caller.run(all);
    hashed.map_err(StepError::file("read the build context"))?
}

fn hash_part(tree: &Tree, nodes: &[&Node]) -> Result<Vec<FileFacts>, StepError> {
    let mut folder = Folder::new(tree);
    let mut buffer = vec![0; 128 << 10];
    nodes
        .iter()
        .map(|node| {
            hash(&mut folder, &node.path, &mut buffer)
                .map_err(StepError::file(format!("read {}", node.path.display())))
        })
        .collect()
}

fn hash(folder: &mut Folder<'_>, path: &Path, buffer: &mut [u8]) -> io::Result<FileFacts> {
    let name = path.file_name().unwrap_or_default();
    let dir = folder.of(path)?;
    let mut file = dir.open_file(name)?;
    let mut hasher = Hasher::new();
    loop {
        match file.read(buffer)? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    let mut digest = hasher.finish();
    let mut xattrs = dir.xattrs(name)?;
    xattrs.retain(|(key, _)| is_kept(key));
    if !xattrs.is_empty() {
        let mut all = Hasher::new();
        all.update(digest.bytes());
        for part in xattrs.iter().flat_map(|(key, value)| [key, value]) {
            all.update(&(part.len() as u64).to_le_bytes());
            all.update(part);
        }
        digest = all.finish();
    }
    Ok(FileFacts {
        digest,
        xattrs: !xattrs.is_empty(),
    })
}

/// The folder that was opened last: files come folder by folder.
pub(crate) struct Folder<'a> {
    tree: &'a Tree,
    open: Option<(PathBuf, Dir)>,
}

impl<'a> Folder<'a> {
    pub(crate) fn new(tree: &'a Tree) -> Self {
        Self { tree, open: None }
    }

    /// The folder that `path` lies in.
    pub(crate) fn of(&mut self, path: &Path) -> io::Result<&Dir> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let dir = match self.open.take() {
            Some((path, dir)) if path == parent => dir,
            _ => self.tree.root.dir(absolute(parent))?,
        };
        Ok(&self.open.insert((parent.to_owned(), dir)).1)
    }
}

/// The content of a selection. `facts` are those of its regular files, in order.
pub(crate) fn content(items: &[Item], facts: &[FileFacts], counts: Counts) -> Content {
    let mut hasher = Hasher::new();
    let mut detail = String::new();
    let mut facts = facts.iter();
    let mut line = String::new();
    for item in items {
        let meta = &item.node.meta;
        let digest = match meta.kind {
            FileKind::File => match facts.next() {
                Some(facts) => Some(facts.digest),
                None => continue,
            },
            FileKind::Socket => continue,
            _ => None,
        };
        line.clear();
        describe(item, digest, &mut line);
        let value = line.len();
        // Writing to a string cannot fail.
        let _ = match counts.mode && meta.kind != FileKind::Symlink {
            true => write!(line, "\t{:o} ", meta.mode),
            false => write!(line, "\t "),
        };
        if counts.owner {
            let _ = write!(line, "{}:{}", meta.uid, meta.gid);
        }
        let to = item.to.as_os_str().as_encoded_bytes();
        for part in [
            to,
            digest.as_ref().map_or(&[], Digest::bytes),
            line.as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        // Folders are told apart only by mode and owner; their files speak for them.
        let path = item.node.path.to_string_lossy();
        match path.contains(['\t', '\n']) {
            true => detail.push_str(&path.replace(['\t', '\n'], "?")),
            false => detail.push_str(&path),
        }
        detail.push('\t');
        detail.push_str(&line[..value].replace(['\t', '\n'], "?"));
        detail.push_str(&line[value..]);
        detail.push('\n');
    }
    Content {
        digest: hasher.finish(),
        detail,
    }
}

/// Kind and value of an item in a few characters; all of the value but for a file's digest.
fn describe(item: &Item, digest: Option<Digest>, line: &mut String) {
    let meta = &item.node.meta;
    let (major, minor) = meta.node;
    // Writing to a string cannot fail.
    let _ = match meta.kind {
        FileKind::File => {
            line.push('f');
            let digest = digest.unwrap_or(Digest::Sha256([0; 32]));
            let mut bytes = digest.bytes().iter().take(4);
            bytes.try_for_each(|byte| write!(line, "{byte:02x}"))
        }
        FileKind::Dir => write!(line, "d"),
        FileKind::Symlink => {
            let target = item.node.link.as_deref().unwrap_or(Path::new(""));
            write!(line, "l{}", target.to_string_lossy())
        }
        FileKind::CharDevice => write!(line, "c{major}:{minor}"),
        FileKind::BlockDevice => write!(line, "b{major}:{minor}"),
        FileKind::Fifo | FileKind::Socket => write!(line, "p"),
    };
}

/// What differs between two details made by [`content`].
pub(crate) fn differences(old: &str, new: &str) -> Vec<Difference> {
    fn table(text: &str) -> std::collections::BTreeMap<&str, (&str, &str)> {
        let fields = text.lines().filter_map(|line| {
            let mut fields = line.split('\t');
            Some((fields.next()?, (fields.next()?, fields.next()?)))
        });
        fields.collect()
    }
    let (old, new) = (table(old), table(new));
    let mut found = Vec::new();
    let paths = old
        .keys()
        .chain(new.keys().filter(|path| !old.contains_key(*path)));
    for path in paths {
        let (before, now) = (old.get(path), new.get(path));
        if before == now {
            continue;
        }
        let value = |side: Option<&&(&str, &str)>| {
            side.map(|side| match (before, now) {
                (Some(a), Some(b)) if a.0 == b.0 => format!("mode and owner {}", side.1.trim()),
                _ => format!("{}…", side.0.get(1..5).unwrap_or_default()),
            })
        };
        found.push(Difference {
            label: if path.is_empty() { "." } else { path }.to_owned(),
            old: value(before.as_ref()),
            new: value(now.as_ref()),
        });
    }
    // Folders appear and vanish with their files: name the files first.
    found.sort_by_key(|difference| {
        let side = old
            .get(difference.label.as_str())
            .or(new.get(difference.label.as_str()));
        side.is_some_and(|side| side.0.starts_with('d'))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_what_changed() {
        let old = "package.json\tfa1b2c3d4\t644 \nsrc\td\t755 \nsrc/a\tf11111111\t644 \n";
        let new = "package.json\tfc3d4e5f6\t644 \nsrc\td\t755 \nsrc/a\tf11111111\t755 \nsrc/b\tf22222222\t644 \n";
        let text: Vec<_> = differences(old, new)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            text,
            [
                "package.json changed (a1b2… → c3d4…)",
                "src/a changed (mode and owner 644 → mode and owner 755)",
                "src/b was added",
            ]
        );
        assert!(differences(old, old).is_empty());
    }
}
