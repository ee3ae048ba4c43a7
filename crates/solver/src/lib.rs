//! A generic solver of build graphs: content-addressed, parallel, shared by all builds. It knows no
//! container, does no I/O of its own and reads no clock.
//!
//! # Model
//! A [`Graph`] is made of [`Vertex`] values: an [`Op`] and its input [`Edge`]s. An edge is keyed by
//! the *definition* of what it points to, or by the *content* that this left.
//!
//! Every vertex has one [`CacheKey`]: its op's definition with, for each edge, the identity of the
//! input (keyed by definition) or the digest of its content (keyed by content). Content costs a look
//! at the input's value, so the key is also filed under the *fast* key, which has identities
//! only: while no input changes, a hit never looks at content, nor runs or loads any input.
//!
//! # Invariants
//! - A vertex that the target does not need never runs.
//! - Equal keys in flight run once, also across builds; the running op is cancelled when its last
//!   waiter is gone.
//! - A vertex that was told to be fresh gets an identity of its own, so nothing that was made from
//!   an earlier result of it is taken for current.
//! - Every miss can be explained: see [`Explanation`].
//! - A record is written after the value exists, by the op that made it.

mod cache;
mod explain;
mod flight;
mod graph;
mod job;
mod key;
mod op;
mod session;
mod solver;

pub use cache::{CacheError, CacheStore, InputPart, MemoryCache, Parts, Record};
pub use explain::{Cause, Difference, Explanation};
pub use graph::{Edge, Graph, Keyed, Vertex, VertexId};
pub use key::{CacheKey, Content, Ingredient};
pub use op::{Domain, Observer, Op, Progress, Run, Task};
pub use solver::{Solve, SolveError, Solver};
