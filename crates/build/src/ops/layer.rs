//! From a root file system to one with a layer more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use solver::Ingredient;
use store::{Active, CommitOptions, Lease, Snapshot, Store};

use crate::domain::{Root, StepError};

/// Makes layers for one build.
#[derive(Clone)]
pub(crate) struct LayerMaker {
    pub(crate) store: Store,
    pub(crate) lease: Lease,
    /// No file is newer: seconds since 1970.
    pub(crate) epoch: i64,
}

/// A layer that is being made; thrown away unless it is finished.
pub(crate) struct Draft {
    active: Option<Snapshot<Active>>,
}

impl Draft {
    pub(crate) fn snapshot(&self) -> Result<&Snapshot<Active>, StepError> {
        let gone = || StepError::Invalid("the new layer is gone".to_owned());
        self.active.as_ref().ok_or_else(gone)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(active) = self.active.take()
            && let Err(error) = active.discard()
        {
            tracing::warn!(%error, "cannot remove an unfinished layer");
        }
    }
}

impl LayerMaker {
    /// What every op that makes a layer depends on beside its own definition.
    pub(crate) fn ingredient(&self) -> Ingredient {
        Ingredient::new("SOURCE_DATE_EPOCH", self.epoch.to_string())
    }

    /// A new writable layer on `root`.
    pub(crate) fn draft(&self, root: &Root) -> Result<Draft, StepError> {
        let parent = root.snapshot.as_ref().map(|snapshot| snapshot.id());
        let active = Some(self.store.prepare(parent, &self.lease)?);
        Ok(Draft { active })
    }

    /// The draft as a layer on `root`; none if nothing is in it. `stubs` are paths that were made
    /// only for something to be mounted on.
    pub(crate) fn finish(
        &self,
        mut draft: Draft,
        root: &Root,
        stubs: Vec<PathBuf>,
    ) -> Result<Root, StepError> {
        let Some(active) = draft.active.take() else {
            return Ok(root.clone());
        };
        let clamp = SystemTime::UNIX_EPOCH + Duration::from_secs(self.epoch.max(0).unsigned_abs());
        let options = CommitOptions {
            clamp: Some(clamp),
            stubs,
        };
        let layer = Arc::new(active.commit(&options)?);
        if is_empty(&layer.folder())? {
            return Ok(root.then(None));
        }
        self.hash_later(&layer);
        Ok(root.then(Some(layer)))
    }

    /// Has the layer's digest computed beside what comes next.
    fn hash_later(&self, layer: &Arc<Snapshot<store::Committed>>) {
        let (store, layer) = (self.store.clone(), Arc::clone(layer));
        tokio::runtime::Handle::current().spawn_blocking(move || {
            // Whoever needs the digest asks again and gets the error then.
            if let Err(error) = store.layer(layer.id()) {
                tracing::debug!(%error, "cannot hash a layer yet");
            }
        });
    }
}

fn is_empty(folder: &Path) -> Result<bool, StepError> {
    let error = || StepError::file(format!("read {}", folder.display()));
    let mut entries = std::fs::read_dir(folder).map_err(error())?;
    Ok(entries.next().is_none())
}
