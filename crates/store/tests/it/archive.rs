//! Save, load and import.

use std::io::Read;

use oci::Digest;

use crate::support::{Fixture, at, new_image, reference, write};
use crate::support_tar::Raw;

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
        write(root, "app/main", &[9; 300_000]);
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

/// A stream that gives a few bytes at a time, as a pipe may.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(977);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn a_compressed_archive_loads_from_a_pipe() {
    let from = Fixture::new();
    let layer = from.layer(None, |root| write(root, "a", &[1; 70_000]));
    from.image(Some(layer.id()), &["a"]);
    let archive = saved(&from, &["a"]);
    let packed = zstd::encode_all(archive.as_slice(), 1).unwrap();
    let to = Fixture::new();
    let loaded = to
        .store
        .load(&mut Trickle(&packed), at(5), &to.lease)
        .unwrap();
    assert_eq!(loaded[0].tags, [reference("a")]);
}

#[test]
fn loading_what_is_here_stores_nothing_twice() {
    let fixture = Fixture::new();
    let layer = fixture.layer(None, |root| write(root, "a", &[1; 70_000]));
    let image = fixture.image(Some(layer.id()), &["a"]);
    let archive = saved(&fixture, &["a"]);
    let loaded = fixture
        .store
        .load(&mut archive.as_slice(), at(5), &fixture.lease)
        .unwrap();
    assert_eq!(loaded[0].image.snapshot, image.snapshot);
    let blobs = fixture.store.root().join("blobs/sha256");
    // Config and manifest: the layer is still written anew from its folder.
    assert_eq!(std::fs::read_dir(blobs).unwrap().count(), 2);
}

/// What `docker save` wrote for many years, with a link for a layer that is there twice.
fn docker_archive(layer: &[u8]) -> (String, Vec<u8>) {
    let diff_id = Digest::of(layer);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{diff_id}","{diff_id}"]}}}}"#
    );
    let id = Digest::of(&config).hex();
    let manifest = format!(
        r#"[{{"Config":"{id}.json","RepoTags":["old:1"],"Layers":["aa/layer.tar","bb/layer.tar"]}}]"#
    );
    let tar = Raw::new()
        .dir("aa/")
        .file("aa/VERSION", b"1.0")
        .file("aa/layer.tar", layer)
        .symlink("bb/layer.tar", "../aa/layer.tar")
        .file(&format!("{id}.json"), config.as_bytes())
        .file("manifest.json", manifest.as_bytes())
        .end();
    (id, tar)
}

#[test]
fn the_older_format_loads() {
    let layer = Raw::new().file("a", b"1").end();
    let (id, archive) = docker_archive(&layer);
    let fixture = Fixture::new();
    let loaded = fixture
        .store
        .load(&mut archive.as_slice(), at(5), &fixture.lease)
        .unwrap();
    assert_eq!(loaded[0].image.id.0.hex(), id);
    assert_eq!(loaded[0].tags, [reference("old:1")]);
    let layers = fixture
        .store
        .layers(loaded[0].image.snapshot.unwrap())
        .unwrap();
    assert_eq!(layers.len(), 2);
    fixture.store.gc(&store::GcPolicy::default()).unwrap();
    assert_eq!(
        fixture
            .store
            .fsck(&store::FsckOptions { digests: true })
            .unwrap(),
        []
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn bad_archives_are_refused_by_name() {
    let layer = Raw::new().file("a", b"1").end();
    let digest = Digest::of(&layer);
    let hex = digest.hex();
    let index = |manifest: &Digest, size: usize| {
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{manifest}","size":{size}}}]}}"#
        )
    };
    let oci = |manifest: &str| {
        let digest = Digest::of(manifest);
        Raw::new()
            .file(
                &format!("blobs/sha256/{}", digest.hex()),
                manifest.as_bytes(),
            )
            .file("index.json", index(&digest, manifest.len()).as_bytes())
            .end()
    };
    let manifest = |media_type: &str| {
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"x","digest":"{digest}","size":{}}},"layers":[{{"mediaType":"{media_type}","digest":"{digest}","size":1}}]}}"#,
            layer.len()
        )
    };
    let wrong_content = Raw::new()
        .file(&format!("blobs/sha256/{}", digest.hex()), b"other")
        .end();
    let missing = Raw::new()
        .file("index.json", index(&digest, 5).as_bytes())
        .end();
    let no_layer = Raw::new()
        .file(
            "manifest.json",
            br#"[{"Config":"c.json","Layers":["x/layer.tar"]}]"#,
        )
        .file("c.json", b"{}")
        .end();
    let mut many = Raw::new();
    for _ in 0..100_001 {
        many = many.dir("d");
    }
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "empty",
            Raw::new().end(),
            "neither index.json nor manifest.json",
        ),
        ("wrong content", wrong_content, "wrong content"),
        ("missing manifest", missing, &hex),
        (
            "missing config",
            oci(&manifest("application/vnd.oci.image.layer.v1.tar")),
            &hex,
        ),
        ("missing layer", no_layer, "x/layer.tar"),
        (
            "not json",
            Raw::new().file("index.json", b"{").end(),
            "index.json",
        ),
        (
            "large index",
            Raw::new()
                .file("index.json", &vec![b' '; (4 << 20) + 1])
                .end(),
            "index.json",
        ),
        (
            "escape",
            Raw::new().file("../../x", b"1").end(),
            "leads out",
        ),
        ("entries", many.end(), "number of entries"),
        (
            "claim",
            Raw::new()
                .entry("index.json", tar::EntryType::Regular, "", 4 << 30)
                .cut(),
            "index.json",
        ),
        ("cut", oci("{}")[..600].to_vec(), "middle"),
    ];
    for (name, archive, expected) in cases {
        let fixture = Fixture::new();
        let error = fixture
            .store
            .load(&mut archive.as_slice(), at(5), &fixture.lease)
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(fixture.store.read(|tx| tx.images()).unwrap().is_empty());
        let (store, _folder) = fixture.release();
        store.gc(&store::GcPolicy::default()).unwrap();
        assert_eq!(
            store.fsck(&store::FsckOptions::default()).unwrap(),
            [],
            "{name}"
        );
        assert_eq!(
            std::fs::read_dir(store.root().join("blobs/sha256"))
                .unwrap()
                .count(),
            0
        );
    }
}

#[test]
fn a_root_file_system_becomes_an_image() {
    let fixture = Fixture::new();
    let tar = Raw::new()
        .dir("./")
        .file("./bin/sh", b"#!")
        .device("./dev/null", 1, 3)
        .end();
    let options = store::ImportOptions {
        config: new_image(None, &[]).config,
        message: "Imported from -".to_owned(),
        tag: Some(reference("base")),
        built_at: at(9),
    };
    let packed = zstd::encode_all(tar.as_slice(), 1).unwrap();
    let image = fixture
        .store
        .import(&mut packed.as_slice(), &options, &fixture.lease)
        .unwrap();
    let config = fixture.store.image_config(&image.id).unwrap();
    assert_eq!(config.rootfs.diff_ids, [oci::DiffId(Digest::of(&tar))]);
    assert_eq!(config.history.len(), 1);
    let manifest = fixture.store.image_manifest(&image).unwrap();
    assert_eq!(manifest.layers[0].digest, Digest::of(&packed));
    assert_eq!(manifest.layers[0].media_type, oci::media_type::LAYER_ZSTD);
    let again = Fixture::new();
    let same = again
        .store
        .import(&mut packed.as_slice(), &options, &again.lease)
        .unwrap();
    assert_eq!(same.manifest, image.manifest);
}
