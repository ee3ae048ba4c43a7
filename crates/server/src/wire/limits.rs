//! Limits, both ways. On the wire 0 stands for none.

use api::container::{HostConfig, Ulimit};
use engine::spec::{HostOptions, Resources};

use super::signed;
use crate::http::Failure;

/// Reads the limits of a create request.
pub(crate) fn resources(config: &HostConfig) -> Result<Resources, Failure> {
    let positive = |option: &str, number: i64| -> Result<Option<u64>, Failure> {
        let number = u64::try_from(number);
        let number =
            number.map_err(|_| Failure::Invalid(format!("{option} must not be negative")))?;
        Ok(Some(number).filter(|&number| number > 0))
    };
    let other_than = |nothing: i64, number: i64| Some(number).filter(|&n| n != nothing);
    // -1 is how old clients say that nothing was said.
    let swappiness = config.memory_swappiness.filter(|&number| number != -1);
    let swappiness = swappiness.map(|number| match u64::try_from(number) {
        Ok(number @ 0..=100) => Ok(number),
        _ => Err(Failure::Invalid(format!(
            "--memory-swappiness must be from 0 to 100: {number}"
        ))),
    });
    Ok(Resources {
        memory: positive("--memory", config.memory)?,
        memory_swap: other_than(0, config.memory_swap),
        memory_reservation: positive("--memory-reservation", config.memory_reservation)?,
        memory_swappiness: swappiness.transpose()?,
        oom_kill_disable: config.oom_kill_disable.unwrap_or(false),
        nano_cpus: positive("--cpus", config.nano_cpus)?,
        cpu_shares: positive("--cpu-shares", config.cpu_shares)?,
        cpu_period: positive("--cpu-period", config.cpu_period)?,
        cpu_quota: other_than(0, config.cpu_quota),
        cpuset_cpus: config.cpuset_cpus.clone(),
        cpuset_mems: config.cpuset_mems.clone(),
        pids_limit: config.pids_limit.filter(|&number| number != 0),
        blkio_weight: Some(config.blkio_weight).filter(|&weight| weight > 0),
    })
}

/// Reads `--ulimit`.
pub(crate) fn ulimits(list: &[Ulimit]) -> Vec<engine::spec::Ulimit> {
    list.iter()
        .map(|limit| engine::spec::Ulimit {
            name: limit.name.clone(),
            soft: limit.soft,
            hard: limit.hard,
        })
        .collect()
}

/// A number of bytes in Docker's short form: `10m`, `1.5g`, `512kb`.
pub(crate) fn parse_bytes(option: &str, text: &str) -> Result<u64, Failure> {
    let wrong = || {
        Failure::Invalid(format!(
            "{option}: invalid size {text:?}: expected e.g. 10m"
        ))
    };
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match lower[digits.len()..]
        .trim_end_matches('b')
        .trim_end_matches('i')
    {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(wrong()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let unit = 1_u64 << shift;
    let part = match fraction {
        "" => 0,
        digits if digits.len() > 6 => return Err(wrong()),
        digits => {
            let scale = 10_u64.pow(u32::try_from(digits.len()).unwrap_or(0));
            let number: u64 = digits.parse().map_err(|_| wrong())?;
            number * unit / scale
        }
    };
    let bytes = whole.checked_mul(unit).and_then(|b| b.checked_add(part));
    bytes.ok_or_else(wrong)
}

/// Shows limits as they were asked for.
pub(crate) fn write_resources(options: &HostOptions, config: &mut HostConfig) {
    let limits = &options.resources;
    let number = |value: Option<u64>| value.map_or(0, signed);
    config.memory = number(limits.memory);
    config.memory_swap = match (limits.memory_swap, limits.memory) {
        (Some(swap), _) => swap,
        (None, Some(memory)) => signed(memory.saturating_mul(2)),
        (None, None) => 0,
    };
    config.memory_reservation = number(limits.memory_reservation);
    config.memory_swappiness = limits.memory_swappiness.map(signed);
    config.oom_kill_disable = Some(limits.oom_kill_disable);
    config.nano_cpus = number(limits.nano_cpus);
    config.cpu_shares = number(limits.cpu_shares);
    config.cpu_period = number(limits.cpu_period);
    config.cpu_quota = limits.cpu_quota.unwrap_or(0);
    config.cpuset_cpus.clone_from(&limits.cpuset_cpus);
    config.cpuset_mems.clone_from(&limits.cpuset_mems);
    config.pids_limit = limits.pids_limit;
    config.blkio_weight = limits.blkio_weight.unwrap_or(0);
    config.ulimits = options
        .ulimits
        .iter()
        .map(|limit| Ulimit {
            name: limit.name.clone(),
            hard: limit.hard,
            soft: limit.soft,
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("10", 10),
            ("10b", 10),
            ("4k", 4096),
            ("10m", 10 << 20),
            ("1.5g", 3 << 29),
            ("2MiB", 2 << 20),
        ] {
            assert_eq!(parse_bytes("x", text).unwrap(), bytes, "{text}");
        }
        for text in ["", "m", "1x", "-1", "1.2.3m", "99999999999t"] {
            assert!(parse_bytes("x", text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_said_is_no_limit() {
        let config = HostConfig {
            memory_swappiness: Some(-1),
            pids_limit: Some(0),
            oom_kill_disable: Some(false),
            ..HostConfig::default()
        };
        assert_eq!(resources(&config).unwrap(), Resources::default());
        let config = HostConfig {
            memory: -1,
            ..HostConfig::default()
        };
        assert!(resources(&config).is_err());
    }
}
