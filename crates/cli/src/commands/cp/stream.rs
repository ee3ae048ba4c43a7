//! Between blocking tar code and asynchronous requests.

use std::io::{self, Read};
use std::path::PathBuf;

use api::client::Body;
use bytes::Bytes;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Chunks on their way to a reader.
const QUEUE: usize = 8;

/// The reading end of [`channel`].
pub(super) struct Chunks {
    queue: mpsc::Receiver<Bytes>,
    current: Bytes,
}

/// A reader for a blocking thread, fed with chunks.
pub(super) fn channel() -> (mpsc::Sender<Bytes>, Chunks) {
    let (send, queue) = mpsc::channel(QUEUE);
    (
        send,
        Chunks {
            queue,
            current: Bytes::new(),
        },
    )
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.queue.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}

/// The archive of a path of this machine, packed while it is sent. The task's answer is how many
/// bytes of files are in it.
pub(super) fn packed(
    path: PathBuf,
    root: String,
) -> anyhow::Result<(Body, JoinHandle<anyhow::Result<u64>>)> {
    let (reader, writer) = io::pipe()?;
    let reader = pipe::Receiver::from_owned_fd(reader.into())?;
    let pack = tokio::task::spawn_blocking(move || super::local::pack(&path, &root, writer));
    Ok((Body::reader(reader), pack))
}
