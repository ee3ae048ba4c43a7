//! The store against a real file system and real overlay mounts; needs root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod support;
