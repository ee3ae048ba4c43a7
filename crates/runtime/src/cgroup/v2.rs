//! Limits on the unified hierarchy.

use std::io;

use oci::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources};

use super::{Groups, Place, read, try_write, write};
use crate::Error;

/// Lets the container's folder have every controller that its parents have.
pub(super) fn delegate(place: &Place) -> io::Result<()> {
    for parent in super::lifetime::parents(place) {
        let has = read(&parent, "cgroup.subtree_control")?;
        let has: Vec<_> = has.split_whitespace().collect();
        let offered = read(&parent, "cgroup.controllers")?;
        for controller in offered.split_whitespace() {
            if !has.contains(&controller) {
                // A refusal shows when a limit needs the controller.
                let _ = try_write(
                    &parent.join("cgroup.subtree_control"),
                    &format!("+{controller}"),
                );
            }
        }
    }
    Ok(())
}

/// Sets all limits but device rules.
pub(super) fn limit(groups: &Groups, resources: &LinuxResources) -> Result<(), Error> {
    let Some(place) = groups.unified() else {
        return Ok(());
    };
    let set = |file: &str, value: &str| write(place.folder(), file, value);
    if let Some(memory) = resources.memory() {
        memory_limits(memory)?
            .iter()
            .try_for_each(|(file, value)| set(file, value))?;
    }
    if let Some(cpu) = resources.cpu() {
        cpu_limits(cpu)
            .iter()
            .try_for_each(|(file, value)| set(file, value))?;
    }
    if let Some(pids) = resources.pids() {
        match pids.limit() {
            ..=0 => set("pids.max", "max")?,
            limit => set("pids.max", &limit.to_string())?,
        }
    }
    if let Some(block) = resources.block_io() {
        block_limits(place, block)?;
    }
    for page in resources.hugepage_limits().iter().flatten() {
        hugepage_limit(groups, page.page_size(), page.limit())?;
    }
    for (device, limits) in resources.rdma().iter().flatten() {
        let mut line = device.clone();
        for (name, value) in [
            ("hca_handle", limits.hca_handles()),
            ("hca_object", limits.hca_objects()),
        ] {
            if let Some(value) = value {
                line.push_str(&format!(" {name}={value}"));
            }
        }
        set("rdma.max", &line)?;
    }
    for (file, value) in resources.unified().iter().flatten() {
        if file.contains('/') {
            return Err(Error::Spec(format!(
                "unified: `{file}` is no name of a file"
            )));
        }
        for line in value.lines() {
            set(file, line)?;
        }
    }
    Ok(())
}

/// Sets a limit of huge pages of one size.
pub(super) fn hugepage_limit(groups: &Groups, size: &str, limit: i64) -> Result<(), Error> {
    match groups.unified() {
        Some(place) => write(
            place.folder(),
            &format!("hugetlb.{size}.max"),
            &limit.to_string(),
        ),
        None => Err(Error::Spec("the host has no hugetlb controller".to_owned())),
    }
}

type Values = Vec<(&'static str, String)>;

fn maximum(limit: i64) -> String {
    match limit {
        -1 => "max".to_owned(),
        limit => limit.to_string(),
    }
}

fn memory_limits(memory: &LinuxMemory) -> Result<Values, Error> {
    let mut values = Values::new();
    let limit = memory.limit().filter(|limit| *limit != 0);
    if let Some(swap) = memory.swap().filter(|swap| *swap != 0) {
        // Version 1 counted memory and swap together.
        let value = match (swap, limit) {
            (-1, _) => "max".to_owned(),
            (swap, Some(limit)) if limit >= 0 && swap >= limit => (swap - limit).to_string(),
            _ => {
                return Err(Error::Spec(
                    "memory.swap needs memory.limit, and is not below it".to_owned(),
                ));
            }
        };
        values.push(("memory.swap.max", value));
    }
    if let Some(limit) = limit {
        values.push(("memory.max", maximum(limit)));
    }
    if let Some(reservation) = memory.reservation().filter(|value| *value != 0) {
        values.push(("memory.low", maximum(reservation)));
    }
    Ok(values)
}

fn cpu_limits(cpu: &LinuxCpu) -> Values {
    let mut values = Values::new();
    if let Some(shares) = cpu.shares().filter(|shares| *shares != 0) {
        values.push(("cpu.weight", weight_of_shares(shares)));
    }
    let period = cpu.period().filter(|period| *period != 0);
    match (cpu.quota().filter(|quota| *quota != 0), period) {
        (None, None) => {}
        (quota, period) => {
            let quota = quota
                .filter(|quota| *quota > 0)
                .map_or("max".to_owned(), |quota| quota.to_string());
            values.push(("cpu.max", format!("{quota} {}", period.unwrap_or(100_000))));
        }
    }
    if let Some(burst) = cpu.burst() {
        values.push(("cpu.max.burst", burst.to_string()));
    }
    if let Some(idle) = cpu.idle() {
        values.push(("cpu.idle", idle.to_string()));
    }
    for (file, value) in [("cpuset.cpus", cpu.cpus()), ("cpuset.mems", cpu.mems())] {
        match value.as_deref() {
            None | Some("") => {}
            Some(value) => values.push((file, value.to_owned())),
        }
    }
    values
}

/// Shares run from 2 to 2^18 around 1024, weights from 1 to 10^4 around 100. The curve that all
/// runtimes agreed on goes through the three pairs of ends and middles.
fn weight_of_shares(shares: u64) -> String {
    let shares = u32::try_from(shares.clamp(2, 262_144)).unwrap_or(262_144);
    let log = f64::from(shares).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    let weight = 10_f64.powf(exponent).ceil();
    format!("{weight:.0}")
}

fn block_limits(place: &Place, block: &LinuxBlockIo) -> Result<(), Error> {
    if let Some(weight) = block.weight().filter(|weight| *weight != 0) {
        // The two schedulers have files and ranges of their own.
        let bfq = place.folder().join("io.bfq.weight").exists();
        let (file, value) = match bfq {
            true => ("io.bfq.weight", u64::from(weight)),
            false => (
                "io.weight",
                1 + (u64::from(weight).max(10) - 10) * 9999 / 990,
            ),
        };
        write(place.folder(), file, &value.to_string())?;
    }
    for device in block.weight_device().iter().flatten() {
        if let Some(weight) = device.weight() {
            let line = format!("{}:{} {weight}", device.major(), device.minor());
            write(place.folder(), "io.bfq.weight", &line)?;
        }
    }
    for (key, devices) in [
        ("rbps", block.throttle_read_bps_device()),
        ("wbps", block.throttle_write_bps_device()),
        ("riops", block.throttle_read_iops_device()),
        ("wiops", block.throttle_write_iops_device()),
    ] {
        for device in devices.iter().flatten() {
            let line = format!(
                "{}:{} {key}={}",
                device.major(),
                device.minor(),
                device.rate()
            );
            write(place.folder(), "io.max", &line)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_of_weights() {
        assert_eq!(weight_of_shares(2), "1");
        assert_eq!(weight_of_shares(1024), "100");
        assert_eq!(weight_of_shares(262_144), "10000");
    }

    #[test]
    fn swap_is_counted_alone() {
        let mut memory = LinuxMemory::default();
        memory.set_limit(Some(100)).set_swap(Some(150));
        let values = memory_limits(&memory).unwrap();
        assert!(values.contains(&("memory.swap.max", "50".to_owned())));
        memory.set_swap(Some(50));
        assert!(memory_limits(&memory).is_err());
    }
}
