//! The file system of a container as the engine sees it: through its first process while it runs,
//! else as an overlay that is mounted nowhere.

use std::collections::VecDeque;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use store::{SnapshotId, Store};
use sys::mount::Overlay;
use sys::root::RootDir;

use super::users::Identity;
use crate::Error;
use crate::error::IoContext as _;
use crate::rows::Row;

/// More than any table of users has; what is behind it is not read.
const TABLE_MAX: u64 = 4 << 20;

/// A folder that paths of a container are resolved beneath.
pub(crate) fn of_process(pid: u32) -> Result<RootDir, Error> {
    let path = format!("/proc/{pid}/root");
    RootDir::open(&path).at("opening", path)
}

/// An overlay, mounted nowhere.
pub(crate) fn of_overlay(overlay: &Overlay) -> Result<RootDir, Error> {
    let mount = overlay.mount().at("mounting", "a file system of layers")?;
    Ok(RootDir::from(mount))
}

/// A snapshot read-only: a stopped container, or the layers of an image.
pub(crate) fn of_snapshot(store: &Store, snapshot: Option<SnapshotId>) -> Result<RootDir, Error> {
    let lease = store.lease();
    of_overlay(&store.view(snapshot, &lease)?.overlay())
}

/// Looks `user[:group]` and further groups up in the tables of a file system.
pub(crate) fn identity(root: &RootDir, user: &str, groups: &[String]) -> Result<Identity, Error> {
    let passwd = table(root, Path::new("etc/passwd"));
    let group = table(root, Path::new("etc/group"));
    Identity::resolve(user, groups, &passwd, &group)
}

/// A table of an image: absent, unreadable and strange ones count as empty.
fn table(root: &RootDir, path: &Path) -> String {
    let mut bytes = Vec::new();
    let is_file = root
        .meta_followed(path)
        .is_ok_and(|meta| meta.kind == sys::root::FileKind::File);
    if is_file && let Ok(file) = root.open_file(path) {
        // What was read before an error counts.
        let _ = file.take(TABLE_MAX).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Who the processes of never started containers run as, remembered for the last few pairs of image
/// and user: looking it up costs a mount.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identities(Arc<Mutex<VecDeque<(IdentityKey, Identity)>>>);

type IdentityKey = (oci::ImageId, String, Vec<String>);

impl Identities {
    /// How many pairs are remembered.
    const KEPT: usize = 32;

    /// Who the first process of a container runs as.
    pub(crate) fn of(&self, row: &Row, overlay: &Overlay) -> Result<Identity, Error> {
        let document = &row.document;
        let groups = &document.options.host.group_add;
        let find = || identity(&of_overlay(overlay)?, &document.process.user, groups);
        // Once it ran, its tables may be other than those of its image.
        if document.ran
            || document
                .mounts
                .iter()
                .any(|point| point.mount.target.starts_with("/etc"))
        {
            return find();
        }
        let key = (
            document.image,
            document.process.user.clone(),
            groups.clone(),
        );
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = lock().iter().find(|(known, _)| *known == key) {
            return Ok(found.clone());
        }
        let found = find()?;
        let mut list = lock();
        list.truncate(Self::KEPT - 1);
        list.push_front((key, found.clone()));
        Ok(found)
    }
}
