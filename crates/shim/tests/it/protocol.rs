//! Releases that are not this one.

use rustix::net::{RecvFlags, SendFlags};
use shim::{Client, Error};

use crate::support::{container, exit};

fn connect(container: &crate::support::Container) -> std::os::fd::OwnedFd {
    let folder = std::fs::File::open(container.config.run_dir.join("shims")).unwrap();
    sys::socket::message_connect(folder, &format!("{}.sock", container.config.id)).unwrap()
}

fn say(socket: &std::os::fd::OwnedFd, text: &str) -> serde_json::Value {
    sys::socket::send(socket, text.as_bytes(), &[], SendFlags::empty()).unwrap();
    let mut buffer = [0; 4096];
    let received = sys::socket::receive(socket, &mut buffer, RecvFlags::empty()).unwrap();
    serde_json::from_slice(&buffer[..received.length]).unwrap()
}

#[test]
fn newer_and_older_engines() {
    let Some(container) = container(&["sleep", "100"]) else {
        return;
    };
    let mut events = container.start();
    let socket = connect(&container);
    let hello = say(&socket, r#"{"word":"hello","version":2,"shiny":true}"#);
    assert_eq!(hello["word"], "hello");
    assert_eq!(hello["version"], 1);
    let unknown = say(&socket, r#"{"word":"teleport","to":"mars"}"#);
    assert_eq!(unknown["kind"], "unsupported");
    assert_eq!(say(&socket, "nonsense")["word"], "failed");
    assert_eq!(say(&socket, r#"{"word":"state"}"#)["word"], "state");
    let ancient = say(&connect(&container), r#"{"word":"hello","version":0}"#);
    assert_eq!(ancient["kind"], "unsupported");
    container.client().signal(None, 9).unwrap();
    exit(&mut events);
}

#[test]
fn a_config_of_a_newer_release_is_refused() {
    let Some(mut container) = container(&["true"]) else {
        return;
    };
    container.config.version = 99;
    let program = crate::support::Container::program();
    let error = shim::spawn(&program, &container.config, Default::default()).unwrap_err();
    assert!(matches!(error, Error::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("99"));
    container.assert_gone();
}

#[test]
fn a_subscriber_who_comes_late_is_told() {
    let Some(container) = container(&["sh", "-c", "echo x"]) else {
        return;
    };
    let mut client = container.create();
    // Somebody who holds a stream back keeps the shim alive for a moment.
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    client
        .attach(
            &crate::support::attach(crate::support::OUTPUT),
            crate::support::fd(&theirs),
        )
        .unwrap();
    client.start().unwrap();
    let mut first = client.subscribe().unwrap();
    let told = exit(&mut first);
    match Client::connect(&container.config.run_dir, &container.config.id) {
        Ok(late) => assert_eq!(exit(&mut late.subscribe().unwrap()), told),
        Err(Error::Gone { .. }) => assert_eq!(container.exit_file(), Some(told)),
        Err(other) => panic!("{other:?}"),
    }
    drop(ours);
}
