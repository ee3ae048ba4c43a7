//! Stream → entries. Believes nothing that a header claims before it is within bounds.

use std::collections::BTreeMap;
use std::io::{self, Read};

use sys::root::Times;

use super::error::display_path;
use super::header::{BLOCK, Header};
use super::sparse::{self, Map};
use super::{Entry, Kind, TarError};

/// Bounds of what is read.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Entries in the stream.
    pub(crate) entries: u64,
    /// Bytes of one extended header or long name.
    pub(crate) metadata: u64,
    /// Bytes of one name.
    pub(crate) path: u64,
    /// Bytes of content that one entry may claim.
    pub(crate) file: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 10_000_000,
            metadata: 1 << 20,
            path: 4095,
            file: 1 << 40,
        }
    }
}

/// Reads a tar stream, which must be decompressed already.
pub(crate) struct Reader<R> {
    stream: R,
    limits: Limits,
    offset: u64,
    entries: u64,
    /// Bytes in the stream that belong to the current entry, padding apart.
    rest: u64,
    padding: u64,
    current: Vec<u8>,
    map: Option<Map>,
    globals: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What extended headers say about the entry behind them.
#[derive(Default)]
struct Extension {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    sparse: sparse::Records,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(stream: R, limits: Limits) -> Self {
        Self {
            stream,
            limits,
            offset: 0,
            entries: 0,
            rest: 0,
            padding: 0,
            current: Vec::new(),
            map: None,
            globals: BTreeMap::new(),
        }
    }

    /// The next entry; its content is read through [`Read`] of this reader. `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        self.skip_rest()?;
        let mut extension = Extension {
            records: self.globals.clone(),
            ..Extension::default()
        };
        loop {
            let at = self.offset;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(self.limit("number of entries", self.limits.entries));
            }
            let size = header.size().and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or(bad(at, "size"))?;
            match header.type_flag() {
                b'x' => {
                    let body = self.metadata(size)?;
                    self.pax(at, &body, &mut extension)?;
                }
                b'g' => {
                    let body = self.metadata(size)?;
                    let mut global = Extension::default();
                    self.pax(at, &body, &mut global)?;
                    self.globals.extend(global.records);
                }
                b'L' => extension.long_name = Some(c_text(self.metadata(size)?)),
                b'K' => extension.long_link = Some(c_text(self.metadata(size)?)),
                _ => return self.entry(at, &header, extension).map(Some),
            }
        }
    }

    fn entry(&mut self, at: u64, header: &Header, ext: Extension) -> Result<Entry, TarError> {
        let Extension {
            records,
            sparse,
            long_name,
            long_link,
        } = ext;
        let text = |key: &str| records.get(key.as_bytes()).cloned();
        let mut path = text("path").or(long_name).unwrap_or_else(|| header.path());
        if let Some(name) = sparse.name() {
            path = name;
        }
        let link = text("linkpath")
            .or(long_link)
            .unwrap_or_else(|| header.link());
        let number = |key: &'static str, plain: Option<i64>| match records.get(key.as_bytes()) {
            Some(text) => decimal(text).ok_or(bad(at, key)),
            None => plain.ok_or(bad(at, key)),
        };
        let id = |key: &'static str, plain| match u32::try_from(number(key, plain)?) {
            // The largest number means "leave it" to the kernel.
            Ok(u32::MAX) | Err(_) => Err(bad(at, key)),
            Ok(id) => Ok(id),
        };
        let stored = u64::try_from(number("size", header.size())?).map_err(|_| bad(at, "size"))?;
        let is_dir_name = path.ends_with(b"/");
        while path.len() > 1 && path.ends_with(b"/") {
            path.pop();
        }
        self.current.clone_from(&path);
        let mut entry = Entry {
            kind: self.kind(at, header, link, is_dir_name)?,
            mode: u32::try_from(header.mode().ok_or(bad(at, "mode"))? & 0o7777)
                .map_err(|_| bad(at, "mode"))?,
            uid: id("uid", header.uid())?,
            gid: id("gid", header.gid())?,
            size: stored,
            modified: modified(at, header, records.get(b"mtime".as_slice()))?,
            xattrs: xattrs(&records),
            path,
        };
        self.check_lengths(&entry)?;
        self.set_content(at, header, &sparse, &mut entry)?;
        Ok(entry)
    }

    fn kind(&self, at: u64, header: &Header, link: Vec<u8>, dir: bool) -> Result<Kind, TarError> {
        let device = || {
            let (major, minor) = header.device()?;
            Some((u32::try_from(major).ok()?, u32::try_from(minor).ok()?))
        };
        Ok(match header.type_flag() {
            b'0' | 0 if dir => Kind::Dir,
            b'0' | 0 | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink(link),
            b'2' => Kind::Symlink(link),
            b'3' => device()
                .map(|(a, b)| Kind::Char(a, b))
                .ok_or(bad(at, "device"))?,
            b'4' => device()
                .map(|(a, b)| Kind::Block(a, b))
                .ok_or(bad(at, "device"))?,
            b'5' => Kind::Dir,
            b'6' => Kind::Fifo,
            other => {
                return Err(TarError::Kind {
                    path: display_path(&self.current),
                    kind: char::from(other),
                });
            }
        })
    }

    fn check_lengths(&self, entry: &Entry) -> Result<(), TarError> {
        let link = match &entry.kind {
            Kind::Symlink(target) | Kind::HardLink(target) => target.len(),
            _ => 0,
        };
        match entry.path.len().max(link) as u64 > self.limits.path {
            true => Err(self.limit("length of a name", self.limits.path)),
            false => Ok(()),
        }
    }

    /// Works out how many bytes of the stream are the entry's content and what they make.
    fn set_content(
        &mut self,
        at: u64,
        header: &Header,
        sparse: &sparse::Records,
        entry: &mut Entry,
    ) -> Result<(), TarError> {
        // Only files have content, whatever other headers claim (old writers gave hard links the
        // size of their target without its bytes).
        self.rest = match entry.kind {
            Kind::File => entry.size,
            _ => 0,
        };
        self.padding = (BLOCK as u64 - self.rest % BLOCK as u64) % BLOCK as u64;
        self.map = None;
        entry.size = self.rest;
        if entry.kind == Kind::File {
            let old = header.type_flag() == b'S';
            let map = match old {
                true => Some(self.gnu_sparse(at, header)?),
                false if sparse.has_map_in_content() => Some(self.pax_sparse_content(at, sparse)?),
                false => sparse.map().map_err(|field| bad(at, field))?,
            };
            if let Some(map) = map {
                map.check(self.rest).map_err(|field| bad(at, field))?;
                entry.size = map.size();
                self.map = Some(map);
            }
        }
        match entry.size > self.limits.file || self.rest > self.limits.file {
            true => Err(self.limit("size", self.limits.file)),
            false => Ok(()),
        }
    }

    /// The map of GNU's old format: in the header and in blocks behind it.
    fn gnu_sparse(&mut self, at: u64, header: &Header) -> Result<Map, TarError> {
        let (mut map, mut more) = sparse::gnu_header(&header.0).ok_or(bad(at, "sparse map"))?;
        while more {
            let block = self.block()?.ok_or_else(|| self.truncated())?;
            more = sparse::gnu_block(&block, &mut map).ok_or(bad(at, "sparse map"))?;
            if map.parts() > sparse::MAX_PARTS {
                return Err(self.limit("sparse map", sparse::MAX_PARTS as u64));
            }
        }
        Ok(map)
    }

    /// The map of PAX format 1.0: decimal lines in front of the content.
    fn pax_sparse_content(&mut self, at: u64, records: &sparse::Records) -> Result<Map, TarError> {
        let mut lines = sparse::Lines::new(records.real_size().ok_or(bad(at, "sparse size"))?);
        loop {
            if self.rest < BLOCK as u64 {
                return Err(bad(at, "sparse map"));
            }
            let block = self.block()?.ok_or_else(|| self.truncated())?;
            self.rest -= BLOCK as u64;
            if let Some(map) = lines.push(&block).ok_or(bad(at, "sparse map"))? {
                return Ok(map);
            }
        }
    }

    fn pax(&self, at: u64, body: &[u8], extension: &mut Extension) -> Result<(), TarError> {
        let mut rest = body;
        while !rest.is_empty() {
            let (key, value, behind) = pax_record(rest).ok_or(bad(at, "PAX record"))?;
            rest = behind;
            if extension.sparse.take(key, value) {
                continue;
            }
            // An empty value takes a record back, but an attribute may be empty.
            match value.is_empty() && !key.starts_with(XATTR) {
                true => extension.records.remove(key),
                false => extension.records.insert(key.to_vec(), value.to_vec()),
            };
        }
        Ok(())
    }

    /// The body of an extended header or long name.
    fn metadata(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > self.limits.metadata {
            return Err(self.limit("size of an extended header", self.limits.metadata));
        }
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        let mut body = Vec::new();
        let mut limited = self.stream.by_ref().take(size + padding);
        let length = limited.read_to_end(&mut body).map_err(TarError::Read)?;
        if (length as u64) < size + padding {
            return Err(self.truncated());
        }
        self.offset += size + padding;
        body.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(body)
    }

    /// The next header; `None` at the two zero blocks, one of them, or the end of the stream.
    fn header(&mut self) -> Result<Option<Header>, TarError> {
        let at = self.offset;
        let Some(block) = self.block()? else {
            return Ok(None);
        };
        let header = Header(block);
        match header.is_zero() {
            true => Ok(None),
            false if header.checksum_is_right() => Ok(Some(header)),
            false => Err(TarError::Checksum(at)),
        }
    }

    /// The next block; `None` at the end of the stream.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.stream.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(self.truncated()),
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(TarError::Read(error)),
            }
        }
        self.offset += BLOCK as u64;
        Ok(Some(block))
    }

    fn skip_rest(&mut self) -> Result<(), TarError> {
        self.map = None;
        let length = std::mem::take(&mut self.rest) + std::mem::take(&mut self.padding);
        let mut limited = self.stream.by_ref().take(length);
        let skipped = io::copy(&mut limited, &mut io::sink()).map_err(TarError::Read)?;
        self.offset += skipped;
        match skipped == length {
            true => Ok(()),
            false => Err(self.truncated()),
        }
    }

    /// Reads to the end of the stream behind the last entry.
    pub(crate) fn drain(&mut self) -> Result<(), TarError> {
        io::copy(&mut self.stream, &mut io::sink()).map_err(TarError::Read)?;
        Ok(())
    }

    /// An error about the current entry's content as it is read.
    pub(crate) fn content_error(&self, error: io::Error) -> TarError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.truncated(),
            _ => TarError::Read(error),
        }
    }

    fn truncated(&self) -> TarError {
        TarError::Truncated(display_path(&self.current).display().to_string())
    }

    fn limit(&self, what: &'static str, limit: u64) -> TarError {
        TarError::Limit {
            path: display_path(&self.current),
            what,
            limit,
        }
    }

    fn read_stored(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.rest).unwrap_or(usize::MAX);
        let length = buffer.len().min(room);
        // Not every decoder takes an empty buffer for what it is.
        if length == 0 {
            return Ok(0);
        }
        let read = self.stream.read(&mut buffer[..length])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.rest -= read as u64;
        self.offset += read as u64;
        Ok(read)
    }
}

/// The content of the current entry, holes filled with zeros.
impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut map) = self.map.take() else {
            return self.read_stored(buffer);
        };
        let read = map.read(buffer, |part| self.read_stored(part));
        self.map = Some(map);
        read
    }
}

/// Start of the records that are extended attributes.
pub(super) const XATTR: &[u8] = b"SCHILY.xattr.";

fn bad(offset: u64, field: &'static str) -> TarError {
    TarError::Field { offset, field }
}

/// Up to the first NUL, as GNU's long names end.
fn c_text(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

/// Key, value and what comes behind.
fn pax_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
    // A NUL in a name would be cut off by the kernel, so that two readers see two names.
    let text = matches!(key, b"path" | b"linkpath");
    let refused = key.is_empty() || (text && value.contains(&0));
    (!refused).then_some((key, value, rest))
}

pub(super) fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Seconds with a fraction from PAX, whole ones from the header.
fn modified(at: u64, header: &Header, record: Option<&Vec<u8>>) -> Result<Times, TarError> {
    let Some(text) = record else {
        let seconds = header.modified().ok_or(bad(at, "mtime"))?;
        return Ok(Times {
            seconds,
            nanoseconds: 0,
        });
    };
    parse_time(text).ok_or(bad(at, "mtime"))
}

fn parse_time(text: &[u8]) -> Option<Times> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    Some(match (text.starts_with('-'), nanoseconds) {
        (true, 1..) => Times {
            seconds: seconds.checked_sub(1)?,
            nanoseconds: 1_000_000_000 - nanoseconds,
        },
        _ => Times {
            seconds,
            nanoseconds,
        },
    })
}

fn xattrs(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let attribute = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        let name = key.strip_prefix(XATTR)?;
        (!name.is_empty() && !name.contains(&0)).then(|| (name.to_vec(), value.clone()))
    };
    records.iter().filter_map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_fractions() {
        let time = |text: &str| parse_time(text.as_bytes()).map(|t| (t.seconds, t.nanoseconds));
        assert_eq!(time("12"), Some((12, 0)));
        assert_eq!(time("12.5"), Some((12, 500_000_000)));
        assert_eq!(time("12.1234567899"), Some((12, 123_456_789)));
        assert_eq!(time("-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time("-3"), Some((-3, 0)));
        assert_eq!(time("1.x"), None);
        assert_eq!(time(""), None);
    }

    #[test]
    fn records_that_lie_about_their_length() {
        assert!(pax_record(b"6 a=b\n").is_some());
        for text in [
            "5 a=b\n", "7 a=b\n", "6 a:b\n", "-6 a=b\n", "a=b\n", "6a=b\n\n", "6 =ab\n",
        ] {
            assert!(pax_record(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(pax_record(b"11 path=a\0\n").is_none());
    }
}
