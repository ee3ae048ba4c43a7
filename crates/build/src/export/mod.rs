//! Where results go: the store, folders, archives.

mod files;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

use oci::{ImageConfig, ImageId, Reference};
use store::{Image, Lease, NewImage, Store};

use crate::domain::Root;
use crate::frontend::Plan;
use crate::{BuildError, BuildRequest, Output};

/// What is exported.
pub(crate) struct Export<'a> {
    pub(crate) store: &'a Store,
    pub(crate) lease: &'a Lease,
    pub(crate) root: &'a Root,
    pub(crate) config: ImageConfig,
    pub(crate) base: Option<ImageId>,
    pub(crate) request: &'a BuildRequest,
}

impl Export<'_> {
    /// Writes every output. The image is `Some` where an output made one.
    pub(crate) fn write(&self, outputs: Vec<Output>) -> Result<Option<Image>, BuildError> {
        let mut made = None;
        for output in outputs {
            match output {
                Output::Image => made = Some(self.image(&self.request.tags)?),
                Output::Local { folder, caller } => files::local(self, folder, &caller)?,
                Output::Tar { file } => files::tar(self, file)?,
                Output::Oci { file } | Output::Docker { file } => {
                    let image = self.archive(file)?;
                    made = made.or(Some(image));
                }
            }
        }
        Ok(made)
    }

    fn image(&self, tags: &[Reference]) -> Result<Image, BuildError> {
        let seconds = Duration::from_secs(self.request.now.max(0).unsigned_abs());
        let image = NewImage {
            config: self.config.clone(),
            snapshot: self.root.snapshot.as_ref().map(|snapshot| snapshot.id()),
            tags: tags.to_vec(),
            parent: self.base,
            annotations: BTreeMap::new(),
            built_at: SystemTime::UNIX_EPOCH + seconds,
        };
        Ok(self.store.create_image(&image, self.lease)?)
    }

    /// One tar that is an OCI layout and a docker-archive. An image that was not in the store is
    /// not left there.
    fn archive(&self, file: OwnedFd) -> Result<Image, BuildError> {
        let before: HashSet<ImageId> = self
            .store
            .read(|tx| Ok(tx.images()?.iter().map(|image| image.id).collect()))?;
        let image = self.image(&[])?;
        let mut out = BufWriter::new(File::from(file));
        let named = [(image.id, self.request.tags.clone())];
        self.store.save(&named, &mut out)?;
        out.flush().map_err(output_error("write the archive"))?;
        if !before.contains(&image.id) {
            let id = image.id.to_string();
            self.store.write(|tx| tx.remove_image(&id, true))?;
        }
        Ok(image)
    }
}

/// The config with its history's entries told apart: a step that left nothing made no layer.
pub(crate) fn finished_config(plan: &Plan, root: &Root) -> ImageConfig {
    let mut config = plan.config.clone();
    for (entry, layer) in config.history.iter_mut().zip(&plan.layers) {
        if let Some(layer) = layer {
            entry.empty_layer = !root.made.get(*layer).copied().unwrap_or(true);
        }
    }
    config
}

fn output_error(action: &str) -> impl FnOnce(std::io::Error) -> BuildError {
    let action = action.to_owned();
    move |source| BuildError::Output { action, source }
}
