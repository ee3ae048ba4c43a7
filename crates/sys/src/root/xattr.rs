//! Extended attributes of a name in an open folder. The calls take paths only, so the folder goes
//! in as `/proc/self/fd/<n>/`, which the kernel resolves to the open folder itself.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::buffer::spare_capacity;
use rustix::fs::XattrFlags;
use rustix::io::Errno;

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
    match fitting(read) {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn read_all(path: &OsStr) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let list = |buffer: &mut Vec<u8>| rustix::fs::llistxattr(path, spare_capacity(buffer));
    let names = match fitting(list) {
        Ok(names) => names,
        Err(Errno::NOTSUP) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for key in names.split(|byte| *byte == 0).filter(|key| !key.is_empty()) {
        if let Some(value) = read(path, OsStr::from_bytes(key))? {
            all.push((key.to_vec(), value));
        }
    }
    all.sort();
    Ok(all)
}

pub(super) fn write(path: &OsStr, key: &OsStr, value: &[u8]) -> io::Result<()> {
    let key = OsString::from_vec(key.as_bytes().to_vec());
    Ok(rustix::fs::lsetxattr(
        path,
        key,
        value,
        XattrFlags::empty(),
    )?)
}
