//! Writing selected files into a [`Target`].

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use store::tar::{UntarOptions, starts_tar, untar};
use sys::root::{Dir, FileKind, Meta, Node as Special};

use super::digest::{Folder, is_kept};
use super::mode::Mode;
use super::select::Item;
use super::target::{Owner, Target, is_missing, set_attributes};
use super::tree::{Tree, absolute};
use crate::domain::StepError;

/// How files arrive.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteOptions {
    /// Owner of everything; `None` keeps the source's.
    pub(crate) owner: Option<Owner>,
    /// Owner of what comes out of archives; `None` keeps theirs.
    pub(crate) unpacked_owner: Option<Owner>,
    /// Mode of everything that is no link; `None` keeps the source's.
    pub(crate) mode: Option<Mode>,
    /// Unpack archives that a source names.
    pub(crate) unpack: bool,
}

/// A file made of text.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    pub(crate) name: String,
    pub(crate) content: String,
}

/// A copy into one destination.
pub(crate) struct Writer<'a> {
    pub(crate) target: &'a Target,
    pub(crate) options: &'a WriteOptions,
    /// Resolved.
    pub(crate) destination: PathBuf,
    /// Files go into the destination, under their own names.
    pub(crate) into: bool,
}

/// From so many files on two threads copy them.
const PARALLEL: usize = 64;
/// Opened files on their way from the thread that may read to the one that may write.
const AHEAD: usize = 64;

impl Writer<'_> {
    fn owner(&self, meta: &Meta) -> Owner {
        self.options.owner.unwrap_or((meta.uid, meta.gid))
    }

    fn mode(&self, meta: &Meta) -> u32 {
        match &self.options.mode {
            Some(mode) => mode.apply(meta.mode, meta.is_dir()),
            None => meta.mode,
        }
    }

    fn place(&self, item: &Item) -> PathBuf {
        match item.named && !self.into {
            true => self.destination.clone(),
            false => self.destination.join(&item.to),
        }
    }

    /// Copies all items.
    pub(crate) fn write(&self, tree: &Tree, items: &[Item]) -> Result<(), StepError> {
        let mut files = Vec::new();
        let mut later = Vec::new();
        for item in items {
            match item.node.meta.kind {
                FileKind::Dir => self.write_folder(item)?,
                FileKind::File if self.options.unpack && item.named && is_archive(tree, item)? => {
                    self.unpack(tree, item)?;
                }
                FileKind::File if item.node.meta.links == 1 => files.push(item),
                FileKind::Socket => {}
                _ => later.push(item),
            }
        }
        self.write_files(tree, &files)?;
        self.write_others(tree, &later)
    }

    /// Writes files made of text.
    pub(crate) fn write_texts(&self, texts: &[TextFile]) -> Result<(), StepError> {
        const TEXT_MODE: u32 = 0o644;
        let owner = self.options.owner.unwrap_or((0, 0));
        for text in texts {
            let path = match self.into {
                true => self.destination.join(&text.name),
                false => self.destination.clone(),
            };
            let mode = match &self.options.mode {
                Some(mode) => mode.apply(TEXT_MODE, false),
                None => TEXT_MODE,
            };
            let error = StepError::file(format!("write /{}", path.display()));
            let (parent, name) = self.parent(&path)?;
            let written = self.create(&parent, name, &path).and_then(|mut file| {
                io::Write::write_all(&mut file, text.content.as_bytes())?;
                set_attributes(&parent, name, mode, owner)
            });
            written.map_err(error)?;
        }
        Ok(())
    }

    fn parent<'p>(&self, path: &'p Path) -> Result<(Dir, &'p OsStr), StepError> {
        let owner = self.options.owner.unwrap_or((0, 0));
        let parent = self
            .target
            .folder(path.parent().unwrap_or(Path::new("")), owner)?;
        Ok((parent, path.file_name().unwrap_or_default()))
    }

    fn write_folder(&self, item: &Item) -> Result<(), StepError> {
        let path = self.place(item);
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        let (parent, name) = self.parent(&path)?;
        let meta = &item.node.meta;
        let attributes = Some((self.mode(meta), self.owner(meta)));
        self.target.make_folder(&parent, name, &path, attributes)?;
        Ok(())
    }

    /// An empty new file `name` in `parent`, in place of any file that is there.
    fn create(&self, parent: &Dir, name: &OsStr, path: &Path) -> io::Result<File> {
        self.make_room(parent, name, path)?;
        parent.create_file(name, 0o600)
    }

    fn make_room(&self, parent: &Dir, name: &OsStr, path: &Path) -> io::Result<()> {
        let below = self.target.below.as_ref();
        let covers_folder =
            below.is_some_and(|below| below.meta(absolute(path)).is_ok_and(|meta| meta.is_dir()));
        if covers_folder {
            return Err(rustix::io::Errno::ISDIR.into());
        }
        match parent.remove_file(name) {
            Err(error) if is_missing(&error) => Ok(()),
            done => done,
        }
    }

    fn write_files(&self, tree: &Tree, files: &[&Item]) -> Result<(), StepError> {
        if files.len() < PARALLEL && tree.caller.uid == 0 {
            let mut source = Folder::new(tree);
            let mut place = Place::default();
            for item in files {
                let opened = open(&mut source, item)?;
                self.copy(&mut place, item, &opened, &mut source)?;
            }
            return Ok(());
        }
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(AHEAD);
            // What may be read is up to the caller, what may be written is not: two threads.
            let reader = scope.spawn(move || {
                tree.caller.run(|| {
                    let mut source = Folder::new(tree);
                    for item in files {
                        let opened = open(&mut source, item);
                        let failed = opened.is_err();
                        if sender.send(opened).is_err() || failed {
                            break;
                        }
                    }
                })
            });
            let copied = self.copy_all(tree, files, &receiver);
            drop(receiver);
            let read = reader.join().map_err(|_| StepError::Panicked)?;
            copied?;
            read.map_err(StepError::file("read the build context"))
        })
    }

    fn copy_all(
        &self,
        tree: &Tree,
        files: &[&Item],
        opened: &Receiver<Result<File, StepError>>,
    ) -> Result<(), StepError> {
        let mut source = Folder::new(tree);
        let mut place = Place::default();
        for item in files {
            let Ok(file) = opened.recv() else {
                return Err(StepError::Panicked);
            };
            self.copy(&mut place, item, &file?, &mut source)?;
        }
        Ok(())
    }

    fn copy(
        &self,
        place: &mut Place,
        item: &Item,
        from: &File,
        source: &mut Folder<'_>,
    ) -> Result<(), StepError> {
        let path = self.place(item);
        let error = |source: io::Error| match source.kind() {
            io::ErrorKind::IsADirectory => StepError::Invalid(format!(
                "cannot replace folder /{} with a file",
                path.display()
            )),
            _ => StepError::File {
                action: format!("copy {} to /{}", item.node.path.display(), path.display()),
                source,
            },
        };
        let (parent, covered) = place.of(self, &path)?;
        let name = path.file_name().unwrap_or_default();
        let copied = (|| {
            let to = match covered {
                true => self.create(parent, name, &path)?,
                false => create_new(parent, name)?,
            };
            sys::copy::copy_file(from, &to)?;
            let meta = &item.node.meta;
            let (uid, gid) = self.owner(meta);
            if (uid, gid) != MADE_AS {
                rustix::fs::fchown(
                    &to,
                    Some(rustix::fs::Uid::from_raw(uid)),
                    Some(rustix::fs::Gid::from_raw(gid)),
                )?;
            }
            rustix::fs::fchmod(&to, rustix::fs::Mode::from_raw_mode(self.mode(meta)))?;
            match item.xattrs {
                true => copy_xattrs(source, item, parent, name),
                false => Ok(()),
            }
        })();
        copied.map_err(error)
    }

    /// Links, files with several names, devices.
    fn write_others(&self, tree: &Tree, items: &[&Item]) -> Result<(), StepError> {
        let mut source = Folder::new(tree);
        let mut place = Place::default();
        let mut linked: HashMap<((u32, u32), u64), PathBuf> = HashMap::new();
        for item in items {
            let path = self.place(item);
            let meta = &item.node.meta;
            if meta.kind == FileKind::File {
                let first = linked.get(&(meta.device, meta.inode)).cloned();
                match first {
                    Some(first) => self.hard_link(&first, &path)?,
                    None => {
                        let opened = tree
                            .caller
                            .run(|| open(&mut Folder::new(tree), item))
                            .map_err(StepError::file("read the build context"))??;
                        self.copy(&mut place, item, &opened, &mut source)?;
                        linked.insert((meta.device, meta.inode), path);
                    }
                }
                continue;
            }
            let (parent, name) = self.parent(&path)?;
            let error = StepError::file(format!("make /{}", path.display()));
            let made = self
                .make_room(&parent, name, &path)
                .and_then(|()| self.make_other(item, &parent, name));
            made.map_err(error)?;
        }
        Ok(())
    }

    fn make_other(&self, item: &Item, parent: &Dir, name: &OsStr) -> io::Result<()> {
        let meta = &item.node.meta;
        let owner = self.owner(meta);
        let special = match meta.kind {
            FileKind::Symlink => {
                parent.symlink(name, item.node.link.as_deref().unwrap_or(Path::new("")))?;
                return parent.set_owner(name, owner.0, owner.1);
            }
            FileKind::CharDevice => Special::Char(meta.node.0, meta.node.1),
            FileKind::BlockDevice => Special::Block(meta.node.0, meta.node.1),
            _ => Special::Fifo,
        };
        parent.create_node(name, special, 0o600)?;
        set_attributes(parent, name, self.mode(meta), owner)
    }

    fn hard_link(&self, first: &Path, path: &Path) -> Result<(), StepError> {
        let (from, from_name) = self.parent(first)?;
        let (parent, name) = self.parent(path)?;
        let linked = self
            .make_room(&parent, name, path)
            .and_then(|()| parent.hard_link(name, &from, from_name));
        linked.map_err(StepError::file(format!("link /{}", path.display())))
    }

    fn unpack(&self, tree: &Tree, item: &Item) -> Result<(), StepError> {
        let mut archive = tree
            .caller
            .run(|| open(&mut Folder::new(tree), item))
            .map_err(StepError::file("read the build context"))??;
        self.target
            .folder(&self.destination, self.options.owner.unwrap_or((0, 0)))?;
        let options = UntarOptions {
            owner: self.options.unpacked_owner,
            mode: match &self.options.mode {
                Some(Mode::Bits(bits)) => Some(*bits),
                _ => None,
            },
            // In a layer they are inert, and a root file system has them.
            devices: true,
            ..UntarOptions::default()
        };
        untar(
            &mut archive,
            &self.target.upper,
            &self.destination,
            &options,
        )?;
        Ok(())
    }
}

/// Owner of what the engine makes.
const MADE_AS: Owner = (0, 0);

/// The folder that was written into last.
#[derive(Default)]
struct Place {
    open: Option<(PathBuf, Dir, bool)>,
}

impl Place {
    /// The folder of `path`, and whether the layers below have it too.
    fn of(&mut self, writer: &Writer<'_>, path: &Path) -> Result<(&Dir, bool), StepError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let open = match self.open.take() {
            Some(open) if open.0 == parent => open,
            _ => {
                let dir = writer
                    .target
                    .folder(parent, writer.options.owner.unwrap_or((0, 0)))?;
                let below = writer.target.below.as_ref();
                let covered = below.is_some_and(|below| below.meta(absolute(parent)).is_ok());
                (parent.to_owned(), dir, covered)
            }
        };
        let (_, dir, covered) = self.open.insert(open);
        Ok((dir, *covered))
    }
}

fn create_new(parent: &Dir, name: &OsStr) -> io::Result<File> {
    match parent.create_file(name, 0o600) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            parent.remove_file(name)?;
            parent.create_file(name, 0o600)
        }
        done => done,
    }
}

/// Opens a file for copying, if it is still the one that was looked at.
fn open(source: &mut Folder<'_>, item: &Item) -> Result<File, StepError> {
    let path = &item.node.path;
    let opened = source
        .of(path)
        .and_then(|dir| dir.open_file(path.file_name().unwrap_or_default()))
        .and_then(|file| Ok((Meta::of_fd(&file)?, file)));
    let (meta, file) = opened.map_err(StepError::file(format!("read {}", path.display())))?;
    let before = &item.node.meta;
    if (meta.size, meta.modified, meta.inode) != (before.size, before.modified, before.inode) {
        return Err(StepError::Invalid(format!(
            "{} was changed during the build",
            path.display()
        )));
    }
    Ok(file)
}

fn copy_xattrs(source: &mut Folder<'_>, item: &Item, to: &Dir, name: &OsStr) -> io::Result<()> {
    let path = &item.node.path;
    let from = source.of(path)?;
    for (key, value) in from.xattrs(path.file_name().unwrap_or_default())? {
        if is_kept(&key) {
            to.set_xattr(name, OsStr::from_bytes(&key), &value)?;
        }
    }
    Ok(())
}

/// Does the file hold a tar?
pub(crate) fn is_archive(tree: &Tree, item: &Item) -> Result<bool, StepError> {
    let look = || open(&mut Folder::new(tree), item).map(starts_tar);
    let found = tree.caller.run(look);
    found.map_err(StepError::file("read the build context"))?
}
