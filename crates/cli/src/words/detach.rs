//! The keys that leave an attached container running: `ctrl-p,ctrl-q`.

/// A key sequence, and how much of it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    sequence: Vec<u8>,
    typed: usize,
}

/// What goes on to the container.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Input before the sequence.
    pub(crate) bytes: Vec<u8>,
    /// The sequence was typed to its end.
    pub(crate) detached: bool,
}

impl Keys {
    /// Docker's default.
    pub(crate) const DEFAULT: &'static str = "ctrl-p,ctrl-q";

    /// Reads a sequence: characters, or `ctrl-` with a letter or one of `@[\]^_`.
    pub(crate) fn parse(keys: &str) -> Result<Self, String> {
        let sequence = keys.split(',').map(code).collect::<Result<_, _>>()?;
        Ok(Self { sequence, typed: 0 })
    }

    /// Takes input. A begun sequence is held back and follows when it is not completed.
    pub(crate) fn pass(&mut self, input: &[u8]) -> Passed {
        let mut bytes = Vec::with_capacity(input.len());
        for &byte in input {
            if self.sequence.get(self.typed) != Some(&byte) {
                bytes.extend_from_slice(&self.sequence[..self.typed]);
                self.typed = 0;
            }
            if self.sequence.get(self.typed) == Some(&byte) {
                self.typed += 1;
                if self.typed == self.sequence.len() {
                    return Passed {
                        bytes,
                        detached: true,
                    };
                }
            } else {
                bytes.push(byte);
            }
        }
        Passed {
            bytes,
            detached: false,
        }
    }
}

/// Checks a `--detach-keys` value.
pub(crate) fn check(keys: &str) -> Result<String, String> {
    Keys::parse(keys).map(|_| keys.to_owned())
}

fn code(key: &str) -> Result<u8, String> {
    if let [byte] = key.as_bytes() {
        return Ok(*byte);
    }
    let control = key.to_ascii_lowercase();
    match control.strip_prefix("ctrl-").map(str::as_bytes) {
        Some([byte @ b'a'..=b'z']) => Ok(byte - b'a' + 1),
        Some([byte @ (b'@' | b'[' | b'\\' | b']' | b'^' | b'_')]) => Ok(byte - b'@'),
        _ => Err(format!("unknown character: '{key}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences() {
        for good in ["ctrl-p,ctrl-q", "a", "ctrl-@,x", "CTRL-A"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "ctrl-", "ctrl-1", "ab", "a,,b"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_begun_sequence_is_held_back() {
        let mut keys = Keys::parse(Keys::DEFAULT).unwrap();
        let mut pass = |input: &[u8]| {
            let passed = keys.pass(input);
            (String::from_utf8(passed.bytes).unwrap(), passed.detached)
        };
        assert_eq!(pass(b"a\x10"), ("a".to_owned(), false));
        assert_eq!(pass(b"b"), ("\x10b".to_owned(), false));
        assert_eq!(pass(b"\x10\x10"), ("\x10".to_owned(), false));
        assert_eq!(pass(b"\x11x"), (String::new(), true));
    }
}
