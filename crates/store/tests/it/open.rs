//! Opening a data root.

use std::io::Write;

use store::{Error, FsckOptions, Store};

use crate::support::{Fixture, write};

#[test]
fn a_second_engine_is_told_who_has_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path()).unwrap();
    match Store::open(folder.path()) {
        Err(Error::InUse { pid, .. }) => assert_eq!(pid, std::process::id()),
        other => panic!("{other:?}"),
    }
    let clone = first.clone();
    drop(first);
    assert!(Store::open(folder.path()).is_err());
    drop(clone);
    Store::open(folder.path()).unwrap();
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let database = rusqlite::Connection::open(folder.path().join("facts.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    match Store::open(folder.path()) {
        Err(Error::NewerSchema { found, .. }) => assert_eq!(found, 99),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_unfinished_is_gone_after_opening() {
    let fixture = Fixture::new();
    let root = fixture.store.root().to_owned();
    let blob = fixture
        .store
        .put_blob("text/plain", b"half", &fixture.lease)
        .unwrap();
    let path = root.join("blobs/sha256").join(blob.digest.hex());
    let _folder = fixture.close();
    write(&root, "tmp/17", b"partial");
    let database = rusqlite::Connection::open(root.join("facts.db")).unwrap();
    database.execute("UPDATE blobs SET ready = 0", []).unwrap();
    drop(database);
    let store = Store::open(&root).unwrap();
    assert!(!path.exists());
    assert!(!root.join("tmp/17").exists());
    assert!(!store.has_blob(&blob.digest).unwrap());
    assert_eq!(store.fsck(&FsckOptions::default()).unwrap(), []);
}

#[test]
fn readers_do_not_wait_for_a_writer() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store
        .write(|_| {
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| store.read(|tx| tx.images()).unwrap());
                assert!(reader.join().unwrap().is_empty());
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn others_cannot_look_inside() {
    let fixture = Fixture::new();
    let mode = |name: &str| {
        let meta = std::fs::metadata(fixture.store.root().join(name)).unwrap();
        std::os::unix::fs::MetadataExt::mode(&meta) & 0o777
    };
    assert_eq!(
        [mode(""), mode("blobs"), mode("layers")],
        [0o711, 0o700, 0o700]
    );
    assert_eq!([mode("facts.db"), mode("facts.db-wal")], [0o600, 0o600]);
}

/// A small file system of its own, unmounted with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("tmpfs", folder.path(), "tmpfs", flags, Some(c"size=8m")).unwrap();
        Self(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let flags = rustix::mount::UnmountFlags::DETACH;
        rustix::mount::unmount(self.0.path(), flags).unwrap();
    }
}

#[test]
fn a_full_disk_leaves_a_clean_store() {
    let disk = SmallDisk::new();
    let store = Store::open(disk.0.path().join("root")).unwrap();
    let mut noise = vec![0; 5 << 20];
    noise
        .iter_mut()
        .enumerate()
        .for_each(|(at, byte)| *byte = u8::try_from(at % 251).unwrap());
    let tar = crate::support_tar::Raw::new().file("big", &noise).end();
    let lease = store.lease();
    // It fits as a blob, but not unpacked beside it.
    let error = store
        .apply(&mut tar.as_slice(), None, None, &lease)
        .unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert!(
        cause.is_some_and(|cause| cause.contains("No space left")),
        "{error:?}"
    );
    drop(lease);
    store.gc(&store::GcPolicy::default()).unwrap();
    assert_eq!(store.fsck(&FsckOptions { digests: true }).unwrap(), []);
    let lease = store.lease();
    let small = crate::support_tar::Raw::new().file("small", b"1").end();
    store
        .apply(&mut small.as_slice(), None, None, &lease)
        .unwrap();
}

#[test]
fn the_collector_works_where_not_a_byte_is_left() {
    let disk = SmallDisk::new();
    let store = Store::open(disk.0.path().join("root")).unwrap();
    let lease = store.lease();
    let active = store.prepare(None, &lease).unwrap();
    let mut file = std::fs::File::create(active.upper().join("fill")).unwrap();
    while file.write(&[1; 4096]).is_ok() {}
    drop(file);
    assert!(store.prepare(None, &lease).is_err());
    drop((active, lease));
    let reserve = store.root().join("reserve");
    assert!(reserve.exists());
    assert_eq!(store.gc(&store::GcPolicy::default()).unwrap().layers, 1);
    assert!(reserve.exists());
    assert_eq!(store.fsck(&FsckOptions { digests: true }).unwrap(), []);
    // The same after a restart on a full disk.
    let filler = disk.0.path().join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write(&[1; 4096]).is_ok() {}
    let root = store.root().to_owned();
    drop(store);
    let store = Store::open(&root).unwrap();
    store.gc(&store::GcPolicy::default()).unwrap();
}
