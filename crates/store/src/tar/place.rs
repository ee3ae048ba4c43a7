//! Puts one entry of a stream into a folder.
//!
//! Every name is resolved beneath the root, and the last part of a name is never followed. The
//! folder above the last entry is kept open, since streams list folders together.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Mode, Timestamps, UTIME_OMIT, Uid};
use rustix::io::Errno;
use sys::root::{Dir, FileKind, Node, RootDir, Times};

use super::error::{EntryResult, display_path};
use super::scan::{OPAQUE, travels};
use super::unpack::clean;
use super::{Entry, Kind, Reader, TarError, UntarOptions};
use crate::timestamps::times_of;

/// Where an entry goes.
#[derive(Clone, Copy)]
struct Spot<'a> {
    dir: &'a Dir,
    name: &'a OsStr,
    /// The cleaned name of the entry.
    path: &'a [u8],
}

/// More devices than this are refused.
const MAX_DEVICES: u64 = 10_000;
/// Start of the names that mark what a layer removes.
const MARK: &[u8] = b".wh.";

/// What the stream is.
#[derive(Clone, Copy)]
pub(super) enum Rules<'a> {
    /// A layer, made in overlay's format.
    Layer {
        /// Folders of the layers below, top first.
        lower: &'a [PathBuf],
    },
    /// Just files.
    Tree(&'a UntarOptions),
}

/// A folder that is unpacked into.
pub(super) struct Place<'a> {
    root: &'a RootDir,
    into: PathBuf,
    rules: Rules<'a>,
    /// The folder above the last entry, by its path in the stream.
    parent: Option<(Vec<u8>, Dir)>,
    /// Folders whose times are set at the end, when nothing is made in them any more.
    dirs: Vec<(PathBuf, Times)>,
    devices: u64,
    buffer: Vec<u8>,
}

impl<'a> Place<'a> {
    pub(super) fn new(root: &'a RootDir, into: &Path, rules: Rules<'a>) -> Result<Self, TarError> {
        const BUFFER: usize = 128 * 1024;
        let shown = into.as_os_str().as_bytes();
        root.create_dir_all(into, 0o755).entry("make", shown)?;
        Ok(Self {
            root,
            into: into.to_owned(),
            rules,
            parent: None,
            dirs: Vec::new(),
            devices: 0,
            buffer: vec![0; BUFFER],
        })
    }

    /// Makes `entry`, its content read from `tar`.
    pub(super) fn put(
        &mut self,
        entry: &Entry,
        tar: &mut Reader<impl Read>,
    ) -> Result<(), TarError> {
        let path = clean(&entry.path)?;
        let start = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |slash| slash + 1);
        let (above, name) = path.split_at(start);
        if name.is_empty() {
            return self.put_top(entry);
        }
        let name = OsStr::from_bytes(name);
        if let Rules::Layer { .. } = self.rules
            && let Some(target) = name.as_bytes().strip_prefix(MARK)
        {
            return self.mark(above, OsStr::from_bytes(target), &path);
        }
        let dir = self.take_parent(above)?;
        let at = Spot {
            dir: &dir,
            name,
            path: &path,
        };
        self.make(at, entry, tar)?;
        self.parent = Some((above.to_vec(), dir));
        Ok(())
    }

    /// Sets the times of the folders.
    pub(super) fn finish(&mut self) -> Result<(), TarError> {
        for (path, time) in std::mem::take(&mut self.dirs) {
            let shown = path.as_os_str().as_bytes();
            match self.root.dir(&path) {
                Ok(dir) => dir.set_own_modified(time).entry("set the time of", shown)?,
                // Replaced by a later entry.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) => {}
                Err(source) => return Err(source).entry("open", shown),
            }
        }
        Ok(())
    }

    /// The entry of the topmost folder itself.
    fn put_top(&mut self, entry: &Entry) -> Result<(), TarError> {
        // `cp` and `ADD` put things into a folder that has its own attributes.
        if let Rules::Layer { .. } = self.rules
            && entry.kind == Kind::Dir
        {
            let top = self.root.dir("/").entry("open", &entry.path)?;
            set_open(&top, entry.uid, entry.gid, entry.mode)
                .entry("set the owner of", &entry.path)?;
            self.dirs.push((PathBuf::from("/"), entry.modified));
        }
        Ok(())
    }

    /// The folder above an entry, from the last time or opened now; made where it is missing.
    fn take_parent(&mut self, above: &[u8]) -> Result<Dir, TarError> {
        match self.parent.take() {
            Some((path, dir)) if path == above => Ok(dir),
            _ => self.open_parent(above),
        }
    }

    fn open_parent(&mut self, above: &[u8]) -> Result<Dir, TarError> {
        let path = self.into.join(OsStr::from_bytes(above));
        let dirs = &mut self.dirs;
        let rules = self.rules;
        let made = |dir: &Dir, name: &OsStr, path: &Path| match rules {
            Rules::Layer { lower } => inherit(lower, path, dir, name, dirs),
            Rules::Tree(options) => match options.owner {
                Some((uid, gid)) => dir.set_owner(name, uid, gid),
                None => Ok(()),
            },
        };
        let dir = self.root.create_dir_all_with(path, 0o755, made);
        dir.entry("open", above)
    }

    /// A mark that something of the layers below is gone.
    fn mark(&mut self, above: &[u8], target: &OsStr, path: &[u8]) -> Result<(), TarError> {
        let dir = self.take_parent(above)?;
        match target.as_bytes() {
            b".wh..opq" => {
                let key = OsStr::from_bytes(OPAQUE);
                dir.set_own_xattr(key, b"y")
                    .entry("mark as opaque", above)?;
            }
            // Bookkeeping of a file system of old.
            other if other.starts_with(MARK) => {}
            b"" | b"." | b".." => return Err(TarError::Name(display_path(path))),
            _ => match dir.create_node(target, Node::Char(0, 0), 0) {
                // The layer has it anew: that hides what is below, but a folder must be told.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if dir.meta(target).entry("read", path)?.is_dir() {
                        set_opaque(&dir, target).entry("mark as opaque", path)?;
                    }
                }
                made => made.entry("mark as removed", path)?,
            },
        }
        self.parent = Some((above.to_vec(), dir));
        Ok(())
    }

    fn make(
        &mut self,
        at: Spot<'_>,
        entry: &Entry,
        tar: &mut Reader<impl Read>,
    ) -> Result<(), TarError> {
        let Spot { dir, name, path } = at;
        match &entry.kind {
            Kind::File => return self.make_file(at, entry, tar),
            Kind::Dir => self.make_dir(at)?,
            Kind::HardLink(target) => return self.make_link(at, target),
            Kind::Symlink(target) => {
                let target = Path::new(OsStr::from_bytes(target));
                self.replacing(at, || dir.symlink(name, target))?;
            }
            Kind::Fifo => {
                self.replacing(at, || dir.create_node(name, Node::Fifo, 0o600))?;
            }
            Kind::Char(major, minor) | Kind::Block(major, minor) => {
                let node = match entry.kind {
                    Kind::Char(..) => Node::Char(*major, *minor),
                    _ => Node::Block(*major, *minor),
                };
                self.check_device(node, path)?;
                self.replacing(at, || dir.create_node(name, node, 0o600))?;
            }
        }
        self.attributes(at, entry)
    }

    fn check_device(&mut self, node: Node, path: &[u8]) -> Result<(), TarError> {
        let refused = match self.rules {
            Rules::Layer { .. } => false,
            Rules::Tree(options) => !options.devices,
        };
        self.devices += 1;
        // 0/0 is overlay's own mark.
        match refused || node == Node::Char(0, 0) {
            true => Err(TarError::Device(display_path(path))),
            false if self.devices > MAX_DEVICES => Err(TarError::Limit {
                path: display_path(path),
                what: "number of devices",
                limit: MAX_DEVICES,
            }),
            false => Ok(()),
        }
    }

    /// Runs `make`; if the name is taken, removes what has it and tries again.
    fn replacing<T>(
        &mut self,
        at: Spot<'_>,
        make: impl Fn() -> io::Result<T>,
    ) -> Result<T, TarError> {
        let Spot { dir, name, path } = at;
        match make() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.entry("make", path),
        }
        if self.keeps_kind() && dir.meta(name).entry("read", path)?.is_dir() {
            return Err(TarError::Replaces(display_path(path)));
        }
        dir.remove_all(name).entry("replace", path)?;
        make().entry("make", path)
    }

    fn keeps_kind(&self) -> bool {
        matches!(self.rules, Rules::Tree(options) if options.keep_kind)
    }

    fn make_dir(&mut self, at: Spot<'_>) -> Result<(), TarError> {
        let Spot { dir, name, path } = at;
        match dir.create_dir(name, 0o700) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.entry("make", path),
        }
        let meta = dir.meta(name).entry("read", path)?;
        if meta.is_dir() {
            return Ok(());
        }
        if self.keeps_kind() {
            return Err(TarError::Replaces(display_path(path)));
        }
        dir.remove_file(name).entry("replace", path)?;
        dir.create_dir(name, 0o700).entry("make", path)?;
        match self.rules {
            Rules::Layer { .. } if meta.is_whiteout() => {
                set_opaque(dir, name).entry("mark as opaque", path)
            }
            _ => Ok(()),
        }
    }

    fn make_link(&mut self, at: Spot<'_>, target: &[u8]) -> Result<(), TarError> {
        let Spot { dir, name, path } = at;
        let cleaned = clean(target)?;
        let missing = || TarError::LinkTarget {
            path: display_path(path),
            target: display_path(target),
        };
        if cleaned == path {
            return Err(missing());
        }
        let from = self.into.join(OsStr::from_bytes(&cleaned));
        let (from_dir, from_name) = self.root.parent(&from).map_err(|_| missing())?;
        let is_dir = match from_dir.meta(from_name) {
            // A mark is no file of this layer.
            Ok(meta) => meta.is_dir() || meta.is_whiteout(),
            Err(_) => true,
        };
        if is_dir {
            return Err(missing());
        }
        self.replacing(at, || dir.hard_link(name, &from_dir, from_name))
    }

    fn make_file(
        &mut self,
        at: Spot<'_>,
        entry: &Entry,
        tar: &mut Reader<impl Read>,
    ) -> Result<(), TarError> {
        let Spot { dir, name, path } = at;
        let mut file = self.replacing(at, || dir.create_file(name, 0o600))?;
        self.content(&mut file, path, entry.size, tar)?;
        let (uid, gid, mode) = self.owner_and_mode(entry);
        set_open(&file, uid, gid, mode).entry("set the owner of", path)?;
        for (key, value) in entry.xattrs.iter().filter(|(key, _)| travels(key)) {
            let set = sys::root::set_file_xattr(&file, OsStr::from_bytes(key), value);
            tolerate(set).entry("set an attribute of", path)?;
        }
        let times = stamps(self.modified(entry));
        rustix::fs::futimens(&file, &times).entry("set the time of", path)
    }

    /// Copies the content; long runs of zeros become holes.
    fn content(
        &mut self,
        file: &mut File,
        path: &[u8],
        size: u64,
        tar: &mut Reader<impl Read>,
    ) -> Result<(), TarError> {
        const HOLE: usize = 16 * 1024;
        let mut rest = size;
        let mut hole_at_end = false;
        while rest > 0 {
            let room =
                usize::try_from(rest).map_or(self.buffer.len(), |rest| rest.min(self.buffer.len()));
            let buffer = &mut self.buffer[..room];
            let length = tar.read(buffer).map_err(|error| tar.content_error(error))?;
            let bytes = &buffer[..length];
            hole_at_end = length >= HOLE && bytes.iter().all(|byte| *byte == 0);
            let written = match hole_at_end {
                true => file
                    .seek(SeekFrom::Current(i64::try_from(length).unwrap_or(0)))
                    .map(drop),
                false => file.write_all(bytes),
            };
            written.entry("write", path)?;
            rest -= length as u64;
        }
        match hole_at_end {
            true => file.set_len(size).entry("write", path),
            false => Ok(()),
        }
    }

    /// Owner, mode, attributes and time of what is no regular file.
    fn attributes(&mut self, at: Spot<'_>, entry: &Entry) -> Result<(), TarError> {
        let Spot { dir, name, path } = at;
        let (uid, gid, mode) = self.owner_and_mode(entry);
        dir.set_owner(name, uid, gid)
            .entry("set the owner of", path)?;
        if !matches!(entry.kind, Kind::Symlink(_)) {
            dir.set_mode(name, mode).entry("set the mode of", path)?;
        }
        for (key, value) in entry.xattrs.iter().filter(|(key, _)| travels(key)) {
            let set = dir.set_xattr(name, OsStr::from_bytes(key), value);
            tolerate(set).entry("set an attribute of", path)?;
        }
        let modified = self.modified(entry);
        match entry.kind {
            Kind::Dir => {
                self.dirs
                    .push((self.into.join(OsStr::from_bytes(path)), modified));
                Ok(())
            }
            _ => dir
                .set_modified(name, modified)
                .entry("set the time of", path),
        }
    }

    fn owner_and_mode(&self, entry: &Entry) -> (u32, u32, u32) {
        let Rules::Tree(options) = self.rules else {
            return (entry.uid, entry.gid, entry.mode);
        };
        let (uid, gid) = options.owner.unwrap_or((entry.uid, entry.gid));
        (uid, gid, options.mode.unwrap_or(entry.mode))
    }

    fn modified(&self, entry: &Entry) -> Times {
        match self.rules {
            Rules::Tree(UntarOptions {
                clamp: Some(clamp), ..
            }) => entry.modified.min(times_of(*clamp)),
            _ => entry.modified,
        }
    }
}

/// Makes a folder that a layer has no entry for like the one that it lies on.
fn inherit(
    lower: &[PathBuf],
    path: &Path,
    dir: &Dir,
    name: &OsStr,
    dirs: &mut Vec<(PathBuf, Times)>,
) -> io::Result<()> {
    for folder in lower {
        let root = RootDir::open(folder)?;
        let Ok((above, below_name)) = root.parent(path) else {
            continue;
        };
        let meta = match above.meta(below_name) {
            Ok(meta) if meta.kind == FileKind::Dir => meta,
            Ok(_) => return Ok(()),
            Err(_) => continue,
        };
        dir.set_owner(name, meta.uid, meta.gid)?;
        dir.set_mode(name, meta.mode)?;
        for (key, value) in above.xattrs(below_name)? {
            if travels(&key) {
                tolerate(dir.set_xattr(name, OsStr::from_bytes(&key), &value))?;
            }
        }
        dirs.push((path.to_owned(), meta.modified));
        return Ok(());
    }
    Ok(())
}

fn set_opaque(dir: &Dir, name: &OsStr) -> io::Result<()> {
    dir.set_xattr(name, OsStr::from_bytes(OPAQUE), b"y")
}

/// Owner first: a change of it clears setuid bits and capabilities.
fn set_open(file: impl std::os::fd::AsFd, uid: u32, gid: u32, mode: u32) -> io::Result<()> {
    rustix::fs::fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?)
}

fn stamps(modified: Times) -> Timestamps {
    Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: modified.into(),
    }
}

/// A file system without attributes of some kind is no reason to refuse an image.
fn tolerate(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if error.raw_os_error() == Some(Errno::NOTSUP.raw_os_error()) => Ok(()),
        set => set,
    }
}
