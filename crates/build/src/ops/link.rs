//! `COPY --link`: a layer that was made on nothing, put on a root. No file is touched.

use std::sync::Arc;

use solver::{Content, Difference, Ingredient, Op, Run, Task};

use super::{Label, LayerMaker, load, no_content, no_differences, root, save};
use crate::domain::{Containers, StepError, Value, blocking};

/// Inputs: the root, the layer.
pub(crate) struct LinkOp {
    pub(crate) label: Label,
    pub(crate) maker: LayerMaker,
}

impl Op<Containers> for LinkOp {
    fn name(&self) -> String {
        self.label.name.clone()
    }

    fn step(&self) -> String {
        self.label.step.clone()
    }

    fn definition(&self) -> Option<Vec<Ingredient>> {
        Some(vec![Ingredient::new("the step", "link")])
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

    fn run<'a>(
        &'a self,
        inputs: Vec<Value>,
        _: Run<Containers>,
    ) -> Task<'a, Result<Value, StepError>> {
        let maker = self.maker.clone();
        Box::pin(blocking(move || {
            let (below, layer) = (root(inputs.first())?, root(inputs.get(1))?);
            let Some(layer) = layer.snapshot else {
                return Ok(Value::Root(below.then(None)));
            };
            let parent = below.snapshot.as_ref().map(|snapshot| snapshot.id());
            let stacked = maker.store.rebase(&layer, parent, &maker.lease)?;
            Ok(Value::Root(below.then(Some(Arc::new(stacked)))))
        }))
    }

    fn save(&self, value: &Value) -> Option<String> {
        save(value)
    }

    fn load(&self, saved: String) -> Task<'_, Result<Option<Value>, StepError>> {
        load(&self.maker.store, &self.maker.lease, saved)
    }
}
