//! Instructions that change only the image's config.

use dockerfile::{
    CommandLine, Diagnostic, Expose, File, HealthCheck, HealthTest, Instruction, Span, StopSignal,
    Volume,
};
use oci::Empty;

use super::history::{metadata, plain, quoted};
use super::stage::{Draft, Stage};
use crate::BuildError;

/// Where an instruction stands.
pub(super) struct Place<'a> {
    pub(super) file: &'a File,
    pub(super) span: Span,
}

impl Place<'_> {
    pub(super) fn refuse(&self, span: Span, message: impl Into<String>) -> BuildError {
        BuildError::Dockerfile(Diagnostic::error(self.file, span, message).render())
    }
}

/// Applies an instruction (expanded) and returns the history's text; `None` if it is not one of
/// those that change only the config.
pub(super) fn apply(
    draft: &mut Draft,
    instruction: &Instruction,
    place: &Place<'_>,
) -> Result<Option<String>, BuildError> {
    let text = match instruction {
        Instruction::Cmd(cmd) => set_cmd(draft, &cmd.command),
        Instruction::Entrypoint(entrypoint) => set_entrypoint(draft, &entrypoint.command),
        Instruction::Env(env) => {
            let pairs = env.pairs.iter();
            variables(
                draft,
                pairs.map(|pair| (pair.name.as_str(), pair.value.as_str())),
            )
        }
        Instruction::Label(label) => {
            let pairs = label.pairs.iter();
            labels(
                draft,
                pairs.map(|pair| (pair.name.as_str(), pair.value.as_str())),
            )
        }
        Instruction::Expose(expose) => expose_ports(draft, expose, place)?,
        Instruction::HealthCheck(check) => health_check(draft, check),
        Instruction::Maintainer(maintainer) => {
            draft.config.author = Some(maintainer.author.value.clone());
            format!("MAINTAINER {}", maintainer.author.value)
        }
        Instruction::OnBuild(trigger) => {
            draft.container().on_build.push(trigger.text.clone());
            format!("ONBUILD {}", trigger.text)
        }
        Instruction::Shell(shell) => {
            let words: Vec<String> = shell.shell.iter().map(|word| word.value.clone()).collect();
            let text = format!("SHELL {}", plain(&words));
            draft.container().shell = words;
            text
        }
        Instruction::StopSignal(signal) => stop_signal(draft, signal, place)?,
        Instruction::User(user) => {
            draft.container().user.clone_from(&user.user.value);
            format!("USER {}", user.user.value)
        }
        Instruction::Volume(volume) => volumes(draft, volume, place)?,
        _ => return Ok(None),
    };
    Ok(Some(text))
}

fn set_cmd(draft: &mut Draft, line: &CommandLine) -> String {
    let args = command(draft, line);
    let text = format!("CMD {}", quoted(&args));
    draft.container().cmd = Some(args);
    draft.container().args_escaped = true;
    draft.cmd_set = true;
    text
}

/// An inherited `CMD` was meant for the inherited entrypoint.
fn set_entrypoint(draft: &mut Draft, line: &CommandLine) -> String {
    let args = command(draft, line);
    let text = format!("ENTRYPOINT {}", quoted(&args));
    draft.container().entrypoint = (!args.is_empty()).then_some(args);
    draft.container().args_escaped = true;
    if !draft.cmd_set {
        draft.container().cmd = None;
    }
    text
}

fn variables<'a>(draft: &mut Draft, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = "ENV".to_owned();
    for (name, value) in pairs {
        text += &format!(" {name}={value}");
        draft.set_env(name, value);
    }
    text
}

fn volumes(draft: &mut Draft, volume: &Volume, place: &Place<'_>) -> Result<String, BuildError> {
    let paths: Vec<&str> = volume
        .paths
        .iter()
        .map(|path| path.value.as_str())
        .collect();
    for path in &volume.paths {
        if path.value.is_empty() {
            let message = "VOLUME specified can not be an empty string";
            return Err(place.refuse(path.span, message));
        }
        draft
            .container()
            .volumes
            .insert(path.value.clone(), Empty {});
    }
    Ok(format!("VOLUME {}", plain(&paths)))
}

/// Sets labels and returns the history's text.
pub(super) fn labels<'a>(
    draft: &mut Draft,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut text = "LABEL".to_owned();
    for (name, value) in pairs {
        text += &format!(" {name}={value}");
        draft
            .container()
            .labels
            .insert(name.to_owned(), value.to_owned());
    }
    text
}

/// Records an instruction that changed only the config.
pub(super) fn record(stage: &mut Stage, text: &str) {
    let created = stage.draft.config.created.clone().unwrap_or_default();
    stage.record(metadata(text, &created), false);
}

fn command(draft: &Draft, line: &CommandLine) -> Vec<String> {
    match line {
        CommandLine::Shell(text) => draft.in_shell(text),
        CommandLine::Exec(words) => words.iter().map(|word| word.value.clone()).collect(),
    }
}

fn expose_ports(
    draft: &mut Draft,
    expose: &Expose,
    place: &Place<'_>,
) -> Result<String, BuildError> {
    let mut all = Vec::new();
    for port in &expose.ports {
        let ports = ports(&port.value).ok_or_else(|| {
            place.refuse(port.span, format!("invalid containerPort: {}", port.value))
        })?;
        all.extend(ports);
    }
    all.sort();
    for port in &all {
        draft
            .container()
            .exposed_ports
            .insert(port.clone(), Empty {});
    }
    Ok(format!("EXPOSE {}", plain(&all)))
}

/// The ports that `8000-8002/tcp` means; a host part before `:` does not count.
fn ports(text: &str) -> Option<Vec<String>> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return None;
    }
    let range = range.rsplit(':').next()?;
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    let ports = (first..=last).map(|port| format!("{port}/{protocol}"));
    (first <= last).then(|| ports.collect())
}

fn health_check(draft: &mut Draft, check: &HealthCheck) -> String {
    let nanoseconds = |time: Option<std::time::Duration>| {
        i64::try_from(time.unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
    };
    let test = match &check.test {
        HealthTest::None => vec!["NONE".to_owned()],
        HealthTest::Command(CommandLine::Shell(text)) => {
            vec!["CMD-SHELL".to_owned(), text.value.clone()]
        }
        HealthTest::Command(CommandLine::Exec(words)) => {
            let words = words.iter().map(|word| word.value.clone());
            std::iter::once("CMD".to_owned()).chain(words).collect()
        }
    };
    let text = format!("HEALTHCHECK {}", quoted(&test));
    draft.container().healthcheck = Some(oci::HealthCheck {
        test,
        interval: nanoseconds(check.interval),
        timeout: nanoseconds(check.timeout),
        start_period: nanoseconds(check.start_period),
        start_interval: nanoseconds(check.start_interval),
        retries: check.retries.unwrap_or_default().into(),
    });
    text
}

fn stop_signal(
    draft: &mut Draft,
    signal: &StopSignal,
    place: &Place<'_>,
) -> Result<String, BuildError> {
    let value = &signal.signal.value;
    let known = match value.parse::<u32>() {
        Ok(number) => (1..=64).contains(&number),
        Err(_) => is_signal(value),
    };
    if !known {
        return Err(place.refuse(signal.signal.span, format!("invalid signal: {value}")));
    }
    draft.container().stop_signal = Some(value.clone());
    Ok(format!("STOPSIGNAL {value}"))
}

fn is_signal(name: &str) -> bool {
    const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM \
        TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR \
        SYS RTMIN RTMAX";
    let upper = name.to_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |prefix| short.strip_prefix(prefix).map(str::parse::<u8>);
    NAMES.split_whitespace().any(|known| known == short)
        || matches!(offset("RTMIN+"), Some(Ok(1..=15)))
        || matches!(offset("RTMAX-"), Some(Ok(1..=14)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_ranges() {
        assert_eq!(ports("80").unwrap(), ["80/tcp"]);
        assert_eq!(ports("53/UDP").unwrap(), ["53/udp"]);
        assert_eq!(ports("1-3").unwrap(), ["1/tcp", "2/tcp", "3/tcp"]);
        assert_eq!(ports("127.0.0.1:8080:80").unwrap(), ["80/tcp"]);
        for text in ["", "x", "3-1", "70000", "80/icmp"] {
            assert!(ports(text).is_none(), "{text}");
        }
    }

    #[test]
    fn signals() {
        for name in ["SIGTERM", "term", "SIGRTMIN+3", "RTMAX-1"] {
            assert!(is_signal(name), "{name}");
        }
        assert!(!is_signal("SIGNOPE") && !is_signal("RTMIN+99"));
    }
}
