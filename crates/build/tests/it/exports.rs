//! Where results can go.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::time::SystemTime;

use build::{BuildRequest, ContextSource, Output};
use sys::credentials::Caller;

use crate::machine::{Machine, request};

const TEXT: &str = "FROM scratch\nCOPY --chown=5:6 <<file /dir/file\ntext\nfile\n";

fn with(outputs: Vec<Output>) -> BuildRequest {
    BuildRequest {
        outputs,
        tags: vec!["named:1".parse().unwrap()],
        ..request(TEXT)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tags_name_one_image() {
    let machine = Machine::new();
    let mut request = with(vec![Output::Image]);
    request.tags.push("other/name:2".parse().unwrap());
    let built = machine.build(request, ContextSource::Empty).await;
    for name in ["named:1", "other/name:2"] {
        let found = machine.store.read(|tx| tx.find_image(name)).unwrap();
        assert_eq!(found.id, built.image());
    }
    let result = built.result.unwrap();
    assert_eq!((result.tags.len(), result.ran, result.cached), (2, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_gets_the_files_with_the_callers_permissions() {
    let machine = Machine::new();
    for (uid, owner) in [(0, (5, 6)), (4711, (4711, 4712))] {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(folder.path(), Some(uid), Some(uid)).unwrap();
        let output = Output::Local {
            folder: File::open(folder.path()).unwrap().into(),
            caller: Caller {
                uid,
                gid: owner.1,
                groups: Vec::new(),
            },
        };
        let built = machine
            .build(with(vec![output]), ContextSource::Empty)
            .await;
        let result = built.result.unwrap();
        assert_eq!((result.image, result.tags.len()), (None, 0));
        let file = folder.path().join("dir/file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "text\n");
        let meta = fs::metadata(&file).unwrap();
        assert_eq!((meta.uid(), meta.gid()), owner);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_folder_is_refused() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    let output = Output::Local {
        folder: File::open(folder.path()).unwrap().into(),
        caller: Caller {
            uid: 4711,
            gid: 4711,
            groups: Vec::new(),
        },
    };
    let built = machine
        .build(with(vec![output]), ContextSource::Empty)
        .await;
    assert!(built.result.is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tar_holds_the_files() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.tar");
    let file = File::create(&path).unwrap().into();
    let built = machine
        .build(with(vec![Output::Tar { file }]), ContextSource::Empty)
        .await;
    built.result.unwrap();
    let mut tar = tar::Archive::new(File::open(&path).unwrap());
    let entries = tar.entries().unwrap();
    let names: Vec<_> = entries
        .map(|entry| entry.unwrap().path().unwrap().into_owned())
        .collect();
    assert!(
        names.iter().any(|name| name.ends_with("dir/file")),
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_loads_elsewhere_and_leaves_no_image_here() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.tar");
    let file = File::create(&path).unwrap().into();
    let built = machine
        .build(with(vec![Output::Docker { file }]), ContextSource::Empty)
        .await;
    assert!(machine.store.read(|tx| tx.find_image("named:1")).is_err());
    assert!(
        machine
            .store
            .read(|tx| tx.image(&built.image()))
            .unwrap()
            .is_none()
    );
    let other = Machine::new();
    let lease = other.store.lease();
    let mut archive = File::open(&path).unwrap();
    other
        .store
        .load(&mut archive, SystemTime::UNIX_EPOCH, &lease)
        .unwrap();
    let found = other.store.read(|tx| tx.find_image("named:1")).unwrap();
    assert_eq!(found.id, built.image());
}
