//! `--security-opt`.

use engine::spec::{SeccompChoice, SecurityOptions};

use crate::http::Failure;

/// Reads the options of a create request: `name`, `name=value` or the older `name:value`.
pub(crate) fn security(list: &[String]) -> Result<SecurityOptions, Failure> {
    let mut options = SecurityOptions {
        said: list.to_vec(),
        ..SecurityOptions::default()
    };
    for text in list {
        let (name, value) = text.split_once(['=', ':']).unwrap_or((text, ""));
        match (name, value) {
            ("no-new-privileges", "" | "true") => options.no_new_privileges = true,
            ("no-new-privileges", "false") => options.no_new_privileges = false,
            ("seccomp", "unconfined") => options.seccomp = SeccompChoice::Unconfined,
            ("seccomp", "builtin") => options.seccomp = SeccompChoice::Default,
            ("seccomp", profile) if profile.trim_start().starts_with('{') => {
                options.seccomp = SeccompChoice::Profile(profile.to_owned());
            }
            ("systempaths", "unconfined") => options.unconfined_system_paths = true,
            // There is neither AppArmor nor SELinux to turn off.
            ("apparmor", "unconfined") | ("label", "disable") => {}
            ("seccomp", _) => {
                return Err(Failure::Invalid(format!(
                    "--security-opt {text}: expected unconfined, builtin or a profile as JSON"
                )));
            }
            ("apparmor" | "label" | "systempaths" | "writable-cgroups", _) => {
                return Err(Failure::unsupported(format!("--security-opt {text}")));
            }
            _ => {
                return Err(Failure::Invalid(format!(
                    "invalid --security-opt: {text:?}"
                )));
            }
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[&str]) -> Result<SecurityOptions, Failure> {
        let list: Vec<String> = list.iter().map(|&text| text.to_owned()).collect();
        security(&list)
    }

    #[test]
    fn options() {
        let options = read(&[
            "no-new-privileges:true",
            "seccomp=unconfined",
            "label=disable",
        ])
        .unwrap();
        assert!(options.no_new_privileges);
        assert_eq!(options.seccomp, SeccompChoice::Unconfined);
        assert_eq!(options.said.len(), 3);
        let profile = read(&["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"]).unwrap();
        assert!(matches!(profile.seccomp, SeccompChoice::Profile(_)));
        for text in [
            "",
            "what",
            "seccomp=file.json",
            "apparmor=mine",
            "no-new-privileges=1",
        ] {
            assert!(read(&[text]).is_err(), "{text}");
        }
    }
}
