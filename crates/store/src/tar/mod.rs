//! Tar streams: reading hostile ones, writing deterministic ones.
//!
//! The codec is our own because both sides need what a general one does not give: the reader
//! bounds everything that a header may claim before it believes it, and the writer makes the same
//! bytes of the same tree on every machine.
//!
//! - `header`, `entry`: one block and what it means
//! - `read`: stream → entries (ustar, PAX, GNU long names, GNU and PAX sparse files)
//! - `write`: entries → stream
//! - `scan`: folder → stream, on a thread of its own
//! - `unpack`: stream → folder; `place` makes one entry in it
//! - `compression`: what is around the stream; `chunks`: one thread makes it, another takes it

mod chunks;
mod compression;
mod entry;
mod error;
mod header;
mod place;
mod read;
#[cfg(test)]
mod round_trip;
mod scan;
mod sparse;
mod unpack;
mod write;

pub use compression::{is_tar, starts_tar};
pub use error::TarError;
pub use scan::{TarOptions, tar_tree};
pub use unpack::{UntarOptions, Untarred, untar};

pub(crate) use chunks::ChunkReader;
pub(crate) use compression::{Compression, Decoder};
pub(crate) use entry::{Entry, Kind};
pub(crate) use read::{Limits, Reader};
pub(crate) use scan::{OPAQUE, layer_tar};
pub(crate) use unpack::{clean, unpack_layer};
pub(crate) use write::Writer;
