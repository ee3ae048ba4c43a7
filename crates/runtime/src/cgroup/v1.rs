//! Limits on hierarchies of version 1.

use oci::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources, LinuxThrottleDevice};

use super::{Groups, read, v2, write};
use crate::Error;

/// Sets all limits but device rules.
pub(super) fn limit(groups: &Groups, resources: &LinuxResources) -> Result<(), Error> {
    if let Some(memory) = resources.memory() {
        memory_limits(groups, memory)?;
    }
    if let Some(cpu) = resources.cpu() {
        cpu_limits(groups, cpu)?;
    }
    if let Some(pids) = resources.pids() {
        set(groups, "pids", "pids.max", &unlimited(pids.limit(), "max"))?;
    }
    if let Some(block) = resources.block_io() {
        block_limits(groups, block)?;
    }
    for page in resources.hugepage_limits().iter().flatten() {
        let size = page.page_size();
        match groups.controller("hugetlb") {
            Some(_) => {
                let file = format!("hugetlb.{size}.limit_in_bytes");
                set(groups, "hugetlb", &file, &page.limit().to_string())?;
            }
            // A hybrid host may have this controller on its unified hierarchy.
            None => v2::hugepage_limit(groups, size, page.limit())?,
        }
    }
    if let Some(network) = resources.network() {
        if let Some(class) = network.class_id() {
            set(groups, "net_cls", "net_cls.classid", &class.to_string())?;
        }
        for priority in network.priorities().iter().flatten() {
            let line = format!("{} {}", priority.name(), priority.priority());
            set(groups, "net_prio", "net_prio.ifpriomap", &line)?;
        }
    }
    match resources
        .unified()
        .as_ref()
        .is_some_and(|keys| !keys.is_empty())
    {
        true => Err(Error::Spec(
            "linux.resources.unified needs control groups v2".to_owned(),
        )),
        false => Ok(()),
    }
}

fn unlimited(limit: i64, word: &str) -> String {
    match limit {
        ..=0 => word.to_owned(),
        limit => limit.to_string(),
    }
}

fn set(groups: &Groups, controller: &str, file: &str, value: &str) -> Result<(), Error> {
    match groups.controller(controller) {
        Some(place) => write(place.folder(), file, value),
        None => Err(Error::Spec(format!(
            "the host has no {controller} controller for {file}"
        ))),
    }
}

fn memory_limits(groups: &Groups, memory: &LinuxMemory) -> Result<(), Error> {
    let file = |name: &str| format!("memory.{name}");
    let number = |name: &str, value: Option<i64>| match value {
        Some(value) if value != 0 => set(groups, "memory", &file(name), &value.to_string()),
        _ => Ok(()),
    };
    if memory.check_before_update() == Some(true) {
        check_usage(groups, memory)?;
    }
    // The one with swap must never be below the one without: which comes first depends on
    // whether they grow.
    let limit = memory.limit().filter(|limit| *limit != 0);
    let swap = memory.swap().filter(|swap| *swap != 0);
    match (limit, swap) {
        (Some(limit), Some(swap)) => {
            let grows = swap == -1 || current(groups, "memory.limit_in_bytes") < Some(swap);
            let both = [("memsw.limit_in_bytes", swap), ("limit_in_bytes", limit)];
            let order: Vec<_> = match grows && number(both[0].0, Some(swap)).is_ok() {
                true => vec![both[1]],
                false => vec![both[1], both[0]],
            };
            order
                .into_iter()
                .try_for_each(|(name, value)| number(name, Some(value)))?;
        }
        _ => {
            number("limit_in_bytes", limit)?;
            number("memsw.limit_in_bytes", swap)?;
        }
    }
    number("soft_limit_in_bytes", memory.reservation())?;
    number("kmem.tcp.limit_in_bytes", memory.kernel_tcp())?;
    if let Some(swappiness) = memory.swappiness() {
        set(
            groups,
            "memory",
            "memory.swappiness",
            &swappiness.to_string(),
        )?;
    }
    match memory.disable_oom_killer() {
        Some(true) => set(groups, "memory", "memory.oom_control", "1"),
        _ => Ok(()),
    }
}

fn current(groups: &Groups, file: &str) -> Option<i64> {
    let place = groups.controller("memory")?;
    read(place.folder(), file).ok()?.trim().parse().ok()
}

fn check_usage(groups: &Groups, memory: &LinuxMemory) -> Result<(), Error> {
    let used = current(groups, "memory.usage_in_bytes");
    match (memory.limit(), used) {
        (Some(limit), Some(used)) if limit > 0 && used > limit => Err(Error::Spec(format!(
            "the memory limit {limit} is below the {used} bytes in use"
        ))),
        _ => Ok(()),
    }
}

fn cpu_limits(groups: &Groups, cpu: &LinuxCpu) -> Result<(), Error> {
    let set_cpu = |file: &str, value: Option<String>| match value {
        Some(value) => set(groups, "cpu", file, &value),
        None => Ok(()),
    };
    let positive = |value: Option<u64>| {
        value
            .filter(|value| *value != 0)
            .map(|value| value.to_string())
    };
    set_cpu("cpu.shares", positive(cpu.shares()))?;
    set_cpu("cpu.cfs_period_us", positive(cpu.period()))?;
    let quota = cpu.quota().filter(|quota| *quota != 0);
    set_cpu("cpu.cfs_quota_us", quota.map(|quota| quota.to_string()))?;
    set_cpu(
        "cpu.cfs_burst_us",
        cpu.burst().map(|burst| burst.to_string()),
    )?;
    set_cpu("cpu.rt_period_us", positive(cpu.realtime_period()))?;
    let realtime = cpu.realtime_runtime().filter(|runtime| *runtime != 0);
    set_cpu(
        "cpu.rt_runtime_us",
        realtime.map(|runtime| runtime.to_string()),
    )?;
    set_cpu("cpu.idle", cpu.idle().map(|idle| idle.to_string()))?;
    for (file, value) in [("cpuset.cpus", cpu.cpus()), ("cpuset.mems", cpu.mems())] {
        match value.as_deref() {
            None | Some("") => {}
            Some(value) => set(groups, "cpuset", file, value)?,
        }
    }
    Ok(())
}

fn block_limits(groups: &Groups, block: &LinuxBlockIo) -> Result<(), Error> {
    let folder = groups.controller("blkio").map(super::Place::folder);
    let weights = |name: &str| match folder
        .is_some_and(|folder| folder.join(format!("blkio.{name}")).exists())
    {
        true => format!("blkio.{name}"),
        false => format!("blkio.bfq.{name}"),
    };
    if let Some(weight) = block.weight().filter(|weight| *weight != 0) {
        set(groups, "blkio", &weights("weight"), &weight.to_string())?;
    }
    for device in block.weight_device().iter().flatten() {
        if let Some(weight) = device.weight() {
            let line = format!("{}:{} {weight}", device.major(), device.minor());
            set(groups, "blkio", &weights("weight_device"), &line)?;
        }
    }
    for (file, devices) in [
        ("read_bps_device", block.throttle_read_bps_device()),
        ("write_bps_device", block.throttle_write_bps_device()),
        ("read_iops_device", block.throttle_read_iops_device()),
        ("write_iops_device", block.throttle_write_iops_device()),
    ] {
        for device in devices.iter().flatten() {
            let file = format!("blkio.throttle.{file}");
            set(groups, "blkio", &file, &throttle(device))?;
        }
    }
    Ok(())
}

fn throttle(device: &LinuxThrottleDevice) -> String {
    format!("{}:{} {}", device.major(), device.minor(), device.rate())
}
