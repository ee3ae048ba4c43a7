//! Attaching a client to a container's streams.

use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};

use super::{AttachOptions, Containers, Output};
use crate::blocking::blocking;
use crate::handles::{Handle, PendingAttach, Reservation};
use crate::rows::Row;
use crate::state::ContainerState;
use crate::{Error, detach};

/// Bytes in front of each piece of a stream without a terminal.
const HEAD: usize = 8;

/// An attachment that was found possible. The caller answers its client, then hands the
/// connection over.
#[derive(Debug)]
pub struct Attachment {
    /// Raw bytes of a terminal instead of frames.
    pub tty: bool,
    containers: Containers,
    row: Row,
    options: AttachOptions,
    detach_keys: Vec<u8>,
    /// Where the container did not run yet.
    place: Option<Reservation>,
}

impl Containers {
    /// Checks that one can attach.
    pub async fn attach(&self, name: &str, options: AttachOptions) -> Result<Attachment, Error> {
        let detach_keys = detach::parse(options.detach_keys.as_deref())?;
        let row = self.find(name).await?;
        match row.document.state {
            ContainerState::Paused(_) => return Err(Error::Paused(row.id().to_owned())),
            ContainerState::Removing | ContainerState::Dead => {
                return Err(Error::Removing(row.id().to_owned()));
            }
            _ => {}
        }
        let runs = row.document.state.run().is_some();
        let handle = self.0.handles.of(row.id());
        Ok(Attachment {
            place: (options.stream && !runs).then(|| handle.reserve()),
            tty: row.document.options.process.tty,
            containers: self.clone(),
            row,
            options,
            detach_keys,
        })
    }

    /// Attaches to a run that goes on.
    fn attach_now(&self, id: &str, attach: &PendingAttach) -> Result<(), Error> {
        let shim = shim::Client::connect(self.0.layout.run_dir(), id);
        let joined = shim.and_then(|mut shim| shim.attach(&attach.request, attach.stream.as_fd()));
        match joined {
            // It ended a moment ago: closing the stream tells the client.
            Err(shim::Error::Gone { .. } | shim::Error::Closed) => Ok(()),
            other => other.map_err(|source| self.shim_error(id, source)),
        }
    }
}

impl Attachment {
    /// Gives the connection away, with what the client had already sent. It belongs to the
    /// container's supervisor from then on. Before the start it is kept until the start.
    pub async fn hand_over(self, connection: OwnedFd, sent: Vec<u8>) -> Result<(), Error> {
        let mut connection = connection;
        if self.options.logs {
            connection = self.replay(connection).await?;
        }
        if !self.options.stream {
            return Ok(());
        }
        let streams = self.options.streams;
        let attach = PendingAttach {
            request: shim::Attach {
                streams: shim::Streams {
                    stdin: streams.stdin && self.row.document.options.process.open_stdin,
                    stdout: streams.stdout,
                    stderr: streams.stderr,
                },
                detach_keys: self.detach_keys,
                early_input: sent,
            },
            stream: connection,
        };
        let row = self.row;
        let late = match self.place {
            Some(place) => place.deliver(attach),
            None => Some(attach),
        };
        if let Some(attach) = late {
            let change =
                move |this: &Containers, _: &Handle, id: &str| this.attach_now(id, &attach);
            self.containers.change(&row, change).await?;
        }
        self.containers.publish(&row, "attach", &[]);
        Ok(())
    }

    /// Writes what is in the log.
    async fn replay(&self, connection: OwnedFd) -> Result<OwnedFd, Error> {
        let streams = self.options.streams;
        let options = super::LogsOptions {
            stdout: streams.stdout,
            stderr: streams.stderr,
            ..super::LogsOptions::default()
        };
        let mut lines = self.containers.logs(self.row.id(), options).await?;
        let tty = self.tty;
        let mut client = std::fs::File::from(connection);
        while let Some(line) = lines.next().await {
            let line = line?;
            client = blocking(move || {
                let bytes = if tty {
                    line.text
                } else {
                    frame(line.output, &line.text)
                };
                // A client that has gone is noticed by whoever writes next.
                let _ = client.write_all(&bytes);
                Ok(client)
            })
            .await?;
        }
        Ok(client.into())
    }
}

/// Docker's frame: stream, three zeros, length, bytes.
fn frame(output: Output, text: &[u8]) -> Vec<u8> {
    let stream = match output {
        Output::Stdout => 1,
        Output::Stderr => 2,
    };
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = Vec::with_capacity(HEAD + text.len());
    bytes.extend_from_slice(&[stream, 0, 0, 0]);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(text);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        assert_eq!(
            frame(Output::Stderr, b"ab"),
            [2, 0, 0, 0, 0, 0, 0, 2, b'a', b'b']
        );
    }
}
