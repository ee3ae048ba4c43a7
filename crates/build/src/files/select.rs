//! Which files a `COPY` or `ADD` takes from a tree, and what they are called in the destination.

use std::io;
use std::path::{Path, PathBuf};

use dockerfile::glob::{Glob, has_meta};
use dockerfile::ignore::Patterns;
use sys::root::FileKind;

use super::tree::{Node, Tree, clean};

/// A file, folder or link to copy.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// What it is in the source.
    pub(crate) node: Node,
    /// What it is called, relative to the destination; empty for the destination itself.
    pub(crate) to: PathBuf,
    /// A source names this file itself, so the destination may be a file too.
    pub(crate) named: bool,
    /// May it have extended attributes that a layer keeps?
    pub(crate) xattrs: bool,
}

/// What to take.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    /// Paths or patterns, relative to the tree's root.
    pub(crate) sources: Vec<String>,
    /// `--exclude`
    pub(crate) exclude: Patterns,
    /// `--parents`
    pub(crate) parents: bool,
}

/// Why a selection cannot be made.
#[derive(Debug)]
pub(crate) enum SelectError {
    /// Source number so-and-so is not there, or is left out by the ignore file.
    Missing { source: usize, ignored: bool },
    /// Source number so-and-so is no pattern.
    Pattern { source: usize, reason: String },
    /// A path cannot be read.
    Io { source: usize, error: io::Error },
}

impl Selector {
    /// The items in a fixed order: by source, folders before what is in them.
    pub(crate) fn select(&self, tree: &Tree) -> Result<Vec<Item>, SelectError> {
        let mut items = Vec::new();
        for source in 0..self.sources.len() {
            let io = |error| SelectError::Io { source, error };
            let select = || self.select_one(tree, source, &mut items);
            // Under the permissions of who owns the context.
            tree.caller.run(select).map_err(io)??;
        }
        Ok(items)
    }

    fn select_one(
        &self,
        tree: &Tree,
        source: usize,
        items: &mut Vec<Item>,
    ) -> Result<(), SelectError> {
        let text = &self.sources[source];
        let (base, path) = self.split(text);
        let io = |error| SelectError::Io { source, error };
        if !has_meta(text) {
            let node = match tree.follow(&path) {
                Ok(node) => node,
                Err(error) if is_missing(&error) => {
                    let ignored = false;
                    return Err(SelectError::Missing { source, ignored });
                }
                Err(error) => return Err(io(error)),
            };
            let ignored = tree.ignores(&path);
            let before = items.len();
            if !ignored || node.meta.is_dir() {
                self.take(tree, node, &Place::new(&path, &base), items)
                    .map_err(io)?;
            }
            // Of an ignored folder something may have been taken back.
            if ignored && items.len() <= before + 1 {
                items.truncate(before);
                return Err(SelectError::Missing { source, ignored });
            }
            return Ok(());
        }
        let pattern = path.to_string_lossy();
        let glob = Glob::new(&pattern, self.parents).map_err(|error| SelectError::Pattern {
            source,
            reason: error.to_string(),
        })?;
        for node in matching(tree, &path, &glob).map_err(io)? {
            let place = Place::new(&node.path.clone(), &base);
            let node = match node.meta.kind {
                FileKind::Symlink if !self.parents => match tree.follow(&node.path) {
                    Ok(node) => node,
                    Err(error) if is_missing(&error) => continue,
                    Err(error) => return Err(io(error)),
                },
                _ => node,
            };
            self.take(tree, node, &place, items).map_err(io)?;
        }
        Ok(())
    }

    /// The part of a source that `--parents` does not repeat in the destination (up to `/./`), and
    /// the whole path.
    fn split(&self, text: &str) -> (PathBuf, PathBuf) {
        let whole = clean(Path::new(text));
        match text.split_once("/./") {
            Some((base, _)) if self.parents => (clean(Path::new(base)), whole),
            _ => (PathBuf::new(), whole),
        }
    }

    fn take(
        &self,
        tree: &Tree,
        node: Node,
        place: &Place,
        items: &mut Vec<Item>,
    ) -> io::Result<()> {
        let top = node.path.clone();
        let prefix = match self.parents {
            true => {
                self.take_parents(tree, place, items)?;
                place.in_destination.clone()
            }
            false => PathBuf::new(),
        };
        if !node.meta.is_dir() {
            let name = PathBuf::from(place.path.file_name().unwrap_or_default());
            let to = if self.parents { prefix } else { name };
            if !self.excludes(&to) {
                items.push(Item {
                    node,
                    to,
                    named: !self.parents,
                    xattrs: true,
                });
            }
            return Ok(());
        }
        items.push(Item {
            node,
            to: prefix.clone(),
            named: false,
            xattrs: true,
        });
        let all = top.as_os_str().is_empty();
        let below = |path: &PathBuf| match all {
            true => path.clone(),
            false => path.strip_prefix(&top).unwrap_or(path).to_owned(),
        };
        for node in tree.walk(&top, &|_| true)? {
            let relative = below(&node.path);
            let to = match prefix.as_os_str().is_empty() {
                true => relative,
                false => prefix.join(relative),
            };
            if !self.excludes(&to) {
                items.push(Item {
                    node,
                    to,
                    named: false,
                    xattrs: true,
                });
            }
        }
        Ok(())
    }

    /// The folders above a `--parents` source, with their own attributes.
    fn take_parents(&self, tree: &Tree, place: &Place, items: &mut Vec<Item>) -> io::Result<()> {
        let above: Vec<&Path> = place.in_destination.ancestors().skip(1).collect();
        for to in above
            .into_iter()
            .rev()
            .filter(|to| !to.as_os_str().is_empty())
        {
            if items.iter().any(|item| item.to == to) {
                continue;
            }
            let node = tree.follow(&place.base.join(to))?;
            items.push(Item {
                node,
                to: to.to_owned(),
                named: false,
                xattrs: true,
            });
        }
        Ok(())
    }

    fn excludes(&self, path: &Path) -> bool {
        !self.exclude.is_empty()
            && !path.as_os_str().is_empty()
            && self.exclude.ignores(&path.to_string_lossy())
    }
}

/// Where a source stands.
struct Place {
    path: PathBuf,
    base: PathBuf,
    /// Its path below `base`.
    in_destination: PathBuf,
}

impl Place {
    fn new(path: &Path, base: &Path) -> Self {
        Self {
            path: path.to_owned(),
            base: base.to_owned(),
            in_destination: path.strip_prefix(base).unwrap_or(path).to_owned(),
        }
    }
}

/// What matches `glob`, looking only into folders that can hold a match.
fn matching(tree: &Tree, pattern: &Path, glob: &Glob) -> io::Result<Vec<Node>> {
    let fixed: PathBuf = pattern
        .iter()
        .take_while(|part| !has_meta(&part.to_string_lossy()))
        .collect();
    let top = match tree.follow(&fixed) {
        Ok(node) if node.meta.is_dir() => fixed,
        Ok(_) => return Ok(Vec::new()),
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let enter = |path: &Path| glob.may_match_below(&path.to_string_lossy());
    let mut nodes = tree.walk(&top, &enter)?;
    nodes.retain(|node| glob.matches(&node.path.to_string_lossy()));
    // A folder that matches is taken as a whole: what is in it must not come twice.
    let mut taken: Option<PathBuf> = None;
    nodes.retain(|node| {
        let inside = taken
            .as_ref()
            .is_some_and(|taken| node.path.starts_with(taken));
        if !inside && node.meta.is_dir() {
            taken = Some(node.path.clone());
        }
        !inside
    });
    Ok(nodes)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
