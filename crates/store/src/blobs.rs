//! Blobs: `blobs/sha256/<hex>`, and those that are written anew from a layer folder.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use oci::{Algorithm, Descriptor, DiffId, Digest, Hasher, media_type};
use sys::root::Dir;

use crate::error::FileResult;
use crate::facts::{size_of, to_sql};
use crate::store::remove_file;
use crate::tar::{ChunkReader, Compression, Decoder, TarError, layer_tar};
use crate::{BlobRead, BlobWrite, Error, LayerId, Lease, Result, Store, Tx};

/// Largest manifest, index or config.
pub(crate) const MAX_DOCUMENT: u64 = 4 << 20;

/// The store's blobs under a lease: what is put through it, and what it was asked for and has,
/// stays as long as the lease.
pub struct Blobs<'a> {
    store: &'a Store,
    lease: &'a Lease,
}

/// Where the bytes of a blob are.
enum Place {
    File,
    /// To be written anew from the folder of a layer, which some snapshot keeps.
    Layer(LayerId),
}

impl Store {
    /// The blobs, for [`copy`](crate::copy).
    pub fn blobs<'a>(&'a self, lease: &'a Lease) -> Blobs<'a> {
        Blobs { store: self, lease }
    }

    /// Is the blob here?
    pub fn has_blob(&self, digest: &Digest) -> Result<bool> {
        Ok(self.read(|tx| tx.blob(digest))?.is_some())
    }

    /// Is the blob here, and stays as long as the lease?
    pub(crate) fn hold_blob(&self, digest: &Digest, lease: &Lease) -> Result<bool> {
        lease.hold_blob(*digest);
        if self.read(|tx| tx.has_blob_file(digest))? {
            return Ok(true);
        }
        match self.read(|tx| tx.layer_by_diff_id(DiffId(*digest)))? {
            Some((_, snapshot)) => {
                lease.hold_snapshot(snapshot);
                self.has_blob(digest)
            }
            None => Ok(false),
        }
    }

    /// Opens a blob; a layer that was made here is written anew from its folder. Something must
    /// keep the blob meanwhile: an image or a lease.
    pub fn open_blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send>> {
        match self.read(|tx| tx.blob(digest))? {
            None => Err(Error::BlobNotFound(*digest)),
            Some((Place::File, _)) => {
                let path = self.blob_path(digest);
                Ok(Box::new(File::open(&path).at("open", &path)?))
            }
            Some((Place::Layer(layer), _)) => Ok(Box::new(self.open_layer(layer)?)),
        }
    }

    fn open_layer(&self, layer: LayerId) -> Result<ChunkReader> {
        let folder = self.fs_path(layer);
        let folder = Dir::open(&folder).at("open", &folder)?;
        Ok(layer_tar(folder)?)
    }

    /// A small blob (config, manifest: at most 4 MiB) as a whole.
    pub fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let size = match self.read(|tx| tx.blob(digest))? {
            Some((Place::File, size)) => size,
            _ => return Err(Error::BlobNotFound(*digest)),
        };
        if size > MAX_DOCUMENT {
            return Err(Error::BlobTooLarge {
                digest: Box::new(*digest),
                kind: "a manifest or config",
                limit: MAX_DOCUMENT,
            });
        }
        let path = self.blob_path(digest);
        std::fs::read(&path).at("read", &path)
    }

    /// Stores `bytes` as a blob.
    pub fn put_blob(&self, media_type: &str, bytes: &[u8], lease: &Lease) -> Result<Descriptor> {
        let descriptor = Descriptor::of(media_type, bytes);
        lease.hold_blob(descriptor.digest);
        if !self.has_blob(&descriptor.digest)? {
            let mut incoming = Incoming::new(self)?;
            incoming.write_all(bytes).at("write", &incoming.path)?;
            incoming.keep(lease)?;
        }
        Ok(descriptor)
    }

    /// Stores whatever the stream has as a blob.
    pub(crate) fn put_stream(&self, stream: &mut dyn Read, lease: &Lease) -> Result<(Digest, u64)> {
        let mut incoming = Incoming::new(self)?;
        incoming.fill(stream)?;
        incoming.keep(lease)
    }

    /// Stores a layer as it comes. What the image format has no type for is stored uncompressed.
    pub(crate) fn put_layer_blob(
        &self,
        tar: &mut (dyn Read + Send),
        lease: &Lease,
    ) -> Result<Descriptor> {
        let mut start = Vec::new();
        tar.take(6)
            .read_to_end(&mut start)
            .map_err(TarError::Read)?;
        let compression = Compression::of(&start);
        let mut stream = io::Cursor::new(start).chain(tar);
        let media_type = match compression {
            Compression::Gzip => media_type::LAYER_GZIP,
            Compression::Zstd => media_type::LAYER_ZSTD,
            Compression::None | Compression::Bzip2 | Compression::Xz => media_type::LAYER,
        };
        let (digest, size) = match compression {
            Compression::Bzip2 | Compression::Xz => {
                let mut decoder = Decoder::new(stream).map_err(TarError::Read)?;
                self.put_stream(&mut decoder, lease)?
            }
            _ => self.put_stream(&mut stream, lease)?,
        };
        Ok(Descriptor::new(media_type, digest, size))
    }
}

/// A blob on its way in: written to a temporary name, hashed as it is written, then renamed.
struct Incoming<'a> {
    store: &'a Store,
    path: PathBuf,
    file: BufWriter<File>,
    hasher: Hasher,
}

impl<'a> Incoming<'a> {
    fn new(store: &'a Store) -> Result<Self> {
        let path = store.temporary_path();
        let file = File::create(&path).at("make", &path)?;
        Ok(Self {
            store,
            path,
            file: BufWriter::with_capacity(256 * 1024, file),
            hasher: Hasher::new(),
        })
    }

    fn fill(&mut self, stream: &mut dyn Read) -> Result<()> {
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let length = match stream.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(TarError::Read(error).into()),
            };
            let path = &self.path;
            self.file.write_all(&buffer[..length]).at("write", path)?;
            self.hasher.update(&buffer[..length]);
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }

    /// Gives the blob its name. The row says "not ready" until the file is there.
    fn keep(mut self, lease: &Lease) -> Result<(Digest, u64)> {
        self.file.flush().at("write", &self.path)?;
        let size = self.hasher.length();
        let digest = std::mem::take(&mut self.hasher).finish();
        lease.hold_blob(digest);
        let mut writer = self.store.writer();
        let text = digest.to_string();
        let there = writer.transact(|tx| match tx.has_blob_file(&digest)? {
            true => Ok(true),
            false => {
                let sql = "INSERT OR REPLACE INTO blobs (digest, size, ready) VALUES (?1, ?2, 0)";
                tx.execute(sql, (&text, to_sql(size)))?;
                Ok(false)
            }
        })?;
        if !there {
            let target = self.store.blob_path(&digest);
            std::fs::rename(&self.path, &target).at("rename to", &target)?;
            let sql = "UPDATE blobs SET ready = 1 WHERE digest = ?1";
            writer.transact(|tx| tx.execute(sql, [&text]))?;
        }
        Ok((digest, size))
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        // Where it got its name there is nothing left; else the next start removes it.
        drop(remove_file(&self.path));
    }
}

impl BlobRead for Blobs<'_> {
    fn open<'a>(&'a self, blob: &Descriptor) -> Result<Box<dyn Read + Send + 'a>> {
        self.store.open_blob(&blob.digest)
    }
}

impl BlobWrite for Blobs<'_> {
    fn has(&mut self, blob: &Descriptor) -> Result<bool> {
        if !self.store.hold_blob(&blob.digest, self.lease)? {
            return Ok(false);
        }
        match self.store.read(|tx| tx.blob(&blob.digest))? {
            None => Ok(false),
            Some((_, size)) if size == blob.size => Ok(true),
            Some((_, actual)) => Err(size_mismatch(blob, actual)),
        }
    }

    fn put(&mut self, blob: &Descriptor, content: &mut dyn Read) -> Result<()> {
        if blob.digest.algorithm() != Algorithm::Sha256 {
            return Err(Error::UnsupportedDigest(blob.digest));
        }
        let mut incoming = Incoming::new(self.store)?;
        // One byte more than promised is enough to know.
        incoming.fill(&mut content.take(blob.size.saturating_add(1)))?;
        verify(blob, &incoming.hasher)?;
        incoming.keep(self.lease)?;
        Ok(())
    }
}

/// Are the bytes what the descriptor says?
pub(crate) fn verify(blob: &Descriptor, hasher: &Hasher) -> Result<()> {
    if hasher.length() != blob.size {
        return Err(size_mismatch(blob, hasher.length()));
    }
    match hasher.clone().finish() {
        actual if actual == blob.digest => Ok(()),
        actual => Err(Error::DigestMismatch {
            expected: Box::new(blob.digest),
            actual: Box::new(actual),
        }),
    }
}

fn size_mismatch(blob: &Descriptor, actual: u64) -> Error {
    Error::SizeMismatch {
        expected: Box::new(blob.clone()),
        actual,
    }
}

/// Digest and length of a file.
pub(crate) fn hash_file(path: &Path) -> Result<(Digest, u64)> {
    let mut file = File::open(path).at("open", path)?;
    let mut hasher = Hasher::new();
    io::copy(&mut file, &mut hasher).at("read", path)?;
    let size = hasher.length();
    Ok((hasher.finish(), size))
}

impl Tx<'_> {
    fn blob(&self, digest: &Digest) -> Result<Option<(Place, u64)>> {
        let text = digest.to_string();
        let sql = "SELECT size FROM blobs WHERE digest = ?1 AND ready = 1";
        let file = self.first(sql, [&text], |row| Ok((Place::File, size_of(row, "size")?)))?;
        if file.is_some() {
            return Ok(file);
        }
        // A layer without a snapshot is being removed.
        let sql = "SELECT id, size FROM layers l
            WHERE diff_id = ?1 AND committed = 1 AND blob IS NULL
            AND EXISTS (SELECT 1 FROM snapshots s WHERE s.layer = l.id)";
        let text = DiffId(*digest).to_string();
        self.first(sql, [text], |row| {
            Ok((Place::Layer(LayerId(row.get("id")?)), size_of(row, "size")?))
        })
    }

    pub(crate) fn has_blob_file(&self, digest: &Digest) -> Result<bool> {
        let sql = "SELECT 1 FROM blobs WHERE digest = ?1 AND ready = 1";
        Ok(self.first(sql, [digest.to_string()], |_| Ok(()))?.is_some())
    }
}
