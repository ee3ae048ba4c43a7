//! Where files are written: straight into the folder of a new layer, with an eye on what shows
//! through from the layers below.
//!
//! Nothing is mounted for writing. The folder is in overlay's own format, in which a folder that is
//! in the layers below too must be there again with the same attributes, and everything else simply
//! covers what is below. Symbolic links in the destination are followed in the merged view.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use sys::root::{Dir, FileKind, Meta, RootDir};

use super::tree::absolute;
use crate::domain::StepError;

/// A destination.
pub(crate) struct Target {
    /// The new layer's folder, or everything, mounted.
    pub(crate) upper: RootDir,
    /// What shows through; `None` where `upper` shows everything.
    pub(crate) below: Option<RootDir>,
}

/// Owner of what is made.
pub(crate) type Owner = (u32, u32);

/// Mode of folders that nobody described.
const FOLDER_MODE: u32 = 0o755;

impl Target {
    /// What `path` is now, not followed; its folders must hold no links.
    pub(crate) fn meta(&self, path: &Path) -> io::Result<Option<Meta>> {
        let path = absolute(path);
        match self.upper.meta(&path) {
            Err(error) if is_missing(&error) => {}
            found => return found.map(Some),
        }
        match self.below.as_ref().map(|below| below.meta(&path)) {
            None => Ok(None),
            Some(Err(error)) if is_missing(&error) => Ok(None),
            Some(found) => found.map(Some),
        }
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let path = absolute(path);
        match (self.upper.read_link(&path), &self.below) {
            (Err(error), Some(below)) if is_missing(&error) => below.read_link(&path),
            (done, _) => done,
        }
    }

    /// `path` with all its links followed; what does not exist stays as it is.
    pub(crate) fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        const MAX_LINKS: usize = 40;
        let mut links = 0;
        let mut rest: Vec<PathBuf> = components(path);
        let mut done = PathBuf::new();
        while let Some(name) = rest.pop() {
            if name == Path::new("..") {
                done.pop();
                continue;
            }
            let here = done.join(&name);
            match self.meta(&here)? {
                Some(meta) if meta.kind == FileKind::Symlink => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(rustix::io::Errno::LOOP.into());
                    }
                    let target = self.read_link(&here)?;
                    if target.is_absolute() {
                        done = PathBuf::new();
                    }
                    rest.extend(components(&target));
                }
                _ => done = here,
            }
        }
        Ok(done)
    }

    /// Is `path` (resolved) a folder?
    pub(crate) fn is_dir(&self, path: &Path) -> io::Result<bool> {
        Ok(path.as_os_str().is_empty() || self.meta(path)?.is_some_and(|meta| meta.is_dir()))
    }

    /// Opens the folder `path` (resolved) for writing into it, making what is missing with
    /// `owner`.
    pub(crate) fn folder(&self, path: &Path, owner: Owner) -> Result<Dir, StepError> {
        match self.upper.dir(absolute(path)) {
            Ok(dir) => return Ok(dir),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(not_a_folder(path, error)),
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            let action = "open the new layer".to_owned();
            let source = io::ErrorKind::NotFound.into();
            return Err(StepError::File { action, source });
        };
        let parent = self.folder(parent, owner)?;
        self.make_folder(&parent, name, path, Some((FOLDER_MODE, owner)))?;
        parent.dir(name).map_err(|error| not_a_folder(path, error))
    }

    /// Makes the folder `name` in `parent` (which is `path`), unless it is there. One that is in
    /// the layers below keeps its attributes. Returns whether it is new.
    pub(crate) fn make_folder(
        &self,
        parent: &Dir,
        name: &OsStr,
        path: &Path,
        attributes: Option<(u32, Owner)>,
    ) -> Result<bool, StepError> {
        let error = StepError::file(format!("make folder /{}", path.display()));
        let made = || {
            let below = match &self.below {
                Some(below) => match below.meta(absolute(path)) {
                    Ok(meta) => Some(meta),
                    Err(error) if is_missing(&error) => None,
                    Err(error) => return Err(error),
                },
                None => None,
            };
            match parent.meta(name) {
                Ok(meta) if meta.is_dir() => return Ok(false),
                Ok(_) => return Err(rustix::io::Errno::NOTDIR.into()),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
            match below {
                Some(meta) if meta.is_dir() => {
                    self.copy_up(parent, name, path, &meta)?;
                    Ok(false)
                }
                Some(_) => Err(rustix::io::Errno::NOTDIR.into()),
                None => {
                    parent.create_dir(name, 0o700)?;
                    let (mode, owner) = attributes.unwrap_or((FOLDER_MODE, (0, 0)));
                    set_attributes(parent, name, mode, owner)?;
                    Ok(true)
                }
            }
        };
        made().map_err(|source| match source.kind() {
            io::ErrorKind::NotADirectory => not_a_folder(path, source),
            _ => error(source),
        })
    }

    /// A folder of the layers below again, with the same attributes.
    fn copy_up(&self, parent: &Dir, name: &OsStr, path: &Path, meta: &Meta) -> io::Result<()> {
        parent.create_dir(name, 0o700)?;
        if let Some(below) = &self.below {
            let from = below.dir(absolute(path))?;
            for (key, value) in from.own_xattrs()? {
                if !key.starts_with(b"trusted.overlay.") {
                    let key = <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&key);
                    parent.set_xattr(name, key, &value)?;
                }
            }
        }
        set_attributes(parent, name, meta.mode, (meta.uid, meta.gid))
    }
}

/// Sets owner, then mode: a change of owner takes set-id bits away.
pub(crate) fn set_attributes(dir: &Dir, name: &OsStr, mode: u32, owner: Owner) -> io::Result<()> {
    dir.set_owner(name, owner.0, owner.1)?;
    dir.set_mode(name, mode)
}

/// The names of a path, last first, `..` kept.
fn components(path: &Path) -> Vec<PathBuf> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        _ => None,
    });
    let mut names: Vec<PathBuf> = names.collect();
    names.reverse();
    names
}

pub(crate) fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::NotADirectory
}

fn not_a_folder(path: &Path, source: io::Error) -> StepError {
    match source.kind() {
        io::ErrorKind::NotADirectory => StepError::Invalid(format!(
            "cannot copy into /{}: it is not a folder",
            path.display()
        )),
        _ => StepError::File {
            action: format!("open folder /{}", path.display()),
            source,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn target() -> (tempfile::TempDir, Target) {
        let folder = tempfile::tempdir().unwrap();
        let (upper, below) = (folder.path().join("upper"), folder.path().join("below"));
        fs::create_dir(&upper).unwrap();
        fs::create_dir_all(below.join("usr/bin")).unwrap();
        fs::set_permissions(below.join("usr"), fs::Permissions::from_mode(0o711)).unwrap();
        symlink("usr/bin", below.join("bin")).unwrap();
        symlink("/../../etc/x", below.join("out")).unwrap();
        symlink("loop", below.join("loop")).unwrap();
        fs::write(below.join("file"), "").unwrap();
        let target = Target {
            upper: RootDir::open(&upper).unwrap(),
            below: Some(RootDir::open(&below).unwrap()),
        };
        (folder, target)
    }

    #[test]
    fn links_are_followed_in_the_merged_view_and_never_out() {
        let (_folder, target) = target();
        let resolve = |path: &str| target.resolve(Path::new(path)).unwrap();
        assert_eq!(resolve("/bin/new"), Path::new("usr/bin/new"));
        assert_eq!(resolve("out"), Path::new("etc/x"));
        assert_eq!(resolve("../a/../b"), Path::new("b"));
        assert!(target.resolve(Path::new("loop/x")).is_err());
    }

    #[test]
    fn folders_of_below_come_up_with_their_attributes() {
        let (folder, target) = target();
        target.folder(Path::new("usr/new"), (0, 0)).unwrap();
        let mode = |path: &str| {
            let meta = fs::metadata(folder.path().join(path)).unwrap();
            meta.permissions().mode() & 0o7777
        };
        assert_eq!((mode("upper/usr"), mode("upper/usr/new")), (0o711, 0o755));
        assert!(target.folder(Path::new("file/x"), (0, 0)).is_err());
    }
}
