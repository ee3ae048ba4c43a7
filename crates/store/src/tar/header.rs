//! One 512-byte header block (POSIX ustar, with GNU's base-256 numbers).

/// Size of a block; content is padded to whole blocks.
pub(super) const BLOCK: usize = 512;

/// Offsets and lengths of the fields, as POSIX draws them.
mod field {
    use std::ops::Range;

    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const MODE: Range<usize> = 100..108;
    pub(super) const UID: Range<usize> = 108..116;
    pub(super) const GID: Range<usize> = 116..124;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const MTIME: Range<usize> = 136..148;
    pub(super) const CHECKSUM: Range<usize> = 148..156;
    pub(super) const TYPE: usize = 156;
    pub(super) const LINK: Range<usize> = 157..257;
    pub(super) const MAGIC: Range<usize> = 257..265;
    pub(super) const MAJOR: Range<usize> = 329..337;
    pub(super) const MINOR: Range<usize> = 337..345;
    pub(super) const PREFIX: Range<usize> = 345..500;
}

/// A header block.
#[derive(Clone)]
pub(super) struct Header(pub(super) [u8; BLOCK]);

/// Longest name that fits into the name field.
pub(super) const NAME_LENGTH: usize = 100;
/// First number that does not fit into eight bytes of octal.
pub(super) const SHORT_LIMIT: u64 = 1 << 21;
/// First number that does not fit into twelve bytes of octal.
pub(super) const LONG_LIMIT: u64 = 1 << 33;

impl Header {
    /// A ustar header; numbers must be below their limits and names fit, else they are cut (the
    /// caller wrote PAX records for them).
    pub(super) fn new(type_flag: u8, name: &[u8]) -> Self {
        let mut header = Self([0; BLOCK]);
        header.0[field::MAGIC].copy_from_slice(b"ustar\x0000");
        header.0[field::TYPE] = type_flag;
        header.put(field::NAME, name);
        header.put_number(field::MAJOR, 0);
        header.put_number(field::MINOR, 0);
        header
    }

    fn put(&mut self, range: std::ops::Range<usize>, bytes: &[u8]) {
        let length = bytes.len().min(range.len());
        self.0[range.start..range.start + length].copy_from_slice(&bytes[..length]);
    }

    fn put_number(&mut self, range: std::ops::Range<usize>, number: u64) {
        let digits = range.len() - 1;
        let largest = (1u64 << (3 * digits)) - 1;
        let text = format!("{:0digits$o}", number.min(largest));
        self.put(range, text.as_bytes());
    }

    pub(super) fn set_owner(&mut self, mode: u32, uid: u64, gid: u64) {
        self.put_number(field::MODE, mode.into());
        self.put_number(field::UID, uid);
        self.put_number(field::GID, gid);
    }

    pub(super) fn set_size(&mut self, size: u64) {
        self.put_number(field::SIZE, size);
    }

    pub(super) fn set_modified(&mut self, seconds: u64) {
        self.put_number(field::MTIME, seconds);
    }

    pub(super) fn set_link(&mut self, target: &[u8]) {
        self.put(field::LINK, target);
    }

    pub(super) fn set_device(&mut self, major: u32, minor: u32) {
        self.put_number(field::MAJOR, major.into());
        self.put_number(field::MINOR, minor.into());
    }

    /// The finished block.
    pub(super) fn finish(mut self) -> [u8; BLOCK] {
        let sum = self.checksums().0;
        self.put(field::CHECKSUM, format!("{sum:06o}\0 ").as_bytes());
        self.0
    }

    /// Sum of the bytes as unsigned and, as some old writers did, as signed numbers.
    fn checksums(&self) -> (u64, i64) {
        let byte = |(at, byte): (usize, &u8)| match field::CHECKSUM.contains(&at) {
            true => b' ',
            false => *byte,
        };
        let bytes = || self.0.iter().enumerate().map(byte);
        (
            bytes().map(u64::from).sum(),
            bytes().map(|byte| i64::from(byte.cast_signed())).sum(),
        )
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    pub(super) fn checksum_is_right(&self) -> bool {
        let (unsigned, signed) = self.checksums();
        number(&self.0[field::CHECKSUM])
            .is_some_and(|found| u64::try_from(found) == Ok(unsigned) || found == signed)
    }

    pub(super) fn type_flag(&self) -> u8 {
        self.0[field::TYPE]
    }

    /// POSIX or GNU rather than the seventh edition's.
    fn magic(&self) -> &[u8] {
        &self.0[field::MAGIC]
    }

    /// The name, with the prefix where there is one.
    pub(super) fn path(&self) -> Vec<u8> {
        let name = text(&self.0[field::NAME]);
        let prefix = text(&self.0[field::PREFIX]);
        // GNU's magic is "ustar  \0" and keeps other things in the place of the prefix.
        match self.magic().starts_with(b"ustar\0") && !prefix.is_empty() {
            true => [prefix, b"/", name].concat(),
            false => name.to_vec(),
        }
    }

    pub(super) fn link(&self) -> Vec<u8> {
        text(&self.0[field::LINK]).to_vec()
    }

    pub(super) fn mode(&self) -> Option<i64> {
        number(&self.0[field::MODE])
    }

    pub(super) fn uid(&self) -> Option<i64> {
        number(&self.0[field::UID])
    }

    pub(super) fn gid(&self) -> Option<i64> {
        number(&self.0[field::GID])
    }

    pub(super) fn size(&self) -> Option<i64> {
        number(&self.0[field::SIZE])
    }

    pub(super) fn modified(&self) -> Option<i64> {
        number(&self.0[field::MTIME])
    }

    pub(super) fn device(&self) -> Option<(i64, i64)> {
        match self.magic().starts_with(b"ustar") {
            true => Some((
                number(&self.0[field::MAJOR])?,
                number(&self.0[field::MINOR])?,
            )),
            false => Some((0, 0)),
        }
    }
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal text, padded with spaces or NULs, or base 256 with the first bit set. Empty is 0.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => binary(field),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<i64> {
    let digits = text(field).trim_ascii();
    digits.iter().try_fold(0i64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

fn binary(field: &[u8]) -> Option<i64> {
    let negative = field[0] & 0x40 != 0;
    let start = match negative {
        true => -1i64,
        false => 0,
    };
    let first = match negative {
        true => field[0] | 0x80,
        false => field[0] & 0x7f,
    };
    let rest = field[1..].iter().copied();
    std::iter::once(first)
        .chain(rest)
        .try_fold(start, |number, byte| {
            let shifted = number.checked_mul(256)?;
            // The sign's own bits shift out; two's complement goes on byte by byte.
            Some(shifted | i64::from(byte))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_kinds() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"  644 \0\0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0\0\0\0\0"), Some(0));
        assert_eq!(number(b"9999999\0"), None);
        assert_eq!(number(b"-1      "), None);
        assert_eq!(number(b"\x80\0\0\0\x01\0\0\0"), Some(1 << 24));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff"), Some(-1));
        assert_eq!(
            number(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"),
            Some(0x7fff_ffff_ffff_ffff)
        );
        assert_eq!(
            number(b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            None
        );
    }

    #[test]
    fn a_header_reads_back() {
        let mut header = Header::new(b'0', b"a/b");
        header.set_owner(0o4755, 7, 8);
        header.set_size(12345);
        header.set_modified(99);
        header.set_device(3, 4);
        let header = Header(header.finish());
        assert!(header.checksum_is_right());
        assert_eq!(header.path(), b"a/b");
        assert_eq!(
            (header.mode(), header.uid(), header.gid()),
            (Some(0o4755), Some(7), Some(8))
        );
        assert_eq!((header.size(), header.modified()), (Some(12345), Some(99)));
        assert_eq!(header.device(), Some((3, 4)));
        let mut damaged = header.clone();
        damaged.0[5] = b'x';
        assert!(!damaged.checksum_is_right());
    }
}
