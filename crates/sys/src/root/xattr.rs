//! Extended attributes of a name in an open folder. The calls take paths only, so the folder goes
//! in as `/proc/self/fd/<n>/`, which the kernel resolves to the open folder itself.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use rustix::buffer::spare_capacity;
use rustix::fs::XattrFlags;
use rustix::io::Errno;

/// Attributes by name.
pub type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// Sets an extended attribute of an open file.
pub fn set_file_xattr(file: impl AsFd, key: &OsStr, value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(
        file,
        key,
        value,
        XattrFlags::empty(),
    )?)
}

pub(super) fn fd_path(fd: impl AsFd) -> OsString {
    OsString::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

pub(super) fn path_in(dir: impl AsFd, name: &OsStr) -> OsString {
    let mut path = fd_path(dir);
    path.push("/");
    path.push(name);
    path
}

/// Calls `read` with a growing buffer until the answer fits.
fn fitting(mut read: impl FnMut(&mut Vec<u8>) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = Vec::with_capacity(256);
    loop {
        match read(&mut buffer) {
            Err(Errno::RANGE) if buffer.capacity() < 1 << 17 => {
                buffer = Vec::with_capacity(buffer.capacity() * 8);
            }
            done => return done.map(|_| buffer),
        }
    }
}

pub(super) fn read(path: &OsStr, key: &OsStr) -> io::Result<Option<Vec<u8>>> {
    let read = |buffer: &mut Vec<u8>| rustix::fs::lgetxattr(path, key, spare_capacity(buffer));
    present(fitting(read))
}

pub(super) fn read_all(path: &OsStr) -> io::Result<Xattrs> {
    let list = |buffer: &mut Vec<u8>| rustix::fs::llistxattr(path, spare_capacity(buffer));
    collect(fitting(list), |key| read(path, key))
}

/// All extended attributes of an open file, sorted by name.
pub fn file_xattrs(file: impl AsFd) -> io::Result<Xattrs> {
    let list = |buffer: &mut Vec<u8>| rustix::fs::flistxattr(&file, spare_capacity(buffer));
    collect(fitting(list), |key| {
        let read = |buffer: &mut Vec<u8>| rustix::fs::fgetxattr(&file, key, spare_capacity(buffer));
        present(fitting(read))
    })
}

fn collect(
    names: Result<Vec<u8>, Errno>,
    mut read: impl FnMut(&OsStr) -> io::Result<Option<Vec<u8>>>,
) -> io::Result<Xattrs> {
    let names = present(names)?.unwrap_or_default();
    let mut all = Vec::new();
    for key in names.split(|byte| *byte == 0).filter(|key| !key.is_empty()) {
        if let Some(value) = read(OsStr::from_bytes(key))? {
            all.push((key.to_vec(), value));
        }
    }
    all.sort();
    Ok(all)
}

fn present(value: Result<Vec<u8>, Errno>) -> io::Result<Option<Vec<u8>>> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn write(path: &OsStr, key: &OsStr, value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::lsetxattr(
        path,
        key,
        value,
        XattrFlags::empty(),
    )?)
}
