//! What is around a tar stream.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::header::{BLOCK, Header};

/// How a stream is compressed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Compression {
    /// By magic number.
    pub(crate) fn of(start: &[u8]) -> Self {
        const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
        // Sixteen numbers start skippable zstd frames.
        let skippable = start.get(1..4) == Some(&[0x2a, 0x4d, 0x18])
            && start.first().is_some_and(|byte| byte & 0xf0 == 0x50);
        match start {
            _ if start.starts_with(&[0x1f, 0x8b]) => Self::Gzip,
            _ if start.starts_with(ZSTD) || skippable => Self::Zstd,
            _ if start.starts_with(b"BZh") => Self::Bzip2,
            _ if start.starts_with(b"\xfd7zXZ\0") => Self::Xz,
            _ => Self::None,
        }
    }
}

/// Does a file that begins with `start` hold a tar, plain or compressed? Of a compressed one the
/// beginning may be too short to tell: then it is taken for one ([`starts_tar`] knows).
pub fn is_tar(start: &[u8]) -> bool {
    match first_block(start) {
        Ok(block) => is_header(block),
        Err(_) => Compression::of(start) != Compression::None,
    }
}

/// Does `stream` hold a tar, plain or compressed (what `ADD` unpacks)? Reads no more than it takes
/// to decompress the first header.
pub fn starts_tar(stream: impl Read + Send) -> bool {
    first_block(stream).is_ok_and(is_header)
}

fn is_header(block: [u8; BLOCK]) -> bool {
    let header = Header(block);
    !header.is_zero() && header.checksum_is_right()
}

fn first_block(stream: impl Read + Send) -> io::Result<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    Decoder::new(stream)?.read_exact(&mut block)?;
    Ok(block)
}

/// A stream without its compression. Fails once it has grown out of all proportion.
pub(crate) struct Decoder<'a> {
    inner: Box<dyn Read + Send + 'a>,
    taken: Arc<AtomicU64>,
    given: u64,
}

/// Whatever the proportion, so much is let through.
const FREE: u64 = 8 << 30;
/// Beyond that, at most so many bytes may come out for each that went in.
const LARGEST_RATIO: u64 = 200;

impl<'a> Decoder<'a> {
    /// Looks at the first bytes of `stream` and picks the decoder.
    pub(crate) fn new(stream: impl Read + Send + 'a) -> io::Result<Self> {
        const MAGIC: u64 = 6;
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            inner: stream,
            count: taken.clone(),
        };
        let mut stream = BufReader::with_capacity(128 * 1024, counted);
        let mut start = Vec::new();
        stream.by_ref().take(MAGIC).read_to_end(&mut start)?;
        let compression = Compression::of(&start);
        let stream = io::Cursor::new(start).chain(stream);
        let inner: Box<dyn Read + Send + 'a> = match compression {
            Compression::None => Box::new(stream),
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(stream)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(stream)?),
            Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(stream)),
            Compression::Xz => Box::new(lzma_rust2::XzReader::new(stream, true)),
        };
        Ok(Self {
            inner,
            taken,
            given: 0,
        })
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let length = self.inner.read(buffer)?;
        self.given += length as u64;
        let taken = self.taken.load(Ordering::Relaxed);
        if self.given > FREE && self.given / LARGEST_RATIO > taken {
            return Err(io::Error::other(
                "the stream decompresses to more than it should",
            ));
        }
        Ok(length)
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn tars_are_told_from_other_files() {
        let mut tar = super::super::Writer::new(Vec::new());
        let entry = super::super::Entry::plain_file("a", 100_000);
        tar.append(&entry, &vec![7; 100_000]).unwrap();
        let tar = tar.finish().unwrap();
        let gzip = |bytes: &[u8]| {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        let bzip2 = |bytes: &[u8]| {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        for packed in [tar.clone(), gzip(&tar), zstd(&tar), bzip2(&tar)] {
            assert!(starts_tar(packed.as_slice()));
            assert!(is_tar(&packed[..packed.len().min(1024)]));
        }
        let text = b"FROM scratch\n".repeat(100);
        for other in [
            text.clone(),
            gzip(&text),
            zstd(&text),
            bzip2(&text),
            vec![0; 2048],
            Vec::new(),
        ] {
            assert!(!starts_tar(other.as_slice()));
        }
        assert!(!is_tar(&text));
        assert!(!is_tar(&gzip(&text)));
    }
}
