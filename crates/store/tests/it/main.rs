//! The store against a real file system and real overlay mounts; needs root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a method of `Tx` is for one lifetime only, which `read` does not take"
)]

mod apply;
mod archive;
mod collector;
mod crash;
mod fsck;
mod images;
mod open;
mod overlay;
mod pinned;
mod speed;
mod support;
mod support_tar;
mod untar;
