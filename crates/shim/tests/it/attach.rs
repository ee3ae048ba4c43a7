//! Clients' streams.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use shim::log::Stream;
use shim::{Event, Size, StdinMode};

use crate::support::{ALL, OUTPUT, attach, container, exit, fd, frames, read_until, wait_for};

#[test]
fn attached_before_the_start_nothing_is_lost() {
    let Some(container) = container(&["sh", "-c", "echo out; echo error >&2"]) else {
        return;
    };
    let mut client = container.create();
    let (one, two) = (
        container.attach(&mut client, OUTPUT),
        container.attach(&mut client, OUTPUT),
    );
    let errors = shim::Streams {
        stdout: false,
        ..OUTPUT
    };
    let three = container.attach(&mut client, errors);
    client.start().unwrap();
    let both = ("out\n".to_owned(), "error\n".to_owned());
    assert_eq!(frames(&one), both);
    assert_eq!(frames(&two), both);
    assert_eq!(frames(&three), (String::new(), "error\n".to_owned()));
    // The exit file is there before a stream ends.
    assert_eq!(container.exit_file().unwrap().code, 0);
}

#[test]
fn half_closing_ends_input() {
    let Some(container) = container(&["cat"]) else {
        return;
    };
    let container = container.with_stdin(StdinMode::Once);
    let mut client = container.create();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut request = attach(ALL);
    request.early_input = b"early ".to_vec();
    client.attach(&request, fd(&theirs)).unwrap();
    drop(theirs);
    client.start().unwrap();
    ours.write_all(b"late").unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    assert_eq!(frames(&ours).0, "early late");
    assert_eq!(exit(&mut client.subscribe().unwrap()).code, 0);
}

#[test]
fn open_input_outlives_its_clients() {
    let Some(container) = container(&["cat"]) else {
        return;
    };
    let container = container.with_stdin(StdinMode::Open);
    let mut client = container.create();
    let mut first = container.attach(&mut client, ALL);
    client.start().unwrap();
    first.write_all(b"one\n").unwrap();
    first.shutdown(Shutdown::Write).unwrap();
    wait_for("the echo", || container.log(Stream::Stdout) == "one\n");
    drop(first);
    let mut second = container.attach(&mut container.client(), ALL);
    second.write_all(b"two\n").unwrap();
    wait_for("the echo", || container.log(Stream::Stdout) == "one\ntwo\n");
    client.signal(None, 9).unwrap();
    assert_eq!(exit(&mut client.subscribe().unwrap()).code, 137);
}

#[test]
fn closed_input_is_at_its_end() {
    let Some(container) = container(&["cat"]) else {
        return;
    };
    assert_eq!(exit(&mut container.start()).code, 0);
}

#[test]
fn more_input_than_a_pipe_holds() {
    let Some(container) = container(&["busybox", "md5sum"]) else {
        return;
    };
    let container = container.with_stdin(StdinMode::Once);
    let mut client = container.create();
    let ours = container.attach(&mut client, ALL);
    client.start().unwrap();
    let mut writer = ours.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        writer.write_all(&vec![0; 8 << 20]).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    assert_eq!(frames(&ours).0, "96995b58d4cbf6aaa9041b4f00c7f6ae  -\n");
    sending.join().unwrap();
}

#[test]
fn a_slow_client_gets_all_and_a_dead_one_stops_nobody() {
    let script = "dd if=/dev/zero bs=64k count=64 2>/dev/null; echo done >&2";
    let Some(container) = container(&["sh", "-c", script]) else {
        return;
    };
    let mut container = container;
    container.config.log = None;
    let mut client = container.create();
    let slow = container.attach(&mut client, OUTPUT);
    drop(container.attach(&mut client, OUTPUT));
    client.start().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let (out, errors) = frames(&slow);
    assert_eq!(out.len(), 64 * (64 << 10));
    assert_eq!(errors, "done\n");
}

#[test]
fn a_client_that_takes_nothing_is_dropped() {
    let Some(container) = container(&["sh", "-c", "dd if=/dev/zero bs=64k count=64 2>/dev/null"])
    else {
        return;
    };
    let mut client = container.create();
    let mut stuck = container.attach(&mut client, OUTPUT);
    client.start().unwrap();
    // Held for a while, then the container goes on without it.
    assert_eq!(exit(&mut client.subscribe().unwrap()).code, 0);
    let mut bytes = Vec::new();
    stuck.read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() < 64 * (64 << 10));
}

#[test]
fn a_terminal_echoes_and_has_a_size() {
    let script = "tty; stty size; read x; stty size; echo got $x";
    let Some(container) = container(&["sh", "-c", script]) else {
        return;
    };
    let container = container.with_terminal().with_stdin(StdinMode::Open);
    let mut client = container.create();
    let mut ours = container.attach(&mut client, ALL);
    client
        .resize(
            None,
            Size {
                columns: 77,
                rows: 33,
            },
        )
        .unwrap();
    client.start().unwrap();
    let first = read_until(&ours, "33 77\r\n");
    assert!(
        first.starts_with("/dev/pts/0\r\n") || first.starts_with("/dev/console\r\n"),
        "{first:?}"
    );
    client
        .resize(
            None,
            Size {
                columns: 80,
                rows: 24,
            },
        )
        .unwrap();
    ours.write_all(b"hello\n").unwrap();
    let rest = read_until(&ours, "got hello\r\n");
    assert!(rest.contains("hello\r\n24 80\r\n"), "{rest:?}");
    assert_eq!(ours.read(&mut [0; 10]).unwrap(), 0);
    assert!(container.log(Stream::Stdout).contains("got hello\r\n"));
}

#[test]
fn detach_keys_leave_the_container_running() {
    let Some(container) = container(&["cat"]) else {
        return;
    };
    let container = container.with_terminal().with_stdin(StdinMode::Open);
    let mut client = container.create();
    client.start().unwrap();
    let mut events = client.subscribe().unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut request = attach(ALL);
    request.detach_keys = vec![16, 17];
    container.client().attach(&request, fd(&theirs)).unwrap();
    drop(theirs);
    ours.write_all(b"ab\n\x10").unwrap();
    read_until(&ours, "ab\r\nab\r\n");
    ours.write_all(b"\x11").unwrap();
    assert_eq!(ours.read(&mut [0; 10]).unwrap(), 0);
    assert_eq!(
        events.wait_next().unwrap(),
        Some(Event::Detached { exec: None })
    );
    // It can be attached to again.
    let mut again = container.attach(&mut container.client(), ALL);
    again.write_all(b"again\n\x04").unwrap();
    read_until(&again, "again\r\nagain\r\n");
    assert_eq!(exit(&mut events).code, 0);
}
