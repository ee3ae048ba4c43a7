//! The bytes of a layer are a promise: images name layers by their digest, and the tar is made
//! anew each time. If this test fails, the writer changed and every local image has lost its
//! layers: a new form needs a version in the layer's row.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

use sys::root::{Dir, Node, Times};

use crate::support::{Fixture, tar_names};

fn fill(top: &Path) {
    let dir = Dir::open(top).unwrap();
    let name = OsStr::new;
    let file = |name: &str, content: &[u8], owner: (u32, u32), mode: u32| {
        dir.create_file(name.as_ref(), 0o600)
            .unwrap()
            .write_all(content)
            .unwrap();
        dir.set_owner(name.as_ref(), owner.0, owner.1).unwrap();
        dir.set_mode(name.as_ref(), mode).unwrap();
    };
    file("b", b"plain", (0, 0), 0o644);
    file("a", &[7; 1000], (1000, 3_000_000), 0o4755);
    file("ünïcode", b"", (0, 0), 0o600);
    file(&"long".repeat(40), b"name", (0, 0), 0o644);
    dir.set_xattr(name("b"), name("user.key"), b"value\n\0")
        .unwrap();
    dir.hard_link(name("c"), &dir, name("a")).unwrap();
    dir.symlink(name("link"), Path::new("/to/nowhere")).unwrap();
    dir.create_node(name("removed"), Node::Char(0, 0), 0)
        .unwrap();
    dir.create_node(name("null"), Node::Char(1, 3), 0o666)
        .unwrap();
    dir.set_mode(name("null"), 0o666).unwrap();
    dir.create_dir(name("dir"), 0o755).unwrap();
    dir.set_mode(name("dir"), 0o755).unwrap();
    dir.dir(name("dir"))
        .unwrap()
        .create_dir(name("inner"), 0o700)
        .unwrap();
    dir.dir(name("dir"))
        .unwrap()
        .set_mode(name("inner"), 0o700)
        .unwrap();
    dir.set_xattr(name("dir"), name("trusted.overlay.opaque"), b"y")
        .unwrap();
    let early = Times {
        seconds: -5,
        nanoseconds: 9,
    };
    dir.set_modified(name("b"), early).unwrap();
}

#[test]
fn the_bytes_of_a_layer_never_change() {
    let fixture = Fixture::new();
    let layer = fixture.layer(None, fill);
    let known = fixture.store.layer(layer.id()).unwrap();
    let names = tar_names(fixture.store.open_blob(&known.diff_id.0).unwrap());
    let long = "long".repeat(40);
    let expected = [
        "a",
        "b",
        "c",
        "dir/",
        "dir/.wh..wh..opq",
        "dir/inner/",
        "link",
        &long,
        "null",
        ".wh.removed",
        "ünïcode",
    ];
    assert_eq!(names, expected);
    let digest = "sha256:95ff60b17d9c720a0ad58db62e490a3512f21185321d9b56ee998c39cb487bba";
    assert_eq!(
        (known.diff_id.to_string().as_str(), known.size),
        (digest, 13824)
    );
}
