//! Build checks: what parses but is likely wrong.

use crate::{Diagnostic, Dockerfile};

/// Finds what can be found without a build.
pub fn lint(dockerfile: &Dockerfile) -> Vec<Diagnostic> {
    dockerfile.warnings.clone()
}
