//! The sockets that an engine listens on.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Who may connect besides the owner: the first of these groups that the host has.
const GROUPS: [&str; 2] = ["corten", "docker"];

/// Why an engine cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is not one that is served.
    #[error("cannot listen on `{0}`: expected unix:///path/to/socket")]
    Address(String),
    /// The system said no.
    #[error("cannot listen on {}", .path.display())]
    Bind {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another engine answers there.
    #[error("another engine listens on {}", .0.display())]
    InUse(PathBuf),
}

/// A socket that listens. Its file goes with it.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Listens at `unix:///path`. The file is for its owner and a group: `corten` or `docker`,
    /// where the host has one. A file that nobody listens on any more is replaced.
    pub fn bind(address: &str) -> Result<Self, ListenError> {
        let path = match address.strip_prefix("unix://") {
            Some(path) if path.starts_with('/') => PathBuf::from(path),
            _ => return Err(ListenError::Address(address.to_owned())),
        };
        let socket = bind(&path)?;
        Ok(Self { socket, path })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A file that stays is replaced by the next engine.
        let _ = fs::remove_file(&self.path);
    }
}

fn bind(path: &Path) -> Result<UnixListener, ListenError> {
    let wrong = |source| ListenError::Bind {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(wrong)?;
    }
    remove_stale(path)?;
    // Bound under another name and moved: nobody connects before the permissions are right.
    let hidden = path.with_extension(format!("{}.new", std::process::id()));
    let socket = UnixListener::bind(&hidden).map_err(wrong)?;
    let finish = || -> io::Result<()> {
        fs::set_permissions(&hidden, Permissions::from_mode(0o660))?;
        if let Some(group) = group_id(&fs::read_to_string("/etc/group").unwrap_or_default()) {
            chown(&hidden, None, Some(group))?;
        }
        fs::rename(&hidden, path)
    };
    finish().map_err(|source| {
        let _ = fs::remove_file(&hidden);
        wrong(source)
    })?;
    Ok(socket)
}

fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let wrong = |source| ListenError::Bind {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(wrong(error)),
        Ok(found) if !found.file_type().is_socket() => {
            Err(wrong(io::Error::from(io::ErrorKind::AlreadyExists)))
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => Err(ListenError::InUse(path.to_owned())),
            Err(_) => fs::remove_file(path).map_err(wrong),
        },
    }
}

/// Finds the group in the text of `/etc/group`.
fn group_id(text: &str) -> Option<u32> {
    GROUPS.iter().find_map(|name| {
        text.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_it = fields.next() == Some(name);
            is_it.then(|| fields.nth(1)?.parse().ok()).flatten()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        let text = "root:x:0:\ndocker:x:998:ann,bob\ncorten:x:999:\n";
        assert_eq!(group_id(text), Some(999));
        assert_eq!(group_id("docker:x:7:"), Some(7));
        assert_eq!(group_id("dockerroot:x:7:"), None);
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/x.sock");
        let address = format!("unix://{}", path.display());
        let first = Listener::bind(&address).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        assert!(matches!(
            Listener::bind(&address),
            Err(ListenError::InUse(_))
        ));
        // A killed engine leaves the file behind.
        drop(std::os::unix::net::UnixListener::bind(folder.path().join("stale")).unwrap());
        let stale = format!("unix://{}", folder.path().join("stale").display());
        drop(Listener::bind(&stale).unwrap());
        drop(first);
        assert!(!path.exists());
        fs::write(&path, "not a socket").unwrap();
        assert!(Listener::bind(&address).is_err());
        assert!(Listener::bind("tcp://0.0.0.0:2375").is_err());
    }
}
