//! Bytes between the standard streams and a container.
//!
//! Threads of the standard library copy: one from standard input to the container, one from the
//! container to standard output and error. So a slow reader of one never stops the other, and the
//! runtime's thread stays free for signals.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use api::client::Upgraded;
use api::stdcopy::{Decoder, Stream};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::words::detach::Keys;

const BUFFER: usize = 64 * 1024;

/// How an attachment is copied.
pub(crate) struct Copying {
    /// Send standard input.
    pub(crate) stdin: bool,
    /// The container has a terminal: its output is one stream without frames.
    pub(crate) tty: bool,
    /// Keys that leave the container, where they are looked for.
    pub(crate) keys: Option<Keys>,
    /// Write the container's standard output.
    pub(crate) stdout: bool,
    /// Write the container's standard error.
    pub(crate) stderr: bool,
}

/// How an attachment ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The other side closed the stream.
    Closed,
    /// The user typed the detach keys.
    Detached,
}

/// Copies until the container's side closes or the user leaves.
pub(crate) async fn copy(upgraded: Upgraded, copying: Copying) -> anyhow::Result<End> {
    let socket = upgraded.stream.into_std()?;
    socket.set_nonblocking(false)?;
    let (detached, is_detached) = oneshot::channel();
    if copying.stdin {
        let socket = socket.try_clone()?;
        let keys = copying.keys;
        std::thread::spawn(move || {
            if send_input(&socket, keys).unwrap_or(false) {
                // The receiver is gone when the container ended first.
                let _ = detached.send(());
            }
        });
    }
    let (over, is_over) = oneshot::channel();
    let outputs = Outputs {
        tty: copying.tty,
        stdout: copying.stdout,
        stderr: copying.stderr,
    };
    let first = upgraded.read_ahead;
    std::thread::spawn(move || drop(over.send(receive_output(&first, &socket, &outputs))));
    tokio::select! {
        biased;
        outcome = is_over => outcome?.map(|()| End::Closed),
        Ok(()) = is_detached => Ok(End::Detached),
    }
}

/// Copies standard input until its end, and tells the container of the end. The answer is whether
/// the detach keys ended it.
fn send_input(mut socket: &UnixStream, mut keys: Option<Keys>) -> io::Result<bool> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = match io::stdin().lock().read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(keys) = &mut keys else {
            socket.write_all(&buffer[..length])?;
            continue;
        };
        let passed = keys.pass(&buffer[..length]);
        socket.write_all(&passed.bytes)?;
        if passed.detached {
            return Ok(true);
        }
    }
    socket.shutdown(Shutdown::Write)?;
    Ok(false)
}

#[derive(Clone, Copy)]
struct Outputs {
    tty: bool,
    stdout: bool,
    stderr: bool,
}

fn receive_output(first: &[u8], mut socket: &UnixStream, outputs: &Outputs) -> anyhow::Result<()> {
    let mut sink = Sink::new(*outputs);
    sink.take(first)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => sink.take(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The engine's side is gone without a goodbye; the exit code tells the rest.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Where the container's output goes.
pub(crate) struct Sink {
    outputs: Outputs,
    decoder: Decoder,
}

impl Sink {
    fn new(outputs: Outputs) -> Self {
        Self {
            outputs,
            decoder: Decoder::default(),
        }
    }

    /// A sink for both streams: raw for a terminal, framed otherwise.
    pub(crate) fn both(tty: bool) -> Self {
        Self::new(Outputs {
            tty,
            stdout: true,
            stderr: true,
        })
    }

    /// Writes what came.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let outputs = self.outputs;
        if outputs.tty {
            return write(io::stdout().lock(), bytes);
        }
        self.decoder.feed(bytes, |stream, bytes| match stream {
            Stream::Stdin | Stream::Stdout if outputs.stdout => write(io::stdout().lock(), bytes),
            Stream::Stderr if outputs.stderr => write(io::stderr().lock(), bytes),
            Stream::System => {
                let text = String::from_utf8_lossy(bytes);
                Err(anyhow::anyhow!(
                    "error from daemon in stream: {}",
                    text.trim_end()
                ))
            }
            _ => Ok(()),
        })
    }
}

fn write(mut to: impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        // Nobody reads any more. The container goes on, and this command ends as SIGPIPE ends one.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::silent(141)),
        outcome => Ok(outcome?),
    }
}
