//! `WORKDIR`: a folder, owned by the user of the stage.

use std::path::Path;

use solver::{Content, Difference, Ingredient, Op, Run, Task};
use sys::root::RootDir;

use super::copy::view;
use super::{Label, LayerMaker, load, no_content, no_differences, root, save};
use crate::domain::{Containers, Root, StepError, Value, blocking};
use crate::files::owner::look_up;
use crate::files::target::Target;
use crate::files::tree::clean;

/// Input: the root.
pub(crate) struct WorkdirOp {
    pub(crate) label: Label,
    pub(crate) maker: LayerMaker,
    /// Absolute.
    pub(crate) path: String,
    pub(crate) user: String,
}

impl Op<Containers> for WorkdirOp {
    fn name(&self) -> String {
        self.label.name.clone()
    }

    fn step(&self) -> String {
        self.label.step.clone()
    }

    fn definition(&self) -> Option<Vec<Ingredient>> {
        Some(vec![
            Ingredient::new("the step", "workdir"),
            Ingredient::new("the path", &self.path),
            Ingredient::new("the user", &self.user),
            self.maker.ingredient(),
        ])
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
        let (maker, path, user) = (self.maker.clone(), self.path.clone(), self.user.clone());
        Box::pin(blocking(move || {
            let below = root(inputs.first())?;
            make(&maker, &below, Path::new(&path), &user).map(Value::Root)
        }))
    }

    fn save(&self, value: &Value) -> Option<String> {
        save(value)
    }

    fn load(&self, saved: String) -> Task<'_, Result<Option<Value>, StepError>> {
        load(&self.maker.store, &self.maker.lease, saved)
    }
}

fn make(maker: &LayerMaker, below: &Root, path: &Path, user: &str) -> Result<Root, StepError> {
    let view = match &below.snapshot {
        Some(snapshot) => Some(view(snapshot)?),
        None => None,
    };
    let error = || StepError::file(format!("make folder {}", path.display()));
    let draft = maker.draft(below)?;
    let owner = look_up(user, view.as_ref())?;
    let upper = RootDir::open(draft.snapshot()?.upper()).map_err(error())?;
    let target = Target { upper, below: view };
    let path = target.resolve(&clean(path)).map_err(error())?;
    if target.is_dir(&path).map_err(error())? {
        return Ok(below.then(None));
    }
    target.folder(&path, owner)?;
    drop(target);
    maker.finish(draft, below, Vec::new())
}
