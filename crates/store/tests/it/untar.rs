//! `cp` and `ADD`: trees in and out of a folder that others have filled.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use store::tar::{TarError, TarOptions, UntarOptions, tar_tree, untar};
use sys::root::RootDir;

use crate::support::{at, tar_names, write};
use crate::support_tar::Raw;

#[test]
fn links_of_the_container_are_followed_beneath_its_root() {
    let folder = tempfile::tempdir().unwrap();
    let root_path = folder.path().join("root");
    std::fs::create_dir_all(root_path.join("real")).unwrap();
    symlink("/real", root_path.join("link")).unwrap();
    symlink("../../../..", root_path.join("up")).unwrap();
    let root = RootDir::open(&root_path).unwrap();
    let tar = Raw::new().file("x", b"1").file("sub/y", b"2").end();
    for into in ["link", "up/up/new"] {
        let done = untar(
            &mut tar.as_slice(),
            &root,
            Path::new(into),
            &UntarOptions::default(),
        );
        assert_eq!(done.unwrap().entries, 2);
    }
    assert_eq!(std::fs::read(root_path.join("real/sub/y")).unwrap(), b"2");
    assert_eq!(std::fs::read(root_path.join("new/x")).unwrap(), b"1");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let out = Raw::new().file("../x", b"1").end();
    let refused = untar(
        &mut out.as_slice(),
        &root,
        Path::new("real"),
        &UntarOptions::default(),
    );
    assert!(matches!(refused, Err(TarError::Outside(_))));
}

#[test]
fn options_are_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let root = RootDir::open(folder.path()).unwrap();
    let options = UntarOptions {
        owner: Some((11, 12)),
        mode: Some(0o640),
        clamp: Some(at(0)),
        ..UntarOptions::default()
    };
    let tar = Raw::new().file("made/a", b"1").file(".wh.b", b"").end();
    untar(&mut tar.as_slice(), &root, Path::new("/"), &options).unwrap();
    let meta = std::fs::metadata(folder.path().join("made/a")).unwrap();
    assert_eq!(
        (meta.uid(), meta.gid(), meta.mode() & 0o7777, meta.mtime()),
        (11, 12, 0o640, 0)
    );
    assert_eq!(
        std::fs::metadata(folder.path().join("made")).unwrap().uid(),
        11
    );
    // Here this is only a name.
    assert!(folder.path().join(".wh.b").is_file());

    write(folder.path(), "dir/x", b"1");
    let keep = UntarOptions {
        keep_kind: true,
        ..UntarOptions::default()
    };
    let tar = Raw::new().file("dir", b"1").end();
    let refused = untar(&mut tar.as_slice(), &root, Path::new("/"), &keep);
    assert!(matches!(refused, Err(TarError::Replaces(_))));
    let tar = Raw::new().device("null", 1, 3).end();
    let refused = untar(&mut tar.as_slice(), &root, Path::new("/"), &keep);
    assert!(matches!(refused, Err(TarError::Device(_))));
    let devices = UntarOptions {
        devices: true,
        ..UntarOptions::default()
    };
    untar(&mut tar.as_slice(), &root, Path::new("/"), &devices).unwrap();
}

fn names(root: &RootDir, path: &str, top: Option<&str>) -> Vec<String> {
    let mut out = Vec::new();
    let options = TarOptions {
        top: top.map(str::to_owned),
        clamp: Some(at(0)),
    };
    tar_tree(root, Path::new(path), &options, &mut out).unwrap();
    tar_names(out.as_slice())
}

#[test]
fn a_subtree_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = RootDir::open(folder.path()).unwrap();
    write(folder.path(), "dir/b", b"1");
    write(folder.path(), "dir/a/x", b"2");
    symlink("/dir", folder.path().join("link")).unwrap();
    assert_eq!(names(&root, "dir", None), ["a/", "a/x", "b"]);
    assert_eq!(
        names(&root, "/dir/", Some("dir")),
        ["dir/", "dir/a/", "dir/a/x", "dir/b"]
    );
    assert_eq!(names(&root, "dir/b", None), ["b"]);
    assert_eq!(names(&root, "dir/b", Some("c")), ["c"]);
    assert_eq!(names(&root, "link", Some("link")), ["link"]);
    assert_eq!(names(&root, "link/a", None), ["x"]);
    assert_eq!(
        names(&root, "/", None),
        ["dir/", "dir/a/", "dir/a/x", "dir/b", "link"]
    );
}
