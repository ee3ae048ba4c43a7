//! Stages → vertices.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dockerfile::lint::{Checks, lint, undefined_variable};
use dockerfile::{
    Arg, Diagnostic, Dockerfile, Expanded, Expander, File, Instruction, Spanned, Statement,
};
use oci::{ChainId, ImageConfig, ImageId, Platform};
use solver::{Edge, Graph, Keyed, Op, Vertex, VertexId};

use super::arguments::{is_reserved, of_platform};
use super::metadata::{self, Place};
use super::stage::{Draft, Stage};
use super::{DEFAULT_EPOCH, Given, Plan, Step, history};
use crate::domain::Containers;
use crate::ops::{ContextOp, Label, LayerMaker, SourceOp, WorkdirOp};
use crate::{BuildError, BuildRequest};

pub(super) struct Lowering<'a> {
    pub(super) given: &'a Given<'a>,
    pub(super) dockerfile: &'a Dockerfile,
    pub(super) maker: LayerMaker,
    graph: Graph<Containers>,
    steps: Vec<Step>,
    globals: BTreeMap<String, String>,
    platform: BTreeMap<String, String>,
    stages: HashMap<usize, Stage>,
    context: Option<VertexId>,
    images: HashMap<String, Image>,
    created: String,
    project: String,
    consumed: BTreeSet<String>,
    checks: Checks,
    findings: Vec<Diagnostic>,
}

#[derive(Clone)]
struct Image {
    vertex: VertexId,
    config: ImageConfig,
    id: ImageId,
}

/// Lowers what the request's target needs.
pub(crate) fn plan(dockerfile: &Dockerfile, given: &Given<'_>) -> Result<Plan, BuildError> {
    let request = given.request;
    let index = target(dockerfile, request.target.as_deref())?;
    let epoch = epoch(given)?;
    refuse(request)?;
    let target_name = request.target.as_deref().unwrap_or("default");
    let mut lowering = Lowering {
        given,
        dockerfile,
        maker: LayerMaker {
            store: given.store.clone(),
            lease: given.lease.clone(),
            epoch,
        },
        graph: Graph::new(),
        steps: Vec::new(),
        globals: BTreeMap::new(),
        platform: of_platform(&Platform::host(), target_name),
        stages: HashMap::new(),
        context: None,
        images: HashMap::new(),
        created: history::rfc3339(epoch),
        project: format!("{}:{}", given.context.identity, dockerfile.file.name()),
        consumed: BTreeSet::new(),
        checks: Checks::of(dockerfile),
        findings: lint(dockerfile),
    };
    lowering.global_arguments()?;
    let mut stage = lowering.stage(index)?;
    if !request.labels.is_empty() {
        let pairs = request
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let text = metadata::labels(&mut stage.draft, pairs);
        metadata::record(&mut stage, &text);
    }
    let warnings = lowering.warnings()?;
    Ok(Plan {
        graph: lowering.graph,
        steps: lowering.steps,
        target: stage.root,
        config: stage.draft.config,
        layers: stage.layers,
        base: stage.base,
        warnings,
    })
}

/// What a request may ask for and cannot have yet.
fn refuse(request: &BuildRequest) -> Result<(), BuildError> {
    let host = Platform::host();
    if let Some(platform) = request
        .platform
        .as_ref()
        .filter(|platform| !host.matches(platform))
    {
        let text = format!("building for {platform} on {host}");
        return Err(BuildError::Unsupported(text));
    }
    if !request.remote_caches.is_empty() {
        let text = "importing or exporting a build cache".to_owned();
        return Err(BuildError::Unsupported(text));
    }
    Ok(())
}

fn target(dockerfile: &Dockerfile, name: Option<&str>) -> Result<usize, BuildError> {
    let count = dockerfile.stages.len();
    match name {
        None => Ok(count.saturating_sub(1)),
        Some(name) => match dockerfile.stage(name, count) {
            Some(stage) => Ok(stage.index),
            None => Err(BuildError::NoTarget(name.to_owned())),
        },
    }
}

fn epoch(given: &Given<'_>) -> Result<i64, BuildError> {
    match given.request.build_args.get("SOURCE_DATE_EPOCH") {
        None => Ok(given.request.source_date_epoch.unwrap_or(DEFAULT_EPOCH)),
        Some(text) if text.is_empty() => Ok(DEFAULT_EPOCH),
        Some(text) => text
            .parse()
            .map_err(|_| BuildError::Unsupported(format!("SOURCE_DATE_EPOCH={text}"))),
    }
}

impl Lowering<'_> {
    pub(super) fn add(
        &mut self,
        step: Step,
        op: Arc<dyn Op<Containers>>,
        inputs: Vec<Edge>,
        fresh: bool,
    ) -> VertexId {
        self.steps.push(step);
        self.graph.add(Vertex { op, inputs, fresh })
    }

    /// Name and identity of the stage's next step.
    pub(super) fn label(&self, stage: &mut Stage, kind: &str, text: &str) -> Label {
        let number = stage.count(kind);
        stage.progress.0 += 1;
        let (at, of) = stage.progress;
        let title = match self.dockerfile.stages.len() {
            1 => String::new(),
            _ => format!("{} ", stage.title),
        };
        Label {
            name: format!("[{title}{at}/{of}] {text}"),
            step: format!("{}|{}|{kind}|{number}", self.project, stage.title),
        }
    }

    fn global_arguments(&mut self) -> Result<(), BuildError> {
        for statement in &self.dockerfile.global_args {
            for item in &statement.node.items {
                let given = self.given.request.build_args.get(&item.name.value).cloned();
                let value = match (&given, &item.default) {
                    (Some(given), _) => Some(given.clone()),
                    (None, Some(default)) => Some(self.expand_global(default)?),
                    (None, None) => self.platform.get(&item.name.value).cloned(),
                };
                self.consumed.insert(item.name.value.clone());
                if let Some(value) = value {
                    self.globals.insert(item.name.value.clone(), value);
                }
            }
        }
        Ok(())
    }

    /// Expands a word with what is known before any stage.
    fn expand_global(&mut self, word: &Spanned<String>) -> Result<String, BuildError> {
        let lookup = |name: &str| {
            let known = self.globals.get(name).or_else(|| self.platform.get(name));
            known.cloned()
        };
        let file = &self.dockerfile.file;
        let expander = Expander::new(file, self.dockerfile.directives.escape, &lookup);
        let expanded = expander.word(word).map_err(|error| diagnostic(&error))?;
        Ok(self.checked(file, None, expanded).value)
    }

    /// Warns of variables that are not set; `stage` tells which are.
    fn checked<T>(&mut self, file: &File, stage: Option<&Stage>, expanded: Expanded<T>) -> T {
        if !expanded.unset.is_empty() && self.checks.allow("UndefinedVar") {
            let known: Vec<String> = match stage {
                Some(stage) => stage.names(),
                None => self.globals.keys().cloned().collect(),
            };
            for unset in &expanded.unset {
                let known = known.iter().map(String::as_str);
                self.findings.push(undefined_variable(file, unset, known));
            }
        }
        expanded.value
    }

    /// What was found, rendered; an error where `# check=error=true` makes it one.
    fn warnings(&self) -> Result<Vec<String>, BuildError> {
        let mut warnings: Vec<String> = self.findings.iter().map(Diagnostic::render).collect();
        if self.checks.error && !warnings.is_empty() {
            return Err(BuildError::Dockerfile(warnings.join("\n\n")));
        }
        let given = self.given.request.build_args.keys();
        let unused: Vec<&str> = given
            .filter(|name| !self.consumed.contains(*name) && !is_reserved(name))
            .map(String::as_str)
            .collect();
        if !unused.is_empty() {
            warnings.push(format!(
                "One or more build-args {unused:?} were not consumed"
            ));
        }
        Ok(warnings)
    }

    // ---- where files come from --------------------------------------------------------------

    /// The vertex of the build context.
    pub(super) fn context(&mut self) -> VertexId {
        if let Some(context) = self.context {
            return context;
        }
        let name = "[internal] load build context".to_owned();
        let op = ContextOp {
            label: Label {
                name: name.clone(),
                step: format!("{}|context", self.project),
            },
            context: Arc::clone(&self.given.context),
        };
        let step = Step {
            name,
            place: None,
            internal: true,
        };
        let vertex = self.add(step, Arc::new(op), Vec::new(), false);
        self.context = Some(vertex);
        vertex
    }

    /// The root of the stage or image that `--from` names, seen from stage number `before`.
    pub(super) fn root_of(
        &mut self,
        name: &Spanned<String>,
        before: usize,
        file: &File,
    ) -> Result<VertexId, BuildError> {
        let stage = self
            .dockerfile
            .stage(&name.value, before)
            .map(|stage| stage.index);
        match stage {
            Some(index) => Ok(self.stage(index)?.root),
            None => Ok(self.image(name, file)?.vertex),
        }
    }

    fn image(&mut self, name: &Spanned<String>, file: &File) -> Result<Image, BuildError> {
        if let Some(image) = self.images.get(&name.value) {
            return Ok(image.clone());
        }
        let store = &self.given.store;
        let found = store.read(|tx| tx.find_image(&name.value));
        let image = found.map_err(|error| match error {
            store::Error::ImageNotFound(_) => {
                let message = format!(
                    "{}: image not found locally: build or import it",
                    name.value
                );
                diagnostic(&Diagnostic::error(file, name.span, message))
            }
            other => BuildError::Store(other),
        })?;
        let config = store.image_config(&image.id).map_err(BuildError::Store)?;
        let op = SourceOp {
            label: Label {
                name: format!("FROM {}", name.value),
                step: format!("{}|image {}", self.project, name.value),
            },
            store: store.clone(),
            lease: self.given.lease.clone(),
            image: name.value.clone(),
            digest: ChainId::of(&config.rootfs.diff_ids).map(|chain| chain.0),
            snapshot: image.snapshot,
        };
        let step = Step {
            name: op.label.name.clone(),
            place: Some((file.clone(), name.span)),
            internal: true,
        };
        let vertex = self.add(step, Arc::new(op), Vec::new(), false);
        let image = Image {
            vertex,
            config,
            id: image.id,
        };
        self.images.insert(name.value.clone(), image.clone());
        Ok(image)
    }

    fn scratch(&mut self) -> VertexId {
        let name = "FROM scratch".to_owned();
        let op = SourceOp {
            label: Label {
                name: name.clone(),
                step: format!("{}|scratch", self.project),
            },
            store: self.given.store.clone(),
            lease: self.given.lease.clone(),
            image: "scratch".to_owned(),
            digest: None,
            snapshot: None,
        };
        let step = Step {
            name,
            place: None,
            internal: true,
        };
        self.add(step, Arc::new(op), Vec::new(), false)
    }

    // ---- stages -----------------------------------------------------------------------------

    /// Stage number `index`, lowered when it is first asked for.
    fn stage(&mut self, index: usize) -> Result<Stage, BuildError> {
        if let Some(stage) = self.stages.get(&index) {
            return Ok(stage.clone());
        }
        let mut stage = self.base(index)?;
        let file = self.dockerfile.file.clone();
        let triggers = std::mem::take(&mut stage.draft.container().on_build);
        let mut statements = Vec::new();
        for text in triggers {
            let statement = dockerfile::parse_trigger(&text, "ONBUILD")
                .map_err(|error| BuildError::Dockerfile(error.render()))?;
            statements.push((File::new("ONBUILD", text), statement));
        }
        let own = self.dockerfile.stages[index].instructions.iter();
        statements.extend(own.map(|statement| (file.clone(), statement.clone())));
        let steps = statements
            .iter()
            .filter(|(_, statement)| makes_layer(statement))
            .count();
        stage.progress = (1, steps + 1);
        for (file, statement) in &statements {
            self.apply(&mut stage, index, file, statement)?;
        }
        self.stages.insert(index, stage.clone());
        Ok(stage)
    }

    fn base(&mut self, index: usize) -> Result<Stage, BuildError> {
        let dockerfile = self.dockerfile;
        let parsed = &dockerfile.stages[index];
        let from = &parsed.from.node;
        let name = self.expand_global(&from.image)?;
        if name.is_empty() {
            let message = format!("base name ({}) should not be blank", from.image.value);
            return Err(diagnostic(&Diagnostic::error(
                &dockerfile.file,
                from.image.span,
                message,
            )));
        }
        if let Some(platform) = &from.platform {
            self.check_platform(platform)?;
        }
        let title = parsed
            .name
            .clone()
            .unwrap_or_else(|| format!("stage-{index}"));
        let request = self.given.request;
        let fresh = request.no_cache
            || request
                .no_cache_filter
                .iter()
                .any(|filter| filter.eq_ignore_ascii_case(&title));
        let earlier = dockerfile.stages[..index].iter().rev();
        let earlier = earlier
            .clone()
            .find(|stage| stage.name.as_deref() == Some(name.to_lowercase().as_str()));
        let mut stage = match earlier {
            Some(earlier) => self.stage(earlier.index)?,
            None if name == "scratch" => self.start(None, &title)?,
            None => {
                let name = Spanned::new(name, from.image.span);
                let image = self.image(&name, &dockerfile.file)?;
                self.start(Some(image), &title)?
            }
        };
        stage.title = title;
        stage.fresh = fresh;
        stage.draft.cmd_set = false;
        stage.counts = HashMap::new();
        stage.draft.config.created = Some(self.created.clone());
        stage.draft.ensure_path();
        Ok(stage)
    }

    fn start(&mut self, image: Option<Image>, title: &str) -> Result<Stage, BuildError> {
        let (root, config, base) = match image {
            Some(image) => (image.vertex, image.config, Some(image.id)),
            None => {
                let mut config = ImageConfig {
                    platform: Platform::host(),
                    ..ImageConfig::default()
                };
                config.config.working_dir = "/".to_owned();
                (self.scratch(), config, None)
            }
        };
        Ok(Stage {
            title: title.to_owned(),
            root,
            layers: vec![None; config.history.len()],
            draft: Draft {
                config,
                cmd_set: false,
            },
            arguments: Vec::new(),
            layer_steps: 0,
            base,
            fresh: false,
            progress: (1, 1),
            counts: HashMap::new(),
        })
    }

    fn check_platform(&mut self, platform: &Spanned<String>) -> Result<(), BuildError> {
        let text = self.expand_global(platform)?;
        let file = &self.dockerfile.file;
        let refuse =
            |message: String| Err(diagnostic(&Diagnostic::error(file, platform.span, message)));
        let host = Platform::host();
        match text.parse::<Platform>() {
            Ok(wanted) if host.matches(&wanted) => Ok(()),
            Ok(wanted) => refuse(format!(
                "building for {wanted} on {host} is not supported yet"
            )),
            Err(error) => refuse(error.to_string()),
        }
    }

    fn apply(
        &mut self,
        stage: &mut Stage,
        index: usize,
        file: &File,
        statement: &Statement,
    ) -> Result<(), BuildError> {
        let escape = self.dockerfile.directives.escape;
        let lookup = |name: &str| stage.variable(name);
        let expander = Expander::new(file, escape, &lookup);
        let expanded = statement
            .node
            .expand(&expander)
            .map_err(|error| diagnostic(&error))?;
        let instruction = self.checked(file, Some(stage), expanded);
        let place = Place {
            file,
            span: statement.span,
        };
        match &instruction {
            Instruction::Arg(arg) => self.arguments(stage, arg),
            Instruction::Workdir(workdir) => self.workdir(stage, &workdir.path, statement, &place),
            Instruction::Run(run) => {
                let mounts = run.mounts(&expander).map_err(|error| diagnostic(&error))?;
                let mounts = self.checked(file, Some(stage), mounts);
                self.run(stage, index, (run, mounts), (statement, &place))?;
            }
            Instruction::Copy(copy) => {
                self.copy(stage, index, &copy.into(), (statement, &place))?;
            }
            Instruction::Add(add) => {
                super::copy::refuse_remote(add, &place)?;
                self.copy(stage, index, &add.into(), (statement, &place))?;
            }
            other => {
                if let Some(text) = metadata::apply(&mut stage.draft, other, &place)? {
                    metadata::record(stage, &text);
                }
            }
        }
        Ok(())
    }

    fn arguments(&mut self, stage: &mut Stage, arg: &Arg) {
        let mut text = "ARG".to_owned();
        for item in &arg.items {
            let name = &item.name.value;
            let value = self
                .given
                .request
                .build_args
                .get(name)
                .cloned()
                .or_else(|| item.default.as_ref().map(|default| default.value.clone()))
                .or_else(|| self.globals.get(name).cloned())
                .or_else(|| self.platform.get(name).cloned());
            self.consumed.insert(name.clone());
            text += &match &value {
                Some(value) => format!(" {name}={value}"),
                None => format!(" {name}"),
            };
            stage.arguments.retain(|(known, _)| known != name);
            stage.arguments.push((name.clone(), value));
        }
        metadata::record(stage, &text);
    }

    fn workdir(&mut self, stage: &mut Stage, path: &str, statement: &Statement, place: &Place<'_>) {
        let path = stage.draft.absolute(path);
        stage.draft.container().working_dir.clone_from(&path);
        let text = format!("WORKDIR {path}");
        let label = self.label(stage, "WORKDIR", &statement.text);
        if path == "/" {
            metadata::record(stage, &text);
            return;
        }
        let op = WorkdirOp {
            label,
            maker: self.maker.clone(),
            path,
            user: stage.draft.config.config.user.clone(),
        };
        self.layer(
            stage,
            place,
            &op.label.name.clone(),
            (Arc::new(op), Vec::new()),
        );
        stage.record(history::layer(&text, &self.created), true);
    }

    /// Adds a vertex on top of the stage's root, which becomes the new root.
    pub(super) fn layer(
        &mut self,
        stage: &mut Stage,
        place: &Place<'_>,
        name: &str,
        (op, inputs): (Arc<dyn Op<Containers>>, Vec<Edge>),
    ) {
        let below = Edge {
            from: stage.root,
            keyed: Keyed::Definition,
        };
        let inputs = std::iter::once(below).chain(inputs).collect();
        let step = Step {
            name: name.to_owned(),
            place: Some((place.file.clone(), place.span)),
            internal: false,
        };
        stage.root = self.add(step, op, inputs, stage.fresh);
    }

    pub(super) fn created(&self) -> String {
        self.created.clone()
    }
}

fn makes_layer(statement: &Statement) -> bool {
    matches!(
        statement.node,
        Instruction::Run(_) | Instruction::Copy(_) | Instruction::Add(_) | Instruction::Workdir(_)
    )
}

pub(super) fn diagnostic(diagnostic: &Diagnostic) -> BuildError {
    BuildError::Dockerfile(diagnostic.render())
}
