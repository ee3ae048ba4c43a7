//! What can be done to a container that runs.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use engine::spec::{Attach, CreateOptions};
use engine::{
    AttachOptions, ErrorKind, ExecOptions, ExecState, Id, ListOptions, LogsOptions, RemoveOptions,
    WaitCondition,
};

use crate::fixture::{Fixture, unframe};

const FORCE: RemoveOptions = RemoveOptions {
    force: true,
    volumes: true,
};

async fn started(fixture: &Fixture, options: CreateOptions) -> Id {
    let containers = &fixture.engine.containers;
    let id = containers.create(options).await.unwrap().id;
    containers.start(id.as_str()).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_by_signal_and_by_force() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let polite = started(
        &fixture,
        Fixture::script("trap 'exit 3' TERM; while :; do sleep 0.01; done"),
    )
    .await;
    let deaf = started(
        &fixture,
        Fixture::script("trap '' TERM; while :; do sleep 0.01; done"),
    )
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    containers.stop(polite.as_str(), None, None).await.unwrap();
    containers.stop(deaf.as_str(), None, Some(0)).await.unwrap();
    let code = |id: Id| async move {
        let found = containers.inspect(id.as_str(), false).await.unwrap();
        found.document.state.exit().unwrap().code
    };
    assert_eq!((code(polite.clone()).await, code(deaf).await), (3, 137));
    let again = containers
        .stop(polite.as_str(), None, None)
        .await
        .unwrap_err();
    assert_eq!(again.kind(), ErrorKind::NotModified);
    let kill = containers.kill(polite.as_str(), None).await.unwrap_err();
    assert_eq!(kill.kind(), ErrorKind::Conflict);
    containers
        .restart(polite.as_str(), None, None)
        .await
        .unwrap();
    containers.remove(polite.as_str(), FORCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_with_its_supervisor() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let id = started(&fixture, Fixture::script("sleep 60")).await;
    let waiter = containers
        .wait(id.as_str(), WaitCondition::NotRunning)
        .await
        .unwrap();
    let document = containers
        .inspect(id.as_str(), false)
        .await
        .unwrap()
        .document;
    let pid = document.state.pid().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_ascii_whitespace()
        .collect();
    let supervisor: i32 = fields[1].parse().unwrap();
    let supervisor = rustix::process::Pid::from_raw(supervisor).unwrap();
    rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
    assert_eq!(waiter.ended().await.unwrap().code, 255);
    let group = std::path::Path::new("/sys/fs/cgroup/pids/corten").join(id.as_str());
    let left = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    assert!(!group.exists(), "{left}");
    containers.start(id.as_str()).await.unwrap();
    containers.remove(id.as_str(), FORCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn removes_itself() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let mut options = Fixture::script("exit 5");
    options.host.auto_remove = true;
    let id = containers.create(options).await.unwrap().id;
    let removed = containers
        .wait(id.as_str(), WaitCondition::Removed)
        .await
        .unwrap();
    containers.start(id.as_str()).await.unwrap();
    assert_eq!(removed.ended().await.unwrap().code, 5);
    let error = containers.inspect(id.as_str(), false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    fixture.settle().await;
    assert_eq!(
        std::fs::read_dir(fixture.folder.path().join("root/containers"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn executes_further_processes() {
    let fixture = Fixture::new().await;
    let id = started(&fixture, Fixture::script("sleep 60")).await;
    let execs = &fixture.engine.execs;
    let options = ExecOptions {
        cmd: ["/bin/sh", "-c", "cat; id -u; echo $A; exit 4"]
            .map(str::to_owned)
            .to_vec(),
        env: vec!["A=b".into()],
        user: "app".into(),
        attach: Attach {
            stdin: true,
            stdout: true,
            stderr: true,
        },
        ..ExecOptions::default()
    };
    let exec = execs.create(id.as_str(), options).await.unwrap();
    let start = execs.start(exec.as_str(), None).await.unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    start
        .hand_over(theirs.into(), b"early ".to_vec())
        .await
        .unwrap();
    let text = tokio::task::spawn_blocking(move || {
        ours.write_all(b"late\n").unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        unframe(ours)
    })
    .await
    .unwrap();
    assert_eq!(text, "early late\n1000\nb\n");
    assert_eq!(
        execs.inspect(exec.as_str()).await.unwrap().state,
        ExecState::Exited { code: 4 }
    );
    assert!(execs.start(exec.as_str(), None).await.is_err());
    let wrong = ExecOptions {
        cmd: vec!["what".into()],
        ..ExecOptions::default()
    };
    let exec = execs.create(id.as_str(), wrong).await.unwrap();
    assert!(execs.start_detached(exec.as_str()).await.is_err());
    assert_eq!(
        execs.inspect(exec.as_str()).await.unwrap().state,
        ExecState::Exited { code: 127 }
    );
    fixture
        .engine
        .containers
        .remove(id.as_str(), FORCE)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn talks_through_a_terminal() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let mut options = Fixture::script("read line; echo \"got $line\"; stty size; exit 1");
    options.process.tty = true;
    options.process.open_stdin = true;
    options.process.console_size = Some((10, 20));
    let id = containers.create(options).await.unwrap().id;
    let attach = AttachOptions {
        streams: Attach {
            stdin: true,
            stdout: true,
            stderr: true,
        },
        stream: true,
        ..AttachOptions::default()
    };
    let attachment = containers.attach(id.as_str(), attach).await.unwrap();
    assert!(attachment.tty);
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    attachment
        .hand_over(theirs.into(), Vec::new())
        .await
        .unwrap();
    containers.start(id.as_str()).await.unwrap();
    containers.resize(id.as_str(), 30, 40).await.unwrap();
    let text = tokio::task::spawn_blocking(move || {
        ours.write_all(b"hello\n").unwrap();
        let mut text = String::new();
        // A terminal that ends may end its stream with an error.
        let _ = ours.read_to_string(&mut text);
        text
    })
    .await
    .unwrap();
    assert!(text.contains("got hello\r\n"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn freezes_and_lists() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let mut options = Fixture::script("sleep 60");
    options.name = Some("frozen".into());
    let id = started(&fixture, options).await;
    containers.pause("frozen").await.unwrap();
    assert_eq!(
        containers.pause("frozen").await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    let mut list = ListOptions::default();
    list.filters.add("status", "paused");
    assert_eq!(containers.list(list).await.unwrap().len(), 1);
    containers.unpause("frozen").await.unwrap();
    let table = containers.top("frozen", "").await.unwrap();
    assert!(
        table.processes[0].last().unwrap().contains("sleep 60"),
        "{table:?}"
    );
    containers.rename("frozen", "thawed").await.unwrap();
    let short = id.short().to_owned();
    assert_eq!(
        containers
            .inspect(&short, true)
            .await
            .unwrap()
            .document
            .name,
        "thawed"
    );
    containers.remove("thawed", FORCE).await.unwrap();
    assert!(
        containers
            .list(ListOptions {
                all: true,
                ..ListOptions::default()
            })
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_a_log() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let script = "for i in 1 2 3; do echo line $i; sleep 0.05; done";
    let id = started(&fixture, Fixture::script(script)).await;
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        follow: true,
        tail: Some(2),
        ..LogsOptions::default()
    };
    let mut lines = containers.logs(id.as_str(), options).await.unwrap();
    let mut count = 0;
    while let Some(line) = lines.next().await {
        line.unwrap();
        count += 1;
    }
    assert!((2..=3).contains(&count), "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_files_in_and_out() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let script = "mkdir /d; echo text > /d/f; ln -s /etc/passwd /d/link; ln -s ../../../etc /d/out; sleep 60";
    let mut options = Fixture::script(script);
    options.name = Some("copied".into());
    started(&fixture, options).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for round in ["running", "stopped"] {
        let stat = containers.stat_path("copied", "/d/link").await.unwrap();
        assert_eq!(
            (stat.name.as_str(), stat.link_target.as_str()),
            ("link", "/etc/passwd")
        );
        let (stat, mut stream) = containers.get_archive("copied", "/d").await.unwrap();
        assert_eq!(stat.name, "d");
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.append(&mut chunk.unwrap());
        }
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        assert_eq!(names[..3], ["d/", "d/f", "d/link"], "{round}");
        // The link leads to the container's own folder, not to the host's.
        let put = containers.put_archive(
            "copied",
            "/d/out",
            engine::PutOptions::default(),
            file(round),
        );
        put.await.unwrap();
        assert!(!std::path::Path::new("/etc").join(round).exists());
        containers
            .stat_path("copied", &format!("/etc/{round}"))
            .await
            .unwrap();
        if round == "running" {
            containers.kill("copied", None).await.unwrap();
        }
    }
    let missing = containers.stat_path("copied", "/what").await.unwrap_err();
    assert_eq!(
        missing.to_string(),
        "Could not find the file /what in container copied"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_changes_and_exports() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let mut options =
        Fixture::script("mkdir /d; echo text > /d/f; rm /data/seed; touch /etc/passwd");
    options.name = Some("changed".into());
    fixture.run(options).await;
    let changes = containers.changes("changed").await.unwrap();
    let text: Vec<String> = changes
        .iter()
        .map(|c| format!("{:?} {}", c.kind, c.path))
        .collect();
    assert!(text.contains(&"Added /d/f".to_owned()), "{text:?}");
    assert!(
        text.contains(&"Modified /etc/passwd".to_owned()),
        "{text:?}"
    );
    assert!(text.contains(&"Deleted /data/seed".to_owned()), "{text:?}");
    assert!(
        !text.iter().any(|line| line.contains("resolv.conf")),
        "{text:?}"
    );
    let mut export = containers.export("changed").await.unwrap();
    let mut length = 0;
    while let Some(chunk) = export.next().await {
        length += chunk.unwrap().len();
    }
    assert!(length > 100_000);
}

/// A tar with one file of that name.
fn file(name: &str) -> std::io::Cursor<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, &b"abc"[..]).unwrap();
    std::io::Cursor::new(tar.into_inner().unwrap())
}
