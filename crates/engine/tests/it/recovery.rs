//! What is left when an engine is killed, and what the next one makes of it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use engine::{Container, Engine, ListOptions, RemoveOptions};
use store::{FsckOptions, Store};

use crate::fixture::{Fixture, config, exe};

/// What a killed engine said that it had done.
#[derive(Default)]
struct Said {
    created: BTreeSet<String>,
    started: BTreeSet<String>,
    removed: BTreeSet<String>,
    built: BTreeSet<String>,
    errors: Vec<String>,
    ready: bool,
}

/// Lets an engine work in `folder` and kills it after `time`.
fn work_and_die(folder: &Path, time: Duration) -> Said {
    let mut engine = Command::new(exe())
        .arg("work")
        .args([folder.join("root"), folder.join("run")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = engine.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut said = Said::default();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("created", id)) => drop(said.created.insert(id.to_owned())),
                Some(("started", id)) => drop(said.started.insert(id.to_owned())),
                Some(("removed", id)) => drop(said.removed.insert(id.to_owned())),
                Some(("built", number)) => drop(said.built.insert(number.to_owned())),
                Some(("error", text)) => said.errors.push(text.to_owned()),
                _ => said.ready |= line == "ready",
            }
        }
        said
    });
    std::thread::sleep(time);
    engine.kill().unwrap();
    engine.wait().unwrap();
    reader.join().unwrap()
}

/// Names below the control groups and among the network devices of the machine that hold one of
/// these ids or names.
fn groups(ids: impl Fn(&str) -> bool) -> Vec<String> {
    let hierarchies = std::fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
    hierarchies
        .filter_map(|entry| std::fs::read_dir(entry.path().join("corten")).ok())
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| ids(name))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_at_any_time() {
    let Fixture { engine, folder } = Fixture::new().await;
    drop(engine);
    // The store of this process must be closed before another engine can open it.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let log =
        tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::WARN);
    // Another test may have been first.
    let _ = log.with_test_writer().try_init();
    let rounds = std::env::var("KILL_ROUNDS").map_or(6, |text| text.parse().unwrap());
    for round in 0..rounds {
        let time = Duration::from_millis(150 + (round * 137) % 900);
        let path = folder.path().to_owned();
        let said = tokio::task::spawn_blocking(move || work_and_die(&path, time))
            .await
            .unwrap();
        assert!(said.ready && said.errors.is_empty(), "{:?}", said.errors);
        println!(
            "round {round}: {} created, {} removed, {} built",
            said.created.len(),
            said.removed.len(),
            said.built.len()
        );
        let path = folder.path().to_owned();
        tokio::task::spawn_blocking(move || check(&path, &said))
            .await
            .unwrap();
    }
}

/// A new engine finds everything that was said to be done, and nothing else.
fn check(folder: &Path, said: &Said) {
    let runtime = engine::runtime().unwrap();
    runtime.block_on(async {
        let engine = Engine::start(config(folder)).await.unwrap();
        let found = settled(&engine, folder).await;
        nothing_is_lost(said, &found);
        for number in &said.built {
            engine
                .images
                .inspect(&format!("built:{number}"))
                .await
                .unwrap();
        }
        nothing_is_left_over(folder, &found);
        let force = RemoveOptions {
            force: true,
            volumes: true,
        };
        for container in &found {
            let id = container.document.id.as_str();
            engine.containers.remove(id, force).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(count(&folder.join("run/shims")), 0);
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    let store = Store::open(folder.join("root")).unwrap();
    store.gc(&store::GcPolicy::default()).unwrap();
    let problems = store.fsck(&FsckOptions { digests: true }).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
}

/// The containers, once ends that were under way are recorded and leftovers are swept.
async fn settled(engine: &Engine, folder: &Path) -> Vec<Container> {
    const TRIES: usize = 50;
    let all = ListOptions {
        all: true,
        ..ListOptions::default()
    };
    for _ in 0..TRIES {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let found = engine.containers.list(all.clone()).await.unwrap();
        let running = found.iter().filter(|c| c.document.state.pid().is_some());
        let settled = count(&folder.join("run/shims")) == running.count()
            && count(&folder.join("root/containers")) <= found.len()
            && count(&folder.join("run/steps")) == 0;
        if settled {
            return found;
        }
    }
    engine.containers.list(all).await.unwrap()
}

fn nothing_is_lost(said: &Said, found: &[Container]) {
    let state = |id: &String| {
        let container = found
            .iter()
            .find(|container| container.document.id.as_str() == id);
        container.map(|container| container.document.state.name())
    };
    for id in &said.created {
        assert!(state(id).is_some(), "{id} was created and is lost");
    }
    for id in &said.started {
        assert_eq!(state(id), Some("running"), "{id} was started");
    }
    for id in &said.removed {
        assert_eq!(state(id), None, "{id} was removed");
    }
}

fn nothing_is_left_over(folder: &Path, found: &[Container]) {
    let (running, ended): (Vec<&Container>, _) = found
        .iter()
        .partition(|container| container.document.state.pid().is_some());
    for container in &running {
        let id = container.document.id.as_str();
        let socket = folder.join("run/shims").join(format!("{id}.sock"));
        let exit = std::fs::read_to_string(container.folder.join("exit"));
        let state = &container.document.state;
        assert!(
            socket.exists(),
            "{id} has no supervisor: {state:?}, {exit:?}"
        );
    }
    assert_eq!(count(&folder.join("run/shims")), running.len());
    // A container whose creation was cut off has its row and gets its folder when it starts.
    assert!(count(&folder.join("root/containers")) <= found.len());
    assert_eq!(count(&folder.join("run/steps")), 0);
    let ids: Vec<&str> = ended.iter().map(|c| c.document.id.as_str()).collect();
    assert_eq!(groups(|name| ids.contains(&name)), Vec::<String>::new());
    for container in running {
        let document = &container.document;
        let pid = document.state.pid().unwrap();
        assert!(Path::new(&format!("/proc/{pid}")).exists());
        if let Some(endpoint) = &document.endpoint {
            assert!(
                Path::new("/sys/class/net")
                    .join(&endpoint.host_device)
                    .exists()
            );
        }
    }
}

fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}
