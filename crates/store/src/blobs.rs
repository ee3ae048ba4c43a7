//! Blobs: `blobs/sha256/<hex>`, and those that are written anew from a layer folder.

use std::io::Read;

use oci::{Descriptor, Digest};

use crate::{BlobRead, BlobWrite, Lease, Result, Store};

/// The store's blobs under a lease: what is put through it, and what it was asked for and has,
/// stays as long as the lease.
pub struct Blobs<'a> {
    store: &'a Store,
    lease: &'a Lease,
}

impl Store {
    /// The blobs, for [`copy`](crate::copy).
    pub fn blobs<'a>(&'a self, lease: &'a Lease) -> Blobs<'a> {
        Blobs { store: self, lease }
    }

    /// Is the blob here?
    pub fn has_blob(&self, digest: &Digest) -> Result<bool> {
        let _ = digest;
        todo!()
    }

    /// Opens a blob; a layer that was made here is written anew from its folder.
    pub fn open_blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send>> {
        let _ = digest;
        todo!()
    }

    /// A small blob (config, manifest: at most 4 MiB) as a whole.
    pub fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let _ = digest;
        todo!()
    }

    /// Stores `bytes` as a blob.
    pub fn put_blob(&self, media_type: &str, bytes: &[u8], lease: &Lease) -> Result<Descriptor> {
        let _ = (media_type, bytes, lease);
        todo!()
    }
}

impl BlobRead for Blobs<'_> {
    fn open<'a>(&'a self, blob: &Descriptor) -> Result<Box<dyn Read + Send + 'a>> {
        let _ = blob;
        todo!()
    }
}

impl BlobWrite for Blobs<'_> {
    fn has(&mut self, blob: &Descriptor) -> Result<bool> {
        let _ = blob;
        todo!()
    }

    fn put(&mut self, blob: &Descriptor, content: &mut dyn Read) -> Result<()> {
        let _ = (blob, content);
        todo!()
    }
}
