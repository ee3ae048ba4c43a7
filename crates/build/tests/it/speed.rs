//! How long things take; prints, judges nothing. Run with `--ignored --nocapture`, optimised.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::machine::{Machine, write_files};

const FOLDERS: usize = 500;
const FILES: usize = 100;

fn tree(root: &Path) {
    for folder in 0..FOLDERS {
        let folder = root.join(format!("f{}/g{folder}", folder % 10));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..FILES {
            fs::write(
                folder.join(format!("file{file}.txt")),
                format!("{file}").repeat(100),
            )
            .unwrap();
        }
    }
}

async fn timed(what: &str, work: impl Future<Output = ()>) {
    let (start, before) = (Instant::now(), processor_time());
    work.await;
    let used = processor_time() - before;
    println!("{what}: {:?}, {used} ms of processor time", start.elapsed());
}

/// Milliseconds that this process has used, which other work on the machine does not change.
fn processor_time() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    (ticks(11) + ticks(12)) * 10
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_context_of_50000_files() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let copy = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let done = Command::new("cp")
        .arg("-a")
        .arg(folder.path())
        .arg(copy.path())
        .status();
    assert!(done.unwrap().success());
    println!("cp -a: {:?}", start.elapsed());
    let text = "FROM base\nCOPY . /all\nRUN true\n";
    for what in ["cold", "again", "again", "again"] {
        timed(what, async {
            machine
                .build_folder(text, folder.path())
                .await
                .result
                .unwrap();
        })
        .await;
    }
    write_files(folder.path(), &[("f1/g1/file1.txt", "changed")]);
    timed("one file changed", async {
        machine
            .build_folder(text, folder.path())
            .await
            .result
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_small_project() {
    let machine = Machine::new();
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), &[("a", "1"), ("src/b", "2"), ("src/c", "3")]);
    let text = "FROM base AS one\nWORKDIR /app\nCOPY a .\nRUN write /x 1\nCOPY src src\nRUN write /y 2\n\
        FROM base\nCOPY --from=one /app /app\nCMD [\"x\"]\n";
    for what in ["cold", "again", "again", "again"] {
        timed(what, async {
            machine
                .build_folder(text, folder.path())
                .await
                .result
                .unwrap();
        })
        .await;
    }
}
