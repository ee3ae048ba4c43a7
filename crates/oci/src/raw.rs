//! A parsed document together with the bytes that it was parsed from.

use std::ops::Deref;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Descriptor, Digest};

/// A document does not parse.
#[derive(Debug, thiserror::Error)]
#[error("{kind} {digest} is not valid")]
pub struct RawError {
    kind: &'static str,
    digest: Digest,
    source: serde_json::Error,
}

/// A parsed view that keeps its exact bytes: a digest is of bytes, never of a re-serialised
/// struct.
#[derive(Debug, Clone)]
pub struct Raw<T> {
    bytes: Vec<u8>,
    digest: Digest,
    view: T,
}

impl<T: DeserializeOwned> Raw<T> {
    /// Parses `bytes`; `kind` names the document in the error.
    pub fn parse(kind: &'static str, bytes: Vec<u8>) -> Result<Self, RawError> {
        let digest = Digest::of(&bytes);
        match serde_json::from_slice(&bytes) {
            Ok(view) => Ok(Self {
                bytes,
                digest,
                view,
            }),
            Err(source) => Err(RawError {
                kind,
                digest,
                source,
            }),
        }
    }
}

impl<T: Serialize> Raw<T> {
    /// Serialises `view` once, for good.
    pub fn new(view: T) -> Result<Self, serde_json::Error> {
        let bytes = serde_json::to_vec(&view)?;
        Ok(Self {
            digest: Digest::of(&bytes),
            bytes,
            view,
        })
    }
}

impl<T> Raw<T> {
    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digest of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// A descriptor of the bytes.
    pub fn descriptor(&self, media_type: &str) -> Descriptor {
        Descriptor::new(media_type, self.digest, self.bytes.len() as u64)
    }

    /// The parsed view alone.
    pub fn into_view(self) -> T {
        self.view
    }
}

impl<T> Deref for Raw<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.view
    }
}
