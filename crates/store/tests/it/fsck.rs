//! Planted damage is found; orphans are removed.

use store::{FsckOptions, Problem};

use crate::support::{Fixture, write};

const DEEP: FsckOptions = FsckOptions { digests: true };

#[test]
fn every_kind_of_damage_is_found() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let layer = fixture.layer(None, |root| write(root, "a", b"1"));
    let image = fixture.image(Some(layer.id()), &["a"]);
    assert_eq!(store.fsck(&DEEP).unwrap(), []);

    let config = store.root().join("blobs/sha256").join(image.id.0.hex());
    let intact = std::fs::read(&config).unwrap();
    let mut wrong = intact.clone();
    wrong[0] = b'[';
    std::fs::write(&config, &wrong).unwrap();
    assert_eq!(store.fsck(&FsckOptions::default()).unwrap(), []);
    assert_eq!(
        store.fsck(&DEEP).unwrap(),
        [Problem::BlobContent(image.id.0)]
    );
    std::fs::write(&config, b"{}").unwrap();
    assert_eq!(
        store.fsck(&FsckOptions::default()).unwrap(),
        [Problem::BlobSize(image.id.0)]
    );
    std::fs::remove_file(&config).unwrap();
    assert_eq!(
        store.fsck(&FsckOptions::default()).unwrap(),
        [Problem::MissingBlob(image.id.0)]
    );
    std::fs::write(&config, &intact).unwrap();

    write(&layer.folder(), "a", b"2");
    assert_eq!(
        store.fsck(&DEEP).unwrap(),
        [Problem::LayerContent(layer.layer_id())]
    );
    std::fs::remove_dir_all(layer.folder()).unwrap();
    assert_eq!(
        store.fsck(&DEEP).unwrap(),
        [Problem::MissingLayer(layer.layer_id())]
    );
}

#[test]
fn orphans_are_found_and_repaired() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let layer = fixture.layer(None, |root| write(root, "a", b"1"));
    fixture.image(Some(layer.id()), &["a"]);
    let blob = store.root().join("blobs/sha256").join("0".repeat(64));
    let folder = store.root().join("layers/999");
    write(&folder, "fs/x", b"x");
    std::fs::write(&blob, b"x").unwrap();
    let found = store.fsck(&DEEP).unwrap();
    assert_eq!(
        found,
        [
            Problem::Orphan(blob.clone()),
            Problem::Orphan(folder.clone())
        ]
    );
    assert_eq!(store.repair().unwrap(), []);
    assert!(!blob.exists() && !folder.exists());
    assert_eq!(store.fsck(&DEEP).unwrap(), []);
}

#[test]
fn a_damaged_row_is_found() {
    let fixture = Fixture::new();
    let layer = fixture.layer(None, |root| write(root, "a", b"1"));
    let image = fixture.image(Some(layer.id()), &["a"]);
    let database = rusqlite::Connection::open(fixture.store.root().join("facts.db")).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    database.execute("DELETE FROM snapshots", []).unwrap();
    database.execute("DELETE FROM layers", []).unwrap();
    let found = fixture.store.fsck(&FsckOptions::default()).unwrap();
    let by = |text: &str| {
        found
            .iter()
            .any(|problem| matches!(problem, Problem::Dangling { by, .. } if by.contains(text)))
    };
    assert!(by("images"), "{found:?}");
    assert!(by(&image.id.to_string()), "{found:?}");
    assert!(
        found
            .iter()
            .any(|problem| matches!(problem, Problem::Orphan(_))),
        "{found:?}"
    );
}
