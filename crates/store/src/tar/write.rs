//! Entries → stream. The same entries give the same bytes: POSIX ustar headers, a PAX header in
//! front of those that need one, records sorted, whole seconds, no names of users.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::header::{BLOCK, Header, LONG_LIMIT, NAME_LENGTH, SHORT_LIMIT};
use super::read::XATTR;
use super::{Entry, Kind};

/// Writes a tar stream.
pub(crate) struct Writer<W> {
    out: W,
    /// Bytes of content that the last entry still needs.
    missing: u64,
    /// Bytes to the next block after it.
    padding: usize,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            missing: 0,
            padding: 0,
        }
    }

    /// Starts an entry; `entry.size` bytes of content must follow through [`Write`].
    pub(crate) fn start(&mut self, entry: &Entry) -> io::Result<()> {
        let (type_flag, link) = match &entry.kind {
            Kind::File => (b'0', None),
            Kind::HardLink(target) => (b'1', Some(target)),
            Kind::Symlink(target) => (b'2', Some(target)),
            Kind::Char(..) => (b'3', None),
            Kind::Block(..) => (b'4', None),
            Kind::Dir => (b'5', None),
            Kind::Fifo => (b'6', None),
        };
        let mut path = entry.path.clone();
        if entry.kind == Kind::Dir {
            path.push(b'/');
        }
        self.extend(entry, &path, link)?;
        let mut header = Header::new(type_flag, &path);
        header.set_owner(entry.mode, entry.uid.into(), entry.gid.into());
        header.set_size(entry.size);
        header.set_modified(u64::try_from(entry.modified.seconds).unwrap_or(0));
        if let Some(target) = link {
            header.set_link(target);
        }
        if let Kind::Char(major, minor) | Kind::Block(major, minor) = entry.kind {
            header.set_device(major, minor);
        }
        self.out.write_all(&header.finish())?;
        self.missing = entry.size;
        self.padding = padding(entry.size);
        Ok(())
    }

    /// Writes the PAX header, if anything does not fit into the plain one.
    fn extend(&mut self, entry: &Entry, path: &[u8], link: Option<&Vec<u8>>) -> io::Result<()> {
        let mut records: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut record = |key: &str, value: Vec<u8>| records.insert(key.into(), value);
        if needs_record(path) {
            record("path", path.to_vec());
        }
        if let Some(link) = link.filter(|link| needs_record(link)) {
            record("linkpath", link.clone());
        }
        if u64::from(entry.uid) >= SHORT_LIMIT {
            record("uid", entry.uid.to_string().into());
        }
        if u64::from(entry.gid) >= SHORT_LIMIT {
            record("gid", entry.gid.to_string().into());
        }
        if entry.size >= LONG_LIMIT {
            record("size", entry.size.to_string().into());
        }
        let seconds = entry.modified.seconds;
        if !u64::try_from(seconds).is_ok_and(|seconds| seconds < LONG_LIMIT) {
            record("mtime", seconds.to_string().into());
        }
        for (key, value) in &entry.xattrs {
            records.insert([XATTR, key.as_slice()].concat(), value.clone());
        }
        if records.is_empty() {
            return Ok(());
        }
        let body: Vec<u8> = records
            .iter()
            .flat_map(|(key, value)| pax_record(key, value))
            .collect();
        let mut header = Header::new(b'x', b"././@PaxHeader");
        header.set_owner(0o644, 0, 0);
        header.set_size(body.len() as u64);
        header.set_modified(0);
        self.out.write_all(&header.finish())?;
        self.out.write_all(&body)?;
        self.pad(padding(body.len() as u64))
    }

    fn pad(&mut self, length: usize) -> io::Result<()> {
        self.out.write_all(&[0; BLOCK][..length])
    }

    /// Adds an entry whose content is at hand.
    pub(crate) fn append(&mut self, entry: &Entry, content: &[u8]) -> io::Result<()> {
        self.start(entry)?;
        self.write_all(content)
    }

    /// Ends the stream with the two empty blocks.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.pad(BLOCK)?;
        self.pad(BLOCK)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(self.missing).unwrap_or(usize::MAX);
        let length = bytes.len().min(room);
        let written = self.out.write(&bytes[..length])?;
        self.missing -= written as u64;
        if self.missing == 0 && written > 0 {
            let padding = std::mem::take(&mut self.padding);
            self.pad(padding)?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

fn needs_record(name: &[u8]) -> bool {
    name.len() > NAME_LENGTH || !name.is_ascii()
}

/// `<length> <key>=<value>\n`, where the length counts itself.
fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_itself() {
        assert_eq!(pax_record(b"path", b"a"), b"9 path=a\n");
        assert_eq!(pax_record(b"a", b"b"), b"6 a=b\n");
        for length in 80..1100 {
            let record = pax_record(b"path", &vec![b'x'; length]);
            let text = String::from_utf8(record).unwrap();
            let (count, _) = text.split_once(' ').unwrap();
            assert_eq!(count.parse::<usize>().unwrap(), text.len());
        }
    }
}
