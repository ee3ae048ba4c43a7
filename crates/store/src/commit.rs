//! From a written folder to a layer: stubs out, times clamped, size counted.

use std::path::PathBuf;
use std::time::SystemTime;

/// What to do to the folder before it becomes a layer.
#[derive(Debug, Clone, Default)]
pub struct CommitOptions {
    /// Modification times later than this are set to it.
    pub clamp: Option<SystemTime>,
    /// Paths in the container that were made only so that something could be mounted on them
    /// (`/proc`, `/etc/resolv.conf`, cache mounts): removed where they are still empty, and so
    /// are folders above them that hold nothing and equal those of the parent snapshot.
    pub stubs: Vec<PathBuf>,
}
