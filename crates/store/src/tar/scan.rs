//! Folder → stream. One thread walks and reads, whoever takes the stream hashes or writes it: for
//! many small files the two cost about the same.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use sys::root::{Dir, FileKind, Meta, RootDir, Times};

use super::chunks::{ChunkReader, ChunkWriter, chunks};
use super::error::EntryResult;
use super::{Entry, Kind, TarError, Writer};
use crate::timestamps::times_of;

/// How to write a subtree as a tar.
#[derive(Debug, Clone, Default)]
pub struct TarOptions {
    /// Name that the subtree's top gets; `None` writes a folder's children without the folder.
    pub top: Option<String>,
    /// Modification times later than this are written as this.
    pub clamp: Option<SystemTime>,
}

/// Writes the file or folder `path` beneath `root` as a tar: sorted, with owners, times, hard
/// links and extended attributes; equal trees give equal bytes. `path` itself may be a symbolic
/// link, which is then written as such. A file without `top` gets its own name.
pub fn tar_tree(
    root: &RootDir,
    path: &Path,
    options: &TarOptions,
    out: &mut dyn Write,
) -> Result<(), TarError> {
    let clamp = options.clamp.map(times_of);
    let style = Style::Tree { clamp };
    let top = options.top.as_ref().map(|top| top.as_bytes().to_vec());
    let shown = path.as_os_str().as_bytes();
    let source = match path.file_name() {
        Some(name) if !root.meta(path).entry("read", shown)?.is_dir() => {
            let (dir, _) = root.parent(path).entry("open", shown)?;
            let top = top.unwrap_or_else(|| name.as_bytes().to_vec());
            Source::File(dir, name.to_owned(), top)
        }
        _ => Source::Folder(root.dir(path).entry("open", shown)?, top),
    };
    let mut stream = start(source, style)?;
    while let Some(chunk) = stream.chunk()? {
        out.write_all(&chunk).map_err(TarError::Write)?;
    }
    Ok(())
}

/// What the files in a folder mean.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// A layer in overlay's format: marks for deleted names and opaque folders become those of
    /// the image format. Names that the image format reserves are left out.
    Layer,
    /// Just files.
    Tree { clamp: Option<Times> },
}

/// Where a stream comes from.
#[derive(Debug)]
enum Source {
    /// A folder, and the name that it gets; without one only what is in it.
    Folder(Dir, Option<Vec<u8>>),
    /// One name in a folder that is no folder itself, and the name that it gets.
    File(Dir, OsString, Vec<u8>),
}

/// Starts the stream of a layer's folder on a thread of its own. Dropping it ends the thread.
pub(crate) fn layer_tar(folder: Dir) -> Result<ChunkReader, TarError> {
    start(Source::Folder(folder, None), Style::Layer)
}

fn start(source: Source, style: Style) -> Result<ChunkReader, TarError> {
    let (writer, reader) = chunks();
    let walk = move || {
        let failed = writer.another();
        if let Err(error) = scan(source, style, writer) {
            failed.fail(error);
        }
    };
    let thread = std::thread::Builder::new().name("tar".to_owned());
    thread.spawn(walk).map_err(TarError::Read)?;
    Ok(reader)
}

/// A folder on the way, its names still to do in descending order, and its path in the stream.
struct Level {
    dir: Dir,
    names: Vec<sys::root::Entry>,
    path: Vec<u8>,
}

struct Scan {
    style: Style,
    out: Writer<ChunkWriter>,
    /// First name of each file with several.
    links: HashMap<((u32, u32), u64), Vec<u8>>,
    buffer: Vec<u8>,
}

fn scan(source: Source, style: Style, out: ChunkWriter) -> Result<(), TarError> {
    const BUFFER: usize = 128 * 1024;
    let mut scan = Scan {
        style,
        out: Writer::new(out),
        links: HashMap::new(),
        buffer: vec![0; BUFFER],
    };
    match source {
        Source::File(dir, name, path) => scan.name(&dir, &name, None, &path)?,
        Source::Folder(dir, top) => {
            scan.top(&dir, top.as_deref())?;
            scan.walk(dir, top.unwrap_or_default())?;
        }
    }
    let mut out = scan.out.finish().map_err(TarError::Write)?;
    out.flush().map_err(TarError::Write)
}

impl Scan {
    /// The entry of the topmost folder, where it is to have one.
    fn top(&mut self, dir: &Dir, top: Option<&[u8]>) -> Result<(), TarError> {
        let meta = dir.own_meta().entry("read", b"/")?;
        match (self.style, top) {
            (Style::Tree { .. }, Some(top)) => self.dir_entry(dir, &meta, top),
            (Style::Tree { .. }, None) => Ok(()),
            // Most tools give the root no entry, so a usual root gets none either.
            (Style::Layer, _) if (meta.mode, meta.uid, meta.gid) == (0o755, 0, 0) => Ok(()),
            (Style::Layer, _) => self.dir_entry(dir, &meta, b"."),
        }
    }

    fn walk(&mut self, top: Dir, path: Vec<u8>) -> Result<(), TarError> {
        let mut levels = vec![level(top, path)?];
        while let Some(current) = levels.last_mut() {
            let Some(entry) = current.names.pop() else {
                levels.pop();
                continue;
            };
            let path = join(&current.path, entry.bytes());
            let is_dir = match entry.kind {
                Some(kind) => kind == FileKind::Dir,
                None => current.dir.meta(&entry.name).entry("read", &path)?.is_dir(),
            };
            if self.is_reserved(&entry.name) {
                continue;
            }
            if !is_dir {
                self.name(&current.dir, &entry.name, entry.kind, &path)?;
                continue;
            }
            let dir = current.dir.dir(&entry.name).entry("open", &path)?;
            let meta = dir.own_meta().entry("read", &path)?;
            self.dir_entry(&dir, &meta, &path)?;
            levels.push(level(dir, path)?);
        }
        Ok(())
    }

    /// In a layer a file with such a name would be taken for a mark when it is unpacked.
    fn is_reserved(&self, name: &OsStr) -> bool {
        matches!(self.style, Style::Layer) && name.as_bytes().starts_with(b".wh.")
    }

    fn dir_entry(&mut self, dir: &Dir, meta: &Meta, path: &[u8]) -> Result<(), TarError> {
        let xattrs = dir.own_xattrs().entry("read the attributes of", path)?;
        let opaque = matches!(self.style, Style::Layer)
            && xattrs
                .iter()
                .any(|(key, value)| key == OPAQUE && value == b"y");
        let entry = self.entry(path, Kind::Dir, meta, xattrs);
        self.emit(&entry)?;
        if opaque {
            let mark = Entry::plain_file(".wh..wh..opq", 0);
            let path = join(path, &mark.path);
            self.emit(&Entry { path, ..mark })?;
        }
        Ok(())
    }

    /// Anything but a folder. `kind` is what the folder says that it is.
    fn name(
        &mut self,
        dir: &Dir,
        name: &OsStr,
        kind: Option<FileKind>,
        path: &[u8],
    ) -> Result<(), TarError> {
        // Nearly all names are files: they are opened without another look.
        if kind == Some(FileKind::File) {
            return self.file(&dir.open_file(name).entry("open", path)?, path);
        }
        let meta = dir.meta(name).entry("read", path)?;
        let kind = match meta.kind {
            FileKind::Symlink => {
                let target = dir.read_link(name).entry("read", path)?;
                Kind::Symlink(target.as_os_str().as_bytes().to_vec())
            }
            FileKind::CharDevice if matches!(self.style, Style::Layer) && meta.is_whiteout() => {
                return self.whiteout(path);
            }
            FileKind::CharDevice => Kind::Char(meta.node.0, meta.node.1),
            FileKind::BlockDevice => Kind::Block(meta.node.0, meta.node.1),
            FileKind::Fifo => Kind::Fifo,
            FileKind::File => return self.file(&dir.open_file(name).entry("open", path)?, path),
            // A socket means nothing without the process that listens; a folder came in between.
            FileKind::Socket | FileKind::Dir => return Ok(()),
        };
        let kind = self.link(&meta, path).unwrap_or(kind);
        let xattrs = dir.xattrs(name).entry("read the attributes of", path)?;
        let entry = self.entry(path, kind, &meta, xattrs);
        self.emit(&entry)
    }

    fn whiteout(&mut self, path: &[u8]) -> Result<(), TarError> {
        let start = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or(0, |slash| slash + 1);
        let (parent, name) = path.split_at(start);
        let mark = Entry::plain_file("", 0);
        let path = [parent, b".wh.", name].concat();
        self.emit(&Entry { path, ..mark })
    }

    fn file(&mut self, file: &std::fs::File, path: &[u8]) -> Result<(), TarError> {
        let meta = Meta::of_fd(file).entry("read", path)?;
        if let Some(link) = self.link(&meta, path) {
            let entry = self.entry(path, link, &meta, Vec::new());
            return self.emit(&entry);
        }
        let xattrs = sys::root::file_xattrs(file).entry("read the attributes of", path)?;
        let mut entry = self.entry(path, Kind::File, &meta, xattrs);
        entry.size = meta.size;
        self.emit(&entry)?;
        self.content(file, meta.size).entry("read", path)
    }

    /// Exactly `size` bytes: a file that grows meanwhile is cut, one that shrinks is filled up.
    fn content(&mut self, mut file: &std::fs::File, size: u64) -> io::Result<()> {
        let mut rest = size;
        while rest > 0 {
            let room =
                usize::try_from(rest).map_or(self.buffer.len(), |rest| rest.min(self.buffer.len()));
            let buffer = &mut self.buffer[..room];
            let length = match file.read(buffer)? {
                0 => {
                    buffer.fill(0);
                    room
                }
                length => length,
            };
            self.out.write_all(&buffer[..length])?;
            rest -= length as u64;
        }
        Ok(())
    }

    /// A link to the name under which the same file came by before.
    fn link(&mut self, meta: &Meta, path: &[u8]) -> Option<Kind> {
        if meta.links < 2 {
            return None;
        }
        let first = self.links.entry((meta.device, meta.inode));
        match first {
            std::collections::hash_map::Entry::Occupied(first) => {
                Some(Kind::HardLink(first.get().clone()))
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(path.to_vec());
                None
            }
        }
    }

    fn entry(&self, path: &[u8], kind: Kind, meta: &Meta, xattrs: Xattrs) -> Entry {
        let modified = match self.style {
            Style::Tree { clamp: Some(clamp) } => meta.modified.min(clamp),
            _ => meta.modified,
        };
        Entry {
            path: path.to_vec(),
            kind,
            mode: meta.mode,
            uid: meta.uid,
            gid: meta.gid,
            size: 0,
            modified,
            xattrs: xattrs.into_iter().filter(|(key, _)| travels(key)).collect(),
        }
    }

    fn emit(&mut self, entry: &Entry) -> Result<(), TarError> {
        self.out.start(entry).map_err(TarError::Write)
    }
}

type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// Overlay's mark of a folder that hides those below it.
pub(crate) const OPAQUE: &[u8] = b"trusted.overlay.opaque";

/// Attributes that are part of an image: not overlay's own, nor labels of this host's policy.
pub(super) fn travels(key: &[u8]) -> bool {
    key == b"security.capability"
        || key.starts_with(b"user.")
        || key.starts_with(b"system.posix_acl_")
}

fn level(dir: Dir, path: Vec<u8>) -> Result<Level, TarError> {
    let mut names = dir.list().entry("list", &path)?;
    names.sort_unstable_by(|a, b| b.name.cmp(&a.name));
    Ok(Level { dir, names, path })
}

fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    match parent {
        b"" => name.to_vec(),
        _ => [parent, b"/", name].concat(),
    }
}
