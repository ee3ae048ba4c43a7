//! `COPY` and `ADD` → vertices.

use std::sync::Arc;

use dockerfile::ignore::Patterns;
use dockerfile::{Add, Copy, Source, SourceFile, Spanned, Statement};
use solver::{Edge, Keyed, VertexId};

use super::history;
use super::lowering::Lowering;
use super::metadata::Place;
use super::stage::Stage;
use crate::BuildError;
use crate::files::mode::Mode;
use crate::files::select::Selector;
use crate::files::write::TextFile;
use crate::ops::{CopyOp, LinkOp, Sources};

/// What `COPY` and `ADD` have in common.
pub(super) struct Transfer<'a> {
    word: &'static str,
    sources: &'a [Source],
    destination: &'a Spanned<String>,
    from: Option<&'a Spanned<String>>,
    chown: Option<&'a Spanned<String>>,
    chmod: Option<&'a Spanned<String>>,
    exclude: &'a [Spanned<String>],
    parents: bool,
    link: bool,
    unpack: bool,
}

impl<'a> From<&'a Copy> for Transfer<'a> {
    fn from(copy: &'a Copy) -> Self {
        Self {
            word: "COPY",
            sources: &copy.sources,
            destination: &copy.destination,
            from: copy.from.as_ref(),
            chown: copy.chown.as_ref(),
            chmod: copy.chmod.as_ref(),
            exclude: &copy.exclude,
            parents: copy.parents,
            link: copy.link,
            unpack: false,
        }
    }
}

impl<'a> From<&'a Add> for Transfer<'a> {
    fn from(add: &'a Add) -> Self {
        Self {
            word: "ADD",
            sources: &add.sources,
            destination: &add.destination,
            from: None,
            chown: add.chown.as_ref(),
            chmod: add.chmod.as_ref(),
            exclude: &add.exclude,
            parents: false,
            link: add.link,
            unpack: add.unpack.unwrap_or(true),
        }
    }
}

/// Refuses what would have to be fetched.
pub(super) fn refuse_remote(add: &Add, place: &Place<'_>) -> Result<(), BuildError> {
    for source in &add.sources {
        if let Source::Path(path) = source
            && is_remote(&path.value)
        {
            let message = format!(
                "ADD of a remote source ({}) is not supported yet",
                path.value
            );
            return Err(place.refuse(path.span, message));
        }
    }
    if let Some(checksum) = &add.checksum {
        return Err(place.refuse(
            checksum.span,
            "checksum can't be specified for non-HTTP(S) sources",
        ));
    }
    if add.keep_git_dir.is_some() {
        return Err(place.refuse(
            place.span,
            "--keep-git-dir needs a git source, which is not supported yet",
        ));
    }
    Ok(())
}

fn is_remote(source: &str) -> bool {
    let lower = source.to_lowercase();
    let schemes = ["http://", "https://", "ftp://", "git://", "ssh://", "git@"];
    schemes.iter().any(|scheme| lower.starts_with(scheme))
}

impl Lowering<'_> {
    pub(super) fn copy(
        &mut self,
        stage: &mut Stage,
        index: usize,
        transfer: &Transfer<'_>,
        (statement, place): (&Statement, &Place<'_>),
    ) -> Result<(), BuildError> {
        let op = self.copy_op(stage, transfer, statement, place)?;
        let name = op.label.name.clone();
        let source = match (op.sources.selector.sources.is_empty(), transfer.from) {
            (true, _) => None,
            (false, None) => Some(self.context()),
            (false, Some(from)) => Some(self.root_of(from, index, place.file)?),
        };
        let edge = source.map(|from| Edge {
            from,
            keyed: Keyed::Content,
        });
        let inputs: Vec<Edge> = edge.into_iter().collect();
        let text = text(transfer, &op);
        if op.linked {
            self.linked(stage, place, op, inputs);
        } else {
            self.layer(stage, place, &name, (Arc::new(op), inputs));
        }
        stage.record(history::layer(&text, &self.created()), true);
        Ok(())
    }

    /// The layer is made on nothing and then put on the stage's root.
    fn linked(&mut self, stage: &mut Stage, place: &Place<'_>, op: CopyOp, inputs: Vec<Edge>) {
        let name = op.label.name.clone();
        let mut label = op.label.clone();
        label.step += "|link";
        let step = super::Step {
            name: name.clone(),
            place: Some((place.file.clone(), place.span)),
            internal: false,
        };
        let layer = self.add(step, Arc::new(op), inputs, stage.fresh);
        let edge = Edge {
            from: layer,
            keyed: Keyed::Definition,
        };
        label.name = name.replacen("] ", "] LINK ", 1);
        let link = LinkOp {
            label: label.clone(),
            maker: self.maker.clone(),
        };
        self.layer(stage, place, &label.name, (Arc::new(link), vec![edge]));
    }

    fn copy_op(
        &mut self,
        stage: &mut Stage,
        transfer: &Transfer<'_>,
        statement: &Statement,
        place: &Place<'_>,
    ) -> Result<CopyOp, BuildError> {
        let destination = destination(stage, transfer, place)?;
        let chmod = match transfer.chmod {
            None => None,
            Some(text) => match Mode::parse(text) {
                Some(mode) => Some((text.value.clone(), mode)),
                None => {
                    let message = format!("invalid chmod parameter: '{}'", text.value);
                    return Err(place.refuse(text.span, message));
                }
            },
        };
        let chown = transfer.chown.map(|chown| chown.value.clone());
        let numeric = chown.as_deref().is_none_or(|chown| {
            chown
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b':')
        });
        Ok(CopyOp {
            label: self.label(stage, transfer.word, &statement.text),
            maker: self.maker.clone(),
            sources: sources(transfer, place)?,
            destination,
            keep_owner: transfer.from.is_some(),
            unpack: transfer.unpack,
            // Names of owners are looked up in the root, so that layer cannot stand alone.
            linked: transfer.link && chmod.is_none() && numeric,
            chown,
            chmod,
            selected: Arc::default(),
        })
    }

    /// Files of the context as a root of their own, under their paths: what a bind mount shows.
    pub(super) fn context_part(
        &mut self,
        stage: &mut Stage,
        source: &str,
        place: &Place<'_>,
    ) -> VertexId {
        let number = stage.count("mount");
        let label = crate::ops::Label {
            name: format!("[internal] mount {source} of the build context"),
            step: format!("{}|mount|{number}", stage.title),
        };
        let op = CopyOp {
            label: label.clone(),
            maker: self.maker.clone(),
            sources: Sources {
                selector: Selector {
                    sources: vec![source.to_owned()],
                    exclude: Patterns::default(),
                    parents: true,
                },
                exclude: Vec::new(),
                spans: vec![place.span],
                file: place.file.clone(),
                texts: Vec::new(),
            },
            destination: "/".to_owned(),
            chown: None,
            chmod: None,
            keep_owner: false,
            unpack: false,
            linked: true,
            selected: Arc::default(),
        };
        let edge = Edge {
            from: self.context(),
            keyed: Keyed::Content,
        };
        let step = super::Step {
            name: label.name,
            place: Some((place.file.clone(), place.span)),
            internal: true,
        };
        self.add(step, Arc::new(op), vec![edge], false)
    }
}

fn destination(
    stage: &Stage,
    transfer: &Transfer<'_>,
    place: &Place<'_>,
) -> Result<String, BuildError> {
    let written = &transfer.destination.value;
    let is_folder = written.ends_with('/') || written == "." || written.ends_with("/.");
    if transfer.sources.len() > 1 && !is_folder {
        let message = format!(
            "When using {} with more than one source file, the destination must be a directory and end with a /",
            transfer.word
        );
        return Err(place.refuse(transfer.destination.span, message));
    }
    let absolute = stage.draft.absolute(written);
    Ok(match is_folder && absolute != "/" {
        true => absolute + "/",
        false => absolute,
    })
}

fn sources(transfer: &Transfer<'_>, place: &Place<'_>) -> Result<Sources, BuildError> {
    let mut sources = Sources {
        selector: Selector {
            sources: Vec::new(),
            exclude: Patterns::default(),
            parents: transfer.parents,
        },
        exclude: transfer
            .exclude
            .iter()
            .map(|pattern| pattern.value.clone())
            .collect(),
        spans: Vec::new(),
        file: place.file.clone(),
        texts: Vec::new(),
    };
    for source in transfer.sources {
        match source {
            Source::Path(path) => {
                sources.selector.sources.push(path.value.clone());
                sources.spans.push(path.span);
            }
            Source::File(SourceFile { name, content, .. }) => sources.texts.push(TextFile {
                name: name.value.clone(),
                content: content.clone(),
            }),
        }
    }
    let patterns = sources.exclude.iter().map(String::as_str);
    sources.selector.exclude =
        Patterns::new(patterns).map_err(|error| place.refuse(place.span, error.to_string()))?;
    Ok(sources)
}

/// `COPY --chown=x a b /`
fn text(transfer: &Transfer<'_>, op: &CopyOp) -> String {
    let mut text = transfer.word.to_owned();
    if transfer.parents {
        text += " --parents";
    }
    if let Some(chown) = &op.chown {
        text += &format!(" --chown={chown}");
    }
    if let Some((chmod, _)) = &op.chmod {
        text += &format!(" --chmod={chmod}");
    }
    for source in transfer.sources {
        text.push(' ');
        text += match source {
            Source::Path(path) => &path.value,
            Source::File(file) => &file.name.value,
        };
    }
    text.push(' ');
    text + &transfer.destination.value
}
