//! Docker's configuration file, as far as it matters to the commands that exist.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// `config.json`; unknown keys are other programs' business.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Config {
    pub(crate) ps_format: Option<String>,
    pub(crate) images_format: Option<String>,
    pub(crate) networks_format: Option<String>,
    pub(crate) volumes_format: Option<String>,
    pub(crate) detach_keys: Option<String>,
}

impl Config {
    /// Reads the file; without a folder or a file everything has its default.
    pub(crate) fn in_folder(folder: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = folder.map(|folder| folder.join("config.json")) else {
            return Ok(Self::default());
        };
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("cannot read {}", path.display())),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(Self::default())
            }
            // A folder of another user (sudo keeps HOME) must not stop every command.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}
