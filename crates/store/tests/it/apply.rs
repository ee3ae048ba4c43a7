//! Unpacking layers: hostile ones, odd ones, compressed ones.

use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use oci::{DiffId, Digest};
use store::tar::TarError;
use store::{Committed, Error, FsckOptions, Snapshot, SnapshotId};
use tar::EntryType;

use crate::support::Fixture;
use crate::support_tar::Raw;

fn apply(fixture: &Fixture, tar: &[u8]) -> Result<Snapshot<Committed>, Error> {
    apply_on(fixture, None, tar)
}

fn apply_on(
    fixture: &Fixture,
    parent: Option<SnapshotId>,
    mut tar: &[u8],
) -> Result<Snapshot<Committed>, Error> {
    fixture.store.apply(&mut tar, parent, None, &fixture.lease)
}

/// Nothing was made outside the layer's own folder.
fn nothing_escaped(fixture: &Fixture, canary: &Path) {
    assert_eq!(std::fs::read(canary).unwrap(), b"untouched");
    let names: Vec<_> = std::fs::read_dir(canary.parent().unwrap())
        .unwrap()
        .collect();
    // The canary and the store.
    assert_eq!(names.len(), 2);
    assert_eq!(fixture.store.fsck(&FsckOptions::default()).unwrap(), []);
}

/// Name, stream, is it the right error?
type Case<'a> = (&'a str, Vec<u8>, fn(&TarError) -> bool);

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn hostile_streams_are_refused() {
    let long = "x".repeat(99);
    let bad_checksum = {
        let mut tar = Raw::new().file("a", b"1").end();
        tar[0] = b'b';
        tar
    };
    let cases: Vec<Case<'_>> = vec![
        ("..", Raw::new().file("../canary", b"x").end(), |e| {
            matches!(e, TarError::Outside(_))
        }),
        (
            "deep ..",
            Raw::new().file("a/../../canary", b"x").end(),
            |e| matches!(e, TarError::Outside(_)),
        ),
        (
            "hard link out",
            Raw::new().hard_link("a", "../canary").end(),
            |e| matches!(e, TarError::Outside(_)),
        ),
        (
            "absolute hard link",
            Raw::new().hard_link("a", "/etc/passwd").end(),
            |e| matches!(e, TarError::LinkTarget { .. }),
        ),
        (
            "hard link to itself",
            Raw::new().hard_link("a", "a").end(),
            |e| matches!(e, TarError::LinkTarget { .. }),
        ),
        (
            "hard link to a folder",
            Raw::new().dir("d").hard_link("a", "d").end(),
            |e| matches!(e, TarError::LinkTarget { .. }),
        ),
        (
            "overlay's own mark",
            Raw::new().device("a", 0, 0).end(),
            |e| matches!(e, TarError::Device(_)),
        ),
        ("mark of nothing", Raw::new().file(".wh.", b"").end(), |e| {
            matches!(e, TarError::Name(_))
        }),
        (
            "mark of the folder",
            Raw::new().file("a/.wh..", b"").end(),
            |e| matches!(e, TarError::Name(_)),
        ),
        (
            "mark of the one above",
            Raw::new().file("a/.wh...", b"").end(),
            |e| matches!(e, TarError::Name(_)),
        ),
        (
            "below a file",
            Raw::new().file("a", b"1").file("a/b", b"2").end(),
            |e| matches!(e, TarError::File { .. }),
        ),
        ("checksum", bad_checksum, |e| {
            matches!(e, TarError::Checksum(0))
        }),
        ("not a tar", vec![b'x'; 4096], |e| {
            matches!(e, TarError::Checksum(0))
        }),
        (
            "cut in a header",
            Raw::new().file("a", b"1").end()[..700].to_vec(),
            |e| matches!(e, TarError::Truncated(_) | TarError::Checksum(_)),
        ),
        (
            "cut in a file",
            Raw::new()
                .entry("a", EntryType::Regular, "", 5000)
                .content(b"1")
                .cut(),
            |e| matches!(e, TarError::Truncated(_)),
        ),
        (
            "4 GiB claim",
            Raw::new()
                .entry("a", EntryType::Regular, "", 4 << 30)
                .content(b"1")
                .end(),
            |e| matches!(e, TarError::Truncated(_)),
        ),
        (
            "4 GiB of PAX",
            Raw::new()
                .entry("a", EntryType::XHeader, "", 4 << 30)
                .content(b"1")
                .end(),
            |e| matches!(e, TarError::Limit { .. }),
        ),
        (
            "4 GiB name",
            Raw::new()
                .entry("a", EntryType::GNULongName, "", 4 << 30)
                .content(b"1")
                .end(),
            |e| matches!(e, TarError::Limit { .. }),
        ),
        (
            "huge PAX size",
            Raw::new()
                .pax("size", "9223372036854775807")
                .file("a", b"1")
                .end(),
            |e| matches!(e, TarError::Limit { .. }),
        ),
        (
            "negative PAX size",
            Raw::new().pax("size", "-1").file("a", b"1").end(),
            |e| matches!(e, TarError::Field { .. }),
        ),
        (
            "owner -1",
            Raw::new().pax("uid", "4294967295").file("a", b"1").end(),
            |e| matches!(e, TarError::Field { .. }),
        ),
        (
            "long name",
            Raw::new()
                .pax("path", &"a/".repeat(3000))
                .file("a", b"1")
                .end(),
            |e| matches!(e, TarError::Limit { .. }),
        ),
        (
            "long part",
            Raw::new()
                .pax("path", &long.repeat(3))
                .file("a", b"1")
                .end(),
            |e| matches!(e, TarError::File { .. }),
        ),
        (
            "unknown type",
            Raw::new().entry("a", EntryType::new(b'Z'), "", 0).end(),
            |e| matches!(e, TarError::Kind { .. }),
        ),
        (
            "sparse map out of order",
            Raw::new()
                .pax("GNU.sparse.size", "100")
                .pax("GNU.sparse.map", "50,1,10,1")
                .file("a", b"12")
                .end(),
            |_| true,
        ),
        (
            "sparse claim",
            Raw::new()
                .pax("GNU.sparse.map", "0,1")
                .file("a", b"1")
                .end(),
            |e| matches!(e, TarError::Field { .. }),
        ),
    ];
    for (name, tar, expected) in cases {
        let fixture = Fixture::new();
        let canary = fixture.store.root().parent().unwrap().join("canary");
        std::fs::write(&canary, b"untouched").unwrap();
        match apply(&fixture, &tar) {
            Err(Error::Tar(error)) => assert!(expected(&error), "{name}: {error:?}"),
            other => panic!("{name}: {other:?}"),
        }
        nothing_escaped(&fixture, &canary);
    }
}

#[test]
fn links_do_not_lead_out() {
    let fixture = Fixture::new();
    let canary = fixture.store.root().parent().unwrap().join("canary");
    std::fs::write(&canary, b"untouched").unwrap();
    let outside = canary.parent().unwrap().to_str().unwrap().to_owned();
    let up = "../".repeat(20);
    let tar = Raw::new()
        .symlink("absolute", &outside)
        .file("absolute/canary", b"x")
        .symlink("relative", &format!("{up}{}", &outside[1..]))
        .file("relative/canary", b"x")
        .symlink("last", canary.to_str().unwrap())
        .file("last", b"replaces the link")
        .symlink("loop", "loop2/x")
        .end();
    let layer = apply(&fixture, &tar).unwrap();
    nothing_escaped(&fixture, &canary);
    // Both went to the folder of that name inside.
    let inside = layer.folder().join(&outside[1..]).join("canary");
    assert_eq!(std::fs::read(inside).unwrap(), b"x");
    assert_eq!(
        std::fs::read(layer.folder().join("last")).unwrap(),
        b"replaces the link"
    );
}

#[test]
fn a_loop_of_links_ends() {
    let fixture = Fixture::new();
    let tar = Raw::new()
        .symlink("a", "b")
        .symlink("b", "a")
        .file("a/x", b"1")
        .end();
    assert!(matches!(
        apply(&fixture, &tar),
        Err(Error::Tar(TarError::File { .. }))
    ));
}

#[test]
fn names_are_taken_as_docker_does() {
    let fixture = Fixture::new();
    let tar = Raw::new()
        .file("/absolute", b"1")
        .file("./dot//x", b"2")
        .file("a/../b", b"3")
        .file("twice", b"old")
        .file("twice", b"new")
        .dir("was-dir")
        .file("was-dir/x", b"4")
        .file("was-dir", b"now a file")
        .file("was-file", b"5")
        .dir("was-file")
        .file("first", b"6")
        .hard_link("second", "/first")
        .end();
    let folder = apply(&fixture, &tar).unwrap().folder();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("absolute"), "1");
    assert_eq!(read("dot/x"), "2");
    assert_eq!(read("b"), "3");
    assert_eq!(read("twice"), "new");
    assert_eq!(read("was-dir"), "now a file");
    assert!(folder.join("was-file").is_dir());
    assert_eq!(std::fs::metadata(folder.join("second")).unwrap().nlink(), 2);
}

#[test]
fn attributes_arrive() {
    let fixture = Fixture::new();
    let tar = Raw::new()
        .pax("SCHILY.xattr.user.mine", "value")
        .pax("SCHILY.xattr.trusted.overlay.opaque", "y")
        .file("a", b"1")
        .pax("mtime", "1234.5")
        .pax("uid", "3000000000")
        .file("b", b"2")
        .device("null", 1, 3)
        .end();
    let folder = apply(&fixture, &tar).unwrap().folder();
    let dir = sys::root::Dir::open(&folder).unwrap();
    let xattrs = dir.xattrs("b".as_ref()).unwrap();
    assert_eq!(xattrs, []);
    let meta = std::fs::metadata(folder.join("b")).unwrap();
    assert_eq!(
        (meta.uid(), meta.mtime(), meta.mtime_nsec()),
        (3_000_000_000, 1234, 500_000_000)
    );
    assert!(
        std::fs::metadata(folder.join("null"))
            .unwrap()
            .file_type()
            .is_char_device()
    );
    // Two extended headers in a row: both count, but overlay's own attributes never do.
    let xattrs = dir.xattrs("a".as_ref()).unwrap();
    assert_eq!(xattrs, [(b"user.mine".to_vec(), b"value".to_vec())]);
}

#[test]
fn folders_without_an_entry_are_like_those_below() {
    let fixture = Fixture::new();
    let base = fixture.layer(None, |root| {
        std::fs::create_dir(root.join("secret")).unwrap();
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o710);
        std::fs::set_permissions(root.join("secret"), mode).unwrap();
        std::os::unix::fs::chown(root.join("secret"), Some(7), Some(8)).unwrap();
    });
    let tar = Raw::new()
        .file("secret/x", b"1")
        .file("other/x", b"1")
        .end();
    let folder = apply_on(&fixture, Some(base.id()), &tar).unwrap().folder();
    let meta = |name: &str| {
        let meta = std::fs::metadata(folder.join(name)).unwrap();
        (meta.mode() & 0o7777, meta.uid(), meta.gid())
    };
    assert_eq!(meta("secret"), (0o710, 7, 8));
    assert_eq!(meta("other"), (0o755, 0, 0));
}

#[test]
fn marks_and_new_content_in_one_layer_go_together() {
    let fixture = Fixture::new();
    let tar = Raw::new()
        .file(".wh.before", b"")
        .dir("before")
        .dir("after")
        .file(".wh.after", b"")
        .file(".wh..wh.plnk", b"")
        .file(".wh.file", b"")
        .file("file", b"1")
        .file("dir/.wh..wh..opq", b"")
        .end();
    let folder = apply(&fixture, &tar).unwrap().folder();
    let dir = sys::root::Dir::open(&folder).unwrap();
    let opaque = |name: &str| {
        dir.xattr(name.as_ref(), "trusted.overlay.opaque".as_ref())
            .unwrap()
    };
    for name in ["before", "after", "dir"] {
        assert_eq!(opaque(name).as_deref(), Some(&b"y"[..]), "{name}");
    }
    assert_eq!(std::fs::read(folder.join("file")).unwrap(), b"1");
    assert_eq!(dir.list().unwrap().len(), 4);
}

#[test]
fn every_compression_gives_the_same_layer() {
    let tar = Raw::new().file("a", &[7; 100_000]).file("b", b"2").end();
    let diff_id = DiffId(Digest::of(&tar));
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let (start, end) = tar.split_at(1000);
    let mut xz =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    xz.write_all(&tar).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&tar).unwrap();
    for (name, packed) in [
        ("plain", tar.clone()),
        ("gzip", gzip(&tar)),
        ("gzip of two members", [gzip(start), gzip(end)].concat()),
        ("zstd", zstd::encode_all(tar.as_slice(), 1).unwrap()),
        ("bzip2", bzip2.finish().unwrap()),
        ("xz", xz.finish().unwrap()),
    ] {
        let fixture = Fixture::new();
        let mut packed = packed.as_slice();
        let layer = fixture
            .store
            .apply(&mut packed, None, Some(diff_id), &fixture.lease)
            .unwrap();
        assert_eq!(
            std::fs::read(layer.folder().join("b")).unwrap(),
            b"2",
            "{name}"
        );
        let known = fixture.store.layer(layer.id()).unwrap();
        assert_eq!((known.diff_id, known.size), (diff_id, tar.len() as u64));
        let mut kept = Vec::new();
        fixture
            .store
            .open_blob(&known.blob.digest)
            .unwrap()
            .read_to_end(&mut kept)
            .unwrap();
        assert_eq!(kept.len() as u64, known.blob.size);
        assert_eq!(Digest::of(&kept), known.blob.digest);
    }
}

#[test]
fn a_layer_is_unpacked_once_and_checked() {
    let fixture = Fixture::new();
    let tar = Raw::new().file("a", b"1").end();
    let diff_id = DiffId(Digest::of(&tar));
    let other = DiffId(Digest::of(b"other"));
    let wrong = fixture
        .store
        .apply(&mut tar.as_slice(), None, Some(other), &fixture.lease);
    assert!(
        matches!(wrong, Err(Error::DiffIdMismatch { .. })),
        "{wrong:?}"
    );
    let one = fixture
        .store
        .apply(&mut tar.as_slice(), None, Some(diff_id), &fixture.lease)
        .unwrap();
    let base = fixture.layer(None, |_| {});
    // The stream is not even read.
    let two = fixture.store.apply(
        &mut std::io::empty(),
        Some(base.id()),
        Some(diff_id),
        &fixture.lease,
    );
    assert_eq!(two.unwrap().layer_id(), one.layer_id());
}

#[test]
fn a_sparse_file_of_gnu_tar_keeps_its_content() {
    let fixture = Fixture::new();
    let map = "1\n1048576\n5\n";
    let mut stored = map.as_bytes().to_vec();
    stored.resize(512, 0);
    stored.extend(b"hello");
    let tar = Raw::new()
        .pax("GNU.sparse.major", "1")
        .pax("GNU.sparse.minor", "0")
        .pax("GNU.sparse.name", "real")
        .pax("GNU.sparse.realsize", "2097152")
        .entry(
            "GNUSparseFile.0/real",
            EntryType::Regular,
            "",
            stored.len() as u64,
        )
        .content(&stored)
        .file("after", b"1")
        .end();
    let folder = apply(&fixture, &tar).unwrap().folder();
    let bytes = std::fs::read(folder.join("real")).unwrap();
    assert_eq!(bytes.len(), 2 << 20);
    assert_eq!(&bytes[1 << 20..(1 << 20) + 5], b"hello");
    assert_eq!(bytes.iter().filter(|byte| **byte != 0).count(), 5);
    assert!(std::fs::metadata(folder.join("real")).unwrap().blocks() * 512 < 1 << 20);
    assert_eq!(std::fs::read(folder.join("after")).unwrap(), b"1");
}

#[test]
fn a_hundred_thousand_entries_are_no_problem_in_a_layer() {
    let fixture = Fixture::new();
    let mut tar = Raw::new();
    for number in 0..100_000 {
        tar = tar.entry(
            &format!("{}/{number}", number % 7),
            EntryType::Symlink,
            "x",
            0,
        );
    }
    let layer = apply(&fixture, &tar.end()).unwrap();
    assert_eq!(
        std::fs::read_dir(layer.folder().join("3")).unwrap().count(),
        14286
    );
}
