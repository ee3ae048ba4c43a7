//! The compiled form.

use std::io;
use std::os::fd::OwnedFd;

use sys::seccomp::{Instruction, load};

/// A compiled filter: the BPF program and the flags it is loaded with. Opaque bytes that may be
/// cached for as long as the profile, the context and this program's version are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    bytes: Vec<u8>,
}

/// Begins the bytes; the last character is the format's version.
const MAGIC: &[u8; 8] = b"ctnbpf\0\x01";
/// Magic, then the flags in four bytes.
const HEADER: usize = 12;
/// Bytes of an instruction.
const WIDTH: usize = 8;

impl Filter {
    pub(super) fn new(program: &[Instruction], flags: u32) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + program.len() * WIDTH);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&flags.to_le_bytes());
        for instruction in program {
            bytes.extend_from_slice(&instruction.code.to_le_bytes());
            bytes.extend_from_slice(&[instruction.jump_true, instruction.jump_false]);
            bytes.extend_from_slice(&instruction.operand.to_le_bytes());
        }
        Self { bytes }
    }

    /// Bytes for a cache.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A filter from a cache; `None` if the bytes are none of ours.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let body = bytes.strip_prefix(MAGIC)?;
        let program = body.get(4..)?;
        let whole = !program.is_empty() && program.len() % WIDTH == 0;
        whole.then(|| Self {
            bytes: bytes.to_vec(),
        })
    }

    /// The flags of the `seccomp` call.
    pub fn flags(&self) -> u32 {
        let word = self.bytes[8..HEADER].try_into();
        word.map_or(0, u32::from_le_bytes)
    }

    /// The same filter, whose loading gives a notification descriptor.
    #[must_use]
    pub fn with_listener(mut self) -> Self {
        let flags = self.flags() | sys::seccomp::NEW_LISTENER;
        self.bytes[8..HEADER].copy_from_slice(&flags.to_le_bytes());
        self
    }

    /// The program.
    pub fn program(&self) -> Vec<Instruction> {
        let instruction = |chunk: &[u8]| match *chunk {
            [c0, c1, jump_true, jump_false, k0, k1, k2, k3] => Some(Instruction {
                code: u16::from_le_bytes([c0, c1]),
                jump_true,
                jump_false,
                operand: u32::from_le_bytes([k0, k1, k2, k3]),
            }),
            _ => None,
        };
        let chunks = self.bytes[HEADER..].chunks_exact(WIDTH);
        chunks.filter_map(instruction).collect()
    }

    /// Puts the calling thread under this filter, for good. The result is the notification
    /// descriptor, if the flags ask for one.
    pub fn load(&self) -> io::Result<Option<OwnedFd>> {
        load(&self.program(), self.flags())
    }
}
