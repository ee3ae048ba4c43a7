//! Between the words of the API and those of the engine. Pure functions.

mod build;
mod create;
mod host;
mod image;
mod inspect;
mod limits;
mod mounts;
mod network;
mod security;
mod summary;
mod time;

pub(crate) use build::{Transcript, build_event, build_request, build_result, legacy_request};
pub(crate) use create::{console_size, create_options};
pub(crate) use image::{history_step, image_inspect, image_summary};
pub(crate) use inspect::{STORAGE_DRIVER, inspect};
pub(crate) use network::{NetworkIds, network};
pub(crate) use summary::summary;
pub(crate) use time::{rfc3339, since};

/// Numbers on the wire are signed.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The same for what is counted.
pub(crate) fn counted(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
