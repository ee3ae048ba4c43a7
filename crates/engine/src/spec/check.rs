//! Options that make no sense or that Corten does not have are refused before anything is made.

use super::{CreateOptions, HostOptions, Namespace, NetworkMode};
use crate::Error;
use crate::host::Host;
use crate::sandbox::{capabilities, resources};

const HOSTNAME_MAX: usize = 63;

/// Checks what can be checked without looking anything up. Returns warnings.
pub(crate) fn check(options: &CreateOptions, host: &Host) -> Result<Vec<String>, Error> {
    check_hostname(&options.process.hostname)?;
    check_namespaces(&options.host, &options.process.hostname)?;
    check_security(&options.host)?;
    resources::check(&options.host.resources, host.cpus)?;
    resources::rlimits(&options.host.ulimits)?;
    capabilities::bounding(&options.host)?;
    if !(-1000..=1000).contains(&options.host.oom_score_adj) {
        return Err(Error::invalid(
            "value for oom score adj",
            &options.host.oom_score_adj.to_string(),
            "range is [-1000, 1000]",
        ));
    }
    let parent = &options.host.cgroup_parent;
    if parent.split('/').any(|part| part == "..") {
        return Err(Error::invalid(
            "cgroup parent",
            parent,
            "it must not hold `..`",
        ));
    }
    Ok(warnings(options))
}

fn warnings(options: &CreateOptions) -> Vec<String> {
    let mut list = Vec::new();
    if options.host.resources.oom_kill_disable && options.host.resources.memory.is_none() {
        list.push(
            "OOM killer is disabled for the container, but no memory limit is set, this can \
             result in the system running out of resources."
                .to_owned(),
        );
    }
    list
}

fn check_hostname(name: &str) -> Result<(), Error> {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    match name.is_empty() || (name.len() <= HOSTNAME_MAX && name.split('.').all(label)) {
        true => Ok(()),
        false => Err(Error::invalid(
            "hostname",
            name,
            "expected letters, digits, `-` and `.`, at most 63 of them",
        )),
    }
}

fn check_namespaces(host: &HostOptions, hostname: &str) -> Result<(), Error> {
    if host.uts == Namespace::Host && !hostname.is_empty() {
        return Err(Error::BadRequest(
            "conflicting options: hostname and the UTS mode",
        ));
    }
    if !matches!(host.uts, Namespace::Host | Namespace::Private) {
        return Err(Error::invalid(
            "UTS mode",
            "container",
            "expected private or host",
        ));
    }
    if matches!(host.network, NetworkMode::Container(_)) && !hostname.is_empty() {
        return Err(Error::BadRequest(
            "conflicting options: hostname and the network mode",
        ));
    }
    if host.init && !matches!(host.pid, Namespace::Private) {
        return Err(Error::Unsupported {
            option: "--init without a process namespace of its own".to_owned(),
            way_out: "leave --pid away",
        });
    }
    Ok(())
}

fn check_security(host: &HostOptions) -> Result<(), Error> {
    if let super::SeccompChoice::Profile(text) = &host.security.seccomp {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
        parsed.map_err(|error| {
            Error::invalid("seccomp profile", "", format!("it is not JSON: {error}"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut CreateOptions)) -> String {
        let host = Host {
            cgroup_v2: false,
            cpus: 2,
            apparmor: false,
        };
        let mut options = CreateOptions::default();
        assert!(check(&options, &host).unwrap().is_empty());
        change(&mut options);
        check(&options, &host).unwrap_err().to_string()
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(refused(|o| o.process.hostname = "a_b..c".into()).contains("hostname"));
        assert!(refused(|o| o.host.oom_score_adj = 2000).contains("[-1000, 1000]"));
        assert!(refused(|o| o.host.cgroup_parent = "/a/../b".into()).contains(".."));
        assert!(refused(|o| o.host.cap_add = vec!["X".into()]).contains("capability"));
        assert!(
            refused(|o| {
                o.host.uts = Namespace::Host;
                o.process.hostname = "a".into();
            })
            .contains("UTS")
        );
        assert!(
            refused(|o| {
                o.host.init = true;
                o.host.pid = Namespace::Host;
            })
            .contains("--init")
        );
    }
}
