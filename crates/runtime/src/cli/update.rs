//! `update`: other limits for a container that runs.

use std::io::Read as _;
use std::path::Path;

use oci::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxPids, LinuxResources};

use super::Outcome;
use super::arguments::Update;
use super::record::{Root, Status, read_document};
use super::report::{CliError, Doing};

/// `update`
pub(super) fn update(root: &Root, options: &Update) -> Outcome {
    let record = root.load(&options.id)?;
    if record.status(root)? == Status::Stopped {
        return Err(CliError::WrongState {
            id: options.id.clone(),
            is: "stopped",
            needed: "running",
        });
    }
    let resources = match options.resources.as_deref() {
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.doing(|| "read the resources".to_owned())?;
            serde_json::from_str(&text).map_err(|source| CliError::Document {
                path: "standard input".into(),
                source,
            })?
        }
        Some(path) => read_document(path)?,
        None => of_flags(options)?,
    };
    record.groups()?.update(&resources)?;
    Ok(0)
}

fn of_flags(options: &Update) -> Result<LinuxResources, CliError> {
    let mut memory = LinuxMemory::default();
    memory
        .set_limit(bytes(options.memory.as_deref())?)
        .set_swap(bytes(options.memory_swap.as_deref())?)
        .set_reservation(bytes(options.memory_reservation.as_deref())?)
        .set_kernel(bytes(options.kernel_memory.as_deref())?)
        .set_kernel_tcp(bytes(options.kernel_memory_tcp.as_deref())?);
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(options.cpu_share)
        .set_quota(options.cpu_quota)
        .set_period(options.cpu_period)
        .set_burst(options.cpu_burst)
        .set_idle(options.cpu_idle)
        .set_realtime_period(options.cpu_rt_period)
        .set_realtime_runtime(options.cpu_rt_runtime)
        .set_cpus(options.cpuset_cpus.clone())
        .set_mems(options.cpuset_mems.clone());
    let mut resources = LinuxResources::default();
    resources.set_memory(Some(memory)).set_cpu(Some(cpu));
    if let Some(limit) = options.pids_limit {
        let mut pids = LinuxPids::default();
        pids.set_limit(limit);
        resources.set_pids(Some(pids));
    }
    if let Some(weight) = options.blkio_weight {
        let mut block = LinuxBlockIo::default();
        block.set_weight(Some(weight));
        resources.set_block_io(Some(block));
    }
    Ok(resources)
}

/// A number of bytes, perhaps with a unit.
fn bytes(text: Option<&str>) -> Result<Option<i64>, CliError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let wrong = || CliError::Usage(format!("`{text}` is no number of bytes"));
    let lower = text.to_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (number, unit) = match lower.char_indices().next_back() {
        Some((at, 'k')) => (&lower[..at], 10),
        Some((at, 'm')) => (&lower[..at], 20),
        Some((at, 'g')) => (&lower[..at], 30),
        _ => (lower, 0),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << unit).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes() {
        assert_eq!(bytes(Some("10m")).unwrap(), Some(10 << 20));
        assert_eq!(bytes(Some("-1")).unwrap(), Some(-1));
        assert_eq!(bytes(Some("1GB")).unwrap(), Some(1 << 30));
        assert!(bytes(Some("x")).is_err());
    }
}
