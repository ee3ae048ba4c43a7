use clap::{Args, Command, FromArgMatches};

use super::*;

fn wire(words: &[&str]) -> String {
    let command = Flags::augment_args(Command::new("run").disable_help_flag(true));
    let command = crate::app::lenient_flags(command);
    let parsed = command.try_get_matches_from(std::iter::once(&"run").chain(words));
    let flags = match parsed.and_then(|matches| Flags::from_arg_matches(&matches)) {
        Ok(flags) => flags,
        Err(error) => return error.to_string(),
    };
    let environment = Environment::of([("HOME", "/root")]);
    let around = Surroundings {
        environment: &environment,
        here: Path::new("/work"),
        terminal: None,
    };
    let request = attached(&flags, false)
        .map_err(anyhow::Error::msg)
        .and_then(|attached| super::request(&flags, attached, around));
    let json = match request {
        Ok(request) => serde_json::to_value(request).unwrap(),
        Err(error) => return format!("{error:#}"),
    };
    let empty = serde_json::to_value(CreateRequest::default()).unwrap();
    differences(&json, &empty).join("\n")
}

/// The paths at which a request says something.
fn differences(json: &serde_json::Value, from: &serde_json::Value) -> Vec<String> {
    let serde_json::Value::Object(map) = json else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for (key, value) in map
        .iter()
        .filter(|(key, value)| from.get(key.as_str()) != Some(*value))
    {
        match (value, from.get(key)) {
            (serde_json::Value::Object(_), Some(default @ serde_json::Value::Object(_))) => {
                lines.extend(
                    differences(value, default)
                        .into_iter()
                        .map(|line| format!("{key}.{line}")),
                );
            }
            _ => lines.push(format!("{key}={value}")),
        }
    }
    lines
}

#[test]
fn the_simplest_container() {
    insta::assert_snapshot!(wire(&["busybox"]), @r#"
    AttachStderr=true
    AttachStdout=true
    Env=[]
    HostConfig.NetworkMode="default"
    HostConfig.RestartPolicy.Name="no"
    Image="busybox"
    "#);
}

#[test]
fn words_after_the_image_are_the_command() {
    insta::assert_snapshot!(wire(&[
        "--rm",
        "-it",
        "busybox",
        "ls",
        "-la",
        "--rm=false",
        "--",
        "-it"
    ]), @r#"
    AttachStderr=true
    AttachStdin=true
    AttachStdout=true
    Cmd=["ls","-la","--rm=false","--","-it"]
    Env=[]
    HostConfig.AutoRemove=true
    HostConfig.NetworkMode="default"
    HostConfig.RestartPolicy.Name="no"
    Image="busybox"
    OpenStdin=true
    StdinOnce=true
    Tty=true
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of flags")]
fn every_flag_of_the_issue() {
    insta::assert_snapshot!(wire(&[
        "--name",
        "web",
        "-e",
        "A=1",
        "-e",
        "HOME",
        "-e",
        "NONE",
        "-w",
        "/app",
        "-u",
        "1000:1000",
        "-v",
        "./src:/src:ro",
        "-v",
        "/cache",
        "--mount",
        "type=tmpfs,dst=/t,tmpfs-size=1m",
        "--tmpfs",
        "/run:size=64k",
        "--network=none",
        "--read-only",
        "--cap-add",
        "NET_ADMIN",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
        "--privileged",
        "--init",
        "--memory",
        "64m",
        "--cpus",
        "1.5",
        "--pids-limit",
        "-1",
        "--ulimit",
        "nofile=10:20",
        "--stop-signal",
        "SIGINT",
        "--stop-timeout",
        "3",
        "--entrypoint",
        "",
        "--hostname",
        "h",
        "--label",
        "a=b",
        "--restart",
        "no",
        "--add-host",
        "x:::1",
        "--expose",
        "80-81/udp",
        "--device",
        "/dev/fuse:r",
        "busybox",
    ]), @r#"
    AttachStderr=true
    AttachStdout=true
    Entrypoint=[""]
    Env=["A=1","HOME=/root"]
    ExposedPorts={"80/udp":{},"81/udp":{}}
    HostConfig.Binds=["/work/src:/src:ro"]
    HostConfig.CapAdd=["NET_ADMIN"]
    HostConfig.CapDrop=["ALL"]
    HostConfig.Devices=[{"CgroupPermissions":"r","PathInContainer":"/dev/fuse","PathOnHost":"/dev/fuse"}]
    HostConfig.ExtraHosts=["x:::1"]
    HostConfig.Init=true
    HostConfig.Memory=67108864
    HostConfig.Mounts=[{"Target":"/t","TmpfsOptions":{"SizeBytes":1048576},"Type":"tmpfs"}]
    HostConfig.NanoCpus=1500000000
    HostConfig.NetworkMode="none"
    HostConfig.PidsLimit=-1
    HostConfig.Privileged=true
    HostConfig.ReadonlyRootfs=true
    HostConfig.RestartPolicy.Name="no"
    HostConfig.SecurityOpt=["no-new-privileges"]
    HostConfig.Tmpfs={"/run":"size=64k"}
    HostConfig.Ulimits=[{"Hard":20,"Name":"nofile","Soft":10}]
    Hostname="h"
    Image="busybox"
    Labels.a="b"
    StopSignal="SIGINT"
    StopTimeout=3
    User="1000:1000"
    Volumes={"/cache":{}}
    WorkingDir="/app"
    "#);
}

#[test]
fn mistakes() {
    let mistakes: &[&[&str]] = &[
        &[],
        &["-m", "x", "i"],
        &["-v", "rel", "i"],
        &["--what", "i"],
        &["-a", "x", "i"],
        &["--expose", "x", "i"],
        &["--env-file", "/nonexistent", "i"],
    ];
    let text: Vec<_> = mistakes
        .iter()
        .map(|words| wire(words).lines().next().unwrap_or_default().to_owned())
        .collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    error: the following required arguments were not provided:
    error: invalid value 'x' for '--memory <bytes>': invalid size: 'x'
    invalid volume specification: 'rel': the path in the container must be absolute
    error: unexpected argument '--what' found
    valid streams are STDIN, STDOUT and STDERR, not x
    invalid range format for --expose: x: invalid digit found in string
    cannot read /nonexistent: No such file or directory (os error 2)
    ");
}
