//! Seccomp profiles, compiled by us.

/// A compiled filter: the BPF program and the flags it is loaded with. Opaque bytes that may be
/// cached for as long as the profile, the context and this program's version are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    bytes: Vec<u8>,
}

impl Filter {
    /// Bytes for a cache.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A filter from a cache; `None` if the bytes are none of ours.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            bytes: bytes.to_vec(),
        })
    }
}
