//! Other processes in a container.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use shim::protocol::FailureKind;
use shim::{Error, Event, Size};

use crate::support::{ALL, Container, OUTPUT, container, exec, exit, fd, frames, read_until};

fn running() -> Option<Container> {
    container(&["sleep", "1000"])
}

/// Runs it with a stream and gives the client's side.
fn run(container: &Container, exec: &shim::Exec) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    container.client().exec(exec, Some(fd(&theirs))).unwrap();
    ours
}

#[test]
fn streams_and_exit_code() {
    let Some(container) = running() else { return };
    let mut events = container.start();
    let script = "cat; echo error >&2; exit 9";
    let mut ours = run(&container, &exec("one", &["sh", "-c", script], ALL));
    ours.write_all(b"input").unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    assert_eq!(frames(&ours), ("input".into(), "error\n".into()));
    // Its code is known when its streams end.
    let state = container.client().state().unwrap();
    assert_eq!(state.execs[0].code, Some(9));
    let ended = Event::ExecExited {
        id: "one".into(),
        code: 9,
    };
    assert_eq!(events.wait_next().unwrap(), Some(ended));
}

#[test]
fn a_terminal_of_its_own() {
    let Some(container) = running() else { return };
    let _events = container.start();
    let mut wanted = exec(
        "one",
        &["sh", "-c", "stty size; read x; stty size; echo $x"],
        ALL,
    );
    wanted.process.set_terminal(Some(true));
    wanted
        .process
        .set_console_size(serde_json::from_str(r#"{"height":33,"width":77}"#).unwrap());
    let mut ours = run(&container, &wanted);
    read_until(&ours, "33 77\r\n");
    container
        .client()
        .resize(
            Some("one"),
            Size {
                columns: 80,
                rows: 24,
            },
        )
        .unwrap();
    ours.write_all(b"word\n").unwrap();
    let rest = read_until(&ours, "\r\nword\r\n");
    assert!(rest.contains("24 80"), "{rest:?}");
}

#[test]
fn without_a_client() {
    let Some(container) = running() else { return };
    let mut events = container.start();
    let none = shim::Streams::default();
    container
        .client()
        .exec(&exec("one", &["sh", "-c", "echo x; exit 3"], none), None)
        .unwrap();
    let ended = Event::ExecExited {
        id: "one".into(),
        code: 3,
    };
    assert_eq!(events.wait_next().unwrap(), Some(ended));
}

#[test]
fn what_cannot_be_run_says_why() {
    let Some(container) = running() else { return };
    let _events = container.start();
    let kind = |error| match error {
        Error::Failed { kind, .. } => kind,
        other => panic!("{other:?}"),
    };
    let mut client = container.client();
    let missing = client
        .exec(&exec("one", &["nonsense"], OUTPUT), None)
        .unwrap_err();
    assert_eq!(kind(missing), FailureKind::NotFound);
    let folder = client
        .exec(&exec("two", &["/proc"], OUTPUT), None)
        .unwrap_err();
    assert_eq!(kind(folder), FailureKind::NotExecutable);
    client
        .exec(&exec("three", &["sleep", "9"], OUTPUT), None)
        .unwrap();
    let twice = client
        .exec(&exec("three", &["true"], OUTPUT), None)
        .unwrap_err();
    assert_eq!(kind(twice), FailureKind::Conflict);
}

#[test]
fn a_long_environment_fits() {
    let Some(container) = running() else { return };
    let _events = container.start();
    let mut wanted = exec("one", &["sh", "-c", "echo ${#LONG}"], OUTPUT);
    let long = format!("LONG={}", "x".repeat(100_000));
    wanted.process.set_env(Some(vec!["PATH=/bin".into(), long]));
    assert_eq!(frames(&run(&container, &wanted)).0, "100000\n");
}

#[test]
fn signals_reach_it_and_the_containers_end_is_its_end() {
    let Some(container) = running() else { return };
    let mut events = container.start();
    let mut client = container.client();
    client
        .exec(&exec("one", &["sleep", "1000"], OUTPUT), None)
        .unwrap();
    client.signal(Some("one"), 15).unwrap();
    let ended = Event::ExecExited {
        id: "one".into(),
        code: 143,
    };
    assert_eq!(events.wait_next().unwrap(), Some(ended));
    assert!(client.signal(Some("one"), 15).is_err());

    let ours = run(&container, &exec("two", &["sleep", "1000"], OUTPUT));
    client.signal(None, 9).unwrap();
    assert_eq!(frames(&ours), (String::new(), String::new()));
    let ended = Event::ExecExited {
        id: "two".into(),
        code: 137,
    };
    assert_eq!(events.wait_next().unwrap(), Some(ended));
    assert_eq!(exit(&mut events).code, 137);
    container.assert_gone();
}
