//! What the vertices of a build do.

mod cache_mounts;
mod context;
mod copy;
mod exec;
mod layer;
mod link;
mod secret;
mod source;
mod workdir;

use serde::{Deserialize, Serialize};
use solver::{Content, Difference, Task};
use store::{Lease, SnapshotId, Store};

use crate::domain::{Root, StepError, Value, blocking};

pub(crate) use cache_mounts::{CacheFolder, CacheMounts};
pub(crate) use context::ContextOp;
pub(crate) use copy::{CopyOp, Sources};
pub(crate) use exec::{ExecOp, MountKind, StepMount, Variable};
pub(crate) use layer::LayerMaker;
pub(crate) use link::LinkOp;
pub(crate) use source::SourceOp;
pub(crate) use workdir::WorkdirOp;

/// How the cache refers to a root file system.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) snapshot: Option<SnapshotId>,
    pub(crate) made: Vec<bool>,
}

/// What every op is called.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    /// For people.
    pub(crate) name: String,
    /// Identity over time.
    pub(crate) step: String,
}

fn save(value: &Value) -> Option<String> {
    let Value::Root(root) = value else {
        return None;
    };
    let saved = Saved {
        snapshot: root.snapshot.as_ref().map(|snapshot| snapshot.id()),
        made: root.made.clone(),
    };
    serde_json::to_string(&saved).ok()
}

fn load(
    store: &Store,
    lease: &Lease,
    saved: String,
) -> Task<'static, Result<Option<Value>, StepError>> {
    let (store, lease) = (store.clone(), lease.clone());
    Box::pin(blocking(move || {
        let Ok(saved) = serde_json::from_str::<Saved>(&saved) else {
            return Ok(None);
        };
        let snapshot = match saved.snapshot {
            None => None,
            Some(id) => match store.committed(id, &lease) {
                Ok(snapshot) => Some(std::sync::Arc::new(snapshot)),
                Err(store::Error::SnapshotNotFound(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            },
        };
        let made = saved.made;
        Ok(Some(Value::Root(Root { snapshot, made })))
    }))
}

/// The root file system in `value`.
fn root(value: Option<&Value>) -> Result<Root, StepError> {
    match value {
        Some(Value::Root(root)) => Ok(root.clone()),
        _ => Err(StepError::Invalid(
            "a step got no root file system".to_owned(),
        )),
    }
}

/// For ops without edges that are keyed by content.
fn no_content<'a>() -> Task<'a, Result<Content, StepError>> {
    Box::pin(async { Err(StepError::Invalid("a step looks at no content".to_owned())) })
}

fn no_differences() -> Vec<Difference> {
    Vec::new()
}
