//! The side of `cp` that is this machine.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::{CWD, FileType, Mode};
use tar::{Archive, Builder, Entry, EntryType};

use super::plan::{self, Source, Target};

/// A path to copy into a container.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) facts: Source,
}

/// Looks at what is to be copied. A link is copied as a link, unless it was named as a folder or is
/// to be followed.
pub(super) fn source(from: &str, follow: bool) -> anyhow::Result<Found> {
    let (bare, contents) = plan::without_dot(from);
    let mut path = PathBuf::from(bare);
    let is_link = path
        .symlink_metadata()
        .is_ok_and(|facts| facts.is_symlink());
    if is_link && (follow || contents || from.ends_with('/')) {
        path = path.canonicalize().with_context(|| from.to_owned())?;
    }
    let facts = path.symlink_metadata().with_context(|| from.to_owned())?;
    if contents && !facts.is_dir() {
        bail!("{from}: not a directory");
    }
    let real = path.canonicalize().unwrap_or_default();
    let real = real
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = plan::last(bare, &real.unwrap_or_default());
    Ok(Found {
        path,
        facts: Source {
            name,
            is_dir: facts.is_dir(),
            contents,
        },
    })
}

/// Whether a folder is at the destination; `None` where nothing is.
pub(super) fn look(to: &str) -> Option<bool> {
    fs::metadata(to).ok().map(|facts| facts.is_dir())
}

/// Only the last component of a destination is made.
pub(super) fn check_parent(target: &Target) -> anyhow::Result<()> {
    let (folder, _) = plan::split(target.path());
    match fs::metadata(&folder) {
        Ok(facts) if facts.is_dir() => Ok(()),
        _ => bail!("invalid output path: directory \"{folder}\" does not exist"),
    }
}

/// Packs a path so that it has the name `root` in the archive; with an empty one the content of the
/// folder is at the top.
pub(super) fn pack(path: &Path, root: &str, writer: impl Write) -> anyhow::Result<u64> {
    let mut counted = Counter {
        inner: writer,
        bytes: 0,
    };
    let mut archive = Builder::new(&mut counted);
    archive.follow_symlinks(false);
    let root = if root.is_empty() {
        Path::new(".")
    } else {
        Path::new(root)
    };
    if path.symlink_metadata()?.is_dir() {
        archive.append_dir_all(root, path)?;
    } else {
        archive.append_path_with_name(path, root)?;
    }
    archive.finish()?;
    drop(archive);
    Ok(counted.bytes)
}

struct Counter<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Unpacks an archive with one root, which becomes `target`. The archive comes out of a container, so
/// nothing in it is trusted: no entry is written through a link that the archive made, and none
/// outside of `target`.
pub(super) fn unpack(reader: impl Read, target: &Path, keep_owners: bool) -> anyhow::Result<u64> {
    let mut archive = Archive::new(reader);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(keep_owners);
    let mut folders = Vec::new();
    let mut total = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let below = below_root(&entry.path()?)?;
        let path = place(target, &below)?;
        total += entry.size() + 512;
        if entry.header().entry_type().is_dir() {
            // A folder without write permission must take its files first.
            fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
            folders.push((path, entry));
            continue;
        }
        write(&mut entry, target, &path).with_context(|| path.display().to_string())?;
    }
    for (path, mut folder) in folders.into_iter().rev() {
        folder
            .unpack(&path)
            .with_context(|| path.display().to_string())?;
    }
    // The end of the archive is two empty blocks.
    Ok(total + 1024)
}

/// A path in the archive without its first component.
fn below_root(path: &Path) -> anyhow::Result<PathBuf> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir | Component::RootDir => {}
            _ => bail!("the archive has the path {}", path.display()),
        }
    }
    Ok(parts.into_iter().skip(1).collect())
}

/// The path of an entry, with every folder above it checked.
fn place(target: &Path, below: &Path) -> anyhow::Result<PathBuf> {
    let mut path = target.to_owned();
    for part in below.components() {
        if path
            .symlink_metadata()
            .is_ok_and(|facts| facts.is_symlink())
            && path != target
        {
            bail!("the archive goes through the link {}", path.display());
        }
        path.push(part);
    }
    Ok(path)
}

fn write(entry: &mut Entry<'_, impl Read>, target: &Path, path: &Path) -> anyhow::Result<()> {
    let kind = entry.header().entry_type();
    match kind {
        EntryType::Link => {
            let link = entry.link_name()?.context("a hard link without a target")?;
            let original = place(target, &below_root(&link)?)?;
            remove(path)?;
            Ok(fs::hard_link(original, path)?)
        }
        EntryType::Char | EntryType::Block | EntryType::Fifo => {
            remove(path)?;
            special(entry, kind, path)
        }
        EntryType::XGlobalHeader => Ok(()),
        _ => {
            if path.symlink_metadata().is_ok_and(|facts| facts.is_dir()) {
                bail!("cannot replace a directory by a file");
            }
            entry.unpack(path)?;
            Ok(())
        }
    }
}

fn special(entry: &Entry<'_, impl Read>, kind: EntryType, path: &Path) -> anyhow::Result<()> {
    let header = entry.header();
    let kind = match kind {
        EntryType::Char => FileType::CharacterDevice,
        EntryType::Block => FileType::BlockDevice,
        _ => FileType::Fifo,
    };
    let major = header.device_major()?.unwrap_or_default();
    let minor = header.device_minor()?.unwrap_or_default();
    let mode = Mode::from_raw_mode(header.mode()?);
    Ok(rustix::fs::mknodat(
        CWD,
        path,
        kind,
        mode,
        rustix::fs::makedev(major, minor),
    )?)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(build: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        build(&mut builder);
        builder.into_inner().unwrap()
    }

    fn add(builder: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, text: &str) {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        // The builder's own methods refuse the paths that are tested here.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        match kind {
            EntryType::Regular => header.set_size(text.len() as u64),
            EntryType::Symlink | EntryType::Link => {
                header.set_size(0);
                header.set_link_name_literal(text).unwrap();
            }
            _ => header.set_size(0),
        }
        header.set_cksum();
        builder
            .append(
                &header,
                if kind == EntryType::Regular {
                    text.as_bytes()
                } else {
                    b""
                },
            )
            .unwrap();
    }

    #[test]
    fn round_trip() {
        let root = tempfile::tempdir().unwrap();
        let from = root.path().join("from");
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/file"), "text").unwrap();
        std::os::unix::fs::symlink("sub/file", from.join("link")).unwrap();
        for name in ["", "new"] {
            let mut bytes = Vec::new();
            pack(&from, name, &mut bytes).unwrap();
            if name.is_empty() {
                continue;
            }
            let to = root.path().join("to");
            unpack(bytes.as_slice(), &to, false).unwrap();
            assert_eq!(fs::read_to_string(to.join("sub/file")).unwrap(), "text");
            assert_eq!(
                fs::read_link(to.join("link")).unwrap(),
                Path::new("sub/file")
            );
        }
    }

    #[test]
    fn one_file_takes_the_name_of_the_target() {
        let root = tempfile::tempdir().unwrap();
        let bytes = archive(|a| add(a, EntryType::Regular, "name", "text"));
        let to = root.path().join("other");
        unpack(bytes.as_slice(), &to, false).unwrap();
        assert_eq!(fs::read_to_string(to).unwrap(), "text");
    }

    #[test]
    fn nothing_is_written_outside_of_the_target() {
        let root = tempfile::tempdir().unwrap();
        let outside = root.path().join("outside");
        fs::create_dir(&outside).unwrap();
        let outside_text = outside.to_str().unwrap();
        let hostile: [Vec<u8>; 3] = [
            archive(|a| add(a, EntryType::Regular, "d/../../outside/x", "no")),
            archive(|a| {
                add(a, EntryType::Directory, "d", "");
                add(a, EntryType::Symlink, "d/l", outside_text);
                add(a, EntryType::Regular, "d/l/x", "no");
            }),
            archive(|a| {
                add(a, EntryType::Directory, "d", "");
                add(a, EntryType::Link, "d/h", "../../etc/passwd");
            }),
        ];
        for (number, bytes) in hostile.iter().enumerate() {
            let to = root.path().join(format!("to{number}"));
            assert!(unpack(bytes.as_slice(), &to, false).is_err(), "{number}");
            assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{number}");
        }
    }

    #[test]
    fn a_folder_without_write_permission_gets_its_files() {
        let root = tempfile::tempdir().unwrap();
        let from = root.path().join("from");
        fs::create_dir(&from).unwrap();
        fs::write(from.join("file"), "text").unwrap();
        let read_only = std::os::unix::fs::PermissionsExt::from_mode(0o555);
        fs::set_permissions(&from, read_only).unwrap();
        let mut bytes = Vec::new();
        pack(&from, "d", &mut bytes).unwrap();
        let to = root.path().join("to");
        unpack(bytes.as_slice(), &to, false).unwrap();
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&to).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o555);
    }
}
