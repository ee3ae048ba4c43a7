//! Copying the content of files inside the kernel.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::SeekFrom as Position;
use rustix::io::Errno;

/// Copies all of `from` to the empty file `to`: by sharing blocks where the file system can, else
/// inside the kernel, else by hand. Holes stay holes. Returns the length in bytes.
pub fn copy_file(from: impl AsFd, to: impl AsFd) -> io::Result<u64> {
    let (from, to) = (from.as_fd(), to.as_fd());
    let stat = rustix::fs::fstat(from)?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    if size == 0 {
        return Ok(0);
    }
    // Small files are not worth a call that most file systems refuse.
    const WORTH_SHARING: u64 = 64 * 1024;
    if size >= WORTH_SHARING && rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(size);
    }
    let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
    match blocks * 512 < size {
        true => copy_data(from, to, size),
        false => {
            copy_range(from, to, 0, size)?;
            Ok(size)
        }
    }
}

/// Copies what is between the holes.
fn copy_data(from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> io::Result<u64> {
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(from, Position::Data(at)) {
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => break,
            // A file system that does not know holes.
            Err(Errno::INVAL) => at,
            found => found?,
        };
        let end = match rustix::fs::seek(from, Position::Hole(start)) {
            Err(Errno::INVAL) => size,
            found => found?.min(size),
        };
        copy_range(from, to, start, end)?;
        at = end.max(start + 1);
    }
    rustix::fs::ftruncate(to, size)?;
    Ok(size)
}

/// Copies the bytes from `start` to `end`, to the same place.
fn copy_range(from: BorrowedFd<'_>, to: BorrowedFd<'_>, start: u64, end: u64) -> io::Result<()> {
    let (mut off_in, mut off_out) = (start, start);
    while off_in < end {
        let length = usize::try_from(end - off_in).unwrap_or(usize::MAX);
        let copied =
            rustix::fs::copy_file_range(from, Some(&mut off_in), to, Some(&mut off_out), length);
        match copied {
            // Shorter than it said: somebody cut it meanwhile.
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP | Errno::PERM) => {
                return copy_by_hand(from, to, off_in, end);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn copy_by_hand(from: BorrowedFd<'_>, to: BorrowedFd<'_>, start: u64, end: u64) -> io::Result<()> {
    let mut from = std::fs::File::from(from.try_clone_to_owned()?);
    let mut to = std::fs::File::from(to.try_clone_to_owned()?);
    from.seek(SeekFrom::Start(start))?;
    to.seek(SeekFrom::Start(start))?;
    io::copy(&mut from.take(end - start), &mut to)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::MetadataExt;

    #[test]
    fn content_and_holes_arrive() {
        let mut from = tempfile::tempfile().unwrap();
        let to = tempfile::tempfile().unwrap();
        from.write_all(b"start").unwrap();
        from.seek(SeekFrom::Start(10 << 20)).unwrap();
        from.write_all(&[7; 100_000]).unwrap();
        from.set_len(30 << 20).unwrap();
        assert_eq!(copy_file(&from, &to).unwrap(), 30 << 20);
        assert!(to.metadata().unwrap().blocks() * 512 < 2 << 20);
        let read = |mut file: &std::fs::File| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert!(read(&from) == read(&to));
    }

    #[test]
    fn files_of_the_proc_kind_give_nothing() {
        let from = std::fs::File::open("/dev/null").unwrap();
        let to = tempfile::tempfile().unwrap();
        assert_eq!(copy_file(&from, &to).unwrap(), 0);
    }
}
