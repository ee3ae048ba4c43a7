//! The one walk over a graph of blobs, behind load, save and later pull, push and cache transfer.

use std::io::Read;

use oci::Descriptor;

use crate::Result;

/// A place that blobs come from.
pub trait BlobRead {
    /// Opens the blob for reading. The reader need not verify; [`BlobWrite::put`] does.
    fn open<'a>(&'a self, blob: &Descriptor) -> Result<Box<dyn Read + Send + 'a>>;
}

/// A place that blobs go to.
pub trait BlobWrite {
    /// Is the blob there already?
    fn has(&mut self, blob: &Descriptor) -> Result<bool>;

    /// Takes the blob's bytes and verifies that they are what `blob` says.
    fn put(&mut self, blob: &Descriptor, content: &mut dyn Read) -> Result<()>;
}

/// Copies `root` and all that it points to, children before parents, skipping what is there.
pub fn copy(from: &dyn BlobRead, to: &mut dyn BlobWrite, root: &Descriptor) -> Result<()> {
    let _ = (from, to, root);
    todo!()
}
