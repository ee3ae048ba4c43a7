//! HTTP/1.1 on unix sockets: listening, connections that carry open files and know their peer,
//! the version in the path, bodies, and errors.

mod body;
mod call;
mod connection;
mod error;
mod handover;
mod hijack;
mod listen;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use body::{archive, byte_stream, json, json_lines, read_json};
pub(crate) use call::{Call, Caller, Fds};
pub use connection::serve;
pub(crate) use error::{Failure, sentence};
pub(crate) use handover::HandOvers;
pub(crate) use hijack::{Hijack, Taken};
pub use listen::{ListenError, Listener};
pub(crate) use stream::Stream;
