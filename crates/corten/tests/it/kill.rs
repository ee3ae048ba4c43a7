//! `kill -9` of the engine at random points: what was reported done is there afterwards, and
//! nothing is left behind.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use testkit::{Corten, Leaks};

use crate::corten;

/// Points for the ordinary run of the tests, and for `--ignored`.
const FEW: usize = 12;
const MANY: usize = 200;

/// Delays are spread over this time; every job below takes about as long.
const WINDOW: Duration = Duration::from_millis(120);

#[test]
fn a_killed_engine_loses_nothing() {
    kill_at(FEW);
}

#[test]
#[ignore = "minutes: ./test --slow"]
fn a_killed_engine_loses_nothing_at_200_points() {
    kill_at(MANY);
}

fn kill_at(points: usize) {
    let before = Leaks::find(std::path::Path::new("/nonexistent"));
    let mut corten = corten();
    let archive = save_two_images(&corten);
    let context = build_context(&corten);
    let mut done = Done::default();
    for point in 0..points {
        let job = start_job(&corten, point, &archive, &context);
        std::thread::sleep(delay(point));
        corten.kill_engine();
        done.record(point, job);
        corten.start_engine();
        done.check(&corten);
        assert_eq!(
            corten.ok(&["system", "fsck"]),
            "",
            "point {point}: {}",
            corten.engine_log()
        );
    }
    clean_up(&corten);
    let left = wait_for_no_leaks(&corten, &before);
    assert!(left.is_empty(), "{left:#?}");
    corten.kill_engine();
    let after = corten.leaks().since(&before);
    assert!(after.is_empty(), "{after:#?}");
}

/// A different delay for each point, spread evenly and out of order.
fn delay(point: usize) -> Duration {
    WINDOW * u32::try_from(point * 61 % MANY).unwrap() / u32::try_from(MANY).unwrap()
}

fn save_two_images(corten: &Corten) -> String {
    for name in ["saved:one", "saved:two"] {
        corten.ok(&["tag", "busybox", name]);
    }
    let archive = corten
        .folder()
        .join("saved.tar")
        .to_str()
        .unwrap()
        .to_owned();
    corten.ok(&["save", "-o", &archive, "saved:one", "saved:two"]);
    corten.ok(&["rmi", "saved:one", "saved:two"]);
    archive
}

fn build_context(corten: &Corten) -> String {
    let context = corten.folder().join("context");
    fs::create_dir_all(&context).unwrap();
    fs::write(context.join("file"), "content").unwrap();
    let text =
        "FROM busybox\nARG POINT\nCOPY file /file\nRUN echo $POINT > /point\nRUN cat /file\n";
    fs::write(context.join("Dockerfile"), text).unwrap();
    context.to_str().unwrap().to_owned()
}

/// Four kinds of work, in turn.
fn start_job(corten: &Corten, point: usize, archive: &str, context: &str) -> Child {
    let name = format!("point-{point}");
    let arg = format!("POINT={point}");
    let words: Vec<&str> = match point % 4 {
        0 => vec!["run", "-d", "--name", &name, "busybox", "sleep", "1000"],
        1 => vec!["run", "--rm", "--network", "none", "busybox", "true"],
        2 => vec!["build", "-q", "-t", &name, "--build-arg", &arg, context],
        _ => vec!["load", "-i", archive],
    };
    let mut command = corten.command(&words);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// What was reported done.
#[derive(Default)]
struct Done {
    containers: Vec<String>,
    images: Vec<String>,
}

impl Done {
    fn record(&mut self, point: usize, mut job: Child) {
        if !job.wait().unwrap().success() {
            return;
        }
        match point % 4 {
            0 => self.containers.push(format!("point-{point}")),
            2 => self.images.push(format!("point-{point}")),
            3 => self
                .images
                .extend(["saved:one".to_owned(), "saved:two".to_owned()]),
            _ => {}
        }
    }

    fn check(&self, corten: &Corten) {
        for name in &self.containers {
            let status = corten.ok(&["inspect", "--format", "{{.State.Status}}", name]);
            assert_eq!(status, "running", "{name}: {}", corten.engine_log());
        }
        for name in &self.images {
            corten.ok(&["image", "inspect", name]);
        }
        if let Some(name) = self.containers.last() {
            assert_eq!(corten.ok(&["exec", name, "echo", "alive"]), "alive");
        }
    }
}

fn clean_up(corten: &Corten) {
    let all = corten.ok(&["ps", "-aq"]);
    for id in all.lines() {
        corten.ok(&["rm", "-f", id]);
    }
}

/// Network namespaces and control groups end a moment after their last process.
fn wait_for_no_leaks(corten: &Corten, before: &Leaks) -> Leaks {
    let begin = Instant::now();
    loop {
        let left = corten.leaks().since(before);
        if left.is_empty() || begin.elapsed() > Duration::from_secs(5) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
