//! Tar streams written by hand, so that they can lie.

use tar::{EntryType, Header};

/// A stream that is put together block by block.
#[derive(Default, Clone)]
pub(crate) struct Raw(Vec<u8>);

impl Raw {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name, EntryType::Regular, "", content.len() as u64)
            .content(content)
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        self.entry(name, EntryType::Directory, "", 0)
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(name, EntryType::Symlink, target, 0)
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(name, EntryType::Link, target, 0)
    }

    pub(crate) fn device(mut self, name: &str, major: u32, minor: u32) -> Self {
        let mut header = header(name, EntryType::Char, "", 0);
        header.set_device_major(major).unwrap();
        header.set_device_minor(minor).unwrap();
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self
    }

    /// A PAX header for the entry that follows.
    pub(crate) fn pax(self, key: &str, value: &str) -> Self {
        let rest = format!(" {key}={value}\n");
        let mut length = rest.len() + 1;
        while length != rest.len() + length.to_string().len() {
            length = rest.len() + length.to_string().len();
        }
        let record = format!("{length}{rest}");
        self.entry("pax", EntryType::XHeader, "", record.len() as u64)
            .content(record.as_bytes())
    }

    /// A header alone, with any claim about the size of what follows.
    pub(crate) fn entry(mut self, name: &str, kind: EntryType, link: &str, size: u64) -> Self {
        let mut header = header(name, kind, link, size);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self
    }

    pub(crate) fn content(mut self, content: &[u8]) -> Self {
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }

    /// The stream cut off here.
    pub(crate) fn cut(self) -> Vec<u8> {
        self.0
    }
}

fn header(name: &str, kind: EntryType, link: &str, size: u64) -> Header {
    let mut header = Header::new_ustar();
    // Past the crate's own checks.
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    header
}
