//! Stopping all processes of a container at once.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::{Groups, read, try_write, write};
use crate::Error;
use crate::error::During;

impl Groups {
    /// Freezes all processes; returns when they stand still.
    pub fn freeze(&self) -> Result<(), Error> {
        self.set_frozen(true)
    }

    /// Lets them run again.
    pub fn thaw(&self) -> Result<(), Error> {
        self.set_frozen(false)
    }

    /// Do they stand still?
    pub fn is_frozen(&self) -> bool {
        let is =
            |folder: &Path, file, word| read(folder, file).is_ok_and(|text| text.contains(word));
        match self.controller("freezer") {
            Some(place) => is(&place.folder, "freezer.state", "FROZEN"),
            None => self
                .unified()
                .is_some_and(|place| is(&place.folder, "cgroup.events", "frozen 1")),
        }
    }

    fn set_frozen(&self, frozen: bool) -> Result<(), Error> {
        let (folder, file, value) = match (self.controller("freezer"), self.unified(), frozen) {
            (Some(place), _, true) => (&place.folder, "freezer.state", "FROZEN"),
            (Some(place), _, false) => (&place.folder, "freezer.state", "THAWED"),
            (None, Some(place), true) => (&place.folder, "cgroup.freeze", "1"),
            (None, Some(place), false) => (&place.folder, "cgroup.freeze", "0"),
            (None, None, _) => return Err(Error::Spec("the host has no freezer".to_owned())),
        };
        write(folder, file, value)?;
        let limit = Instant::now() + Duration::from_secs(10);
        while self.is_frozen() != frozen {
            if Instant::now() > limit {
                let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
                return Err(error).during(|| "wait for the freezer".to_owned());
            }
            std::thread::sleep(Duration::from_micros(200));
            // A v1 group that is stuck in FREEZING goes on when it is told again.
            write(folder, file, value)?;
        }
        Ok(())
    }

    /// Thaws the group that a process is in, wherever somebody has put it.
    pub fn thaw_process(&self, pid: Pid) {
        let Some(place) = self.controller("freezer") else {
            return;
        };
        let path = format!("/proc/{}/cgroup", pid.as_raw_nonzero());
        let table = std::fs::read_to_string(path).unwrap_or_default();
        let group = table.lines().find_map(|line| line.split_once(":freezer:"));
        if let Some((_, group)) = group {
            let folder = place.mount_point().join(group.trim_start_matches('/'));
            let _ = try_write(&folder.join("freezer.state"), "THAWED");
        }
    }

    /// Thaws if there is a freezer, so that killed processes can end.
    pub(super) fn thaw_quietly(&self) {
        if let Some(place) = self.controller("freezer") {
            let _ = try_write(&place.folder.join("freezer.state"), "THAWED");
        }
    }
}
