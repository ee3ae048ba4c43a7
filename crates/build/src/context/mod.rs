//! The build context: where `COPY` and `ADD` take files from.
//!
//! A folder is read in place, under its owner's permissions. What its files hash to is remembered
//! in an [`Index`] between builds, so only files that changed are read again.

mod archive;
mod index;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dockerfile::ignore::Patterns;
use oci::Digest;
use store::Store;
use sys::credentials::{Caller, path_of};
use sys::root::RootDir;

use crate::domain::StepError;
use crate::files::digest::{FileFacts, hash_nodes};
use crate::files::tree::{Node, Tree};
use crate::{BuildError, ContextSource};

use archive::TempFolder;
use index::Index;

/// The context of one build.
pub(crate) struct Context {
    pub(crate) tree: Tree,
    index: Option<Mutex<Index>>,
    /// Tells this context from others over time.
    pub(crate) identity: String,
    _unpacked: Option<TempFolder>,
}

/// An opened context, and the Dockerfile if that is what came instead of one.
pub(crate) struct Opened {
    pub(crate) context: Context,
    pub(crate) dockerfile: Option<String>,
}

impl Context {
    /// Opens `source`. `label` names contexts that have no folder of their own.
    pub(crate) fn open(
        source: ContextSource,
        label: &str,
        store: &Store,
    ) -> Result<Opened, BuildError> {
        match source {
            ContextSource::Folder { folder, caller } => {
                let path = path_of(std::os::fd::AsFd::as_fd(&folder))
                    .map_err(context_error("open its folder"))?;
                let identity = path.to_string_lossy().into_owned();
                let index = Index::path(store.root(), &identity);
                let context = Self {
                    tree: Tree {
                        root: RootDir::from(folder),
                        caller,
                        ignore: Patterns::default(),
                    },
                    index: Some(Mutex::new(Index::load(index))),
                    identity,
                    _unpacked: None,
                };
                Ok(Opened {
                    context,
                    dockerfile: None,
                })
            }
            ContextSource::Tar(stream) => {
                let (folder, dockerfile) = archive::unpack(stream, store)?;
                Ok(Opened {
                    context: Self::temporary(folder, label)?,
                    dockerfile,
                })
            }
            ContextSource::Empty => Ok(Opened {
                context: Self::temporary(TempFolder::new(store)?, label)?,
                dockerfile: None,
            }),
        }
    }

    fn temporary(folder: TempFolder, label: &str) -> Result<Self, BuildError> {
        let root = RootDir::open(&folder.path).map_err(context_error("open its folder"))?;
        Ok(Self {
            tree: Tree {
                root,
                caller: Caller::root(),
                ignore: Patterns::default(),
            },
            index: None,
            identity: format!("stream:{label}"),
            _unpacked: Some(folder),
        })
    }

    /// A text file of the context; `None` if it is not there.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, BuildError> {
        let read = || match self.tree.root.open_file(Path::new("/").join(path)) {
            Ok(file) => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_TEXT), &mut bytes)?;
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let action = format!("read {path}");
        let done = self
            .tree
            .caller
            .run(read)
            .map_err(context_error(action.clone()))?;
        done.map_err(context_error(action))
    }

    /// Facts about files, in their order; what the index knows is not read again.
    pub(crate) fn facts(&self, nodes: &[&Node]) -> Result<Vec<FileFacts>, StepError> {
        let Some(index) = &self.index else {
            return hash_nodes(&self.tree, nodes);
        };
        let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
        let mut facts: Vec<Option<FileFacts>> = nodes.iter().map(|node| index.get(node)).collect();
        let unknown: Vec<&Node> = nodes
            .iter()
            .zip(&facts)
            .filter(|(_, known)| known.is_none())
            .map(|(node, _)| *node)
            .collect();
        if !unknown.is_empty() {
            let start = index.clock();
            let hashed = hash_nodes(&self.tree, &unknown)?;
            for (node, fact) in unknown.iter().zip(&hashed) {
                index.add(node, *fact, start);
            }
            let mut hashed = hashed.into_iter();
            for slot in facts.iter_mut().filter(|slot| slot.is_none()) {
                *slot = hashed.next();
            }
        }
        Ok(facts.into_iter().flatten().collect())
    }

    /// Keeps what was learnt for the next build. An index that cannot be written costs time only.
    pub(crate) fn save_index(&self) {
        if let Some(index) = &self.index {
            index.lock().unwrap_or_else(PoisonError::into_inner).save();
        }
    }
}

/// A Dockerfile or ignore file is read up to here.
const MAX_TEXT: u64 = 16 << 20;

fn context_error(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> BuildError {
    let action = action.into();
    move |source| BuildError::Context { action, source }
}

/// A file name made of any text.
fn file_name(text: &str) -> PathBuf {
    PathBuf::from(Digest::of(text).hex())
}
