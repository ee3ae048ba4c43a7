//! Dockerfile → graph.
//!
//! [`load`] finds and parses the file, [`plan`] turns it into a [`Plan`]: only what the target needs
//! is lowered. Instructions that change only the image's config make no vertex; they are applied
//! while lowering, since configs of local images are known without running anything.

mod arguments;
mod changes;
mod copy;
mod history;
mod load;
mod lowering;
mod metadata;
mod run;
mod stage;

use std::path::PathBuf;
use std::sync::Arc;

use dockerfile::{File, Span};
use oci::{ImageConfig, ImageId};
use solver::{Graph, VertexId};
use store::{Lease, Store};

use crate::context::Context;
use crate::domain::Containers;
use crate::ops::CacheMounts;
use crate::{BuildRequest, Executor};

pub use changes::apply_changes;
pub(crate) use load::load;
pub(crate) use lowering::plan;

/// The latest time that an image carries where the user names none, in seconds since 1970:
/// 1980-01-01T00:00:01Z, the first second that every archive format can say.
pub const DEFAULT_EPOCH: i64 = 315_532_801;

/// What lowering needs beside the Dockerfile.
pub(crate) struct Given<'a> {
    pub(crate) request: &'a BuildRequest,
    pub(crate) context: Arc<Context>,
    pub(crate) store: Store,
    pub(crate) lease: Lease,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) cache_mounts: Arc<CacheMounts>,
    pub(crate) run_dir: PathBuf,
}

/// A step for people: what a vertex is called and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: String,
    /// Where it stands, for errors; not for steps of our own.
    pub(crate) place: Option<(File, Span)>,
    /// Nobody asked for it: it is not counted.
    pub(crate) internal: bool,
}

/// What to solve, and the image that comes of it.
pub(crate) struct Plan {
    pub(crate) graph: Graph<Containers>,
    /// By vertex.
    pub(crate) steps: Vec<Step>,
    pub(crate) target: VertexId,
    /// Config and history; entries of layer-making steps are not yet told from empty ones.
    pub(crate) config: ImageConfig,
    /// For each history entry: which layer-making step after the base it is of.
    pub(crate) layers: Vec<Option<usize>>,
    pub(crate) base: Option<ImageId>,
    /// Rendered.
    pub(crate) warnings: Vec<String>,
}
