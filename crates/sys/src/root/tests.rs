//! Paths that try to get out, and folders that others change meanwhile.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Dir, FileKind, Node, RootDir, Times};

fn fixture() -> (tempfile::TempDir, RootDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("root")).unwrap();
    std::fs::write(folder.path().join("secret"), b"outside").unwrap();
    let root = RootDir::open(folder.path().join("root")).unwrap();
    (folder, root)
}

#[test]
fn no_path_leads_out() {
    let (folder, root) = fixture();
    let inside = folder.path().join("root");
    symlink("..", inside.join("up")).unwrap();
    symlink(folder.path(), inside.join("absolute")).unwrap();
    symlink("../secret", inside.join("file")).unwrap();
    symlink("/proc/self/root/etc/passwd", inside.join("magic")).unwrap();
    for path in [
        "../secret",
        "up/secret",
        "absolute/secret",
        "file",
        "up/up/up/secret",
        "magic",
    ] {
        let error = root.open_file(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{path}");
    }
    std::fs::write(inside.join("secret"), b"inside").unwrap();
    for path in ["../secret", "up/secret", "/secret", "../../../secret"] {
        let mut text = String::new();
        root.open_file(path)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "inside", "{path}");
    }
}

#[test]
fn names_of_a_dir_are_single() {
    let (_folder, root) = fixture();
    let dir = root.dir("/").unwrap();
    for name in ["", ".", "..", "a/b", "/a", "../secret"] {
        let name = OsStr::new(name);
        assert_eq!(
            dir.create_file(name, 0o600).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        assert_eq!(dir.meta(name).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(
            dir.remove_all(name).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
}

#[test]
fn links_are_not_followed_in_the_last_name() {
    let (folder, root) = fixture();
    symlink(
        folder.path().join("secret"),
        folder.path().join("root/link"),
    )
    .unwrap();
    let dir = root.dir("/").unwrap();
    let link = OsStr::new("link");
    assert!(dir.open_file(link).is_err());
    assert!(dir.set_mode(link, 0o777).is_err());
    assert_eq!(dir.meta(link).unwrap().kind, FileKind::Symlink);
    dir.set_owner(link, 1, 1).unwrap();
    let time = Times {
        seconds: -7,
        nanoseconds: 5,
    };
    dir.set_modified(link, time).unwrap();
    let meta = dir.meta(link).unwrap();
    assert_eq!((meta.uid, meta.modified), (1, time));
    let outside = std::fs::metadata(folder.path().join("secret")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&outside), 0);
    dir.remove_all(link).unwrap();
    assert!(folder.path().join("secret").exists());
}

#[test]
fn folders_are_made_through_dangling_links() {
    let (folder, root) = fixture();
    let inside = folder.path().join("root");
    symlink("/var/run", inside.join("run")).unwrap();
    symlink("../elsewhere", inside.join("out")).unwrap();
    symlink("loop", inside.join("loop")).unwrap();
    root.create_dir_all("run/app/x", 0o755).unwrap();
    assert!(inside.join("var/run/app/x").is_dir());
    root.create_dir_all("/out/deep", 0o755).unwrap();
    assert!(inside.join("elsewhere/deep").is_dir());
    assert!(!folder.path().join("elsewhere").exists());
    assert!(root.create_dir_all("loop/x", 0o755).is_err());
    std::fs::write(inside.join("file"), b"").unwrap();
    assert!(root.create_dir_all("file/x", 0o755).is_err());
    root.create_dir_all("a/../../../b", 0o755).unwrap();
    assert!(inside.join("b").is_dir());
    let mut made = Vec::new();
    let note = |_: &Dir, _: &OsStr, path: &Path| {
        made.push(path.to_owned());
        Ok(())
    };
    root.create_dir_all_with("b/c/d", 0o755, note).unwrap();
    assert_eq!(made, [Path::new("/b/c"), Path::new("/b/c/d")]);
}

#[test]
fn trees_go_with_everything_in_them() {
    let (folder, root) = fixture();
    let inside = folder.path().join("root");
    let mut deep = inside.join("tree");
    for number in 0..200 {
        deep.push(number.to_string());
    }
    std::fs::create_dir_all(&deep).unwrap();
    symlink(folder.path(), deep.join("link")).unwrap();
    std::fs::write(inside.join("tree/file"), b"").unwrap();
    root.remove_all("tree").unwrap();
    root.remove_all("tree").unwrap();
    root.remove_all("not/there").unwrap();
    assert_eq!(root.dir("/").unwrap().list().unwrap(), []);
    assert!(folder.path().join("secret").exists());
}

#[test]
fn two_may_remove_the_same_tree() {
    let (folder, root) = fixture();
    for _ in 0..50 {
        for path in ["tree/a/b/c", "tree/a/d", "tree/e/f"] {
            let path = folder.path().join("root").join(path);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("file"), b"").unwrap();
        }
        std::thread::scope(|scope| {
            let threads = [0; 3].map(|_| scope.spawn(|| root.remove_all("tree")));
            for thread in threads {
                thread.join().unwrap().unwrap();
            }
        });
        assert_eq!(root.dir("/").unwrap().list().unwrap(), []);
    }
}

#[test]
fn special_files_and_attributes() {
    let (_folder, root) = fixture();
    let dir = root.dir("/").unwrap();
    dir.create_node(OsStr::new("whiteout"), Node::Char(0, 0), 0)
        .unwrap();
    assert!(dir.meta(OsStr::new("whiteout")).unwrap().is_whiteout());
    dir.create_node(OsStr::new("null"), Node::Char(1, 3), 0o666)
        .unwrap();
    assert_eq!(dir.meta(OsStr::new("null")).unwrap().node, (1, 3));
    dir.create_file(OsStr::new("file"), 0o600)
        .unwrap()
        .write_all(b"x")
        .unwrap();
    let (file, key) = (OsStr::new("file"), OsStr::new("user.long"));
    let value = vec![b'v'; 2000];
    dir.set_xattr(file, key, &value).unwrap();
    assert_eq!(dir.xattr(file, key).unwrap(), Some(value.clone()));
    assert_eq!(dir.xattr(file, OsStr::new("user.none")).unwrap(), None);
    assert_eq!(
        dir.xattrs(file).unwrap(),
        [(b"user.long".to_vec(), value.clone())]
    );
    let open = dir.open_file(file).unwrap();
    assert_eq!(
        super::file_xattrs(&open).unwrap(),
        [(b"user.long".to_vec(), value)]
    );
    dir.set_own_xattr(OsStr::new("trusted.overlay.opaque"), b"y")
        .unwrap();
    assert_eq!(dir.own_xattrs().unwrap().len(), 1);
    dir.hard_link(OsStr::new("second"), &dir, file).unwrap();
    assert_eq!(dir.meta(file).unwrap().links, 2);
    dir.rename(OsStr::new("second"), &dir, OsStr::new("third"))
        .unwrap();
    dir.set_mode(OsStr::new("third"), 0o4711).unwrap();
    assert_eq!(dir.meta(file).unwrap().mode, 0o4711);
}
