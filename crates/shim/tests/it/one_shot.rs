//! Build steps.

use std::fs;
use std::io::Read;

use shim::{Fds, Mode, Stdio, Tree};

use crate::support::{Container, container, exit, wait_for};

fn step(arguments: &[&str]) -> Option<Container> {
    let mut container = container(arguments)?;
    container.config.mode = Mode::OneShot;
    container.config.log = None;
    Some(container)
}

#[test]
fn output_goes_where_the_engine_says() {
    let Some(container) = step(&["sh", "-c", "cat; echo out; echo error >&2; exit 2"]) else {
        return;
    };
    let (mut out, stdout) = std::io::pipe().unwrap();
    let (mut errors, stderr) = std::io::pipe().unwrap();
    let stdio = Stdio {
        stdin: None,
        stdout: stdout.into(),
        stderr: stderr.into(),
    };
    let fds = Fds {
        stdio: Some(stdio),
        ..Fds::default()
    };
    let (mut client, _) = shim::spawn(&Container::program(), &container.config, fds).unwrap();
    client.start().unwrap();
    let mut events = client.subscribe().unwrap();
    let mut text = String::new();
    out.read_to_string(&mut text).unwrap();
    errors.read_to_string(&mut text).unwrap();
    assert_eq!(text, "out\nerror\n");
    assert_eq!(exit(&mut events).code, 2);
    assert_eq!(container.exit_file(), None);
    container.assert_gone();
}

#[test]
fn hanging_up_kills_and_cleans_up() {
    let Some(container) = step(&["sh", "-c", "while :; do sleep 1; done"]) else {
        return;
    };
    let mut client = container.create();
    client.start().unwrap();
    let pid = client.state().unwrap().pid;
    drop(client);
    wait_for("the container's end", || {
        !fs::exists(format!("/proc/{pid}")).unwrap()
    });
    container.assert_gone();
}

#[test]
fn other_images_are_mounted_whole_and_in_part() {
    let script = "cat /whole/file /part/deep; (: > /part/new); ls /part; cat /etc/one";
    let Some(mut container) = step(&["sh", "-c", script]) else {
        return;
    };
    container.config.mode = Mode::Supervised;
    let path = container.config.dir.join("log.json");
    container.config.log = Some(shim::LogOptions::new(path));
    let at = |name: &str| container.config.dir.join(name);
    fs::create_dir_all(at("a/sub")).unwrap();
    fs::create_dir_all(at("b")).unwrap();
    fs::write(at("a/sub/deep"), "deep\n").unwrap();
    fs::write(at("b/file"), "file\n").unwrap();
    let stage = sys::mount::Overlay {
        lower: vec![at("a"), at("b")],
        ..Default::default()
    };
    let stage = stage.mount().unwrap();
    let tree = |destination: &str, path: &str| Tree {
        destination: destination.into(),
        read_only: true,
        mount: sys::mount::clone_tree(&stage, path.as_ref(), true).unwrap(),
    };
    let trees = vec![
        tree("/whole", "."),
        tree("/part", "sub"),
        tree("/etc/one", "file"),
    ];
    let fds = Fds {
        trees,
        ..Fds::default()
    };
    let (mut client, _) = shim::spawn(&Container::program(), &container.config, fds).unwrap();
    client.start().unwrap();
    exit(&mut client.subscribe().unwrap());
    assert_eq!(
        container.log(shim::log::Stream::Stdout),
        "file\ndeep\ndeep\nfile\n"
    );
    assert!(
        container
            .log(shim::log::Stream::Stderr)
            .contains("Read-only file system")
    );
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts.contains(container.config.dir.to_str().unwrap()),
        "a mount is left"
    );
}
