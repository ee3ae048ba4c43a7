//! Cache keys and what they are made of.

use std::fmt;

use oci::{Digest, Hasher};
use serde::{Deserialize, Serialize};

/// A named part of an op's definition. Names make a miss explainable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredient {
    /// What it is, in words: `the command`, `ARG VERSION`.
    pub label: String,
    /// Its value.
    pub value: String,
}

impl Ingredient {
    /// A part `label` with `value`.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
        }
    }
}

/// What an op sees of an input's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Digest of all that matters.
    pub digest: Digest,
    /// Enough for [`Op::explain_content`](crate::Op::explain_content) to tell what differs.
    pub detail: String,
}

/// Key of a vertex's result. Equal keys mean equal results.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CacheKey(Digest);

/// Changes whenever the way keys are made changes, so that old records are not taken for new ones.
const VERSION: &str = "1";

impl CacheKey {
    /// The key under which a result is recorded.
    pub(crate) fn precise(definition: &[Ingredient], inputs: &[Digest]) -> Self {
        Self::make("precise", definition, inputs)
    }

    /// The key that needs no look at content.
    pub(crate) fn fast(definition: &[Ingredient], inputs: &[Digest]) -> Self {
        Self::make("fast", definition, inputs)
    }

    /// Another identity of the same key, for a result that was made anew by order.
    pub(crate) fn renewed(self, nonce: &str) -> Self {
        let salt = [Ingredient::new("nonce", nonce)];
        Self::make("renewed", &salt, &[self.0])
    }

    fn make(kind: &str, definition: &[Ingredient], inputs: &[Digest]) -> Self {
        let mut hasher = Hasher::new();
        let mut text = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        text(VERSION);
        text(kind);
        for ingredient in definition {
            text(&ingredient.label);
            text(&ingredient.value);
        }
        for input in inputs {
            text(&input.to_string());
        }
        Self(hasher.finish())
    }

    /// The digest that it is.
    pub fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
