//! Processes of a container, read from `/proc`: no `ps` is run.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Containers, ProcessTable, running};
use crate::Error;
use crate::blocking::blocking;

/// Clock ticks of a second in `/proc`: fixed in the kernel's interface.
const TICKS: u64 = 100;

/// What `/proc/<pid>` says of a process.
#[derive(Debug, Default)]
struct Facts {
    pid: u32,
    parent: u32,
    state: String,
    uid: u32,
    tty: String,
    ticks: u64,
    started_ticks: u64,
    virtual_kib: u64,
    resident_kib: u64,
    command: String,
}

impl Containers {
    /// Its processes. `arguments` are those of `ps`; of them `-ef` and `aux` are known.
    pub async fn top(&self, name: &str, arguments: &str) -> Result<ProcessTable, Error> {
        let row = self.find(name).await?;
        let first = running(&row)?;
        let arguments = arguments.to_owned();
        let table = blocking(move || {
            let list = || {
                pids(first)
                    .into_iter()
                    .filter_map(facts)
                    .collect::<Vec<_>>()
            };
            match arguments.trim() {
                "" | "-ef" | "ef" => Ok(full(&list())),
                "aux" | "-aux" => Ok(user(&list())),
                other => Err(Error::Unsupported {
                    option: format!("top with the ps options `{other}`"),
                    way_out: "use -ef or aux",
                }),
            }
        })
        .await?;
        self.publish(&row, "top", &[]);
        Ok(table)
    }
}

/// All processes of the control group of `first`, and of those below it.
fn pids(first: u32) -> Vec<u32> {
    let Some(group) = group_folder(first) else {
        return vec![first];
    };
    let mut list = Vec::new();
    collect(&group, &mut list);
    list.sort_unstable();
    list
}

/// The folder of a control group of a process: any hierarchy will do, the named v1 ones first.
fn group_folder(pid: u32) -> Option<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    text.lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let controllers = controllers.strip_prefix("name=").unwrap_or(controllers);
            let folder = Path::new("/sys/fs/cgroup")
                .join(controllers)
                .join(path.strip_prefix('/')?);
            let own = path != "/" && folder.join("cgroup.procs").exists();
            own.then_some(folder)
        })
        .next()
}

fn collect(group: &Path, list: &mut Vec<u32>) {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    list.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), list);
        }
    }
}

fn facts(pid: u32) -> Option<Facts> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(').map_or("", |(_, name)| name);
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    let number = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command)
        .trim_end_matches('\0')
        .replace('\0', " ");
    let uid = fs::metadata(format!("/proc/{pid}")).ok();
    Some(Facts {
        pid,
        parent: u32::try_from(number(1)).unwrap_or(0),
        state: fields.first().copied().unwrap_or("?").to_owned(),
        uid: uid.map_or(0, |meta| std::os::unix::fs::MetadataExt::uid(&meta)),
        tty: tty(number(4)),
        ticks: number(11) + number(12),
        started_ticks: number(19),
        virtual_kib: number(20) / 1024,
        resident_kib: number(21) * 4,
        command: if command.is_empty() {
            format!("[{name}]")
        } else {
            command
        },
    })
}

fn tty(number: u64) -> String {
    let minor = (number & 0xff) | ((number >> 12) & 0xfff00);
    match (number >> 8) & 0xfff {
        0 => "?".to_owned(),
        136..=143 => format!("pts/{minor}"),
        4 => format!("tty{minor}"),
        _ => "?".to_owned(),
    }
}

fn full(list: &[Facts]) -> ProcessTable {
    let titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];
    let row = |facts: &Facts| {
        vec![
            user_name(facts.uid),
            facts.pid.to_string(),
            facts.parent.to_string(),
            "0".to_owned(),
            start_time(facts),
            facts.tty.clone(),
            clock(facts.ticks / TICKS),
            facts.command.clone(),
        ]
    };
    ProcessTable {
        titles: titles.map(str::to_owned).to_vec(),
        processes: list.iter().map(row).collect(),
    }
}

fn user(list: &[Facts]) -> ProcessTable {
    let titles = [
        "USER", "PID", "%CPU", "%MEM", "VSZ", "RSS", "TTY", "STAT", "START", "TIME", "COMMAND",
    ];
    let row = |facts: &Facts| {
        vec![
            user_name(facts.uid),
            facts.pid.to_string(),
            "0.0".to_owned(),
            "0.0".to_owned(),
            facts.virtual_kib.to_string(),
            facts.resident_kib.to_string(),
            facts.tty.clone(),
            facts.state.clone(),
            start_time(facts),
            format!(
                "{}:{:02}",
                facts.ticks / TICKS / 60,
                facts.ticks / TICKS % 60
            ),
            facts.command.clone(),
        ]
    };
    ProcessTable {
        titles: titles.map(str::to_owned).to_vec(),
        processes: list.iter().map(row).collect(),
    }
}

/// By the host's table, as `ps` on the host would say it.
fn user_name(uid: u32) -> String {
    let table = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse::<u32>().ok()? == uid).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| uid.to_string())
}

fn start_time(facts: &Facts) -> String {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let up: f64 = uptime
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0);
    let started = std::time::Duration::from_millis(facts.started_ticks * 1000 / TICKS);
    let ago =
        jiff::SignedDuration::try_from_secs_f64(up - started.as_secs_f64()).unwrap_or_default();
    let time = jiff::Timestamp::now() - ago;
    let zoned = time.to_zoned(jiff::tz::TimeZone::system());
    format!("{:02}:{:02}", zoned.hour(), zoned.minute())
}

fn clock(seconds: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process() {
        let facts = facts(std::process::id()).unwrap();
        assert_eq!(facts.parent, std::os::unix::process::parent_id());
        assert!(facts.resident_kib > 0 && !facts.command.is_empty());
        let table = full(&[facts]);
        assert_eq!(table.titles.len(), table.processes[0].len());
    }

    #[test]
    fn times_and_terminals() {
        assert_eq!(clock(3725), "01:02:05");
        assert_eq!(tty(0), "?");
        assert_eq!(tty((136 << 8) | 3), "pts/3");
    }
}
