//! The stock docker client against our socket. Where it is not installed, these tests say so and
//! pass.

mod terminal;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use testkit::Corten;

use terminal::Terminal;

/// An engine for the stock client, where there is one.
#[expect(clippy::print_stderr, reason = "a test that was skipped should say so")]
fn engine() -> Option<Corten> {
    let found = Command::new("docker").arg("--version").output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(crate::corten());
    }
    eprintln!("skipped: the docker client is not installed");
    None
}

/// A command line of the stock client, not started. Its configuration is an empty folder, so that
/// no plugin and no context of this machine takes part.
fn command(corten: &Corten, words: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command
        .args(words)
        .env("DOCKER_HOST", corten.host())
        .env("DOCKER_CONFIG", corten.folder().join("docker"))
        .env("DOCKER_BUILDKIT", "0")
        .stdin(Stdio::null());
    command
}

fn run(corten: &Corten, words: &[&str]) -> Output {
    command(corten, words).output().unwrap()
}

/// Standard output of a command that must succeed.
fn ok(corten: &Corten, words: &[&str]) -> String {
    let output = run(corten, words);
    assert!(
        output.status.success(),
        "{words:?}: {output:?}\n{}",
        corten.engine_log()
    );
    text(&output.stdout)
}

/// Standard error of a command that must fail with this status.
fn fails(corten: &Corten, status: i32, words: &[&str]) -> String {
    let output = run(corten, words);
    assert_eq!(output.status.code(), Some(status), "{words:?}: {output:?}");
    text(&output.stderr)
}

fn with_input(corten: &Corten, input: &str, words: &[&str]) -> String {
    let mut child = command(corten, words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    text(&child.wait_with_output().unwrap().stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn run_has_streams_and_exit_codes() {
    let Some(corten) = engine() else { return };
    let words = [
        "run",
        "--rm",
        "busybox",
        "sh",
        "-c",
        "echo out; echo err >&2; exit 3",
    ];
    let output = run(&corten, &words);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(
        (text(&output.stdout), text(&output.stderr)),
        ("out".into(), "err".into())
    );
    assert_eq!(
        with_input(
            &corten,
            "a\nb\n",
            &["run", "-i", "--rm", "busybox", "wc", "-l"]
        ),
        "2"
    );
    let stderr = fails(&corten, 127, &["run", "--rm", "busybox", "nosuch"]);
    assert!(stderr.contains("executable file not found"), "{stderr}");
    // However fast it ends, the first output is not lost.
    for number in 0..20 {
        let number = number.to_string();
        let words = [
            "run",
            "--rm",
            "--network",
            "none",
            "busybox",
            "echo",
            &number,
        ];
        assert_eq!(ok(&corten, &words), number);
    }
    assert_eq!(ok(&corten, &["ps", "-aq"]), "");
}

#[test]
fn the_life_of_a_container() {
    let Some(corten) = engine() else { return };
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let words = [
        "run", "-d", "--name", "web", "-e", "A=1", "-l", "x=y", "busybox", "sh", "-c", script,
    ];
    let id = ok(&corten, &words);
    assert_eq!(id.len(), 64);
    until("the log", || ok(&corten, &["logs", "web"]) == "ready");
    let format = ["--format", "{{.Names}} {{.Image}} {{.State}}"];
    let rows = ok(
        &corten,
        &["ps", "--filter", "label=x=y", format[0], format[1]],
    );
    assert_eq!(rows, "web busybox running");

    assert_eq!(ok(&corten, &["exec", "web", "sh", "-c", "echo $A"]), "1");
    fails(&corten, 5, &["exec", "web", "sh", "-c", "exit 5"]);
    let input = with_input(&corten, "piped", &["exec", "-i", "web", "cat"]);
    assert_eq!(input, "piped");
    assert!(ok(&corten, &["top", "web"]).contains("sleep 0.05"));

    ok(&corten, &["pause", "web"]);
    assert!(ok(&corten, &["ps"]).contains("(Paused)"));
    ok(&corten, &["unpause", "web"]);
    ok(&corten, &["rename", "web", "web2"]);
    let stderr = fails(&corten, 1, &["rm", "web2"]);
    assert!(stderr.contains("container is running"), "{stderr}");
    ok(&corten, &["stop", "web2"]);
    let state = "{{.Name}} {{.State.Status}} {{.State.ExitCode}} {{.Config.Labels.x}}";
    let inspected = ok(&corten, &["inspect", "-f", state, "web2"]);
    assert_eq!(inspected, "/web2 exited 7 y");
    ok(&corten, &["start", "web2"]);
    ok(&corten, &["kill", "web2"]);
    assert_eq!(ok(&corten, &["wait", "web2"]), "137");
    ok(&corten, &["rm", "web2"]);
    let stderr = fails(&corten, 1, &["inspect", "web2"]);
    assert!(stderr.contains("No such object: web2"), "{stderr}");
}

#[test]
fn a_stop_goes_on_without_its_client() {
    let Some(corten) = engine() else { return };
    let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    ok(
        &corten,
        &["run", "-d", "--name", "deaf", "busybox", "sh", "-c", script],
    );
    until("the log", || ok(&corten, &["logs", "deaf"]) == "ready");
    let mut stop = command(&corten, &["stop", "-t", "1", "deaf"])
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    stop.kill().unwrap();
    stop.wait().unwrap();
    until("the end", || {
        ok(&corten, &["inspect", "-f", "{{.State.ExitCode}}", "deaf"]) == "137"
    });
}

#[test]
fn logs_and_events_are_followed() {
    let Some(corten) = engine() else { return };
    let mut events = command(
        &corten,
        &["events", "--since", "1", "--format", "{{.Action}}"],
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let script = "for i in 1 2 3; do echo $i; echo e$i >&2; sleep 0.1; done";
    ok(
        &corten,
        &["run", "-d", "--name", "web", "busybox", "sh", "-c", script],
    );
    let output = run(&corten, &["logs", "-f", "web"]);
    let both = (text(&output.stdout), text(&output.stderr));
    assert_eq!(both, ("1\n2\n3".into(), "e1\ne2\ne3".into()));
    assert_eq!(ok(&corten, &["logs", "--tail", "2", "web"]), "3");
    let stamped = ok(&corten, &["logs", "-t", "--tail", "2", "web"]);
    let (time, rest) = stamped.split_once(' ').unwrap();
    assert_eq!((time.len(), rest), (30, "3"));
    ok(&corten, &["rm", "web"]);
    std::thread::sleep(Duration::from_millis(100));
    events.kill().unwrap();
    let actions = text(&events.wait_with_output().unwrap().stdout);
    for action in ["create", "start", "die", "destroy"] {
        assert!(actions.lines().any(|line| line == action), "{actions}");
    }
}

#[test]
fn terminals() {
    let Some(corten) = engine() else { return };
    let words = ["run", "-it", "--rm", "busybox", "sh"];
    let mut terminal = Terminal::run(command(&corten, &words), 33, 99);
    terminal.expect("/ # ");
    terminal.send("stty size; exit 4\r");
    terminal.expect("33 99");
    assert_eq!(terminal.end(), 4);

    ok(&corten, &["run", "-dit", "--name", "box", "busybox", "sh"]);
    let mut terminal = Terminal::run(command(&corten, &["exec", "-it", "box", "sh"]), 40, 120);
    terminal.expect("/ # ");
    terminal.send("stty size; tty; exit 6\r");
    terminal.expect("40 120");
    assert_eq!(terminal.end(), 6);

    let mut terminal = Terminal::run(command(&corten, &["attach", "box"]), 24, 80);
    terminal.send("\r");
    terminal.expect("/ # ");
    // Ctrl-P Ctrl-Q leaves the container alone.
    terminal.send("\x10\x11");
    terminal.end();
    assert_eq!(
        ok(&corten, &["inspect", "-f", "{{.State.Running}}", "box"]),
        "true"
    );
    let mut terminal = Terminal::run(command(&corten, &["attach", "box"]), 24, 80);
    terminal.send("\r");
    terminal.expect("/ # ");
    terminal.send("exit 9\r");
    assert_eq!(terminal.end(), 9);
    ok(&corten, &["rm", "box"]);
}

#[test]
fn files_in_and_out() {
    let Some(corten) = engine() else { return };
    let folder = corten.folder().join("files");
    fs::create_dir_all(folder.join("tree/sub")).unwrap();
    fs::write(folder.join("tree/sub/a"), "one").unwrap();
    std::os::unix::fs::symlink("sub/a", folder.join("tree/link")).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    ok(
        &corten,
        &[
            "create",
            "--name",
            "box",
            "busybox",
            "cat",
            "/tmp/tree/link",
        ],
    );
    ok(&corten, &["cp", &path("tree"), "box:/tmp"]);
    assert_eq!(ok(&corten, &["start", "-a", "box"]), "one");
    ok(&corten, &["cp", "box:/tmp/tree", &path("back")]);
    assert_eq!(fs::read_to_string(path("back/sub/a")).unwrap(), "one");
    assert!(Path::new(&path("back/link")).is_symlink());
    ok(&corten, &["cp", "box:/tmp/tree/sub/a", &path("a")]);
    assert_eq!(fs::read_to_string(path("a")).unwrap(), "one");
    let stderr = fails(&corten, 1, &["cp", "box:/nosuch", &path("b")]);
    assert!(
        stderr.contains("Could not find the file /nosuch"),
        "{stderr}"
    );
    assert!(ok(&corten, &["diff", "box"]).contains("A /tmp/tree/sub/a"));
    let tar = path("root.tar");
    ok(&corten, &["export", "-o", &tar, "box"]);
    ok(&corten, &["import", &tar, "copy:1"]);
    let words = ["run", "--rm", "copy:1", "cat", "/tmp/tree/sub/a"];
    assert_eq!(ok(&corten, &words), "one");
}

#[test]
fn images() {
    let Some(corten) = engine() else { return };
    let format = [
        "images",
        "--no-trunc",
        "--format",
        "{{.Repository}}:{{.Tag}} {{.ID}}",
    ];
    let before = ok(&corten, &format);
    assert!(before.starts_with("busybox:latest sha256:"), "{before}");
    ok(&corten, &["tag", "busybox", "example.com/team/app:1"]);
    let tar = corten.folder().join("save.tar");
    let tar = tar.to_str().unwrap();
    ok(
        &corten,
        &["save", "-o", tar, "busybox", "example.com/team/app:1"],
    );
    let removed = ok(&corten, &["rmi", "example.com/team/app:1", "busybox"]);
    assert!(removed.contains("Untagged: busybox:latest"), "{removed}");
    assert!(removed.contains("Deleted: sha256:"), "{removed}");
    assert_eq!(ok(&corten, &format), "");
    let loaded = ok(&corten, &["load", "-i", tar]);
    assert!(
        loaded.contains("Loaded image: example.com/team/app:1"),
        "{loaded}"
    );
    assert!(ok(&corten, &format).contains(&before));
    assert_eq!(
        ok(&corten, &["image", "inspect", "-f", "{{.Os}}", "busybox"]),
        "linux"
    );
    assert!(!ok(&corten, &["history", "-q", "busybox"]).is_empty());
    ok(&corten, &["run", "--rm", "example.com/team/app:1", "true"]);
    let stderr = fails(&corten, 125, &["run", "--rm", "nosuch", "true"]);
    assert!(stderr.contains("pull is not available"), "{stderr}");
}

#[test]
fn builds() {
    let Some(corten) = engine() else { return };
    let context = corten.folder().join("context");
    fs::create_dir_all(&context).unwrap();
    let dockerfile = "FROM busybox AS one\nARG WHO=you\nRUN echo hello $WHO > /hello\n\
        FROM busybox\nCOPY --from=one /hello /\nCOPY a /a\nCMD [\"cat\", \"/hello\", \"/a\"]\n";
    fs::write(context.join("Dockerfile"), dockerfile).unwrap();
    fs::write(context.join("a"), "first").unwrap();
    let path = context.to_str().unwrap();
    let words = [
        "build",
        "-t",
        "app:1",
        "-t",
        "app:2",
        "--build-arg",
        "WHO=me",
        path,
    ];
    let output = ok(&corten, &words);
    for line in [
        "Successfully built",
        "Successfully tagged app:1",
        "Successfully tagged app:2",
    ] {
        assert!(output.contains(line), "{output}");
    }
    assert_eq!(ok(&corten, &["run", "--rm", "app:2"]), "hello me\nfirst");
    let output = ok(&corten, &words);
    assert!(output.contains("Using cache"), "{output}");
    fs::write(context.join("a"), "second").unwrap();
    let output = ok(&corten, &words);
    assert!(
        output.contains("---> ran again because a changed"),
        "{output}"
    );
    let quiet = ok(&corten, &["build", "-q", path]);
    assert!(quiet.starts_with("sha256:"), "{quiet}");

    let broken = |text: &str| {
        fs::write(context.join("Dockerfile"), text).unwrap();
        let output = run(&corten, &["build", path]);
        (output.status.code(), text_of(&output))
    };
    let (code, output) = broken("FROM busybox\nRUN echo seen; exit 3\n");
    assert_eq!(code, Some(3), "{output}");
    assert!(
        output.contains("seen") && output.contains("exit code: 3"),
        "{output}"
    );
    let (code, output) = broken("FROM busybox\nRUM x\n");
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("did you mean RUN?"), "{output}");
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let Some(corten) = engine() else { return };
    for (flag, value) in [
        ("-p", "80:80"),
        ("--restart", "always"),
        ("--volumes-from", "x"),
        ("--mac-address", "02:00:00:00:00:01"),
        ("--log-driver", "syslog"),
        ("--gpus", "all"),
    ] {
        let stderr = fails(&corten, 125, &["run", flag, value, "busybox", "true"]);
        assert!(stderr.contains("not supported"), "{flag}: {stderr}");
    }
    let stderr = fails(&corten, 1, &["service", "ls"]);
    assert!(stderr.contains("not a swarm manager"), "{stderr}");
    assert_eq!(ok(&corten, &["plugin", "ls", "-q"]), "");
    let stderr = fails(&corten, 1, &["pull", "busybox"]);
    assert!(stderr.contains("pull is not available"), "{stderr}");
    assert_eq!(
        ok(&corten, &["ps", "-aq"]),
        "",
        "nothing is left of what was refused"
    );
}

#[test]
fn the_engine_describes_itself() {
    let Some(corten) = engine() else { return };
    let version = ok(
        &corten,
        &[
            "version",
            "--format",
            "{{.Server.APIVersion}} {{.Server.Os}}",
        ],
    );
    assert_eq!(version, "1.51 linux");
    let info = ok(
        &corten,
        &["info", "--format", "{{.Driver}} {{.Swarm.LocalNodeState}}"],
    );
    assert_eq!(info, "overlayfs inactive");
    assert!(ok(&corten, &["info"]).contains("Live Restore Enabled: true"));
    let networks = ok(&corten, &["network", "ls", "--format", "{{.Name}}"]);
    assert_eq!(networks, "bridge\nhost\nnone");
    let subnet = "{{(index .IPAM.Config 0).Subnet}}";
    assert!(ok(&corten, &["network", "inspect", "-f", subnet, "bridge"]).contains("/16"));
    ok(
        &corten,
        &[
            "run",
            "-v",
            "data:/data",
            "--name",
            "box",
            "busybox",
            "touch",
            "/data/x",
        ],
    );
    assert_eq!(ok(&corten, &["volume", "ls", "-q"]), "data");
    let path = ok(
        &corten,
        &["volume", "inspect", "-f", "{{.Mountpoint}}", "data"],
    );
    assert!(Path::new(&path).join("x").exists());
    let usage = ok(
        &corten,
        &["system", "df", "--format", "{{.Type}} {{.TotalCount}}"],
    );
    assert!(
        usage.starts_with("Images 1\nContainers 1\nLocal Volumes 1"),
        "{usage}"
    );
    let stderr = fails(&corten, 1, &["volume", "rm", "data"]);
    assert!(stderr.contains("volume is in use"), "{stderr}");
    ok(&corten, &["system", "df", "-v"]);
    ok(&corten, &["system", "prune", "-f"]);
    assert_eq!(ok(&corten, &["ps", "-aq"]), "");
    ok(&corten, &["volume", "rm", "data"]);
    assert!(!Path::new(&path).exists());
}
