//! `state`, `list`, `ps`, `kill`, `pause`, `resume`, `events`.

use std::io::Write as _;
use std::time::Duration;

use regex::Regex;
use serde::Serialize;
use serde_json::json;

use super::arguments::{Events, Kill, List, Ps};
use super::record::{Record, Root, Status};
use super::report::{CliError, Doing};
use super::{Outcome, print};

/// A container as it is printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Printed<'a> {
    oci_version: &'a str,
    id: &'a str,
    pid: i32,
    status: &'a str,
    bundle: &'a std::path::Path,
    rootfs: &'a std::path::Path,
    created: &'a str,
    owner: &'a str,
    #[serde(skip_serializing_if = "std::collections::HashMap::is_empty")]
    annotations: &'a std::collections::HashMap<String, String>,
}

fn printed<'a>(record: &'a Record, status: Status) -> Printed<'a> {
    Printed {
        oci_version: &record.oci_version,
        id: &record.id,
        pid: if status == Status::Stopped {
            0
        } else {
            record.pid
        },
        status: status.word(),
        bundle: &record.bundle,
        rootfs: &record.rootfs,
        created: &record.created,
        owner: "root",
        annotations: &record.annotations,
    }
}

fn print_json(value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from);
    print(&(text.doing(|| "print".to_owned())? + "\n"))
}

/// `state`
pub(super) fn state(root: &Root, id: &str) -> Outcome {
    let record = root.load(id)?;
    print_json(&printed(&record, record.status(root)?))
}

/// `list`
pub(super) fn list(root: &Root, options: &List) -> Outcome {
    let mut records = Vec::new();
    for name in root.names()? {
        // Another command may remove it at the same time.
        if let Ok(record) = root.load(&name) {
            let status = record.status(root)?;
            records.push((record, status));
        }
    }
    if options.quiet {
        let names: String = records
            .iter()
            .map(|(record, _)| format!("{}\n", record.id))
            .collect();
        return print(&names);
    }
    match options.format.as_str() {
        "json" => {
            let all: Vec<_> = records
                .iter()
                .map(|(record, status)| printed(record, *status))
                .collect();
            print_json(&all)
        }
        "table" => {
            let mut text = line("ID", "PID", "STATUS", "BUNDLE", "CREATED");
            for (record, status) in &records {
                let row = printed(record, *status);
                let (pid, bundle) = (row.pid.to_string(), record.bundle.display().to_string());
                text += &line(row.id, &pid, row.status, &bundle, row.created);
            }
            print(&text)
        }
        other => Err(CliError::Usage(format!(
            "`{other}` is neither table nor json"
        ))),
    }
}

fn line(id: &str, pid: &str, status: &str, bundle: &str, created: &str) -> String {
    format!("{id:<24} {pid:<8} {status:<8} {bundle:<40} {created}\n")
}

/// `ps`
pub(super) fn ps(root: &Root, options: &Ps) -> Outcome {
    let record = root.load(&options.id)?;
    let processes = record.groups()?.processes();
    let processes = processes.doing(|| "list the processes".to_owned())?;
    let ids: Vec<_> = processes
        .iter()
        .map(|pid| pid.as_raw_nonzero().get())
        .collect();
    match options.format.as_str() {
        "json" => print_json(&ids),
        "table" => {
            let lines: String = ids.iter().map(|pid| format!("{pid}\n")).collect();
            print(&format!("PID\n{lines}"))
        }
        other => Err(CliError::Usage(format!(
            "`{other}` is neither table nor json"
        ))),
    }
}

/// A pattern that names of containers are compared with.
pub(super) fn pattern(text: &str) -> Result<Regex, CliError> {
    Regex::new(text).map_err(|_| CliError::Usage(format!("`{text}` is no regular expression")))
}

/// `kill`
pub(super) fn kill(root: &Root, options: &Kill) -> Outcome {
    if !options.regex {
        return kill_one(root, &options.id, options);
    }
    let pattern = pattern(&options.id)?;
    for id in root.names()? {
        if pattern.is_match(&id) {
            kill_one(root, &id, options)?;
        }
    }
    Ok(0)
}

fn kill_one(root: &Root, id: &str, options: &Kill) -> Outcome {
    let record = root.load(id)?;
    let number = signal_number(&options.signal)
        .ok_or_else(|| CliError::Usage(format!("`{}` is no signal", options.signal)))?;
    if record.status(root)? == Status::Stopped && !options.all {
        return Err(CliError::WrongState {
            id: id.to_owned(),
            is: "stopped",
            needed: "running",
        });
    }
    if options.all {
        let processes = record
            .groups()?
            .processes()
            .doing(|| "list the processes".to_owned())?;
        for pid in processes {
            let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
            // It may have ended meanwhile.
            if let Ok(pidfd) = pidfd {
                let _ = sys::signal::send(&pidfd, number);
            }
        }
        return Ok(0);
    }
    let container = record.container()?;
    sys::signal::send(container.init().pidfd(), number)
        .doing(|| format!("signal container `{id}`"))?;
    Ok(0)
}

/// Signals by their names, without `SIG`, from 1 on.
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

fn signal_number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |base: i32, rest: &str| match rest {
        "" => Some(base),
        rest => Some(base + rest.parse::<i32>().ok()?),
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return real_time(34, rest).filter(|number| (34..=64).contains(number));
    }
    if let Some(rest) = name.strip_prefix("RTMAX") {
        return real_time(64, rest).filter(|number| (34..=64).contains(number));
    }
    let at = SIGNALS.iter().position(|known| *known == name)?;
    i32::try_from(at + 1).ok()
}

/// `pause`
pub(super) fn pause(root: &Root, id: &str) -> Outcome {
    let record = root.load(id)?;
    expect(&record, record.status(root)?, Status::Running)?;
    record.groups()?.freeze()?;
    Ok(0)
}

/// `resume`
pub(super) fn resume(root: &Root, id: &str) -> Outcome {
    let record = root.load(id)?;
    expect(&record, record.status(root)?, Status::Paused)?;
    record.groups()?.thaw()?;
    Ok(0)
}

fn expect(record: &Record, is: Status, needed: Status) -> Result<(), CliError> {
    match is == needed {
        true => Ok(()),
        false => Err(CliError::WrongState {
            id: record.id.clone(),
            is: is.word(),
            needed: needed.word(),
        }),
    }
}

/// `events`
pub(super) fn events(root: &Root, options: &Events) -> Outcome {
    let record = root.load(&options.id)?;
    let groups = record.groups()?;
    loop {
        if record.status(root)? == Status::Stopped {
            return Ok(0);
        }
        let stats = groups.stats();
        let event = json!({
            "type": "stats",
            "id": record.id,
            "data": {
                "cpu": {
                    "usage": {"total": stats.cpu.total, "kernel": stats.cpu.kernel, "user": stats.cpu.user},
                    "throttling": {
                        "periods": stats.cpu.periods,
                        "throttledPeriods": stats.cpu.throttled_periods,
                        "throttledTime": stats.cpu.throttled,
                    },
                },
                "memory": {
                    "usage": {
                        "usage": stats.memory.usage,
                        "max": stats.memory.peak,
                        "limit": stats.memory.limit,
                        "failcnt": stats.memory.failures,
                    },
                    "raw": stats.memory.details,
                },
                "pids": {"current": stats.pids, "limit": stats.pids_limit},
            },
        });
        let mut out = std::io::stdout();
        writeln!(out, "{event}").doing(|| "print".to_owned())?;
        if options.stats {
            return Ok(0);
        }
        std::thread::sleep(Duration::from_secs(options.interval.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::signal_number;

    #[test]
    fn signals() {
        assert_eq!(signal_number("SIGTERM"), Some(15));
        assert_eq!(signal_number("kill"), Some(9));
        assert_eq!(signal_number("9"), Some(9));
        assert_eq!(signal_number("RTMIN+3"), Some(37));
        assert_eq!(signal_number("SYS"), Some(31));
        assert_eq!(signal_number("nothing"), None);
        assert_eq!(signal_number("65"), None);
    }
}
