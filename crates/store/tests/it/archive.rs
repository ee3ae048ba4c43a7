//! Save, load and import.

use crate::support::{Fixture, at, reference, write};

fn saved(fixture: &Fixture, names: &[&str]) -> Vec<u8> {
    let images: Vec<_> = names
        .iter()
        .map(|name| {
            let image = fixture.store.read(|tx| tx.find_image(name)).unwrap();
            (image.id, vec![reference(name)])
        })
        .collect();
    let mut out = Vec::new();
    fixture.store.save(&images, &mut out).unwrap();
    out
}

#[test]
fn what_was_saved_loads_as_the_same() {
    let from = Fixture::new();
    let base = from.layer(None, |root| write(root, "etc/passwd", b"root:x:0:0"));
    let top = from.layer(Some(base.id()), |root| {
        write(root, "app/main", &[9; 300_000])
    });
    let image = from.image(Some(top.id()), &["app:1", "localhost:5000/x/app:2"]);
    let archive = saved(&from, &["app:1", "localhost:5000/x/app:2"]);
    assert_eq!(archive, saved(&from, &["app:1", "localhost:5000/x/app:2"]));

    let to = Fixture::new();
    let loaded = to
        .store
        .load(&mut archive.as_slice(), at(5), &to.lease)
        .unwrap();
    assert_eq!(loaded.len(), 1);
    assert_eq!(
        loaded[0].tags,
        [reference("app:1"), reference("localhost:5000/x/app:2")]
    );
    let found = to.store.read(|tx| tx.find_image("app:1")).unwrap();
    assert_eq!((found.id, &found.manifest), (image.id, &image.manifest));
    let folder = to
        .store
        .committed(found.snapshot.unwrap(), &to.lease)
        .unwrap()
        .folder();
    assert_eq!(
        std::fs::read(folder.join("app/main")).unwrap(),
        [9; 300_000]
    );
    assert_eq!(archive, saved(&to, &["app:1", "localhost:5000/x/app:2"]));
    assert_eq!(
        to.store
            .fsck(&store::FsckOptions { digests: true })
            .unwrap(),
        []
    );
}
