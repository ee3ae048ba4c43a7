//! A byte stream that one thread makes while another takes it.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::TarError;

/// Bytes that travel at a time.
pub(super) const CHUNK: usize = 256 * 1024;
/// Chunks that may wait.
const AHEAD: usize = 8;

/// Both ends of a stream.
pub(super) fn chunks() -> (ChunkWriter, ChunkReader) {
    let (sender, receiver) = sync_channel(AHEAD);
    let writer = ChunkWriter {
        sender,
        chunk: Vec::with_capacity(CHUNK),
    };
    let reader = ChunkReader {
        receiver,
        current: io::Cursor::default(),
    };
    (writer, reader)
}

/// The sending end. What is written must be flushed at the end.
pub(super) struct ChunkWriter {
    sender: SyncSender<Result<Vec<u8>, TarError>>,
    chunk: Vec<u8>,
}

impl ChunkWriter {
    /// Ends the stream with an error.
    pub(super) fn fail(self, error: TarError) {
        // Nobody is left to hear it: then nobody needs it.
        drop(self.sender.send(Err(error)));
    }

    /// One more handle, to report the failure of a job that took this one.
    pub(super) fn another(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            chunk: Vec::new(),
        }
    }

    /// Sends a chunk as it is.
    pub(super) fn send(&self, chunk: Vec<u8>) -> io::Result<()> {
        match self.sender.send(Ok(chunk)) {
            Ok(()) => Ok(()),
            Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.send(chunk)
    }
}

/// The receiving end. Dropping it makes the sender fail.
pub(crate) struct ChunkReader {
    receiver: Receiver<Result<Vec<u8>, TarError>>,
    current: io::Cursor<Vec<u8>>,
}

impl ChunkReader {
    /// The next bytes; `None` at the end.
    pub(crate) fn chunk(&mut self) -> Result<Option<Vec<u8>>, TarError> {
        self.receiver.recv().ok().transpose()
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.chunk() {
                Ok(Some(chunk)) => self.current = io::Cursor::new(chunk),
                Ok(None) => return Ok(0),
                Err(TarError::Read(error)) => return Err(error),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}
