//! What the files of a context folder hash to, kept between builds.
//!
//! One binary file for each folder: a header, then fixed-size facts and the path of each file,
//! sorted by path. An entry counts only while size, times, inode and mode of the file are the
//! same. A file that was changed within the clock's granularity before it was hashed is not
//! remembered, since a later change could leave the same times behind.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use oci::Digest;
use sys::root::{Meta, Times};

use super::file_name;
use crate::files::digest::FileFacts;
use crate::files::tree::Node;

const MAGIC: &[u8; 8] = b"ctxidx01";
/// Facts of one file, without its path.
const FIXED: usize = 4 + STAMP + 1 + 32;
/// Inode, size, two times, mode.
const STAMP: usize = 8 + 8 + 12 + 12 + 4;
/// No clock of a file system is coarser than this.
const GRANULARITY: u32 = 20_000_000;

/// The index of one folder.
pub(crate) struct Index {
    path: PathBuf,
    data: Vec<u8>,
    /// Where entries begin in `data`, sorted by their path.
    offsets: Vec<usize>,
    seen: Vec<bool>,
    /// Where the latest search ended: files come mostly in the order of the index.
    cursor: usize,
    fresh: HashMap<PathBuf, (Meta, FileFacts)>,
}

struct Entry<'a> {
    stamp: &'a [u8],
    facts: FileFacts,
    path: &'a [u8],
}

impl Index {
    /// Where the index of the folder `identity` is.
    pub(crate) fn path(root: &Path, identity: &str) -> PathBuf {
        root.join("contexts").join(file_name(identity))
    }

    /// Reads the index; a missing or damaged one is empty.
    pub(crate) fn load(path: PathBuf) -> Self {
        let data = fs::read(&path).unwrap_or_default();
        let offsets = offsets(&data).unwrap_or_default();
        Self {
            path,
            seen: vec![false; offsets.len()],
            cursor: 0,
            offsets,
            data,
            fresh: HashMap::new(),
        }
    }

    fn entry(&self, offset: usize) -> Option<Entry<'_>> {
        parse(self.data.get(offset..)?)
    }

    fn path_at(&self, at: usize) -> Option<&[u8]> {
        let offset = *self.offsets.get(at)?;
        let length = self.data.get(offset..offset + 4)?;
        let length = u32::from_le_bytes(length.try_into().ok()?);
        let start = offset + FIXED;
        self.data.get(start..start + usize::try_from(length).ok()?)
    }

    fn find(&self, path: &[u8]) -> Option<usize> {
        if self.path_at(self.cursor) == Some(path) {
            return Some(self.cursor);
        }
        let (mut low, mut high) = (0, self.offsets.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.path_at(middle)?.cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// What is known of a file as it is now.
    pub(crate) fn get(&mut self, node: &Node) -> Option<FileFacts> {
        if let Some((meta, facts)) = self.fresh.get(&node.path) {
            return (*meta == node.meta).then_some(*facts);
        }
        let at = self.find(node.path.as_os_str().as_bytes())?;
        self.cursor = at + 1;
        let entry = self.entry(*self.offsets.get(at)?)?;
        let known = (entry.stamp == stamp(&node.meta).as_slice()).then_some(entry.facts);
        self.seen[at] = known.is_some();
        known
    }

    /// The file system's own time now: to be asked for before files are hashed.
    pub(crate) fn clock(&self) -> Option<Times> {
        let folder = self.path.parent()?;
        fs::create_dir_all(folder).ok()?;
        let probe = self.path.with_extension("clock");
        let meta = fs::File::create(&probe)
            .and_then(|file| file.metadata())
            .ok()?;
        let _ = fs::remove_file(&probe);
        Some(Times {
            seconds: meta.ctime(),
            nanoseconds: u32::try_from(meta.ctime_nsec()).ok()?,
        })
    }

    /// Remembers a file that was hashed after `start`.
    pub(crate) fn add(&mut self, node: &Node, facts: FileFacts, start: Option<Times>) {
        if start.is_some_and(|start| later(node.meta.changed, GRANULARITY) < start) {
            self.fresh.insert(node.path.clone(), (node.meta, facts));
        }
    }

    /// Writes the index if something was learnt.
    pub(crate) fn save(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let temporary = self.path.with_extension("new");
        let written = fs::File::create(&temporary)
            .and_then(|mut file| file.write_all(&self.encode()))
            .and_then(|()| fs::rename(&temporary, &self.path));
        if let Err(error) = written {
            tracing::warn!(path = %self.path.display(), %error, "cannot write the index of a context");
        }
    }

    fn encode(&self) -> Vec<u8> {
        let used = self.seen.iter().filter(|seen| **seen).count() + self.fresh.len();
        // Entries that this build did not look at stay, unless they are most of it.
        let keep_all = self.offsets.len() <= 2 * used;
        let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (offset, seen) in self.offsets.iter().zip(&self.seen) {
            let Some(entry) = self.entry(*offset) else {
                continue;
            };
            let path = Path::new(std::ffi::OsStr::from_bytes(entry.path));
            if (*seen || keep_all) && !self.fresh.contains_key(path) {
                entries.push((
                    entry.path.to_vec(),
                    fixed(entry.path, entry.stamp, &entry.facts),
                ));
            }
        }
        for (path, (meta, facts)) in &self.fresh {
            let path = path.as_os_str().as_bytes();
            entries.push((path.to_vec(), fixed(path, &stamp(meta), facts)));
        }
        entries.sort();
        let mut data = MAGIC.to_vec();
        for (path, fixed) in entries {
            data.extend(fixed);
            data.extend(path);
        }
        data
    }
}

/// What must be the same for an entry to count.
fn stamp(meta: &Meta) -> [u8; STAMP] {
    let mut stamp = [0; STAMP];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        stamp[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&meta.inode.to_le_bytes());
    put(&meta.size.to_le_bytes());
    for times in [meta.modified, meta.changed] {
        put(&times.seconds.to_le_bytes());
        put(&times.nanoseconds.to_le_bytes());
    }
    put(&meta.mode.to_le_bytes());
    stamp
}

fn fixed(path: &[u8], stamp: &[u8], facts: &FileFacts) -> Vec<u8> {
    let length = u32::try_from(path.len()).unwrap_or(u32::MAX);
    let mut fixed = length.to_le_bytes().to_vec();
    fixed.extend(stamp);
    fixed.push(u8::from(facts.xattrs));
    fixed.extend(facts.digest.bytes());
    fixed
}

fn parse(data: &[u8]) -> Option<Entry<'_>> {
    let fixed = data.get(..FIXED)?;
    let length = u32::from_le_bytes(fixed[..4].try_into().ok()?);
    let end = FIXED.checked_add(usize::try_from(length).ok()?)?;
    let digest: [u8; 32] = fixed[FIXED - 32..].try_into().ok()?;
    let entry = Entry {
        stamp: &fixed[4..FIXED - 33],
        facts: FileFacts {
            digest: Digest::Sha256(digest),
            xattrs: fixed[FIXED - 33] != 0,
        },
        path: data.get(FIXED..end)?,
    };
    Some(entry)
}

fn offsets(data: &[u8]) -> Option<Vec<usize>> {
    if data.get(..MAGIC.len())? != MAGIC {
        return None;
    }
    let mut offsets = Vec::new();
    let mut at = MAGIC.len();
    while at < data.len() {
        let length = u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?);
        offsets.push(at);
        at = at.checked_add(FIXED + usize::try_from(length).ok()?)?;
    }
    (at == data.len()).then_some(offsets)
}

fn later(time: Times, nanoseconds: u32) -> Times {
    let sum = time.nanoseconds + nanoseconds;
    Times {
        seconds: time.seconds + i64::from(sum / 1_000_000_000),
        nanoseconds: sum % 1_000_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sys::root::RootDir;

    fn node(root: &RootDir, name: &str) -> Node {
        Node {
            path: name.into(),
            meta: root.meta(Path::new("/").join(name)).unwrap(),
            link: None,
        }
    }

    #[test]
    fn remembers_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(40));
        let root = RootDir::open(folder.path()).unwrap();
        let path = folder.path().join("contexts/x");
        let mut index = Index::load(path.clone());
        let start = index.clock();
        for name in ["b", "a", "c"] {
            let facts = FileFacts {
                digest: Digest::of(name),
                xattrs: name == "c",
            };
            index.add(&node(&root, name), facts, start);
        }
        index.save();
        let mut index = Index::load(path.clone());
        for name in ["a", "b", "c"] {
            let facts = index.get(&node(&root, name)).unwrap();
            assert_eq!(
                (facts.digest, facts.xattrs),
                (Digest::of(name), name == "c")
            );
        }
        fs::write(folder.path().join("b"), "other").unwrap();
        assert!(index.get(&node(&root, "b")).is_none());
        assert!(index.get(&node(&root, "a")).is_some());
        let changed = node(&root, "b");
        let start = index.clock();
        index.add(
            &changed,
            FileFacts {
                digest: Digest::of("x"),
                xattrs: false,
            },
            start,
        );
        index.save();
        assert!(
            Index::load(path).get(&changed).is_none(),
            "too young to be trusted"
        );
    }

    #[test]
    fn a_damaged_file_is_an_empty_index() {
        for data in [&b""[..], b"ctxidx01\xff\xff\xff\xff", b"other"] {
            assert!(offsets(data).unwrap_or_default().is_empty());
        }
    }
}
