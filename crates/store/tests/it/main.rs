//! The store against a real file system and real overlay mounts; needs root.

mod archive;
mod support;
