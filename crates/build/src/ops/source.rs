//! `FROM`: the layers of a local image, or nothing.

use std::sync::Arc;

use oci::Digest;
use solver::{Content, Difference, Ingredient, Op, Run, Task};
use store::{Lease, SnapshotId, Store};

use super::{Label, no_content, no_differences};
use crate::domain::{Containers, Root, StepError, Value, blocking};

pub(crate) struct SourceOp {
    pub(crate) label: Label,
    pub(crate) store: Store,
    pub(crate) lease: Lease,
    /// As the Dockerfile names it.
    pub(crate) image: String,
    /// Of its layers.
    pub(crate) digest: Option<Digest>,
    pub(crate) snapshot: Option<SnapshotId>,
}

impl SourceOp {
    fn open(&self) -> Task<'_, Result<Value, StepError>> {
        let (store, lease, id) = (self.store.clone(), self.lease.clone(), self.snapshot);
        Box::pin(blocking(move || {
            let snapshot = match id {
                Some(id) => Some(Arc::new(store.committed(id, &lease)?)),
                None => None,
            };
            let made = Vec::new();
            Ok(Value::Root(Root { snapshot, made }))
        }))
    }
}

impl Op<Containers> for SourceOp {
    fn name(&self) -> String {
        self.label.name.clone()
    }

    fn step(&self) -> String {
        self.label.step.clone()
    }

    /// Only the layers count: two names of one image are one image.
    fn definition(&self) -> Option<Vec<Ingredient>> {
        let digest = self
            .digest
            .map_or_else(|| "scratch".to_owned(), |digest| digest.to_string());
        Some(vec![Ingredient::new("the base image", digest)])
    }

    fn selector(&self, _input: usize) -> String {
        String::new()
    }

    fn content_key<'a>(&'a self, _: usize, _: &'a Value) -> Task<'a, Result<Content, StepError>> {
        no_content()
    }

    fn explain_content(&self, _: usize, _: &str, _: &str) -> Vec<Difference> {
        no_differences()
    }

    fn run<'a>(&'a self, _: Vec<Value>, _: Run<Containers>) -> Task<'a, Result<Value, StepError>> {
        self.open()
    }

    /// The record keeps nothing alive: images are removed by their names.
    fn save(&self, _: &Value) -> Option<String> {
        Some(self.image.clone())
    }

    fn load(&self, _: String) -> Task<'_, Result<Option<Value>, StepError>> {
        let open = self.open();
        Box::pin(async move { open.await.map(Some) })
    }
}
