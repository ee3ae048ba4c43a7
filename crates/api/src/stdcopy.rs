//! Framing of output and errors on one stream: a head of eight bytes, `[stream, 0, 0, 0, length]`
//! with the length in network order, then that many bytes.

/// How long the head of a frame is.
pub const HEAD: usize = 8;

/// The longest frame that a reader accepts. Writers here stay far below; the limit keeps a broken
/// peer from making a client reserve gigabytes.
pub const MAX_FRAME: usize = 16 << 20;

/// Content type of a framed stream.
pub const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

/// Content type of a stream without frames.
pub const RAW: &str = "application/vnd.docker.raw-stream";

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input, shown on standard output.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// An error of the engine; it ends the stream.
    System,
}

impl Stream {
    fn number(self) -> u8 {
        match self {
            Self::Stdin => 0,
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::System => 3,
        }
    }

    fn of(number: u8) -> Result<Self, FrameError> {
        match number {
            0 => Ok(Self::Stdin),
            1 => Ok(Self::Stdout),
            2 => Ok(Self::Stderr),
            3 => Ok(Self::System),
            _ => Err(FrameError::Stream(number)),
        }
    }
}

/// Why bytes are no frames.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The first byte of a head.
    #[error("unrecognized stream: {0}")]
    Stream(u8),
    /// The length in a head.
    #[error("a frame of {0} bytes: at most {MAX_FRAME} are allowed")]
    Length(usize),
}

/// The head of a frame with `length` bytes. A longer length than fits is cut: callers write
/// chunks.
pub fn head(stream: Stream, length: usize) -> [u8; HEAD] {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let [a, b, c, d] = length;
    [stream.number(), 0, 0, 0, a, b, c, d]
}

/// Puts a frame behind `to`.
pub fn write(stream: Stream, bytes: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(&head(stream, bytes.len()));
    to.extend_from_slice(bytes);
}

/// Takes frames apart, wherever the pieces were cut.
#[derive(Debug, Default)]
pub struct Decoder {
    head: Vec<u8>,
    frame: Option<(Stream, usize)>,
}

impl Decoder {
    /// Calls `sink` with the content of `bytes`, in as many pieces as there are.
    pub fn feed<E: From<FrameError>>(
        &mut self,
        mut bytes: &[u8],
        mut sink: impl FnMut(Stream, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            match self.frame {
                None => bytes = self.feed_head(bytes)?,
                Some((stream, left)) => {
                    let (content, rest) = bytes.split_at(left.min(bytes.len()));
                    let left = left - content.len();
                    self.frame = (left > 0).then_some((stream, left));
                    bytes = rest;
                    sink(stream, content)?;
                }
            }
        }
        Ok(())
    }

    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], FrameError> {
        let missing = HEAD - self.head.len();
        let (part, rest) = bytes.split_at(missing.min(bytes.len()));
        self.head.extend_from_slice(part);
        if let [stream, _, _, _, a, b, c, d] = self.head[..] {
            let length = u32::from_be_bytes([a, b, c, d]);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > MAX_FRAME {
                return Err(FrameError::Length(length));
            }
            let stream = Stream::of(stream)?;
            self.frame = (length > 0).then_some((stream, length));
            self.head.clear();
        }
        Ok(rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, Vec<u8>), FrameError> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut decoder = Decoder::default();
        for piece in pieces {
            decoder.feed(piece, |stream, bytes| {
                match stream {
                    Stream::Stderr => err.extend_from_slice(bytes),
                    _ => out.extend_from_slice(bytes),
                }
                Ok::<_, FrameError>(())
            })?;
        }
        Ok((out, err))
    }

    #[test]
    fn heads() {
        assert_eq!(head(Stream::Stderr, 258), [2, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(
            decode(&[&[4, 0, 0, 0, 0, 0, 0, 1]]),
            Err(FrameError::Stream(4))
        );
        assert!(decode(&[&[1, 0, 0, 0, 255, 255, 255, 255]]).is_err());
    }

    proptest! {
        #[test]
        fn frames_survive_any_cut(
            frames in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            cut in 1_usize..30,
        ) {
            let (mut wire, mut out, mut err) = (Vec::new(), Vec::new(), Vec::new());
            for (is_error, bytes) in &frames {
                let (stream, to) = match is_error {
                    true => (Stream::Stderr, &mut err),
                    false => (Stream::Stdout, &mut out),
                };
                write(stream, bytes, &mut wire);
                to.extend_from_slice(bytes);
            }
            let pieces: Vec<&[u8]> = wire.chunks(cut).collect();
            prop_assert_eq!(decode(&pieces), Ok((out, err)));
        }
    }
}
