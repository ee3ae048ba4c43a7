//! Whether the kernel killed processes of the container for want of memory.
//!
//! Both versions of control groups count that in a file: `memory.oom_control` (v1) or
//! `memory.events` (v2, which can be polled), in the line `oom_kill <n>`. With v1 an event
//! descriptor tells of it.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::event::{EventfdFlags, PollFlags, eventfd};
use rustix::process::Pid;

use super::poller::{Source, Watch};

/// The counter of one container.
#[derive(Debug, Default)]
pub(crate) struct Oom {
    counter: Option<File>,
    event: Option<OwnedFd>,
    unified: bool,
    seen: u64,
}

impl Oom {
    /// Finds the counter of the process's control group. None is no reason not to run. `live` asks
    /// to be told when it changes.
    pub(crate) fn of(pid: Pid, live: bool) -> Self {
        Self::find(pid, live).unwrap_or_default()
    }

    fn find(pid: Pid, live: bool) -> io::Result<Self> {
        let groups = fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_pid()))?;
        let mut unified = None;
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else {
                continue;
            };
            if controllers.split(',').any(|name| name == "memory") {
                let folder = Path::new("/sys/fs/cgroup/memory").join(group.trim_start_matches('/'));
                return Self::legacy(&folder, live);
            }
            if controllers.is_empty() {
                unified = Some(group.trim_start_matches('/'));
            }
        }
        let group = unified.ok_or(io::ErrorKind::NotFound)?;
        let counter = File::open(
            Path::new("/sys/fs/cgroup")
                .join(group)
                .join("memory.events"),
        )?;
        let mut oom = Self {
            counter: Some(counter),
            event: None,
            unified: true,
            seen: 0,
        };
        oom.seen = oom.count();
        Ok(oom)
    }

    fn legacy(folder: &Path, live: bool) -> io::Result<Self> {
        let counter = File::open(folder.join("memory.oom_control"))?;
        let event = match live {
            true => {
                let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
                let line = format!("{} {}", event.as_raw_fd(), counter.as_raw_fd());
                fs::write(folder.join("cgroup.event_control"), line)?;
                Some(event)
            }
            false => None,
        };
        Ok(Self {
            counter: Some(counter),
            event,
            unified: false,
            seen: 0,
        })
    }

    /// Says what there is to wait for.
    pub(crate) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        match (&self.event, &self.counter) {
            (Some(event), _) => watch.add(Source::Oom, event.as_fd(), PollFlags::IN),
            (None, Some(counter)) if self.unified => {
                watch.add(Source::Oom, counter.as_fd(), PollFlags::PRI);
            }
            _ => {}
        }
    }

    /// Whether there were kills since the last look.
    pub(crate) fn is_new(&mut self) -> bool {
        if let Some(event) = &self.event {
            let _ = rustix::io::read(event, &mut [0; 8]);
        }
        let count = self.count();
        let new = count > self.seen;
        self.seen = count;
        new
    }

    /// Whether there was any.
    pub(crate) fn happened(&self) -> bool {
        self.count() > 0
    }

    fn count(&self) -> u64 {
        let Some(counter) = &self.counter else {
            return self.seen;
        };
        let mut buffer = [0; 512];
        // The group may be gone already.
        let Ok(length) = counter.read_at(&mut buffer, 0) else {
            return self.seen;
        };
        let text = String::from_utf8_lossy(&buffer[..length]);
        text.lines()
            .find_map(|line| line.strip_prefix("oom_kill "))
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(self.seen)
    }
}
