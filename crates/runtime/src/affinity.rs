//! On which processors an `exec` begins, and on which its program runs.

use rustix::thread::CpuSet;

use crate::error::{At, Failure, Step};
use crate::memory_policy::parse;

/// Binds the calling process to the processors of a list like `0-3,7`; without one all stays.
pub(crate) fn set(list: Option<&str>) -> Result<(), Failure> {
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return Ok(());
    };
    let bits = parse(list)
        .ok_or_else(|| Failure::said(Step::Scheduling, list, "it is no list of processors"))?;
    let mut cpus = CpuSet::new();
    for cpu in 0..(bits.len() * 64).min(CpuSet::MAX_CPU) {
        if bits[cpu / 64] >> (cpu % 64) & 1 == 1 {
            cpus.set(cpu);
        }
    }
    rustix::thread::sched_setaffinity(None, &cpus).at(Step::Scheduling, list)
}
