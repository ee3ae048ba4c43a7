//! `RUN`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dockerfile::{Diagnostic, File, Span};
use oci::Digest;
use rustix::fd::OwnedFd;
use solver::{Content, Difference, Ingredient, Op, Run, Task};
use tokio::sync::mpsc;

use super::cache_mounts::{CacheFolder, OpenFolder};
use super::copy::view;
use super::layer::Draft;
use super::secret::StepFile;
use super::{CacheMounts, Label, LayerMaker, load, root, save};
use crate::domain::{Containers, Note, Root, StepError, Value, blocking};
use crate::executor::{Chunk, Exec, Executor, Mount, MountSource, Network};
use crate::files::digest::{Counts, content, differences, hash_nodes};
use crate::files::select::Selector;
use crate::files::tree::{Tree, clean};
use crate::request::Secret;

/// A variable that the process sees.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    /// `ENV NAME` or `ARG NAME`.
    pub(crate) label: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A mount of the step.
#[derive(Clone)]
pub(crate) struct StepMount {
    /// As written, variables replaced: what the key is made of.
    pub(crate) text: String,
    /// Absolute.
    pub(crate) target: String,
    pub(crate) kind: MountKind,
}

/// What is mounted.
#[derive(Clone)]
pub(crate) enum MountKind {
    /// A path of the root that is input number `input`.
    Bind {
        input: usize,
        source: String,
        read_only: bool,
    },
    Cache {
        folder: CacheFolder,
        read_only: bool,
        /// Input and path that a new folder is filled from.
        seed: Option<(usize, String)>,
    },
    Tmpfs {
        size: Option<u64>,
    },
    /// A file in memory.
    File {
        content: Secret,
        mode: u32,
        owner: (u32, u32),
    },
}

/// Inputs: the root, then what is mounted.
pub(crate) struct ExecOp {
    pub(crate) label: Label,
    pub(crate) maker: LayerMaker,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) cache_mounts: Arc<CacheMounts>,
    /// Folder in memory for files of the step.
    pub(crate) run_dir: PathBuf,
    pub(crate) file: File,
    pub(crate) span: Span,
    /// As errors and explanations show it.
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    /// The last argument is a script for the others.
    pub(crate) in_shell: bool,
    pub(crate) variables: Vec<Variable>,
    /// Not part of the key: secrets and proxies.
    pub(crate) hidden: Vec<(String, String)>,
    pub(crate) cwd: String,
    pub(crate) user: String,
    pub(crate) mounts: Vec<StepMount>,
    pub(crate) network: Network,
    pub(crate) hostname: Option<String>,
    pub(crate) extra_hosts: Vec<(String, String)>,
    pub(crate) shm_size: Option<u64>,
}

/// What has to live as long as the process.
#[derive(Default)]
struct Held {
    drafts: Vec<Draft>,
    folders: Vec<OpenFolder>,
    files: Vec<StepFile>,
}

/// Output on its way to whoever follows the build.
const BACKLOG: usize = 64;

/// What every sandbox mounts or writes, beside the mounts of the step.
const SANDBOX_STUBS: [&str; 6] = [
    "/dev",
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
];

impl ExecOp {
    /// What the sandbox makes only for something to be mounted on it, with the folders above.
    fn stubs(&self) -> Vec<PathBuf> {
        let targets = self.mounts.iter().map(|mount| Path::new(&mount.target));
        let fixed = SANDBOX_STUBS.iter().map(Path::new);
        let paths = targets.chain(fixed).flat_map(Path::ancestors);
        let below_root = paths.filter(|path| path.parent().is_some());
        below_root.map(Path::to_owned).collect()
    }

    /// The input's files below the path that is mounted from it.
    fn content(tree: &Tree, source: &str) -> Result<Content, StepError> {
        let selector = Selector {
            sources: vec![source.to_owned()],
            exclude: dockerfile::ignore::Patterns::default(),
            parents: false,
        };
        let missing = |_| StepError::Invalid(format!("\"{source}\" not found for a mount"));
        let items = selector.select(tree).map_err(missing)?;
        let nodes: Vec<_> = items
            .iter()
            .filter(|item| item.node.meta.kind == sys::root::FileKind::File)
            .map(|item| &item.node)
            .collect();
        let facts = hash_nodes(tree, &nodes)?;
        let counts = Counts {
            owner: true,
            mode: true,
        };
        Ok(content(&items, &facts, counts))
    }

    /// Which path of input number `input` is mounted.
    fn source_of(&self, input: usize) -> String {
        let found = self.mounts.iter().find_map(|mount| match &mount.kind {
            MountKind::Bind {
                input: n, source, ..
            } if *n == input => Some(source.clone()),
            MountKind::Cache {
                seed: Some((n, source)),
                ..
            } if *n == input => Some(source.clone()),
            _ => None,
        });
        found.unwrap_or_else(|| "/".to_owned())
    }

    async fn execute(&self, inputs: Vec<Value>, run: Run<Containers>) -> Result<Value, StepError> {
        let below = root(inputs.first())?;
        let (maker, parent) = (self.maker.clone(), below.clone());
        let draft = blocking(move || maker.draft(&parent)).await?;
        let mut held = Held::default();
        let code = match self.hold(&inputs, &mut held).await {
            Ok(mounts) => self.process(&draft, mounts, &run).await,
            Err(error) => Err(error),
        };
        let (maker, stubs) = (self.maker.clone(), self.stubs());
        // What is not kept is removed here too, which may take a while.
        blocking(move || {
            drop(held);
            match code {
                Ok(()) => maker.finish(draft, &below, stubs).map(Value::Root),
                Err(error) => {
                    drop(draft);
                    Err(error)
                }
            }
        })
        .await
    }

    /// Runs the process to its end, which must be a good one.
    async fn process(
        &self,
        draft: &Draft,
        mounts: Vec<Mount>,
        run: &Run<Containers>,
    ) -> Result<(), StepError> {
        let mut rootfs = draft.snapshot()?.overlay();
        rootfs.volatile = true;
        let (output, mut chunks) = mpsc::channel::<Chunk>(BACKLOG);
        let exec = Exec {
            rootfs,
            args: self.args.clone(),
            env: self.env(),
            cwd: self.cwd.clone(),
            user: self.user.clone(),
            mounts,
            network: self.network,
            hostname: self.hostname.clone(),
            extra_hosts: self.extra_hosts.clone(),
            shm_size: self.shm_size,
            output,
        };
        let process = self.executor.run(exec, run.cancel.clone());
        let forward = async {
            while let Some(chunk) = chunks.recv().await {
                run.note(Note::Log(chunk.stream, chunk.bytes)).await;
            }
        };
        let (code, ()) = tokio::join!(process, forward);
        if run.cancel.is_cancelled() {
            return Err(StepError::Cancelled);
        }
        match code.map_err(StepError::Executor)? {
            0 => Ok(()),
            code => Err(StepError::Exit {
                command: self.command.clone(),
                code,
            }),
        }
    }

    fn env(&self) -> Vec<String> {
        let variables = self
            .variables
            .iter()
            .map(|variable| (&variable.name, &variable.value));
        let hidden = self.hidden.iter().map(|(name, value)| (name, value));
        variables
            .chain(hidden)
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    /// Makes what is mounted; what it needs goes into `held`.
    async fn hold(&self, inputs: &[Value], held: &mut Held) -> Result<Vec<Mount>, StepError> {
        let mut mounts = Vec::new();
        for mount in &self.mounts {
            let (source, read_only) = match &mount.kind {
                MountKind::Bind {
                    input,
                    source,
                    read_only,
                } => {
                    let below = root(inputs.get(*input))?;
                    let (maker, source, writable) =
                        (self.maker.clone(), source.clone(), !*read_only);
                    let (tree, draft) =
                        blocking(move || bind(&maker, &below, &source, writable)).await?;
                    held.drafts.extend(draft);
                    (MountSource::Tree(tree), *read_only)
                }
                MountKind::Cache {
                    folder,
                    read_only,
                    seed,
                } => {
                    let seed = match seed {
                        Some((input, path)) => {
                            let below = root(inputs.get(*input))?;
                            let tree = blocking(move || tree_of(&below)).await?;
                            tree.map(|tree| (tree, path.clone()))
                        }
                        None => None,
                    };
                    let lease = self.maker.lease.clone();
                    let open = self.cache_mounts.open(folder.clone(), seed, lease).await?;
                    let path = open.path.clone();
                    held.folders.push(open);
                    (MountSource::Path(path), *read_only)
                }
                MountKind::Tmpfs { size } => (MountSource::Tmpfs { size: *size }, false),
                MountKind::File {
                    content,
                    mode,
                    owner,
                } => {
                    let file = StepFile::new(&self.run_dir, &content.0, *mode, *owner)?;
                    let path = file.path.clone();
                    held.files.push(file);
                    (MountSource::Path(path), true)
                }
            };
            mounts.push(Mount {
                target: mount.target.clone(),
                read_only,
                source,
            });
        }
        Ok(mounts)
    }
}

fn tree_of(root: &Root) -> Result<Option<Tree>, StepError> {
    let snapshot = root.snapshot.as_ref();
    snapshot
        .map(|snapshot| view(snapshot).map(Tree::of_root))
        .transpose()
}

/// A path of a root as a detached mount. Writes go to a draft that is thrown away.
fn bind(
    maker: &LayerMaker,
    below: &Root,
    source: &str,
    writable: bool,
) -> Result<(OwnedFd, Option<Draft>), StepError> {
    let error = || StepError::file(format!("mount {source}"));
    let draft = match writable {
        true => Some(maker.draft(below)?),
        false => None,
    };
    let overlay = match (&draft, &below.snapshot) {
        (Some(draft), _) => draft.snapshot()?.overlay(),
        (None, Some(snapshot)) => snapshot.overlay(),
        (None, None) => maker.store.view(None, &maker.lease)?.overlay(),
    };
    let mounted = overlay.mount().map_err(error())?;
    let path = clean(Path::new(source));
    if path.as_os_str().is_empty() {
        return Ok((mounted, draft));
    }
    let whole = sys::root::RootDir::from(mounted);
    let part = whole.resolve(Path::new("/").join(path)).map_err(error())?;
    let tree = sys::mount::clone_tree(&part, Path::new(""), false).map_err(error())?;
    Ok((tree, draft))
}

impl Op<Containers> for ExecOp {
    fn name(&self) -> String {
        self.label.name.clone()
    }

    fn step(&self) -> String {
        self.label.step.clone()
    }

    fn definition(&self) -> Option<Vec<Ingredient>> {
        let (shell, script) = match (self.in_shell, self.args.split_last()) {
            (true, Some((script, shell))) => (format!("{shell:?}"), script.clone()),
            _ => (String::new(), format!("{:?}", self.args)),
        };
        let mut parts = vec![
            Ingredient::new("the command", script),
            Ingredient::new("the shell", shell),
            Ingredient::new("the working folder", &self.cwd),
            Ingredient::new("the user", &self.user),
            Ingredient::new("--network", format!("{:?}", self.network)),
            Ingredient::new("the host name", self.hostname.clone().unwrap_or_default()),
            self.maker.ingredient(),
        ];
        for variable in &self.variables {
            parts.push(Ingredient::new(&variable.label, &variable.value));
        }
        for (number, mount) in self.mounts.iter().enumerate() {
            let label = match number {
                0 => "--mount".to_owned(),
                number => format!("--mount number {}", number + 1),
            };
            parts.push(Ingredient::new(label, &mount.text));
        }
        Some(parts)
    }

    fn selector(&self, input: usize) -> String {
        self.source_of(input)
    }

    fn content_key<'a>(
        &'a self,
        input: usize,
        value: &'a Value,
    ) -> Task<'a, Result<Content, StepError>> {
        let (value, source) = (root(Some(value)), self.source_of(input));
        let (file, span) = (self.file.clone(), self.span);
        Box::pin(blocking(move || {
            let Some(tree) = tree_of(&value?)? else {
                let digest = Digest::of("");
                return Ok(Content {
                    digest,
                    detail: String::new(),
                });
            };
            Self::content(&tree, &source).map_err(|error| match error {
                StepError::Invalid(message) => {
                    StepError::Dockerfile(Diagnostic::error(&file, span, message).render())
                }
                other => other,
            })
        }))
    }

    fn explain_content(&self, _input: usize, old: &str, new: &str) -> Vec<Difference> {
        differences(old, new)
    }

    fn run<'a>(
        &'a self,
        inputs: Vec<Value>,
        run: Run<Containers>,
    ) -> Task<'a, Result<Value, StepError>> {
        Box::pin(self.execute(inputs, run))
    }

    fn save(&self, value: &Value) -> Option<String> {
        save(value)
    }

    fn load(&self, saved: String) -> Task<'_, Result<Option<Value>, StepError>> {
        load(&self.maker.store, &self.maker.lease, saved)
    }
}
