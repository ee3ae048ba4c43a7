//! From create to the exit file.

use std::time::{Duration, Instant};

use shim::log::Stream;
use shim::protocol::FailureKind;
use shim::{Client, Error, Event, LogOptions, Status};

use crate::support::{Container, OUTPUT, container, exec, exit, wait_for};

#[test]
fn output_exit_code_and_nothing_left() {
    let script = "echo out; echo error >&2; echo -n end; exit 7";
    let Some(container) = container(&["sh", "-c", script]) else {
        return;
    };
    let mut events = container.start();
    let exit = exit(&mut events);
    assert_eq!((exit.code, exit.signal, exit.oom), (7, None, false));
    assert_eq!(container.exit_file(), Some(exit));
    assert_eq!(container.log(Stream::Stdout), "out\nend");
    assert_eq!(container.log(Stream::Stderr), "error\n");
    assert_eq!(
        events.wait_next().unwrap(),
        None,
        "the exit is the last event"
    );
    container.assert_gone();
    let gone = Client::connect(&container.config.run_dir, &container.config.id);
    assert!(matches!(gone, Err(Error::Gone { .. })));
}

#[test]
fn states_are_told() {
    let Some(container) = container(&["sleep", "100"]) else {
        return;
    };
    let mut client = container.create();
    assert_eq!(client.state().unwrap().status, Status::Created);
    assert!(matches!(
        client.pause(),
        Err(Error::Failed {
            kind: FailureKind::Conflict,
            ..
        })
    ));
    client.start().unwrap();
    let state = client.state().unwrap();
    assert_eq!(state.status, Status::Running);
    assert!(state.started_at.is_some());
    let again = client.start();
    assert!(matches!(
        again,
        Err(Error::Failed {
            kind: FailureKind::Conflict,
            ..
        })
    ));
    client.pause().unwrap();
    assert_eq!(client.state().unwrap().status, Status::Paused);
    client.resume().unwrap();
    assert_eq!(client.state().unwrap().status, Status::Running);
    client.signal(None, 9).unwrap();
    let exit = exit(&mut client.subscribe().unwrap());
    assert_eq!((exit.code, exit.signal), (137, Some(9)));
}

#[test]
fn stop_waits_and_then_kills() {
    let Some(deaf) = container(&[
        "sh",
        "-c",
        "trap '' TERM; echo ready; while :; do sleep 1; done",
    ]) else {
        return;
    };
    let mut events = deaf.start();
    wait_for("the trap", || deaf.log(Stream::Stdout) == "ready\n");
    let start = Instant::now();
    deaf.client()
        .stop(None, Some(Some(Duration::from_millis(300))))
        .unwrap();
    assert_eq!(exit(&mut events).code, 137);
    assert!(start.elapsed() >= Duration::from_millis(300));

    let listening = container(&[
        "sh",
        "-c",
        "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done",
    ]);
    let listening = listening.unwrap();
    let mut events = listening.start();
    wait_for("the trap", || listening.log(Stream::Stdout) == "ready\n");
    listening.client().stop(None, None).unwrap();
    assert_eq!(exit(&mut events).code, 3);
}

#[test]
fn a_paused_container_can_be_stopped() {
    let Some(container) = container(&["sleep", "100"]) else {
        return;
    };
    let mut events = container.start();
    container.client().pause().unwrap();
    container
        .client()
        .stop(None, Some(Some(Duration::ZERO)))
        .unwrap();
    assert_eq!(exit(&mut events).code, 137);
    container.assert_gone();
}

#[test]
fn a_created_container_can_be_stopped() {
    let Some(container) = container(&["sleep", "100"]) else {
        return;
    };
    let mut client = container.create();
    client.stop(None, None).unwrap();
    assert_eq!(exit(&mut client.subscribe().unwrap()).code, 137);
    container.assert_gone();
}

#[test]
fn a_program_that_is_not_there() {
    let Some(container) = container(&["nonsense"]) else {
        return;
    };
    let failed = match shim::spawn(&Container::program(), &container.config, Default::default()) {
        Ok((mut client, _)) => client.start().unwrap_err(),
        Err(error) => error,
    };
    let Error::Failed { kind, message } = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(kind, FailureKind::NotFound);
    assert!(message.contains("nonsense"), "{message}");
    container.assert_gone();
    assert_eq!(container.exit_file(), None);
}

#[test]
fn the_engine_goes_and_another_one_comes() {
    let script = "echo one; while ! [ -e /go ]; do sleep 0.05; done; echo two; exit 5";
    let Some(container) = container(&["sh", "-c", script]) else {
        return;
    };
    drop(container.start());
    // Every connection is gone; the container does not care.
    wait_for("output", || container.log(Stream::Stdout) == "one\n");
    let mut client = container.client();
    assert_eq!(client.state().unwrap().status, Status::Running);
    let go = exec("go", &["sh", "-c", ": > /go"], OUTPUT);
    client.exec(&go, None).unwrap();
    assert_eq!(exit(&mut client.subscribe().unwrap()).code, 5);
    assert_eq!(container.log(Stream::Stdout), "one\ntwo\n");
}

#[test]
fn nobody_listens_at_the_end() {
    let Some(container) = container(&["sh", "-c", "sleep 0.2; exit 6"]) else {
        return;
    };
    drop(container.start());
    wait_for("the exit file", || container.exit_file().is_some());
    assert_eq!(container.exit_file().unwrap().code, 6);
    container.assert_gone();
}

#[test]
fn a_killed_shim_takes_its_container_with_it() {
    let Some(container) = container(&["sleep", "1000"]) else {
        return;
    };
    let mut events = container.start();
    let state = container.client().state().unwrap();
    let pid = |number: u32| rustix::process::Pid::from_raw(number.cast_signed()).unwrap();
    let first = pid(state.pid);
    let pidfd = rustix::process::pidfd_open(first, rustix::process::PidfdFlags::empty()).unwrap();
    rustix::process::kill_process(pid(state.shim_pid), rustix::process::Signal::KILL).unwrap();
    assert_eq!(events.wait_next().unwrap(), None);
    wait_for("the container's end", || {
        sys::signal::send(&pidfd, 0).is_err()
    });
    assert_eq!(container.exit_file(), None);
    // The next start is not held up by what is left.
    let mut client = container.create();
    client.stop(None, None).unwrap();
    exit(&mut client.subscribe().unwrap());
    container.assert_gone();
}

#[test]
fn started_again_at_once() {
    let Some(container) = container(&["sh", "-c", "echo again; exit 4"]) else {
        return;
    };
    for round in 1..=5 {
        let mut events = container.start();
        assert_eq!(exit(&mut events).code, 4);
        assert_eq!(container.log(Stream::Stdout), "again\n".repeat(round));
    }
}

#[test]
fn the_log_is_rotated() {
    let script = "for i in $(busybox seq 1000); do echo line $i; done";
    let Some(mut container) = container(&["sh", "-c", script]) else {
        return;
    };
    let path = container.config.dir.join("log.json");
    container.config.log = Some(LogOptions {
        path: path.clone(),
        max_size: 10_000,
        max_files: 3,
    });
    exit(&mut container.start());
    let log = container.log(Stream::Stdout);
    assert!(log.ends_with("line 999\nline 1000\n"));
    assert!(log.lines().count() < 400);
    assert!(path.with_extension("json.2").exists());
    assert!(!path.with_extension("json.3").exists());
}

#[test]
fn no_log_if_none_is_wanted() {
    let Some(mut container) = container(&["echo", "hello"]) else {
        return;
    };
    container.config.log = None;
    assert_eq!(exit(&mut container.start()).code, 0);
    assert!(!container.config.dir.join("log.json").exists());
}

#[test]
fn running_out_of_memory_is_told() {
    let hungry = "x=$(dd if=/dev/zero bs=1M count=200 2>/dev/null | busybox tr '\\0' x); echo $x | busybox wc";
    let Some(mut container) = container(&["sh", "-c", hungry]) else {
        return;
    };
    let limit = serde_json::json!({ "memory": { "limit": 20 << 20, "swap": 20 << 20 } });
    let mut linux = container.config.spec.linux().clone().unwrap();
    linux.set_resources(Some(serde_json::from_value(limit).unwrap()));
    container.config.spec.set_linux(Some(linux));
    let mut events = container.start();
    let mut told = false;
    let exit = loop {
        match events.wait_next().unwrap().unwrap() {
            Event::Oom => told = true,
            Event::Exited(exit) => break exit,
            _ => {}
        }
    };
    assert!(exit.oom, "{exit:?}");
    assert!(told);
}

#[test]
fn signals_mean_to_the_program_what_they_meant_to_nobody() {
    // A program that writes into a pipe without a reader is ended by it.
    let Some(container) = container(&["cat", "/proc/self/status"]) else {
        return;
    };
    exit(&mut container.start());
    let status = container.log(Stream::Stdout);
    for mask in ["SigIgn", "SigBlk"] {
        let line = status.lines().find(|line| line.starts_with(mask)).unwrap();
        // The two that the C library keeps for itself stay as they were.
        let mask = u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap();
        assert_eq!(mask & !(0b11 << 31), 0, "{line}");
    }
}

#[test]
fn an_idle_shim_is_small() {
    let Some(container) = container(&["sleep", "100"]) else {
        return;
    };
    let _events = container.start();
    let shim = container.client().state().unwrap().shim_pid;
    // Of its own alone: what it shares with the engine depends on how the program was built.
    wait_for("memory to be given back", || {
        let sums = std::fs::read_to_string(format!("/proc/{shim}/smaps_rollup")).unwrap();
        let own = sums.lines().find_map(|line| line.strip_prefix("Pss_Anon:"));
        let own: u32 = own.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
        own <= 150
    });
}
