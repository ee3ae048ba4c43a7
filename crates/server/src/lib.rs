//! The edge of the engine: Docker's API over unix sockets, and the role `corten engine`.
//!
//! A request is decoded, calls the engine once, and its answer is encoded. Layout:
//! - `http`: sockets, connections, versions in paths, bodies, errors to statuses;
//! - `docker`: the endpoints, one file for each noun;
//! - `wire`: between the API's words and the engine's, pure;
//! - `quirks`: everything that depends on the version that a client speaks;
//! - [`role`]: the process.

mod docker;
mod http;
mod quirks;
pub mod role;
mod wire;

use axum::Router;
use engine::Engine;

pub use http::{ListenError, Listener, serve};
pub use role::main;

/// Every endpoint on an engine.
pub fn routes(engine: Engine) -> Router {
    docker::routes(engine)
}
