//! Where the engine's own files are. The store draws the rest of the data root.
//!
//! ```text
//! <data root>/
//!   containers/<id>/   hosts, hostname, resolv.conf, shim.json, log.json…, exit
//!   volumes/<name>/_data
//! <run folder>/
//!   shims/<id>.sock    one per running container
//!   seccomp/<hash>     compiled system call filters
//!   steps/<id>/        files of a running build step
//! ```

use std::path::{Path, PathBuf};

use crate::EngineConfig;

/// Paths below the data root and the run folder.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
    run_dir: PathBuf,
    exe: PathBuf,
}

impl Layout {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        Self {
            root: config.root.clone(),
            run_dir: config.run_dir.clone(),
            exe: config.exe.clone(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// This very binary.
    pub(crate) fn exe(&self) -> &Path {
        &self.exe
    }

    pub(crate) fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    pub(crate) fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    pub(crate) fn log(&self, id: &str) -> PathBuf {
        self.container(id).join("log.json")
    }

    pub(crate) fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// The content of a volume.
    pub(crate) fn volume(&self, name: &str) -> PathBuf {
        self.volumes().join(name).join("_data")
    }

    pub(crate) fn shims(&self) -> PathBuf {
        self.run_dir.join("shims")
    }

    pub(crate) fn seccomp(&self) -> PathBuf {
        self.run_dir.join("seccomp")
    }

    pub(crate) fn steps(&self) -> PathBuf {
        self.run_dir.join("steps")
    }

    /// Every folder that must be there.
    pub(crate) fn folders(&self) -> [PathBuf; 5] {
        [
            self.containers(),
            self.volumes(),
            self.shims(),
            self.seccomp(),
            self.steps(),
        ]
    }
}
