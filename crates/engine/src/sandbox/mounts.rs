//! Mounts that were asked for, in the runtime's words.

use std::path::Path;

use oci::runtime::Mount;

use super::defaults;
use crate::spec::{Bind, MountPoint, MountSource, Tmpfs};

/// All mounts, those of outer folders first: `/a` before `/a/b`.
pub(crate) fn user_mounts(points: &[MountPoint]) -> Vec<Mount> {
    let mut list: Vec<Mount> = points
        .iter()
        .map(|point| user_mount(&point.mount, &point.host_path))
        .collect();
    list.sort_by_key(|mount| mount.destination().components().count());
    list
}

/// One mount, whose source on the host is known.
pub(crate) fn user_mount(asked: &crate::spec::Mount, host_path: &Path) -> Mount {
    let access = if asked.read_only { "ro" } else { "rw" };
    let mut options = vec![access.to_owned()];
    let (kind, source) = match &asked.source {
        MountSource::Bind(bind) => {
            options.extend(bind_options(bind));
            ("bind", host_path)
        }
        MountSource::Volume(_) => {
            options.extend(bind_options(&Bind::default()));
            ("bind", host_path)
        }
        MountSource::Tmpfs(tmpfs) => {
            options.extend(tmpfs_options(tmpfs));
            ("tmpfs", Path::new("tmpfs"))
        }
    };
    let mut mount = defaults::mount("", kind, "", &[]);
    mount
        .set_destination(asked.target.clone())
        .set_source(Some(source.to_owned()))
        .set_options(Some(options));
    mount
}

fn bind_options(bind: &Bind) -> [String; 2] {
    let how = if bind.non_recursive { "bind" } else { "rbind" };
    [how.to_owned(), bind.propagation.name().to_owned()]
}

fn tmpfs_options(tmpfs: &Tmpfs) -> Vec<String> {
    let mut options: Vec<String> = ["noexec", "nosuid", "nodev"].map(str::to_owned).to_vec();
    let opposite = |word: &str| match word.strip_prefix("no") {
        Some(positive) => positive.to_owned(),
        None => format!("no{word}"),
    };
    for option in &tmpfs.options {
        options.retain(|known| *known != opposite(option) && known != option);
        options.push(option.clone());
    }
    options.extend(tmpfs.size.map(|size| format!("size={size}")));
    options.extend(tmpfs.mode.map(|mode| format!("mode={mode:o}")));
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Mount as Asked;

    fn options(mount: &Mount) -> String {
        mount.options().as_ref().unwrap().join(",")
    }

    #[test]
    fn options_of_each_kind() {
        let bind = Asked::parse_bind("/a:/b:ro,rslave").unwrap();
        assert_eq!(
            options(&user_mount(&bind, Path::new("/a"))),
            "ro,rbind,rslave"
        );
        let tmpfs = Asked::parse_tmpfs("/t", "exec,size=1k,mode=700,uid=3").unwrap();
        let tmpfs = user_mount(&tmpfs, Path::new(""));
        assert_eq!(
            options(&tmpfs),
            "rw,nosuid,nodev,exec,uid=3,size=1024,mode=700"
        );
        let volume = Asked::parse_bind("v1:/b").unwrap();
        let volume = user_mount(&volume, Path::new("/v/_data"));
        assert_eq!(options(&volume), "rw,rbind,rprivate");
        assert_eq!(volume.source().as_deref(), Some(Path::new("/v/_data")));
    }

    #[test]
    fn outer_folders_come_first() {
        let point = |target: &str| MountPoint {
            mount: Asked::parse_tmpfs(target, "").unwrap(),
            host_path: "".into(),
            volume: None,
            anonymous: false,
        };
        let list = user_mounts(&[point("/a/b/c"), point("/z"), point("/a/b")]);
        let targets: Vec<_> = list
            .iter()
            .map(|mount| mount.destination().to_str().unwrap())
            .collect();
        assert_eq!(targets, ["/z", "/a/b", "/a/b/c"]);
    }
}
