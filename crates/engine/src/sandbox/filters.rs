//! Compiled system call filters: one file for each different profile, set of capabilities and
//! kernel, made once and kept in the run folder, where the supervisors read them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oci::{Digest, Hasher};
use runtime::seccomp::{Context, Profile, SeccompError};

use super::capabilities;
use crate::Error;
use crate::error::IoContext as _;
use crate::layout::Layout;
use crate::spec::{HostOptions, SeccompChoice};

/// The filters of this engine.
#[derive(Debug, Clone)]
pub(crate) struct SystemCallFilters {
    layout: Layout,
    /// Files that are known to be there and to be made by this very program.
    made: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl SystemCallFilters {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            made: Arc::default(),
        }
    }

    /// The file with the filter of a container; `None` is no filter.
    pub(crate) fn file_for(&self, host: &HostOptions) -> Result<Option<PathBuf>, Error> {
        let text = match &host.security.seccomp {
            SeccompChoice::Unconfined => return Ok(None),
            SeccompChoice::Default if host.privileged => return Ok(None),
            SeccompChoice::Default => None,
            SeccompChoice::Profile(text) => Some(text.as_str()),
        };
        let context = Context {
            capabilities: capabilities::bounding(host)?
                .into_iter()
                .map(|capability| format!("CAP_{capability}"))
                .collect(),
            kernel: kernel(),
        };
        let path = self.layout.seccomp().join(key(text, &context).hex());
        // Held while the file is made: two containers at a time want the same one.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.contains(&path) {
            make(&path, text, &context)?;
            made.insert(path.clone());
        }
        drop(made);
        Ok(Some(path))
    }
}

/// Everything that the filter depends on but this program's version: files of an earlier engine are
/// made anew.
fn key(text: Option<&str>, context: &Context) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(text.unwrap_or("stock").as_bytes());
    hasher.update(format!("\0{context:?}").as_bytes());
    hasher.finish()
}

fn make(path: &Path, text: Option<&str>, context: &Context) -> Result<(), Error> {
    let profile = match text {
        None => Profile::stock(),
        Some(text) => Profile::parse(text),
    };
    let compiled = profile.and_then(|profile| profile.resolve(context)?.compile());
    let filter = compiled.map_err(|source| refused(&source))?;
    // Under its name at once and whole: a supervisor may be reading the old one.
    let temporary = path.with_extension("new");
    let mut file = fs::File::create(&temporary).at("making", &temporary)?;
    file.write_all(filter.as_bytes())
        .at("writing", &temporary)?;
    fs::rename(&temporary, path).at("renaming", path)
}

fn refused(source: &SeccompError) -> Error {
    let mut reason = source.to_string();
    if let Some(cause) = std::error::Error::source(source) {
        reason = format!("{reason}: {cause}");
    }
    Error::invalid("seccomp profile", "", reason)
}

/// Major and minor version.
fn kernel() -> (u32, u32) {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_for_each_set_of_capabilities() {
        let folder = tempfile::tempdir().unwrap();
        let config = crate::EngineConfig {
            root: folder.path().to_owned(),
            run_dir: folder.path().to_owned(),
            exe: PathBuf::new(),
        };
        let layout = Layout::new(&config);
        fs::create_dir_all(layout.seccomp()).unwrap();
        let filters = SystemCallFilters::new(layout);
        let plain = HostOptions::default();
        let first = filters.file_for(&plain).unwrap().unwrap();
        assert!(fs::metadata(&first).unwrap().len() > 1000);
        assert_eq!(filters.file_for(&plain).unwrap().unwrap(), first);
        let more = HostOptions {
            cap_add: vec!["SYS_ADMIN".into()],
            ..HostOptions::default()
        };
        assert_ne!(filters.file_for(&more).unwrap().unwrap(), first);
        let privileged = HostOptions {
            privileged: true,
            ..HostOptions::default()
        };
        assert!(filters.file_for(&privileged).unwrap().is_none());
        let mut broken = HostOptions::default();
        broken.security.seccomp = SeccompChoice::Profile("{".into());
        assert!(filters.file_for(&broken).is_err());
    }
}
