//! The same bundle under runc, if it is installed: the container must look the same.

use std::process::{Command, Stdio};

use crate::bundle::Bundle;

const SCRIPT: &str = "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp):' /proc/self/status; ulimit -a; umask; \
    cat /proc/mounts | grep -v -E ' / |cgroup'; ls /dev; ls -l /proc/self/fd | wc -l";

#[test]
fn runc_sees_the_same() {
    let bundle = Bundle::new(SCRIPT);
    let ours = bundle.text();
    let runc = Command::new("runc")
        .args([
            "--root",
            bundle.path("runc").to_str().unwrap(),
            "run",
            "--bundle",
        ])
        .arg(bundle.path(""))
        .arg(format!("{}-runc", bundle.id))
        .stdin(Stdio::null())
        .output();
    let Ok(output) = runc else {
        return;
    };
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(normal(&ours), normal(&theirs));
}

/// The order of mounts and their sizes on this kernel do not matter.
fn normal(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text
        .lines()
        .map(|line| {
            // Each hides paths in its own way.
            let path = line.split(' ').nth(1).unwrap_or_default();
            if runtime::defaults::MASKED_PATHS.contains(&path) {
                return path.to_owned();
            }
            let words: Vec<_> = line.split(',').filter(|word| !word.contains('=')).collect();
            words.join(",")
        })
        .collect();
    lines.sort();
    lines
}
