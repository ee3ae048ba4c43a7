//! Copying the content of files inside the kernel.

use std::io;
use std::os::fd::AsFd;

/// Copies all of `from` to the empty file `to`: by sharing blocks where the file system can, else
/// inside the kernel, else by hand. Holes stay holes. Returns the length in bytes.
pub fn copy_file(from: impl AsFd, to: impl AsFd) -> io::Result<u64> {
    let _ = (from, to);
    todo!()
}
