//! Limits of a container in the runtime's words.

use oci::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxPids, LinuxResources, PosixRlimit,
    PosixRlimitBuilder, PosixRlimitType,
};

use crate::Error;
use crate::spec::{Resources, Ulimit};

const MIN_MEMORY: u64 = 6 * 1024 * 1024;
const CPU_PERIOD: u64 = 100_000;
const NANO: u64 = 1_000_000_000;

/// Refuses limits that make no sense. `cpus` is how many processors the host has.
pub(crate) fn check(resources: &Resources, cpus: usize) -> Result<(), Error> {
    check_memory(resources)?;
    if resources.nano_cpus.is_some()
        && (resources.cpu_period.is_some() || resources.cpu_quota.is_some())
    {
        return Err(Error::BadRequest(
            "Conflicting options: CPU Quota or CPU Period cannot be set together with NanoCPUs",
        ));
    }
    let most = NANO * cpus as u64;
    if let Some(nano) = resources
        .nano_cpus
        .filter(|nano| !(NANO / 100..=most).contains(nano))
    {
        return Err(Error::invalid(
            "number of CPUs",
            &format!("{:.2}", std::time::Duration::from_nanos(nano).as_secs_f64()),
            format!(
                "range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
            ),
        ));
    }
    match resources.memory_swappiness {
        Some(value) if value > 100 => Err(Error::invalid(
            "memory swappiness",
            &value.to_string(),
            "expected 0 to 100",
        )),
        _ => Ok(()),
    }
}

fn check_memory(resources: &Resources) -> Result<(), Error> {
    let memory = resources.memory.unwrap_or(0);
    if (1..MIN_MEMORY).contains(&memory) {
        return Err(Error::BadRequest("Minimum memory limit allowed is 6MB"));
    }
    match resources.memory_swap {
        Some(swap) if swap > 0 && memory == 0 => Err(Error::BadRequest(
            "You should always set the Memory limit when using Memoryswap limit",
        )),
        Some(swap) if swap > 0 && swap.cast_unsigned() < memory => Err(Error::BadRequest(
            "Minimum memoryswap limit should be larger than memory limit",
        )),
        _ => match resources.memory_reservation {
            Some(reservation) if memory > 0 && reservation > memory => Err(Error::BadRequest(
                "Minimum memory limit can not be less than memory reservation limit",
            )),
            _ => Ok(()),
        },
    }
}

/// The limits, without rules for devices.
pub(crate) fn limits(resources: &Resources) -> LinuxResources {
    let mut linux = LinuxResources::default();
    linux
        .set_memory(memory(resources))
        .set_cpu(cpu(resources))
        .set_pids(
            resources
                .pids_limit
                .filter(|limit| *limit != 0)
                .map(|limit| {
                    let mut pids = LinuxPids::default();
                    pids.set_limit(limit.max(-1));
                    pids
                }),
        );
    if let Some(weight) = resources.blkio_weight.filter(|weight| *weight != 0) {
        let mut block = LinuxBlockIo::default();
        block.set_weight(Some(weight));
        linux.set_block_io(Some(block));
    }
    linux
}

fn memory(resources: &Resources) -> Option<LinuxMemory> {
    let bytes = |bytes: Option<u64>| {
        bytes
            .and_then(|bytes| i64::try_from(bytes).ok())
            .filter(|b| *b > 0)
    };
    let limit = bytes(resources.memory);
    let swap = match resources.memory_swap {
        None | Some(0) => limit.map(|limit| limit.saturating_mul(2)),
        said => said,
    };
    let mut memory = LinuxMemory::default();
    memory
        .set_limit(limit)
        .set_swap(swap)
        .set_reservation(bytes(resources.memory_reservation))
        .set_swappiness(resources.memory_swappiness)
        .set_disable_oom_killer(resources.oom_kill_disable.then_some(true));
    (memory != LinuxMemory::default()).then_some(memory)
}

fn cpu(resources: &Resources) -> Option<LinuxCpu> {
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    let mut cpu = LinuxCpu::default();
    let (period, quota) = match resources.nano_cpus {
        Some(nano) => {
            let quota = nano.saturating_mul(CPU_PERIOD) / NANO;
            (Some(CPU_PERIOD), i64::try_from(quota).ok())
        }
        None => (resources.cpu_period, resources.cpu_quota),
    };
    cpu.set_shares(resources.cpu_shares.filter(|shares| *shares != 0))
        .set_period(period.filter(|period| *period != 0))
        .set_quota(quota.filter(|quota| *quota != 0))
        .set_cpus(text(&resources.cpuset_cpus))
        .set_mems(text(&resources.cpuset_mems));
    (cpu != LinuxCpu::default()).then_some(cpu)
}

/// Limits of processes.
pub(crate) fn rlimits(ulimits: &[Ulimit]) -> Result<Vec<PosixRlimit>, Error> {
    let value = |value: i64| u64::try_from(value).unwrap_or(u64::MAX);
    ulimits
        .iter()
        .map(|ulimit| {
            let kind = rlimit_type(&ulimit.name).ok_or_else(|| {
                Error::invalid(
                    "ulimit type",
                    &ulimit.name,
                    "expected a name such as nofile",
                )
            })?;
            if value(ulimit.soft) > value(ulimit.hard) {
                return Err(Error::invalid(
                    "ulimit",
                    &format!("{}={}:{}", ulimit.name, ulimit.soft, ulimit.hard),
                    "ulimit soft limit must be less than or equal to hard limit",
                ));
            }
            PosixRlimitBuilder::default()
                .typ(kind)
                .soft(value(ulimit.soft))
                .hard(value(ulimit.hard))
                .build()
                .map_err(|error| Error::invalid("ulimit", &ulimit.name, error.to_string()))
        })
        .collect()
}

fn rlimit_type(name: &str) -> Option<PosixRlimitType> {
    Some(match name {
        "core" => PosixRlimitType::RlimitCore,
        "cpu" => PosixRlimitType::RlimitCpu,
        "data" => PosixRlimitType::RlimitData,
        "fsize" => PosixRlimitType::RlimitFsize,
        "locks" => PosixRlimitType::RlimitLocks,
        "memlock" => PosixRlimitType::RlimitMemlock,
        "msgqueue" => PosixRlimitType::RlimitMsgqueue,
        "nice" => PosixRlimitType::RlimitNice,
        "nofile" => PosixRlimitType::RlimitNofile,
        "nproc" => PosixRlimitType::RlimitNproc,
        "rss" => PosixRlimitType::RlimitRss,
        "rtprio" => PosixRlimitType::RlimitRtprio,
        "rttime" => PosixRlimitType::RlimitRttime,
        "sigpending" => PosixRlimitType::RlimitSigpending,
        "stack" => PosixRlimitType::RlimitStack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_is_twice_the_memory() {
        let resources = Resources {
            memory: Some(64 << 20),
            nano_cpus: Some(1_500_000_000),
            pids_limit: Some(0),
            ..Resources::default()
        };
        let limits = limits(&resources);
        assert_eq!(limits.memory().as_ref().unwrap().swap(), Some(128 << 20));
        assert_eq!(limits.cpu().as_ref().unwrap().quota(), Some(150_000));
        assert!(limits.pids().is_none());
        assert!(super::limits(&Resources::default()).memory().is_none());
    }

    #[test]
    fn refuses_nonsense() {
        let refused = |resources: Resources| check(&resources, 2).unwrap_err().to_string();
        let default = Resources::default;
        assert_eq!(
            refused(Resources {
                memory: Some(4096),
                ..default()
            }),
            "Minimum memory limit allowed is 6MB"
        );
        assert!(
            refused(Resources {
                nano_cpus: Some(9 * NANO),
                ..default()
            })
            .contains("only 2 CPUs")
        );
        assert!(
            refused(Resources {
                memory_swap: Some(1 << 30),
                ..default()
            })
            .contains("Memoryswap")
        );
        assert!(check(&Resources::default(), 2).is_ok());
    }

    #[test]
    fn ulimits() {
        let limit = |name: &str, soft, hard| Ulimit {
            name: name.into(),
            soft,
            hard,
        };
        let list = rlimits(&[limit("nofile", 10, -1)]).unwrap();
        assert_eq!((list[0].soft(), list[0].hard()), (10, u64::MAX));
        assert!(rlimits(&[limit("nofile", -1, 10)]).is_err());
        assert!(rlimits(&[limit("what", 1, 1)]).is_err());
    }
}
