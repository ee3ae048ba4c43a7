//! Bytes that come from the blocking pool, chunk by chunk, with back pressure.

use std::io;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use crate::Error;

const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 4;

/// Chunks of a tar archive or file that is being written on the blocking pool. Dropping it stops
/// the writer at its next chunk.
#[derive(Debug)]
pub struct ByteStream(mpsc::Receiver<Result<Vec<u8>, Error>>);

impl ByteStream {
    /// The next chunk, or `None` at the end. After an error nothing more comes.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Error>> {
        self.0.recv().await
    }

    /// The same for a `Stream` implementation at the edge.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, Error>>> {
        self.0.poll_recv(cx)
    }

    /// Runs `produce` on the blocking pool; what it writes comes out of the stream.
    pub(crate) fn spawn<F>(produce: F) -> Self
    where
        F: FnOnce(&mut (dyn io::Write + Send)) -> Result<(), Error> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        tokio::task::spawn_blocking(move || {
            let mut writer = ChunkWriter {
                sender,
                chunk: Vec::with_capacity(CHUNK),
            };
            let result = produce(&mut writer);
            let last = std::mem::take(&mut writer.chunk);
            // Nobody listens any more: there is nobody to tell either.
            let _ = match result {
                Ok(()) if last.is_empty() => Ok(()),
                Ok(()) => writer.sender.blocking_send(Ok(last)),
                Err(error) => writer.sender.blocking_send(Err(error)),
            };
        });
        Self(receiver)
    }
}

struct ChunkWriter {
    sender: mpsc::Sender<Result<Vec<u8>, Error>>,
    chunk: Vec<u8>,
}

impl io::Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            let full = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
            self.sender
                .blocking_send(Ok(full))
                .map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
