//! Random trees: folder → tar → folder → tar gives the same bytes, and another reader agrees.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use sys::root::{Dir, Node, RootDir, Times};

use super::scan::OPAQUE;
use super::{layer_tar, unpack_layer};

#[derive(Debug, Clone)]
enum Thing {
    File {
        content: Vec<u8>,
        hole: u64,
        capability: bool,
    },
    Dir {
        opaque: bool,
    },
    Symlink(String),
    HardLink(prop::sample::Index),
    Node(Node),
    Socket,
}

#[derive(Debug, Clone)]
struct Item {
    /// In which of the folders so far.
    above: prop::sample::Index,
    name: String,
    thing: Thing,
    mode: u32,
    owner: (u32, u32),
    time: Times,
    attribute: Option<Vec<u8>>,
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-e]{1,2}",
        1 => "[a-z .ü€-]{1,20}",
        1 => "x{95,255}",
    ]
    .prop_filter("a name", |name| {
        !matches!(name.as_str(), "." | "..") && name.len() <= 255
    })
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        4 => (vec(any::<u8>(), 0..2000), prop_oneof![Just(0u64), 0..200_000u64], any::<bool>())
            .prop_map(|(content, hole, capability)| Thing::File { content, hole, capability }),
        4 => any::<bool>().prop_map(|opaque| Thing::Dir { opaque }),
        2 => "[a-z/.ü]{1,150}".prop_map(Thing::Symlink),
        2 => any::<prop::sample::Index>().prop_map(Thing::HardLink),
        1 => Just(Thing::Node(Node::Fifo)),
        1 => (0..3u32, 1..300u32).prop_map(|(a, b)| Thing::Node(Node::Char(a, b))),
        1 => Just(Thing::Node(Node::Block(7, 3))),
        2 => Just(Thing::Node(Node::Char(0, 0))),
        1 => Just(Thing::Socket),
    ]
}

fn id() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 0..70_000u32, (1 << 21)..u32::MAX]
}

fn item() -> impl Strategy<Value = Item> {
    let time = (-2_000_000_000i64..15_000_000_000, 0..1_000_000_000u32).prop_map(
        |(seconds, nanoseconds)| Times {
            seconds,
            nanoseconds,
        },
    );
    let attribute = prop::option::of(vec(any::<u8>(), 0..100));
    let parts = (
        any::<prop::sample::Index>(),
        name(),
        thing(),
        0..0o10000u32,
        (id(), id()),
        time,
    );
    (parts, attribute).prop_map(
        |((above, name, thing, mode, owner, time), attribute)| Item {
            above,
            name,
            thing,
            mode,
            owner,
            time,
            attribute,
        },
    )
}

/// Makes what can be made of the items; names that are taken are left out.
fn grow(root: &Path, items: &[Item]) {
    let mut dirs = vec![Dir::open(root).unwrap()];
    let mut files: Vec<(usize, OsString)> = Vec::new();
    let mut times = Vec::new();
    for item in items {
        let above = item.above.index(dirs.len());
        let dir = dirs[above].try_clone().unwrap();
        let name = OsStr::new(&item.name);
        if dir.meta(name).is_ok() {
            continue;
        }
        match &item.thing {
            Thing::File { content, hole, .. } => {
                let mut file = dir.create_file(name, 0o600).unwrap();
                file.seek(SeekFrom::Start(*hole)).unwrap();
                file.write_all(content).unwrap();
                files.push((above, name.to_owned()));
            }
            Thing::Dir { opaque } => {
                dir.create_dir(name, 0o700).unwrap();
                if *opaque {
                    dir.set_xattr(name, OsStr::new("trusted.overlay.opaque"), b"y")
                        .unwrap();
                }
                dirs.push(dir.dir(name).unwrap());
            }
            Thing::Symlink(target) => dir.symlink(name, Path::new(target)).unwrap(),
            Thing::HardLink(to) => {
                if !files.is_empty() {
                    let (from, from_name) = &files[to.index(files.len())];
                    dir.hard_link(name, &dirs[*from], from_name).unwrap();
                }
                continue;
            }
            Thing::Node(node) => dir.create_node(name, *node, 0o600).unwrap(),
            Thing::Socket => {
                let fd = dir.as_fd().as_raw_fd();
                let path = format!("/proc/self/fd/{fd}/{}", item.name);
                // A name may be too long for one.
                drop(std::os::unix::net::UnixListener::bind(path));
                continue;
            }
        }
        dress(&dir, name, item);
        times.push((dir, item));
    }
    for (dir, item) in times.iter().rev() {
        dir.set_modified(OsStr::new(&item.name), item.time).unwrap();
    }
}

fn dress(dir: &Dir, name: &OsStr, item: &Item) {
    dir.set_owner(name, item.owner.0, item.owner.1).unwrap();
    if !matches!(item.thing, Thing::Symlink(_)) {
        dir.set_mode(name, item.mode).unwrap();
    }
    let takes_attributes = matches!(item.thing, Thing::File { .. } | Thing::Dir { .. });
    if let Some(value) = item.attribute.as_ref().filter(|_| takes_attributes) {
        dir.set_xattr(name, OsStr::new("user.some ü"), value)
            .unwrap();
    }
    if let Thing::File {
        capability: true, ..
    } = item.thing
    {
        let value = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        dir.set_xattr(name, OsStr::new("security.capability"), &value)
            .unwrap();
    }
}

fn tar_of(folder: &Path) -> Vec<u8> {
    let mut tar = Vec::new();
    layer_tar(Dir::open(folder).unwrap())
        .unwrap()
        .read_to_end(&mut tar)
        .unwrap();
    tar
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_survives_tar_and_back(items in vec(item(), 0..40)) {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&two).unwrap();
        grow(&one, &items);
        let first = tar_of(&one);
        let unpacked =
            unpack_layer(&mut first.as_slice(), &RootDir::open(&two).unwrap(), &[]).unwrap();
        prop_assert_eq!(unpacked.size, first.len() as u64);
        prop_assert!(tar_of(&two) == first);
        prop_assert_eq!(listing(&one), listing(&two));
        // The names as another reader sees them.
        let mut other = ::tar::Archive::new(first.as_slice());
        for entry in other.entries().unwrap() {
            let entry = entry.unwrap();
            prop_assert!(!entry.path_bytes().starts_with(b"/"));
        }
    }
}

/// Path, kind, mode, owner, size, node and whole seconds of everything but sockets, with marks.
fn listing(top: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut folders = vec![(Dir::open(top).unwrap(), String::new())];
    while let Some((dir, path)) = folders.pop() {
        for entry in dir.list().unwrap() {
            let meta = dir.meta(&entry.name).unwrap();
            let path = format!("{path}/{}", entry.name.display());
            if meta.kind == sys::root::FileKind::Socket {
                continue;
            }
            let size = (meta.kind == sys::root::FileKind::File).then_some(meta.size);
            if meta.is_whiteout() {
                // Only its place means something.
                lines.push(format!("{path} is gone"));
                continue;
            }
            let facts = (
                meta.kind, meta.mode, meta.uid, meta.gid, meta.node, meta.links,
            );
            let seconds = meta.modified.seconds;
            if meta.is_dir() {
                let opaque = dir.xattr(&entry.name, OsStr::from_bytes(OPAQUE));
                lines.push(format!("{path} opaque {:?}", opaque.unwrap()));
                folders.push((dir.dir(&entry.name).unwrap(), path.clone()));
                lines.push(format!(
                    "{path} {:?} {seconds}",
                    (meta.mode, meta.uid, meta.gid)
                ));
                continue;
            }
            lines.push(format!("{path} {facts:?} {size:?} {seconds}"));
        }
    }
    lines.sort();
    lines
}
