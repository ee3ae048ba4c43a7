//! The key sequence by which a client leaves a terminal.

/// Looks for the sequence in what is typed, also across reads.
#[derive(Debug, Default)]
pub(crate) struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

/// What is left of the typed bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    /// Bytes for the terminal.
    pub(crate) bytes: Vec<u8>,
    /// The sequence was complete; bytes after it are lost.
    pub(crate) detach: bool,
}

impl DetachKeys {
    /// An empty sequence is never found.
    pub(crate) fn new(keys: Vec<u8>) -> Self {
        Self { keys, matched: 0 }
    }

    /// Holds back what may be the beginning of the sequence, until it is clear that it is not.
    pub(crate) fn filter(&mut self, typed: &[u8]) -> Typed {
        let mut bytes = Vec::with_capacity(typed.len() + self.matched);
        if self.keys.is_empty() {
            bytes.extend_from_slice(typed);
            return Typed {
                bytes,
                detach: false,
            };
        }
        for &byte in typed {
            if byte != self.keys[self.matched] {
                bytes.extend_from_slice(&self.keys[..self.matched]);
                self.matched = 0;
            }
            if byte == self.keys[self.matched] {
                self.matched += 1;
            } else {
                bytes.push(byte);
            }
            if self.matched == self.keys.len() {
                self.matched = 0;
                return Typed {
                    bytes,
                    detach: true,
                };
            }
        }
        Typed {
            bytes,
            detach: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_within_and_across_reads() {
        let mut keys = DetachKeys::new(vec![16, 17]);
        assert_eq!(
            keys.filter(b"ab\x10"),
            Typed {
                bytes: b"ab".to_vec(),
                detach: false
            }
        );
        assert_eq!(
            keys.filter(b"\x11x"),
            Typed {
                bytes: vec![],
                detach: true
            }
        );
        assert_eq!(
            keys.filter(b"a\x10\x11"),
            Typed {
                bytes: b"a".to_vec(),
                detach: true
            }
        );
    }

    #[test]
    fn a_false_beginning_is_given_back() {
        let mut keys = DetachKeys::new(vec![16, 17]);
        assert_eq!(keys.filter(b"\x10").bytes, b"");
        assert_eq!(keys.filter(b"a").bytes, b"\x10a");
        assert_eq!(
            keys.filter(b"\x10\x10"),
            Typed {
                bytes: b"\x10".to_vec(),
                detach: false
            }
        );
        assert!(keys.filter(b"\x11").detach);
        assert_eq!(DetachKeys::default().filter(b"\x10\x11").bytes, b"\x10\x11");
    }
}
