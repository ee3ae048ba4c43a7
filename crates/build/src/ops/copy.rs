//! `COPY` and `ADD`.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use dockerfile::{Diagnostic, File, Span};
use solver::{Content, Difference, Ingredient, Op, Run, Task};
use store::{Committed, Snapshot};
use sys::root::{FileKind, RootDir};

use super::layer::Draft;
use super::{Label, LayerMaker, load, root, save};
use crate::domain::{Containers, Note, Root, StepError, Value, blocking};
use crate::files::digest::{Counts, content, differences, hash_nodes};
use crate::files::mode::Mode;
use crate::files::owner::look_up;
use crate::files::select::{Item, SelectError, Selector};
use crate::files::target::Target;
use crate::files::tree::{Node, Tree, clean};
use crate::files::write::{TextFile, WriteOptions, Writer, is_archive};

/// What to copy.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) selector: Selector,
    /// As given to `--exclude`.
    pub(crate) exclude: Vec<String>,
    /// Where each source stands in the Dockerfile.
    pub(crate) spans: Vec<Span>,
    pub(crate) file: File,
    /// Files made of here-documents.
    pub(crate) texts: Vec<TextFile>,
}

/// Inputs: the root (unless `linked`), then the source (unless there are texts only).
#[derive(Clone)]
pub(crate) struct CopyOp {
    pub(crate) label: Label,
    pub(crate) maker: LayerMaker,
    pub(crate) sources: Sources,
    /// Absolute; a slash at the end means a folder.
    pub(crate) destination: String,
    pub(crate) chown: Option<String>,
    pub(crate) chmod: Option<(String, Mode)>,
    /// From a stage or image: owners are kept.
    pub(crate) keep_owner: bool,
    pub(crate) unpack: bool,
    /// Made on nothing.
    pub(crate) linked: bool,
    /// The latest selection: made for the key, used for the copy.
    pub(crate) selected: Arc<Mutex<Option<Vec<Item>>>>,
}

impl CopyOp {
    fn counts(&self) -> Counts {
        Counts {
            owner: self.keep_owner && self.chown.is_none(),
            mode: !matches!(self.chmod, Some((_, Mode::Bits(_)))),
        }
    }

    fn select(&self, tree: &Tree) -> Result<Vec<Item>, StepError> {
        let items = self.sources.selector.select(tree);
        items.map_err(|error| self.explain(&error))
    }

    /// How many files the key was made of, where this op made it.
    fn selected_count(&self) -> u64 {
        let selected = self.selected.lock().unwrap_or_else(PoisonError::into_inner);
        selected.as_ref().map_or(0, |items| items.len() as u64)
    }

    fn explain(&self, error: &SelectError) -> StepError {
        let (source, message, help) = match error {
            SelectError::Missing { source, ignored } => {
                let place = if self.keep_owner {
                    "the stage or image"
                } else {
                    "the build context"
                };
                let message = format!(
                    "\"{}\" not found in {place}",
                    self.sources.selector.sources[*source]
                );
                let help = ignored.then_some("it is there, but .dockerignore leaves it out");
                (source, message, help)
            }
            SelectError::Pattern { source, reason } => (source, reason.clone(), None),
            SelectError::Io { source, error } => {
                let path = &self.sources.selector.sources[*source];
                (source, format!("cannot read \"{path}\": {error}"), None)
            }
        };
        let span = self.sources.spans.get(*source).copied().unwrap_or_default();
        let mut diagnostic = Diagnostic::error(&self.sources.file, span, message);
        if let Some(help) = help {
            diagnostic = diagnostic.help(help);
        }
        StepError::Dockerfile(diagnostic.render())
    }

    fn content(&self, value: &Value) -> Result<Content, StepError> {
        match value {
            Value::Context(context) => {
                let mut items = self.select(&context.tree)?;
                let facts = context.facts(&files(&items))?;
                let content = content(&items, &facts, self.counts());
                let files = items.iter_mut().filter(|item| is_file(item));
                for (item, facts) in files.zip(&facts) {
                    item.xattrs = facts.xattrs;
                }
                let mut selected = self.selected.lock().unwrap_or_else(PoisonError::into_inner);
                *selected = Some(items);
                Ok(content)
            }
            Value::Root(root) => {
                let tree = self.tree_of(root)?;
                let items = self.select(&tree)?;
                let facts = hash_nodes(&tree, &files(&items))?;
                Ok(content(&items, &facts, self.counts()))
            }
        }
    }

    fn tree_of(&self, root: &Root) -> Result<Tree, StepError> {
        let mounted = match &root.snapshot {
            Some(snapshot) => view(snapshot)?,
            None => {
                let nothing = self.maker.store.view(None, &self.maker.lease)?;
                mount(&nothing.overlay())?
            }
        };
        Ok(Tree::of_root(mounted))
    }

    fn copy(&self, inputs: &[Value]) -> Result<Root, StepError> {
        let (below, source) = match self.linked {
            true => (Root::default(), inputs.first()),
            false => (root(inputs.first())?, inputs.get(1)),
        };
        let remembered = self
            .selected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match source {
            None => self.write(&below, None, &[]),
            Some(Value::Context(context)) => self.write_from(&below, &context.tree, remembered),
            Some(Value::Root(source)) => self.write_from(&below, &self.tree_of(source)?, None),
        }
    }

    fn write_from(
        &self,
        below: &Root,
        tree: &Tree,
        remembered: Option<Vec<Item>>,
    ) -> Result<Root, StepError> {
        let items = match remembered {
            Some(items) => items,
            None => self.select(tree)?,
        };
        self.write(below, Some(tree), &items)
    }

    fn write(&self, below: &Root, tree: Option<&Tree>, items: &[Item]) -> Result<Root, StepError> {
        let draft = self.maker.draft(below)?;
        let target = self.target(&draft, below, tree, items)?;
        let lookup = target.below.as_ref().unwrap_or(&target.upper);
        let owner = match (&self.chown, self.keep_owner) {
            (Some(chown), _) => Some(look_up(chown, Some(lookup))?),
            (None, true) => None,
            (None, false) => Some((0, 0)),
        };
        let options = WriteOptions {
            owner,
            unpacked_owner: owner.filter(|_| self.chown.is_some()),
            mode: self.chmod.as_ref().map(|(_, mode)| mode.clone()),
            unpack: self.unpack,
        };
        let error = || StepError::file(format!("look at {}", self.destination));
        let destination = target
            .resolve(&clean(Path::new(&self.destination)))
            .map_err(error())?;
        let named = items.iter().filter(|item| item.named).count() + self.sources.texts.len();
        let wants_folder = self.destination.ends_with('/') || named > 1;
        let is_folder = target.is_dir(&destination).map_err(error())?;
        let into = wants_folder || is_folder;
        if wants_folder && !is_folder {
            target.folder(&destination, options.owner.unwrap_or((0, 0)))?;
        }
        let writer = Writer {
            target: &target,
            options: &options,
            destination,
            into,
        };
        if let Some(tree) = tree {
            writer.write(tree, items)?;
        }
        writer.write_texts(&self.sources.texts)?;
        drop(target);
        self.maker.finish(draft, below, Vec::new())
    }

    /// The new layer's folder itself; everything mounted where an archive is unpacked over what
    /// is there, because it may write through links.
    fn target(
        &self,
        draft: &Draft,
        below: &Root,
        tree: Option<&Tree>,
        items: &[Item],
    ) -> Result<Target, StepError> {
        let snapshot = draft.snapshot()?;
        let Some(lower) = &below.snapshot else {
            let upper =
                RootDir::open(snapshot.upper()).map_err(StepError::file("open the new layer"))?;
            return Ok(Target { upper, below: None });
        };
        if let (true, Some(tree)) = (self.unpack, tree) {
            let mut named = items
                .iter()
                .filter(|item| item.named && item.node.meta.kind == FileKind::File);
            if named.try_fold(false, |any, item| {
                is_archive(tree, item).map(|is| any || is)
            })? {
                let upper = mount(&snapshot.overlay())?;
                return Ok(Target { upper, below: None });
            }
        }
        let upper =
            RootDir::open(snapshot.upper()).map_err(StepError::file("open the new layer"))?;
        let below = Some(view(lower)?);
        Ok(Target { upper, below })
    }
}

fn is_file(item: &Item) -> bool {
    item.node.meta.kind == FileKind::File
}

fn files(items: &[Item]) -> Vec<&Node> {
    let files = items.iter().filter(|item| is_file(item));
    files.map(|item| &item.node).collect()
}

/// All of a snapshot, read-only, mounted nowhere.
pub(super) fn view(snapshot: &Snapshot<Committed>) -> Result<RootDir, StepError> {
    mount(&snapshot.overlay())
}

fn mount(overlay: &sys::mount::Overlay) -> Result<RootDir, StepError> {
    let mounted = overlay
        .mount()
        .map_err(StepError::file("mount the layers"))?;
    Ok(RootDir::from(mounted))
}

impl Op<Containers> for CopyOp {
    fn name(&self) -> String {
        self.label.name.clone()
    }

    fn step(&self) -> String {
        self.label.step.clone()
    }

    /// What the sources are called does not count, only what they bring.
    fn definition(&self) -> Option<Vec<Ingredient>> {
        let mut parts = vec![
            Ingredient::new("the step", "copy"),
            Ingredient::new("the destination", &self.destination),
            Ingredient::new("--chown", self.chown.clone().unwrap_or_default()),
            Ingredient::new("--chmod", self.chmod.as_ref().map_or("", |(text, _)| text)),
            Ingredient::new("unpacking", self.unpack.to_string()),
            Ingredient::new("--link", self.linked.to_string()),
            Ingredient::new("keeping owners", self.keep_owner.to_string()),
            self.maker.ingredient(),
        ];
        for text in &self.sources.texts {
            parts.push(Ingredient::new(
                format!("the text of {}", text.name),
                &text.content,
            ));
        }
        Some(parts)
    }

    fn selector(&self, _input: usize) -> String {
        let selector = &self.sources.selector;
        format!(
            "{:?} {:?} {}",
            selector.sources, self.sources.exclude, selector.parents
        )
    }

    fn content_key<'a>(
        &'a self,
        _input: usize,
        value: &'a Value,
    ) -> Task<'a, Result<Content, StepError>> {
        let (op, value) = (self.clone(), value.clone());
        Box::pin(blocking(move || op.content(&value)))
    }

    fn explain_content(&self, _input: usize, old: &str, new: &str) -> Vec<Difference> {
        differences(old, new)
    }

    fn run<'a>(
        &'a self,
        inputs: Vec<Value>,
        run: Run<Containers>,
    ) -> Task<'a, Result<Value, StepError>> {
        let op = self.clone();
        Box::pin(async move {
            let total = op.selected_count();
            run.note(Note::Copied(0, total)).await;
            let copied = blocking(move || op.copy(&inputs).map(Value::Root)).await?;
            run.note(Note::Copied(total, total)).await;
            Ok(copied)
        })
    }

    fn save(&self, value: &Value) -> Option<String> {
        save(value)
    }

    fn load(&self, saved: String) -> Task<'_, Result<Option<Value>, StepError>> {
        load(&self.maker.store, &self.maker.lease, saved)
    }
}
