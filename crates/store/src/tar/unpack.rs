//! Stream → folder. A thread decompresses and hashes while this one makes the files.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use oci::{DiffId, Hasher};
use sys::root::RootDir;

use super::chunks::{CHUNK, ChunkReader, ChunkWriter, chunks};
use super::compression::Decoder;
use super::error::display_path;
use super::place::{Place, Rules};
use super::{Limits, Reader, TarError};

/// How to unpack a tar into a folder.
#[derive(Debug, Clone, Default)]
pub struct UntarOptions {
    /// Give everything to this user and group.
    pub owner: Option<(u32, u32)>,
    /// Permission bits for everything.
    pub mode: Option<u32>,
    /// Modification times later than this are set to it.
    pub clamp: Option<SystemTime>,
    /// Refuse to put a file where a folder is or the other way round (`docker cp`).
    pub keep_kind: bool,
    /// Make devices. Without it an entry that is one is an error.
    pub devices: bool,
}

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Untarred {
    /// Entries.
    pub entries: u64,
    /// Bytes of file content.
    pub bytes: u64,
}

/// Unpacks `tar` (plain or compressed, by its first bytes) into the folder `into` beneath `root`,
/// which is made if it is missing. Symbolic links are followed as in a chroot, nothing leads out.
pub fn untar(
    tar: &mut (dyn Read + Send),
    root: &RootDir,
    into: &Path,
    options: &UntarOptions,
) -> Result<Untarred, TarError> {
    let place = Place::new(root, into, Rules::Tree(options))?;
    unpack(tar, place).map(|unpacked| unpacked.done)
}

/// What the stream of a layer was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpacked {
    /// Of the decompressed bytes.
    pub(crate) diff_id: DiffId,
    /// Their number.
    pub(crate) size: u64,
    pub(crate) done: Untarred,
}

/// Unpacks a layer into the empty folder `root`, in overlay's format. Folders that the stream has
/// no entry for are made like those in `lower` (top first).
pub(crate) fn unpack_layer(
    tar: &mut (dyn Read + Send),
    root: &RootDir,
    lower: &[PathBuf],
) -> Result<Unpacked, TarError> {
    let place = Place::new(root, Path::new("/"), Rules::Layer { lower })?;
    unpack(tar, place)
}

fn unpack(tar: &mut (dyn Read + Send), mut place: Place<'_>) -> Result<Unpacked, TarError> {
    std::thread::scope(|scope| {
        let (writer, reader) = chunks();
        let pump = scope.spawn(move || pump(tar, writer));
        let unpacked = entries(reader, &mut place);
        // The reader is gone by now: after a failure the other thread ends at its next chunk.
        let hashed = pump
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let done = unpacked?;
        let (diff_id, size) = hashed?;
        Ok(Unpacked {
            diff_id,
            size,
            done,
        })
    })
}

fn entries(reader: ChunkReader, place: &mut Place<'_>) -> Result<Untarred, TarError> {
    let mut tar = Reader::new(reader, Limits::default());
    let mut done = Untarred::default();
    while let Some(entry) = tar.next()? {
        done.entries += 1;
        done.bytes += entry.size;
        place.put(&entry, &mut tar)?;
    }
    place.finish()?;
    // What is behind the end belongs to the digest.
    tar.drain()?;
    Ok(done)
}

/// Decompresses, hashes and passes on. An error goes the same way as the bytes; what is returned
/// for it then is only a stand-in.
fn pump(tar: &mut (dyn Read + Send), out: ChunkWriter) -> Result<(DiffId, u64), TarError> {
    let mut hasher = Hasher::new();
    match pump_all(tar, &out, &mut hasher) {
        Ok(()) => {
            let size = hasher.length();
            Ok((DiffId(hasher.finish()), size))
        }
        Err(error) => {
            out.fail(error);
            Err(TarError::Truncated("the stream".to_owned()))
        }
    }
}

fn pump_all(
    tar: &mut (dyn Read + Send),
    out: &ChunkWriter,
    hasher: &mut Hasher,
) -> Result<(), TarError> {
    let mut decoder = Decoder::new(tar).map_err(TarError::Read)?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut limited = decoder.by_ref().take(CHUNK as u64);
        if limited.read_to_end(&mut chunk).map_err(TarError::Read)? == 0 {
            return Ok(());
        }
        hasher.update(&chunk);
        out.send(chunk).map_err(TarError::Write)?;
    }
}

/// A name as a path beneath the folder that is unpacked into: no dots, no slash in front. Fails
/// for one that leads out. The top itself is the empty path.
pub(crate) fn clean(name: &[u8]) -> Result<Vec<u8>, TarError> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(
                parts
                    .pop()
                    .ok_or_else(|| TarError::Outside(display_path(name)))?,
            ),
            part if part.contains(&0) => return Err(TarError::Name(display_path(name))),
            part => parts.push(part),
        }
    }
    Ok(parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_or_refused() {
        for (name, cleaned) in [
            ("a/b", "a/b"),
            ("/a//b/", "a/b"),
            ("./a/./b", "a/b"),
            ("a/../b", "b"),
            ("a/..", ""),
            (".", ""),
            ("/", ""),
            ("...", "..."),
        ] {
            assert_eq!(
                clean(name.as_bytes()).unwrap(),
                cleaned.as_bytes(),
                "{name}"
            );
        }
        for name in ["..", "../a", "a/../../b", "/..", "a/../../../../etc/passwd"] {
            assert!(
                matches!(clean(name.as_bytes()), Err(TarError::Outside(_))),
                "{name}"
            );
        }
    }
}
