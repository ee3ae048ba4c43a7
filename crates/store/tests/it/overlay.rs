//! What the kernel's overlay leaves in an upper folder, as layers.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;

use store::CommitOptions;
use sys::root::RootDir;

use crate::support::{Fixture, at, tar_names, write};

fn names(fixture: &Fixture, layer: &store::Layer) -> Vec<String> {
    tar_names(fixture.store.open_blob(&layer.diff_id.0).unwrap())
}

#[test]
fn deletions_and_replaced_folders_become_marks_and_back() {
    let fixture = Fixture::new();
    let base = fixture.layer(None, |root| {
        write(root, "keep", b"1");
        write(root, "gone", b"2");
        write(root, "dir/old", b"3");
        write(root, "deep/below/old", b"4");
    });
    let active = fixture
        .store
        .prepare(Some(base.id()), &fixture.lease)
        .unwrap();
    let mount = RootDir::from(active.overlay().mount().unwrap());
    let top = mount.dir("/").unwrap();
    top.remove_file(OsStr::new("gone")).unwrap();
    mount.remove_all("dir").unwrap();
    mount.create_dir_all("dir", 0o755).unwrap();
    let mut file = mount
        .dir("dir")
        .unwrap()
        .create_file(OsStr::new("new"), 0o644)
        .unwrap();
    file.write_all(b"5").unwrap();
    mount.remove_all("deep/below/old").unwrap();
    drop((file, top, mount));
    let layer = active.commit(&CommitOptions::default()).unwrap();
    let computed = fixture.store.layer(layer.id()).unwrap();
    let expected = [
        "deep/",
        "deep/below/",
        "deep/below/.wh.old",
        "dir/",
        "dir/.wh..wh..opq",
        "dir/new",
        ".wh.gone",
    ];
    assert_eq!(names(&fixture, &computed), expected);

    // The same in another store, mounted.
    let other = Fixture::new();
    let base_layer = fixture.store.layer(base.id()).unwrap();
    let mut parent = None;
    for layer in [&base_layer, &computed] {
        let mut tar = fixture.store.open_blob(&layer.diff_id.0).unwrap();
        let applied = other
            .store
            .apply(&mut tar, parent, Some(layer.diff_id), &other.lease);
        parent = Some(applied.unwrap().id());
    }
    let view = other.store.view(parent, &other.lease).unwrap();
    let mount = RootDir::from(view.overlay().mount().unwrap());
    assert!(mount.meta("keep").is_ok());
    assert!(mount.meta("gone").is_err());
    assert!(mount.meta("dir/old").is_err());
    assert!(mount.meta("dir/new").is_ok());
    assert!(mount.meta("deep/below/old").is_err());
    assert!(mount.meta("deep/below").is_ok());
}

#[test]
fn stubs_leave_no_trace() {
    let fixture = Fixture::new();
    let base = fixture.layer(None, |root| {
        write(root, "etc/hosts", b"");
        write(root, "etc/passwd", b"x");
        write(root, "usr/bin/sh", b"x");
    });
    let active = fixture
        .store
        .prepare(Some(base.id()), &fixture.lease)
        .unwrap();
    let mount = RootDir::from(active.overlay().mount().unwrap());
    for folder in ["proc", "root/.cache/pip", "usr/share/stub"] {
        mount.create_dir_all(folder, 0o755).unwrap();
    }
    let etc = mount.dir("etc").unwrap();
    etc.create_file(OsStr::new("resolv.conf"), 0o644).unwrap();
    let mut file = mount
        .dir("usr")
        .unwrap()
        .create_file(OsStr::new("made"), 0o644)
        .unwrap();
    file.write_all(b"by the step").unwrap();
    drop((file, etc, mount));
    let stubs = [
        "/proc",
        "/root/.cache/pip",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/usr/share/stub",
        "/nothing",
    ];
    let options = CommitOptions {
        clamp: Some(at(100)),
        stubs: stubs.iter().map(PathBuf::from).collect(),
    };
    let layer = active.commit(&options).unwrap();
    let computed = fixture.store.layer(layer.id()).unwrap();
    // Folders above a stub that were not there before are the step's own as far as we know.
    let expected = ["root/", "root/.cache/", "usr/", "usr/made", "usr/share/"];
    assert_eq!(names(&fixture, &computed), expected);
}

#[test]
fn a_layer_can_be_moved_to_another_parent() {
    let fixture = Fixture::new();
    let one = fixture.layer(None, |root| write(root, "one", b"1"));
    let two = fixture.layer(None, |root| write(root, "two", b"2"));
    let linked = fixture.layer(None, |root| write(root, "linked", b"3"));
    for base in [&one, &two] {
        let moved = fixture
            .store
            .rebase(&linked, Some(base.id()), &fixture.lease)
            .unwrap();
        assert_eq!(moved.layer_id(), linked.layer_id());
        let mount = RootDir::from(moved.overlay().mount().unwrap());
        assert!(mount.meta("linked").is_ok());
        assert_eq!(mount.meta("one").is_ok(), base.id() == one.id());
        let again = fixture
            .store
            .rebase(&linked, Some(base.id()), &fixture.lease)
            .unwrap();
        assert_eq!(again.id(), moved.id());
    }
}

#[test]
fn nothing_and_one_layer_can_be_mounted() {
    let fixture = Fixture::new();
    let nothing = fixture.store.view(None, &fixture.lease).unwrap();
    let mount = RootDir::from(nothing.overlay().mount().unwrap());
    assert_eq!(mount.dir("/").unwrap().list().unwrap(), []);
    let one = fixture.layer(None, |root| write(root, "one", b"1"));
    let mount = RootDir::from(one.overlay().mount().unwrap());
    assert!(mount.meta("one").is_ok());
    assert!(
        mount
            .dir("/")
            .unwrap()
            .create_dir(OsStr::new("x"), 0o755)
            .is_err()
    );
}

#[test]
fn the_root_of_a_layer_is_that_of_the_one_below() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let fixture = Fixture::new();
    let base = fixture.layer(None, |root| {
        std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o1777)).unwrap();
        std::os::unix::fs::chown(root, Some(5), Some(6)).unwrap();
    });
    let top = fixture.layer(Some(base.id()), |_| {});
    let meta = std::fs::metadata(top.folder()).unwrap();
    assert_eq!(
        (meta.mode() & 0o7777, meta.uid(), meta.gid()),
        (0o1777, 5, 6)
    );
    let layer = fixture.store.layer(base.id()).unwrap();
    assert_eq!(names(&fixture, &layer), ["./"]);
    let other = Fixture::new();
    let mut tar = fixture.store.open_blob(&layer.diff_id.0).unwrap();
    let applied = other
        .store
        .apply(&mut tar, None, Some(layer.diff_id), &other.lease)
        .unwrap();
    assert_eq!(
        std::fs::metadata(applied.folder()).unwrap().mode() & 0o7777,
        0o1777
    );
}

#[test]
fn a_folder_of_many_folders_needs_few_descriptors() {
    let fixture = Fixture::new();
    let layer = fixture.layer(None, |root| {
        for number in 0..1500 {
            std::fs::create_dir(root.join(number.to_string())).unwrap();
        }
    });
    let computed = fixture.store.layer(layer.id()).unwrap();
    assert_eq!(names(&fixture, &computed).len(), 1500);
}
