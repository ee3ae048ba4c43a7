//! Opening a data root.

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
