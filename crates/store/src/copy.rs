//! The one walk over a graph of blobs, behind load, save and later pull, push and cache transfer.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use oci::{Descriptor, Digest, Index, Manifest, Raw, media_type};

use crate::blobs::MAX_DOCUMENT;
use crate::{Error, Result};

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

/// How deep indexes may nest.
const MAX_DEPTH: u32 = 8;

/// Copies `root` and all that it points to, children before parents, skipping what is there. A
/// parent is looked into even where it is there: its children may not be.
pub fn copy(from: &dyn BlobRead, to: &mut dyn BlobWrite, root: &Descriptor) -> Result<()> {
    let mut copy = Copy {
        from,
        to,
        done: HashSet::new(),
    };
    copy.blob(root, 0)
}

struct Copy<'a> {
    from: &'a dyn BlobRead,
    to: &'a mut dyn BlobWrite,
    done: HashSet<Digest>,
}

impl Copy<'_> {
    fn blob(&mut self, blob: &Descriptor, depth: u32) -> Result<()> {
        if !self.done.insert(blob.digest) {
            return Ok(());
        }
        let is_index = media_type::is_index(&blob.media_type);
        if !is_index && !media_type::is_manifest(&blob.media_type) {
            return match self.to.has(blob)? {
                true => Ok(()),
                false => self.to.put(blob, &mut *self.from.open(blob)?),
            };
        }
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep(blob.digest));
        }
        let bytes = read_document(self.from, blob)?;
        for child in children(is_index, bytes.clone())? {
            self.blob(&child, depth + 1)?;
        }
        match self.to.has(blob)? {
            true => Ok(()),
            false => self.to.put(blob, &mut Cursor::new(bytes)),
        }
    }
}

/// The bytes of a small document, verified, for it is parsed before it gets anywhere.
pub(crate) fn read_document(from: &dyn BlobRead, blob: &Descriptor) -> Result<Vec<u8>> {
    if blob.size > MAX_DOCUMENT {
        return Err(Error::BlobTooLarge {
            digest: Box::new(blob.digest),
            kind: "a manifest or config",
            limit: MAX_DOCUMENT,
        });
    }
    let mut bytes = Vec::new();
    let mut limited = from.open(blob)?.take(blob.size + 1);
    let read = limited.read_to_end(&mut bytes);
    read.map_err(|source| Error::Stream {
        verb: "read",
        object: format!("blob {}", blob.digest),
        source,
    })?;
    let mut hasher = oci::Hasher::new();
    hasher.update(&bytes);
    crate::blobs::verify(blob, &hasher)?;
    Ok(bytes)
}

fn children(is_index: bool, bytes: Vec<u8>) -> Result<Vec<Descriptor>> {
    if is_index {
        return Ok(Raw::<Index>::parse("index", bytes)?.into_view().manifests);
    }
    let manifest = Raw::<Manifest>::parse("manifest", bytes)?.into_view();
    let mut children = vec![manifest.config];
    children.extend(manifest.layers);
    Ok(children)
}
