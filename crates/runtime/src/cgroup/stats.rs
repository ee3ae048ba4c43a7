//! What a container uses.

use std::collections::HashMap;
use std::path::Path;

use super::{Groups, read};

/// Usage of one container. A number that the host does not keep is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Processor time.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
    /// Number of processes and threads.
    pub pids: u64,
    /// Their limit, if there is one.
    pub pids_limit: Option<u64>,
    /// Disk traffic, per device.
    pub block_io: Vec<BlockIo>,
}

/// Processor time in nanoseconds, and throttling by the quota.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cpu {
    /// All.
    pub total: u64,
    /// In the kernel.
    pub kernel: u64,
    /// In programs.
    pub user: u64,
    /// Quota periods.
    pub periods: u64,
    /// Periods in which the quota was used up.
    pub throttled_periods: u64,
    /// Time spent waiting for the next period.
    pub throttled: u64,
}

/// Memory in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// In use, page cache included.
    pub usage: u64,
    /// The highest usage so far.
    pub peak: u64,
    /// The limit, if there is one.
    pub limit: Option<u64>,
    /// How often the limit was hit.
    pub failures: u64,
    /// How often the kernel killed a process of the container for memory.
    pub kills: u64,
    /// The kernel's own table, with its words.
    pub details: HashMap<String, u64>,
}

/// Traffic with one disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlockIo {
    /// Device number.
    pub major: u32,
    /// Device number.
    pub minor: u32,
    /// Bytes.
    pub read_bytes: u64,
    /// Bytes.
    pub written_bytes: u64,
    /// Operations.
    pub reads: u64,
    /// Operations.
    pub writes: u64,
}

impl Groups {
    /// Reads what the container uses now.
    pub fn stats(&self) -> Stats {
        match self.is_unified() {
            true => self.stats_v2(),
            false => self.stats_v1(),
        }
    }

    /// How often the kernel killed a process of the container for memory.
    pub fn memory_kills(&self) -> u64 {
        let (folder, file) = match (self.controller("memory"), self.unified()) {
            (Some(place), _) => (place.folder(), "memory.oom_control"),
            (None, Some(place)) => (place.folder(), "memory.events"),
            (None, None) => return 0,
        };
        table(folder, file).get("oom_kill").copied().unwrap_or(0)
    }

    fn stats_v2(&self) -> Stats {
        let Some(folder) = self.unified().map(super::Place::folder) else {
            return Stats::default();
        };
        let cpu = table(folder, "cpu.stat");
        let micro = |key: &str| cpu.get(key).copied().unwrap_or(0) * 1000;
        let count = |key: &str| cpu.get(key).copied().unwrap_or(0);
        Stats {
            cpu: Cpu {
                total: micro("usage_usec"),
                kernel: micro("system_usec"),
                user: micro("user_usec"),
                periods: count("nr_periods"),
                throttled_periods: count("nr_throttled"),
                throttled: micro("throttled_usec"),
            },
            memory: Memory {
                usage: number(folder, "memory.current").unwrap_or(0),
                peak: number(folder, "memory.peak").unwrap_or(0),
                limit: number(folder, "memory.max"),
                failures: table(folder, "memory.events")
                    .get("max")
                    .copied()
                    .unwrap_or(0),
                kills: self.memory_kills(),
                details: table(folder, "memory.stat"),
            },
            pids: number(folder, "pids.current").unwrap_or(0),
            pids_limit: number(folder, "pids.max"),
            block_io: io_stat(&read(folder, "io.stat").unwrap_or_default()),
        }
    }

    fn stats_v1(&self) -> Stats {
        let of = |controller: &str, file: &str| number(self.controller(controller)?.folder(), file);
        let tables = |controller: &str, file: &str| match self.controller(controller) {
            Some(place) => table(place.folder(), file),
            None => HashMap::new(),
        };
        let throttling = tables("cpu", "cpu.stat");
        let count = |key: &str| throttling.get(key).copied().unwrap_or(0);
        // No limit is a number near the largest one.
        let limit = of("memory", "memory.limit_in_bytes").filter(|limit| *limit < 1 << 62);
        Stats {
            cpu: Cpu {
                total: of("cpuacct", "cpuacct.usage").unwrap_or(0),
                kernel: of("cpuacct", "cpuacct.usage_sys").unwrap_or(0),
                user: of("cpuacct", "cpuacct.usage_user").unwrap_or(0),
                periods: count("nr_periods"),
                throttled_periods: count("nr_throttled"),
                throttled: count("throttled_time"),
            },
            memory: Memory {
                usage: of("memory", "memory.usage_in_bytes").unwrap_or(0),
                peak: of("memory", "memory.max_usage_in_bytes").unwrap_or(0),
                limit,
                failures: of("memory", "memory.failcnt").unwrap_or(0),
                kills: self.memory_kills(),
                details: tables("memory", "memory.stat"),
            },
            pids: of("pids", "pids.current").unwrap_or(0),
            pids_limit: of("pids", "pids.max"),
            block_io: self.block_io_v1(),
        }
    }

    fn block_io_v1(&self) -> Vec<BlockIo> {
        let Some(folder) = self.controller("blkio").map(super::Place::folder) else {
            return Vec::new();
        };
        let bytes = read(folder, "blkio.throttle.io_service_bytes_recursive").unwrap_or_default();
        let operations = read(folder, "blkio.throttle.io_serviced_recursive").unwrap_or_default();
        let mut devices: Vec<BlockIo> = Vec::new();
        let lines = bytes.lines().map(|line| (line, true));
        for (line, is_bytes) in lines.chain(operations.lines().map(|line| (line, false))) {
            let mut words = line.split(' ');
            let (Some(device), Some(what), Some(value)) =
                (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let (Some((major, minor)), Ok(value)) = (device_number(device), value.parse()) else {
                continue;
            };
            let entry = entry(&mut devices, major, minor);
            match (what, is_bytes) {
                ("Read", true) => entry.read_bytes = value,
                ("Write", true) => entry.written_bytes = value,
                ("Read", false) => entry.reads = value,
                ("Write", false) => entry.writes = value,
                _ => {}
            }
        }
        devices
    }
}

fn number(folder: &Path, file: &str) -> Option<u64> {
    read(folder, file).ok()?.trim().parse().ok()
}

fn table(folder: &Path, file: &str) -> HashMap<String, u64> {
    let text = read(folder, file).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (key, value) = line.split_once(' ')?;
            Some((key.to_owned(), value.parse().ok()?))
        })
        .collect()
}

fn device_number(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn entry(devices: &mut Vec<BlockIo>, major: u32, minor: u32) -> &mut BlockIo {
    let found = devices
        .iter()
        .position(|device| (device.major, device.minor) == (major, minor));
    let at = found.unwrap_or_else(|| {
        devices.push(BlockIo {
            major,
            minor,
            ..BlockIo::default()
        });
        devices.len() - 1
    });
    &mut devices[at]
}

fn io_stat(text: &str) -> Vec<BlockIo> {
    text.lines()
        .filter_map(|line| {
            let (device, rest) = line.split_once(' ')?;
            let (major, minor) = device_number(device)?;
            let value = |key: &str| {
                rest.split(' ')
                    .find_map(|word| word.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
                    .unwrap_or(0)
            };
            Some(BlockIo {
                major,
                minor,
                read_bytes: value("rbytes"),
                written_bytes: value("wbytes"),
                reads: value("rios"),
                writes: value("wios"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_stat_of_v2() {
        let devices = io_stat("8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n7:0\n");
        assert_eq!(devices.len(), 1);
        assert_eq!((devices[0].read_bytes, devices[0].writes), (10, 2));
    }
}
