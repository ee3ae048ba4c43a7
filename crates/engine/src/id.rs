//! Identifiers of containers and execs: 32 random bytes, printed as 64 hexadecimal digits.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::IoContext as _;

/// How many digits the short form has.
const SHORT: usize = 12;

/// The full identifier of a container or an exec.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// A new identifier from the kernel's random source. Never all decimal digits in its short
    /// form: tools would take such a host name for a number.
    pub fn random() -> Result<Self, Error> {
        loop {
            let mut bytes = [0_u8; 32];
            rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
                .at("reading", "/dev/urandom")?;
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            if text[..SHORT]
                .bytes()
                .any(|digit| digit.is_ascii_alphabetic())
            {
                return Ok(Self(text));
            }
        }
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits.
    pub fn short(&self) -> &str {
        self.0.get(..SHORT).unwrap_or(&self.0)
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
