//! The build context as a vertex: anybody may change it, so only its content can be recognised.

use std::sync::Arc;

use solver::{Content, Difference, Ingredient, Op, Run, Task};

use super::{Label, no_content, no_differences};
use crate::context::Context;
use crate::domain::{Containers, StepError, Value};

pub(crate) struct ContextOp {
    pub(crate) label: Label,
    pub(crate) context: Arc<Context>,
}

impl Op<Containers> for ContextOp {
    fn name(&self) -> String {
        self.label.name.clone()
    }

    fn step(&self) -> String {
        self.label.step.clone()
    }

    fn definition(&self) -> Option<Vec<Ingredient>> {
        None
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
        Box::pin(async { Ok(Value::Context(Arc::clone(&self.context))) })
    }

    fn save(&self, _: &Value) -> Option<String> {
        None
    }

    fn load(&self, _: String) -> Task<'_, Result<Option<Value>, StepError>> {
        Box::pin(async { Ok(None) })
    }
}
