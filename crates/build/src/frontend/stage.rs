//! A stage while its instructions are applied one after another.

use std::collections::HashMap;

use oci::{ContainerConfig, ImageConfig, ImageId};
use solver::VertexId;

/// Docker's search path where an image says none.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An image's config while instructions change it.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) config: ImageConfig,
    /// `CMD` was given here, not inherited.
    pub(super) cmd_set: bool,
}

/// What is known of a stage.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// As step names show it: its name, or `stage-2`.
    pub(super) title: String,
    /// Its root file system so far.
    pub(super) root: VertexId,
    pub(super) draft: Draft,
    /// Build arguments that were declared, in order; `None` for one without a value.
    pub(super) arguments: Vec<(String, Option<String>)>,
    /// For each entry of the history: which layer-making step after the base it is of.
    pub(super) layers: Vec<Option<usize>>,
    /// How many layer-making steps there are after the base.
    pub(super) layer_steps: usize,
    pub(super) base: Option<ImageId>,
    /// The stage uses no earlier results.
    pub(super) fresh: bool,
    /// Steps so far, and in total.
    pub(super) progress: (usize, usize),
    /// How many instructions of each kind there were.
    pub(super) counts: HashMap<String, usize>,
}

impl Draft {
    pub(super) fn container(&mut self) -> &mut ContainerConfig {
        &mut self.config.config
    }

    pub(super) fn env(&self, name: &str) -> Option<String> {
        self.config.config.env.iter().find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| value.to_owned())
        })
    }

    /// Sets a variable in place, or adds it.
    pub(super) fn set_env(&mut self, name: &str, value: &str) {
        let env = &mut self.config.config.env;
        let pair = format!("{name}={value}");
        let prefix = format!("{name}=");
        match env
            .iter_mut()
            .find(|old| old.starts_with(&prefix) || *old == name)
        {
            Some(old) => *old = pair,
            None => env.push(pair),
        }
    }

    /// The search path is always set.
    pub(super) fn ensure_path(&mut self) {
        if self.env("PATH").is_none() {
            self.config.config.env.push(DEFAULT_PATH.to_owned());
        }
    }

    /// The shell of the shell forms.
    pub(super) fn shell(&self) -> Vec<String> {
        match self.config.config.shell.is_empty() {
            true => vec!["/bin/sh".to_owned(), "-c".to_owned()],
            false => self.config.config.shell.clone(),
        }
    }

    /// Arguments that run `text` in the shell.
    pub(super) fn in_shell(&self, text: &str) -> Vec<String> {
        let mut args = self.shell();
        args.push(text.to_owned());
        args
    }

    /// `path` as an absolute clean path, relative to the working folder.
    pub(super) fn absolute(&self, path: &str) -> String {
        let folder = match self.config.config.working_dir.as_str() {
            "" => "/",
            folder => folder,
        };
        let joined = std::path::Path::new("/").join(folder).join(path);
        let clean = crate::files::tree::clean(&joined);
        format!("/{}", clean.display())
    }
}

impl Stage {
    /// The names of all variables.
    pub(super) fn names(&self) -> Vec<String> {
        let env = self.draft.config.config.env.iter();
        let env = env.map(|pair| pair.split('=').next().unwrap_or_default());
        let arguments = self.arguments.iter().map(|(name, _)| name.as_str());
        env.chain(arguments).map(str::to_owned).collect()
    }

    /// The value of a variable: `ENV` wins over `ARG`.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.draft.env(name).or_else(|| {
            let found = self.arguments.iter().rev().find(|(key, _)| key == name);
            found.and_then(|(_, value)| value.clone())
        })
    }

    /// Adds an entry to the history; `layer` for a step that makes one.
    pub(super) fn record(&mut self, entry: oci::History, layer: bool) {
        self.draft.config.history.push(entry);
        self.layers.push(layer.then_some(self.layer_steps));
        if layer {
            self.layer_steps += 1;
        }
    }

    /// How many instructions of this kind there were before.
    pub(super) fn count(&mut self, kind: &str) -> usize {
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        *count - 1
    }
}
