//! `kill -9` at any moment leaves garbage at worst, never a name without content.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use store::{CommitOptions, FsckOptions, GcPolicy, Store};

use crate::support::{at, new_image, reference, write};

const ROOT: &str = "CORTEN_TEST_CRASH_ROOT";

/// What is killed: makes images, loads, removes and collects for as long as it lives.
#[test]
#[ignore = "the process that `killed_at_random_points` starts"]
fn victim() {
    let Some(root) = std::env::var_os(ROOT) else {
        return;
    };
    let store = Store::open(&root).unwrap();
    let first = store.read(|tx| tx.images()).unwrap().len();
    for number in first.. {
        let lease = store.lease();
        let base = store.prepare(None, &lease).unwrap();
        write(&base.upper(), "number", number.to_string().as_bytes());
        let base = base.commit(&CommitOptions::default()).unwrap();
        let top = store.prepare(Some(base.id()), &lease).unwrap();
        for file in 0..20 {
            write(&top.upper(), &format!("d{file}/f"), &[7; 3000]);
        }
        let top = top.commit(&CommitOptions::default()).unwrap();
        let tag = format!("image:{number}");
        let image = store
            .create_image(&new_image(Some(top.id()), &[&tag]), &lease)
            .unwrap();
        println!("done {tag}");
        let mut archive = Vec::new();
        store
            .save(&[(image.id, vec![reference("loaded")])], &mut archive)
            .unwrap();
        store.load(&mut archive.as_slice(), at(1), &lease).unwrap();
        if number % 3 == 0 {
            store.write(|tx| tx.remove_image("loaded", true)).unwrap();
        }
        drop(lease);
        store.gc(&GcPolicy::default()).unwrap();
    }
}

#[test]
fn killed_at_random_points() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let mut reported: Vec<String> = Vec::new();
    for round in 0..25u64 {
        // No two rounds end at the same place.
        reported.extend(run_and_kill(
            &root,
            Duration::from_millis(20 + round * 37 % 400),
        ));
        let store = Store::open(&root).unwrap();
        let deep = FsckOptions { digests: true };
        assert_eq!(store.fsck(&deep).unwrap(), [], "round {round}");
        let freed = store.gc(&GcPolicy::default()).unwrap();
        assert_eq!(store.fsck(&deep).unwrap(), [], "round {round}, {freed:?}");
        for tag in &reported {
            let image = store.read(|tx| tx.find_image(tag)).unwrap();
            store.image_config(&image.id).unwrap();
        }
    }
    assert!(!reported.is_empty());
}

fn run_and_kill(root: &Path, after: Duration) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::victim", "--ignored", "--nocapture"]);
    command
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = command.spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let done = |line: String| line.split_once("done ").map(|(_, tag)| tag.to_owned());
    let lines = output
        .lines()
        .map_while(Result::ok)
        .filter_map(done)
        .collect();
    child.wait().unwrap();
    lines
}
