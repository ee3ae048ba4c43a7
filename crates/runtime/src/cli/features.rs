//! `features` and `spec`: what the runtime can do, and a config to start from.

use std::io::Write as _;

use serde_json::json;

use super::arguments::Spec;
use super::report::{CliError, Doing};
use super::{Outcome, print};

/// The version of the OCI specification that is implemented.
pub(super) const SPEC_VERSION: &str = "1.2.0";

/// `features`
pub(super) fn features() -> Outcome {
    let capabilities: Vec<_> = crate::capabilities::names().collect();
    let features = json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": SPEC_VERSION,
        "hooks": [
            "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
        ],
        "mountOptions": crate::rootfs::options::known(),
        "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": capabilities,
            "cgroup": {"v1": true, "v2": true, "systemd": false, "systemdUser": false, "rdma": true},
            "seccomp": {
                "enabled": true,
                "actions": [
                    "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                    "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
                ],
                "operators": [
                    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
                    "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
                ],
                "archs": ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
            },
            "apparmor": {"enabled": true},
            "selinux": {"enabled": true},
            "intelRdt": {"enabled": false},
            "mountExtensions": {"idmap": {"enabled": true}},
        },
    });
    print(&format!("{features:#}\n"))
}

/// `spec`
pub(super) fn spec(options: &Spec) -> Outcome {
    let path = match &options.config {
        Some(path) => path.clone(),
        None => options.bundle.join("config.json"),
    };
    let mut spec = match options.rootless {
        true => oci::runtime::Spec::rootless(
            rustix::process::geteuid().as_raw(),
            rustix::process::getegid().as_raw(),
        ),
        false => crate::defaults::spec(),
    };
    spec.set_hostname(Some("corten".to_owned()));
    if let Some(process) = spec.process_mut() {
        process.set_terminal(Some(true));
    }
    let text = serde_json::to_string_pretty(&spec).map_err(|source| CliError::Document {
        path: path.clone(),
        source,
    })?;
    let action = || format!("write {}", path.display());
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path);
    let mut file = file.doing(action)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .doing(action)?;
    Ok(0)
}
