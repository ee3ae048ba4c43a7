//! Image config and options become the process that runs.

use std::collections::BTreeMap;

use oci::ContainerConfig;

use super::{Process, ProcessOptions};
use crate::Error;
use crate::signal;

const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SIGTERM: i32 = 15;

impl Process {
    /// Docker's rules: an entrypoint from the options drops the image's command; lists of
    /// variables and labels are merged by key with the options on top.
    pub fn merge(image: &ContainerConfig, options: &ProcessOptions) -> Result<Self, Error> {
        let (entrypoint, cmd) = command(image, options);
        let entrypoint_len = entrypoint.len();
        let args: Vec<String> = entrypoint.into_iter().chain(cmd).collect();
        if args.is_empty() {
            return Err(Error::BadRequest("no command specified"));
        }
        let mut labels = image.labels.clone();
        labels.extend(options.labels.clone());
        let stop_signal = options
            .stop_signal
            .as_deref()
            .or(image.stop_signal.as_deref());
        Ok(Self {
            args,
            entrypoint_len,
            env: environment(&image.env, options),
            user: first_of(&options.user, &image.user).to_owned(),
            working_dir: working_dir(first_of(&options.working_dir, &image.working_dir))?,
            labels,
            stop_signal: stop_signal.map_or(Ok(SIGTERM), signal::parse)?,
            exposed_ports: union(image.exposed_ports.keys(), &options.exposed_ports),
            volumes: union(image.volumes.keys(), &options.volumes),
            healthcheck: options
                .healthcheck
                .clone()
                .or_else(|| image.healthcheck.clone()),
            on_build: image.on_build.clone(),
            shell: image.shell.clone(),
        })
    }
}

fn command(image: &ContainerConfig, options: &ProcessOptions) -> (Vec<String>, Vec<String>) {
    let is_reset = |list: &[String]| matches!(list, [only] if only.is_empty());
    let own_cmd = options.cmd.clone().filter(|cmd| !cmd.is_empty());
    match options.entrypoint.as_deref() {
        Some(list) if is_reset(list) => (Vec::new(), own_cmd.unwrap_or_default()),
        Some(list) if !list.is_empty() => (list.to_vec(), own_cmd.unwrap_or_default()),
        _ => {
            let cmd = own_cmd.or_else(|| image.cmd.clone());
            let entrypoint = image.entrypoint.clone().unwrap_or_default();
            (entrypoint, cmd.unwrap_or_default())
        }
    }
}

/// The order of the image is kept, so that a variable may refer to an earlier one in a shell's
/// `env` output the way people expect.
fn environment(image: &[String], options: &ProcessOptions) -> Vec<String> {
    let key = |line: &str| line.split_once('=').map_or(line, |(key, _)| key).to_owned();
    let mut lines: Vec<String> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for line in image.iter().chain(&options.env) {
        let place = places.get(&key(line)).copied();
        match place {
            Some(place) => lines[place].clone_from(line),
            None => {
                places.insert(key(line), lines.len());
                lines.push(line.clone());
            }
        }
    }
    if !places.contains_key("PATH") {
        lines.insert(0, DEFAULT_PATH.to_owned());
    }
    // A key without a value takes the variable away.
    lines.retain(|line| line.contains('='));
    lines
}

fn working_dir(text: &str) -> Result<String, Error> {
    match text {
        "" => Ok("/".to_owned()),
        path if path.starts_with('/') => Ok(path.to_owned()),
        path => Err(Error::invalid(
            "working directory",
            path,
            "it needs to be an absolute path",
        )),
    }
}

fn first_of<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn union<'a>(image: impl Iterator<Item = &'a String>, options: &'a [String]) -> Vec<String> {
    let mut list: Vec<String> = image.chain(options).cloned().collect();
    list.sort();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    fn image(entrypoint: &[&str], cmd: &[&str]) -> ContainerConfig {
        let some = |list: &[&str]| (!list.is_empty()).then(|| strings(list));
        ContainerConfig {
            entrypoint: some(entrypoint),
            cmd: some(cmd),
            ..ContainerConfig::default()
        }
    }

    fn args(image: &ContainerConfig, entrypoint: Option<&[&str]>, cmd: Option<&[&str]>) -> String {
        let options = ProcessOptions {
            entrypoint: entrypoint.map(strings),
            cmd: cmd.map(strings),
            ..ProcessOptions::default()
        };
        match Process::merge(image, &options) {
            Ok(process) => format!(
                "{}|{}",
                process.entrypoint().join(" "),
                process.cmd().join(" ")
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn commands() {
        let both = image(&["e"], &["c", "d"]);
        assert_eq!(args(&both, None, None), "e|c d");
        assert_eq!(args(&both, None, Some(&["x"])), "e|x");
        assert_eq!(args(&both, Some(&["y"]), None), "y|");
        assert_eq!(args(&both, Some(&["y"]), Some(&["x"])), "y|x");
        assert_eq!(args(&both, Some(&[""]), Some(&["x"])), "|x");
        assert_eq!(args(&both, Some(&[""]), None), "no command specified");
        assert_eq!(args(&image(&[], &[]), None, None), "no command specified");
        assert_eq!(args(&image(&[], &["c"]), Some(&[]), Some(&[])), "|c");
    }

    #[test]
    fn variables_are_merged_by_key() {
        let mut config = image(&["e"], &[]);
        config.env = strings(&["A=1", "B=2", "C=3"]);
        let options = ProcessOptions {
            env: strings(&["B=x=y", "C", "D=4"]),
            ..ProcessOptions::default()
        };
        let process = Process::merge(&config, &options).unwrap();
        assert_eq!(process.env, strings(&[DEFAULT_PATH, "A=1", "B=x=y", "D=4"]));
    }

    #[test]
    fn options_go_over_the_image() {
        let mut config = image(&["e"], &[]);
        config.user = "app".into();
        config.stop_signal = Some("SIGQUIT".into());
        config.labels.insert("a".into(), "1".into());
        let mut options = ProcessOptions::default();
        options.labels.insert("a".into(), "2".into());
        let process = Process::merge(&config, &options).unwrap();
        assert_eq!((process.user.as_str(), process.stop_signal), ("app", 3));
        assert_eq!(process.labels["a"], "2");
        options.stop_signal = Some("WHAT".into());
        assert!(Process::merge(&config, &options).is_err());
    }
}
