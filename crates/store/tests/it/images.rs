//! Names, ids, removal.

use oci::{ImageId, Reference};
use store::{ContainerRecord, Error, Removed};

use crate::support::{Fixture, at, reference, write};

#[test]
fn an_image_is_found_by_all_its_names() {
    let fixture = Fixture::new();
    let layer = fixture.layer(None, |root| write(root, "a", b"1"));
    let image = fixture.image(Some(layer.id()), &["app", "example.com/team/app:v1"]);
    let hex = image.id.0.hex();
    let by_digest = format!("app@{}", image.manifest.digest);
    for name in [
        "app",
        "app:latest",
        "docker.io/library/app",
        "example.com/team/app:v1",
        &hex,
        &hex[..12],
        &format!("sha256:{hex}"),
        &format!("sha256:{}", &hex[..7]),
        &by_digest,
    ] {
        let found = fixture.store.read(|tx| tx.find_image(name)).unwrap();
        assert_eq!(found.id, image.id, "{name}");
    }
    for name in ["other", "app:v2", "", "zz", "sha256:", "0123456789abcdef0"] {
        let found = fixture.store.read(|tx| tx.find_image(name));
        assert!(
            matches!(found, Err(Error::ImageNotFound(_))),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn a_short_prefix_is_ambiguous() {
    let fixture = Fixture::new();
    // With 17 images two begin with the same digit.
    for number in 0..17 {
        let layer = fixture.layer(None, |root| write(root, "a", &[number]));
        fixture.image(Some(layer.id()), &[]);
    }
    let images = fixture.store.read(|tx| tx.images()).unwrap();
    let twice = images
        .iter()
        .map(|image| image.id.0.hex()[..1].to_owned())
        .find(|digit| {
            images
                .iter()
                .filter(|i| i.id.0.hex().starts_with(digit))
                .count()
                > 1
        })
        .unwrap();
    let found = fixture.store.read(|tx| tx.find_image(&twice));
    assert!(
        matches!(found, Err(Error::AmbiguousId { count: 2.., .. })),
        "{found:?}"
    );
}

#[test]
fn removal_takes_names_first() {
    let fixture = Fixture::new();
    let layer = fixture.layer(None, |root| write(root, "a", b"1"));
    let image = fixture.image(Some(layer.id()), &["a:1", "a:2", "b:1"]);
    let remove = |name: &str, force| fixture.store.write(|tx| tx.remove_image(name, force));
    let untagged = |names: &[&str], deleted: &[ImageId]| Removed {
        untagged: names.iter().map(|name| reference(name)).collect(),
        deleted: deleted.to_vec(),
    };
    assert_eq!(remove("a:1", false).unwrap(), untagged(&["a:1"], &[]));
    let id = image.id.to_string();
    assert!(matches!(remove(&id, false), Err(Error::SeveralTags(_))));
    assert_eq!(remove("b:1", false).unwrap(), untagged(&["b:1"], &[]));
    assert_eq!(
        remove("a:2", false).unwrap(),
        untagged(&["a:2"], &[image.id])
    );
    assert!(fixture.store.read(|tx| tx.images()).unwrap().is_empty());

    let image = fixture.image(Some(layer.id()), &["a:1", "b:1"]);
    assert_eq!(
        remove(&id, true).unwrap(),
        untagged(&["a:1", "b:1"], &[image.id])
    );
}

#[test]
fn a_moved_tag_leaves_a_dangling_image() {
    let fixture = Fixture::new();
    let one = fixture.layer(None, |root| write(root, "a", b"1"));
    let two = fixture.layer(None, |root| write(root, "a", b"2"));
    let old = fixture.image(Some(one.id()), &["a"]);
    let new = fixture.image(Some(two.id()), &["a"]);
    let (dangling, tags) = fixture
        .store
        .read(|tx| Ok((tx.dangling_images()?, tx.all_tags()?)))
        .unwrap();
    assert_eq!(dangling, [old]);
    assert_eq!(tags, [(reference("a"), new.id)]);
}

#[test]
fn equal_layers_and_configs_are_one_image() {
    let (one, two) = (Fixture::new(), Fixture::new());
    let ids: Vec<_> = [&one, &two]
        .iter()
        .map(|fixture| {
            // Something else first, so that numbers differ.
            let times = std::ptr::eq(*fixture, &raw const two);
            for _ in 0..u32::from(times) {
                fixture.layer(None, |_| {});
            }
            let layer = fixture.layer(None, |root| write(root, "b/c", b"1"));
            let image = fixture.image(Some(layer.id()), &[]);
            (image.id, image.manifest)
        })
        .collect();
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn containers_are_found_by_id_name_and_prefix() {
    let fixture = Fixture::new();
    let snapshot = fixture.store.prepare(None, &fixture.lease).unwrap();
    let record = ContainerRecord {
        id: "ab".repeat(32),
        name: "web".to_owned(),
        snapshot: Some(snapshot.id()),
        image: None,
        created: at(7),
        state: "created".to_owned(),
        version: 1,
        document: "{}".to_owned(),
    };
    fixture
        .store
        .write(|tx| tx.create_container(&record))
        .unwrap();
    for name in ["web", "/web", &record.id, "abab", "a"] {
        let found = fixture.store.read(|tx| tx.find_container(name)).unwrap();
        assert_eq!(found, record, "{name}");
    }
    let taken = ContainerRecord {
        id: "cd".repeat(32),
        ..record.clone()
    };
    let refused = fixture.store.write(|tx| tx.create_container(&taken));
    assert!(matches!(refused, Err(Error::NameTaken { .. })));
    fixture
        .store
        .write(|tx| tx.rename_container(&record.id, "db"))
        .unwrap();
    assert!(fixture.store.read(|tx| tx.find_container("web")).is_err());
    // Its snapshot cannot be thrown away under it.
    assert!(snapshot.discard().is_err());
    assert!(
        fixture
            .store
            .write(|tx| tx.delete_container(&record.id))
            .unwrap()
    );
}

#[test]
fn tags_keep_their_text() {
    let fixture = Fixture::new();
    let image = fixture.image(None, &["localhost:5000/a/b:c"]);
    let tags = fixture.store.read(|tx| tx.tags(&image.id)).unwrap();
    assert_eq!(
        tags.iter().map(Reference::familiar).collect::<Vec<_>>(),
        ["localhost:5000/a/b:c"]
    );
    assert_eq!(image.size, 0);
}
