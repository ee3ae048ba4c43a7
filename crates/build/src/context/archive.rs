//! A context that comes as a stream: a tar, or a Dockerfile alone.

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use store::Store;
use store::tar::{UntarOptions, is_tar, untar};
use sys::root::RootDir;

use super::{MAX_TEXT, context_error};
use crate::BuildError;
use crate::domain::chain;

/// A folder that goes away with this value.
pub(crate) struct TempFolder {
    pub(crate) path: PathBuf,
}

impl TempFolder {
    pub(crate) fn new(store: &Store) -> Result<Self, BuildError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("context-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let path = store.root().join("tmp").join(name);
        std::fs::create_dir_all(&path).map_err(context_error("make a folder for it"))?;
        Ok(Self { path })
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // What cannot be removed goes when the store is opened the next time.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Unpacks `stream` into a new folder; a stream that is no tar is given back as a Dockerfile.
pub(crate) fn unpack(
    mut stream: Box<dyn Read + Send>,
    store: &Store,
) -> Result<(TempFolder, Option<String>), BuildError> {
    let folder = TempFolder::new(store)?;
    let mut start = Vec::new();
    let error = |source| context_error("read the stream")(source);
    Read::take(&mut stream, 1024)
        .read_to_end(&mut start)
        .map_err(error)?;
    if !is_tar(&start) {
        let error = |source| context_error("read the stream")(source);
        Read::take(&mut stream, MAX_TEXT)
            .read_to_end(&mut start)
            .map_err(error)?;
        return Ok((folder, Some(String::from_utf8_lossy(&start).into_owned())));
    }
    let root = RootDir::open(&folder.path).map_err(context_error("open its folder"))?;
    let mut whole = std::io::Cursor::new(start).chain(stream);
    untar(&mut whole, &root, "".as_ref(), &UntarOptions::default()).map_err(|error| {
        context_error("unpack the stream")(std::io::Error::other(chain(&error)))
    })?;
    Ok((folder, None))
}
