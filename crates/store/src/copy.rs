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

#[cfg(test)]
mod tests {
    //! What every place for blobs must do, run against each that there is.

    use std::collections::BTreeMap;

    use oci::Hasher;

    use super::*;
    use crate::archive::save::Archive;
    use crate::{Lease, Store};

    /// Runs the job on an empty place of each kind.
    fn everywhere(job: impl Fn(&str, &mut dyn BlobWrite)) {
        let mut bytes = Vec::new();
        job("archive", &mut Archive::new(&mut bytes).unwrap());
        let (_folder, store, lease) = store();
        job("store", &mut store.blobs(&lease));
    }

    fn store() -> (tempfile::TempDir, Store, Lease) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let lease = store.lease();
        (folder, store, lease)
    }

    #[test]
    fn a_blob_is_there_once_it_was_put() {
        everywhere(|place, to| {
            for bytes in [&b"some bytes"[..], b"", &[7; 700_000]] {
                let blob = Descriptor::of("x", bytes);
                assert!(!to.has(&blob).unwrap(), "{place}");
                to.put(&blob, &mut &*bytes).unwrap();
                assert!(to.has(&blob).unwrap(), "{place}");
            }
        });
    }

    #[test]
    fn other_bytes_are_refused() {
        let promised = Descriptor::of("x", b"promised");
        type Expected = fn(&Error) -> bool;
        let size: Expected = |error| matches!(error, Error::SizeMismatch { .. });
        let digest: Expected = |error| matches!(error, Error::DigestMismatch { .. });
        let cases: [(&[u8], Expected); 4] = [
            (b"promise", size),
            (b"promised!", size),
            (b"promisex", digest),
            (&[0; 300_000], size),
        ];
        for (bytes, expected) in cases {
            everywhere(|place, to| {
                let error = to.put(&promised, &mut &*bytes).unwrap_err();
                assert!(expected(&error), "{place}: {error:?}");
                assert!(!to.has(&promised).unwrap(), "{place}");
            });
        }
        let other = Descriptor::new("x", Digest::Sha512([1; 64]), 8);
        everywhere(|place, to| {
            let error = to.put(&other, &mut &b"promised"[..]).unwrap_err();
            assert!(
                matches!(error, Error::UnsupportedDigest(_)),
                "{place}: {error:?}"
            );
        });
    }

    /// Blobs in memory, with a note of what was opened.
    #[derive(Default)]
    struct Memory(BTreeMap<Digest, Vec<u8>>);

    impl Memory {
        fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
            let blob = Descriptor::of(media_type, &bytes);
            self.0.insert(blob.digest, bytes);
            blob
        }
    }

    impl BlobRead for Memory {
        fn open<'a>(&'a self, blob: &Descriptor) -> Result<Box<dyn Read + Send + 'a>> {
            let found = self.0.get(&blob.digest);
            let bytes = found.ok_or(Error::BlobNotFound(blob.digest))?;
            Ok(Box::new(bytes.as_slice()))
        }
    }

    fn image(memory: &mut Memory) -> Descriptor {
        let config = memory.add(media_type::CONFIG, b"{}".to_vec());
        let layer = memory.add(media_type::LAYER, vec![1; 10_000]);
        let manifest = Manifest::new(config, vec![layer.clone(), layer]);
        let manifest = memory.add(media_type::MANIFEST, serde_json::to_vec(&manifest).unwrap());
        let index = Index::new(vec![manifest]);
        memory.add(media_type::INDEX, serde_json::to_vec(&index).unwrap())
    }

    #[test]
    fn everything_below_the_root_is_copied() {
        let mut memory = Memory::default();
        let root = image(&mut memory);
        everywhere(|place, to| {
            copy(&memory, to, &root).unwrap();
            for (digest, bytes) in &memory.0 {
                let blob = Descriptor::new("x", *digest, bytes.len() as u64);
                assert!(to.has(&blob).unwrap(), "{place}");
            }
        });
    }

    #[test]
    fn the_root_is_not_there_while_a_child_is_missing() {
        let mut memory = Memory::default();
        let root = image(&mut memory);
        let layer = Digest::of(vec![1; 10_000]);
        memory.0.remove(&layer);
        everywhere(|place, to| {
            let error = copy(&memory, to, &root).unwrap_err();
            assert!(
                matches!(error, Error::BlobNotFound(missing) if missing == layer),
                "{place}"
            );
            assert!(!to.has(&root).unwrap(), "{place}");
        });
    }

    #[test]
    fn a_document_that_is_too_large_is_not_read() {
        let huge = Descriptor::new(media_type::MANIFEST, Digest::of(b"x"), 100 << 20);
        everywhere(|place, to| {
            let error = copy(&Memory::default(), to, &huge).unwrap_err();
            assert!(matches!(error, Error::BlobTooLarge { .. }), "{place}");
        });
    }

    #[test]
    fn the_store_gives_back_what_it_took() {
        let mut memory = Memory::default();
        let root = image(&mut memory);
        let (_folder, store, lease) = store();
        copy(&memory, &mut store.blobs(&lease), &root).unwrap();
        for (digest, bytes) in &memory.0 {
            let mut hasher = Hasher::new();
            let blob = Descriptor::new("x", *digest, bytes.len() as u64);
            std::io::copy(&mut store.blobs(&lease).open(&blob).unwrap(), &mut hasher).unwrap();
            assert_eq!(hasher.finish(), *digest);
        }
    }
}
