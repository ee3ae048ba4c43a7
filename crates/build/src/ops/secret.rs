//! Small files that a step sees but no layer keeps: secrets and scripts. They lie in memory while
//! the step runs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::StepError;

/// A file that goes away with this value.
#[derive(Debug)]
pub(crate) struct StepFile {
    pub(crate) path: PathBuf,
}

impl StepFile {
    pub(crate) fn new(
        folder: &Path,
        content: &[u8],
        mode: u32,
        owner: (u32, u32),
    ) -> Result<Self, StepError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let error = || StepError::file(format!("write a file of the step in {}", folder.display()));
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(error())?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("step-{}-{number}", std::process::id());
        let path = folder.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&path).map_err(error())?;
        let made = Self { path };
        file.write_all(content).map_err(error())?;
        std::os::unix::fs::fchown(&file, Some(owner.0), Some(owner.1)).map_err(error())?;
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        file.set_permissions(permissions).map_err(error())?;
        Ok(made)
    }
}

impl Drop for StepFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a file of a step");
        }
    }
}
