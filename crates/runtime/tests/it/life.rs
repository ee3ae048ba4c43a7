//! Commands on containers that live.

use std::fs;

use oci::runtime::{Hook, Hooks, LinuxMemory, LinuxPids, LinuxResources};

use crate::bundle::{Bundle, complaint};

#[test]
fn created_started_killed_deleted() {
    let bundle = Bundle::new("echo hello; sleep 60");
    bundle.write();
    let folder = bundle.path("");
    let pid_file = bundle.path("pid");
    let words = [
        "create",
        "--bundle",
        folder.to_str().unwrap(),
        "--pid-file",
        pid_file.to_str().unwrap(),
        "ID",
    ];
    // The container keeps the streams that it was created with.
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_corten-runtime"))
        .arg("--root")
        .arg(bundle.path("state"))
        .args(words.map(|word| if word == "ID" { &bundle.id } else { word }))
        .stdin(std::process::Stdio::null())
        .stdout(fs::File::create(bundle.path("out")).unwrap())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(bundle.state()["status"], "created");
    assert_eq!(
        fs::read_to_string(&pid_file).unwrap(),
        bundle.state()["pid"].to_string()
    );
    assert!(bundle.runtime(&["start", "ID"]).status.success());
    assert_eq!(bundle.state()["status"], "running");
    assert!(!bundle.runtime(&["start", "ID"]).status.success());
    assert!(complaint(&bundle.runtime(&["delete", "ID"])).contains("is running"));
    assert!(bundle.runtime(&["pause", "ID"]).status.success());
    assert_eq!(bundle.state()["status"], "paused");
    assert!(bundle.runtime(&["resume", "ID"]).status.success());
    assert!(bundle.runtime(&["kill", "ID", "KILL"]).status.success());
    for _ in 0..200 {
        if bundle.state()["status"] == "stopped" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(bundle.runtime(&["delete", "ID"]).status.success());
    assert!(complaint(&bundle.runtime(&["state", "ID"])).contains("does not exist"));
    assert_eq!(fs::read_to_string(bundle.path("out")).unwrap(), "hello\n");
    assert!(!bundle.group_file("memory", "").exists());
}

#[test]
fn exec_joins_all_of_it() {
    let bundle = Bundle::new("sleep 60");
    bundle.start();
    let exec = |words: &[&str]| bundle.runtime(&[&["exec", "ID"], words].concat());
    assert_eq!(exec(&["sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(exec(&["/nothing"]).status.code(), Some(127));
    let of = |process: &str| {
        let output = exec(&[
            "sh",
            "-c",
            &format!(
                "for n in mnt pid net ipc uts; do readlink /proc/{process}/ns/$n; done; cat /proc/{process}/cgroup; grep Cap /proc/{process}/status"
            ),
        ]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(of("1"), of("self"));
    let output = bundle.runtime(&[
        "exec",
        "--user",
        "5:6",
        "--cwd",
        "/etc",
        "--env",
        "A=b",
        "ID",
        "sh",
        "-c",
        "id; pwd; echo $A",
    ]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "uid=5 gid=6\n/etc\nb\n"
    );
    let output = bundle.runtime(&["exec", "--tty", "ID", "tty"]);
    assert!(
        String::from_utf8_lossy(&output.stdout).starts_with("/dev/pts/"),
        "{output:?}"
    );
}

#[test]
fn limits_are_in_the_groups() {
    let mut bundle = Bundle::new("sleep 60");
    let mut memory = LinuxMemory::default();
    memory.set_limit(Some(64 << 20));
    let mut pids = LinuxPids::default();
    pids.set_limit(20);
    let mut resources = LinuxResources::default();
    resources.set_memory(Some(memory)).set_pids(Some(pids));
    bundle.linux().set_resources(Some(resources));
    bundle.start();
    let v1 = bundle.group_file("memory", "memory.limit_in_bytes");
    let limit = fs::read_to_string(if v1.exists() {
        v1
    } else {
        bundle.group_file("memory", "memory.max")
    });
    assert_eq!(limit.unwrap().trim(), (64 << 20).to_string());
    let read = |file: &str| {
        fs::read_to_string(bundle.group_file("pids", file))
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!(read("pids.max"), "20");
    assert!(
        bundle
            .runtime(&["update", "--pids-limit", "30", "ID"])
            .status
            .success()
    );
    assert_eq!(read("pids.max"), "30");
    let listed = bundle.runtime(&["ps", "--format", "json", "ID"]).stdout;
    let listed: Vec<i64> = serde_json::from_slice(&listed).unwrap();
    assert_eq!(listed, [bundle.state()["pid"].as_i64().unwrap()]);
}

#[test]
fn hooks_run_in_order() {
    let mut bundle = Bundle::new("echo program >> /log");
    let log = bundle.path("rootfs/log");
    let hook = |name: &str, log: &str| {
        let mut hook = Hook::default();
        let script = format!("echo {name} >> {log}; cat > /dev/null");
        hook.set_path("/bin/sh".into()).set_args(Some(vec![
            "sh".to_owned(),
            "-c".to_owned(),
            script,
        ]));
        Some(vec![hook])
    };
    let outside = log.to_str().unwrap();
    let mut hooks = Hooks::default();
    hooks
        .set_create_runtime(hook("createRuntime", outside))
        .set_create_container(hook("createContainer", outside))
        .set_start_container(hook("startContainer", "/log"))
        .set_poststop(hook("poststop", outside));
    bundle.spec.set_hooks(Some(hooks));
    bundle.text();
    let order = fs::read_to_string(&log).unwrap();
    assert_eq!(
        order,
        "createRuntime\ncreateContainer\nstartContainer\nprogram\npoststop\n"
    );
}

#[test]
fn a_failed_start_leaves_nothing() {
    let mut bundle = Bundle::new("true");
    bundle.mount("/x", "bind", "/does/not/exist".as_ref(), "rbind");
    let output = bundle.run();
    assert!(complaint(&output).contains("/does/not/exist"), "{output:?}");
    assert!(!bundle.group_file("memory", "").exists());
    assert!(!bundle.path("state").join(&bundle.id).exists());
}

#[test]
fn exec_runs_on_the_processors_it_asks_for() {
    let bundle = Bundle::new("sleep 60");
    bundle.start();
    let process = serde_json::json!({
        "user": {"uid": 0, "gid": 0},
        "args": ["grep", "Cpus_allowed_list", "/proc/self/status"],
        "env": [runtime::defaults::PATH],
        "cwd": "/",
        "execCPUAffinity": {"initial": "0", "final": "0"},
    });
    let path = bundle.path("process.json");
    fs::write(&path, process.to_string()).unwrap();
    let output = bundle.runtime(&["exec", "--process", path.to_str().unwrap(), "ID"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Cpus_allowed_list:\t0\n",
        "{output:?}"
    );
}

#[test]
fn groups_that_cannot_all_be_made_leave_none() {
    let unified = std::path::Path::new("/sys/fs/cgroup/unified");
    if !unified.join("cgroup.procs").exists() {
        // Only a hybrid host has one hierarchy that can be made to refuse.
        return;
    }
    let mut bundle = Bundle::new("true");
    let parent = format!("it-full-{}", std::process::id());
    fs::create_dir(unified.join(&parent)).unwrap();
    fs::write(unified.join(&parent).join("cgroup.max.descendants"), "0").unwrap();
    bundle
        .linux()
        .set_cgroups_path(Some(format!("/{parent}/c").into()));
    let output = bundle.run();
    let memory = std::path::Path::new("/sys/fs/cgroup/memory").join(&parent);
    let left = memory.join("c").exists();
    for hierarchy in fs::read_dir("/sys/fs/cgroup").unwrap() {
        let _ = fs::remove_dir(hierarchy.unwrap().path().join(&parent));
    }
    assert!(complaint(&output).contains("unified"), "{output:?}");
    assert!(!left);
}
