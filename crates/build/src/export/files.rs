//! The files of the last stage, as a folder or a tar.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use store::tar::{TarOptions, UntarOptions, tar_tree, untar};
use sys::credentials::Caller;
use sys::root::RootDir;

use super::{Export, output_error};
use crate::BuildError;

impl Export<'_> {
    /// The root file system, mounted nowhere.
    fn open_root(&self) -> Result<RootDir, BuildError> {
        let id = self.root.snapshot.as_ref().map(|snapshot| snapshot.id());
        let view = self.store.view(id, self.lease)?;
        let mounted = view
            .overlay()
            .mount()
            .map_err(output_error("mount the layers"))?;
        Ok(RootDir::from(mounted))
    }
}

fn options() -> TarOptions {
    TarOptions {
        top: None,
        clamp: None,
    }
}

/// Writes the files as a tar.
pub(super) fn tar(export: &Export<'_>, file: OwnedFd) -> Result<(), BuildError> {
    let root = export.open_root()?;
    let mut out = BufWriter::new(File::from(file));
    tar_tree(&root, Path::new("/"), &options(), &mut out)?;
    out.flush().map_err(output_error("write the tar"))
}

/// Writes the files into a folder with the caller's permissions; what only root could give away
/// belongs to the caller then.
pub(super) fn local(
    export: &Export<'_>,
    folder: OwnedFd,
    caller: &Caller,
) -> Result<(), BuildError> {
    let root = export.open_root()?;
    let folder = RootDir::from(folder);
    let owner = (caller.uid != 0).then_some((caller.uid, caller.gid));
    let (mut reader, mut writer) = std::io::pipe().map_err(output_error("make a pipe"))?;
    std::thread::scope(|scope| {
        let written = scope.spawn(move || tar_tree(&root, Path::new("/"), &options(), &mut writer));
        let unpacked = caller.run(move || {
            let options = UntarOptions {
                owner,
                ..UntarOptions::default()
            };
            untar(&mut reader, &folder, Path::new("/"), &options)
        });
        let written = written.join().map_err(|_| BuildError::Panicked)?;
        // Where both fail, the reason is with who reads: the other one saw a closed pipe.
        unpacked.map_err(output_error("write the folder"))??;
        Ok(written?)
    })
}
