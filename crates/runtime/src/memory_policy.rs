//! On which NUMA nodes a container's memory is placed.

use oci::runtime::{LinuxMemoryPolicy, MemoryPolicyFlagType, MemoryPolicyModeType};

use crate::error::{At, Failure, Step};

pub(crate) fn set(policy: &LinuxMemoryPolicy) -> Result<(), Failure> {
    let mode = match policy.mode() {
        MemoryPolicyModeType::MpolDefault => 0,
        MemoryPolicyModeType::MpolPreferred => 1,
        MemoryPolicyModeType::MpolBind => 2,
        MemoryPolicyModeType::MpolInterleave => 3,
        MemoryPolicyModeType::MpolLocal => 4,
        MemoryPolicyModeType::MpolPreferredMany => 5,
        MemoryPolicyModeType::MpolWeightedInterleave => 6,
    };
    let flags = policy.flags().iter().flatten().fold(0, |flags, flag| {
        flags
            | match flag {
                MemoryPolicyFlagType::MpolFNumaBalancing => 1 << 13,
                MemoryPolicyFlagType::MpolFRelativeNodes => 1 << 14,
                MemoryPolicyFlagType::MpolFStaticNodes => 1 << 15,
            }
    });
    let nodes = policy.nodes().as_deref().unwrap_or("");
    let nodes = parse(nodes)
        .ok_or_else(|| Failure::said(Step::Scheduling, "memoryPolicy.nodes", "no list of nodes"))?;
    sys::process::set_memory_policy(mode | flags, &nodes).at(Step::Scheduling, "memory policy")
}

/// Bits of a list like `0-3,7`.
pub(crate) fn parse(list: &str) -> Option<Vec<u64>> {
    const MOST: usize = 4096;
    let mut bits = Vec::new();
    for range in list
        .split(',')
        .map(str::trim)
        .filter(|range| !range.is_empty())
    {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        for node in first..=last {
            if bits.len() <= node / 64 {
                bits.resize(node / 64 + 1, 0);
            }
            bits[node / 64] |= 1 << (node % 64);
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lists() {
        assert_eq!(parse("0-2,65"), Some(vec![7, 2]));
        assert_eq!(parse(""), Some(vec![]));
        assert_eq!(parse("3-1"), None);
    }
}
