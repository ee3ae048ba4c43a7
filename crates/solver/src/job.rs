//! What a flight does: look into the cache once more, run the op, file the result.

use std::sync::Arc;

use crate::flight::Outcome;
use crate::solver::Shared;
use crate::{CacheKey, Domain, Op, Parts, Record, Run, SolveError, VertexId};

pub(crate) struct Job<D: Domain> {
    pub(crate) id: VertexId,
    pub(crate) op: Arc<dyn Op<D>>,
    pub(crate) shared: Arc<Shared<D>>,
    pub(crate) parts: Parts,
    pub(crate) key: CacheKey,
    pub(crate) identity: CacheKey,
    pub(crate) fresh: bool,
}

impl<D: Domain> Job<D> {
    pub(crate) async fn run(self, inputs: Vec<D::Value>, run: Run<D>) -> Outcome<D> {
        let permit = run.cancel.run_until_cancelled(self.shared.limit.acquire());
        let Some(Ok(_permit)) = permit.await else {
            return Err(SolveError::Cancelled);
        };
        // An equal flight may have ended between the first look and this one.
        if let Some(value) = self.filed().await? {
            return Ok(value);
        }
        let cancel = run.cancel.clone();
        let value = match self.op.run(inputs, run).await {
            Ok(value) => value,
            Err(_) if cancel.is_cancelled() => return Err(SolveError::Cancelled),
            Err(error) => return Err(self.failed(error)),
        };
        if let Some(saved) = self.op.save(&value) {
            self.file(saved).await?;
        }
        Ok(value)
    }

    async fn filed(&self) -> Result<Option<D::Value>, SolveError<D>> {
        if self.fresh {
            return Ok(None);
        }
        let (cache, key) = (Arc::clone(&self.shared.cache), self.key);
        let found = tokio::task::spawn_blocking(move || cache.record(&key)).await;
        let found = found.map_err(|_| SolveError::Panicked)?;
        match found.map_err(|error| SolveError::Cache(Arc::new(error)))? {
            Some(record) => self
                .op
                .load(record.saved)
                .await
                .map_err(|error| self.failed(error)),
            None => Ok(None),
        }
    }

    async fn file(&self, saved: String) -> Result<(), SolveError<D>> {
        let record = Record {
            key: self.key,
            identity: self.identity,
            step: self.op.step(),
            saved,
        };
        let (cache, parts) = (Arc::clone(&self.shared.cache), self.parts.clone());
        let filed = tokio::task::spawn_blocking(move || cache.put(&record, &parts)).await;
        let filed = filed.map_err(|_| SolveError::Panicked)?;
        filed.map_err(|error| SolveError::Cache(Arc::new(error)))
    }

    fn failed(&self, error: D::Error) -> SolveError<D> {
        SolveError::Op {
            vertex: self.id,
            error: Arc::new(error),
        }
    }
}
