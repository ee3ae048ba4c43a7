//! The little of `bpf(2)` that device rules of control groups (v2) need.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// One extended BPF instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// Operation.
    pub code: u8,
    /// Source register in the upper, destination in the lower half.
    pub registers: u8,
    /// Jump distance or memory offset.
    pub offset: i16,
    /// Constant.
    pub immediate: i32,
}

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
const PROG_DETACH: libc::c_int = 9;
const PROG_GET_FD_BY_ID: libc::c_int = 13;
const PROG_QUERY: libc::c_int = 16;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
const ALLOW_MULTI: u32 = 2;

#[repr(C)]
#[derive(Default)]
struct LoadArguments {
    kind: u32,
    count: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

#[repr(C)]
struct AttachArguments {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
}

#[repr(C)]
struct QueryArguments {
    target: u32,
    kind: u32,
    query_flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    padding: u32,
}

fn bpf<T>(command: libc::c_int, arguments: &mut T) -> io::Result<libc::c_long> {
    // SAFETY: private; the callers pass a structure that is a prefix of `union bpf_attr` for their
    // command, whose pointers are to live memory of the length that it says.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(arguments),
            size_of::<T>(),
        )
    };
    match result {
        -1 => Err(io::Error::last_os_error()),
        other => Ok(other),
    }
}

fn number(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

fn owned(fd: libc::c_long) -> io::Result<OwnedFd> {
    let fd = RawFd::try_from(fd).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the callers pass the result of a command that makes a descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Loads a program of the kind that decides about access to devices.
pub fn load_device_program(program: &[Instruction]) -> io::Result<OwnedFd> {
    const LICENCE: &CStr = c"Apache-2.0";
    let mut arguments = LoadArguments {
        kind: TYPE_CGROUP_DEVICE,
        count: u32::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        instructions: program.as_ptr().expose_provenance() as u64,
        licence: LICENCE.as_ptr().expose_provenance() as u64,
        ..LoadArguments::default()
    };
    owned(bpf(PROG_LOAD, &mut arguments)?)
}

/// Puts the control group `cgroup` (an open folder) under `program`, beside those it is under.
pub fn attach_device_program(cgroup: impl AsFd, program: impl AsFd) -> io::Result<()> {
    attach_or_detach(PROG_ATTACH, cgroup.as_fd(), program.as_fd(), ALLOW_MULTI)
}

/// Takes `program` away from `cgroup`.
pub fn detach_device_program(cgroup: impl AsFd, program: impl AsFd) -> io::Result<()> {
    attach_or_detach(PROG_DETACH, cgroup.as_fd(), program.as_fd(), 0)
}

fn attach_or_detach(
    command: libc::c_int,
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    flags: u32,
) -> io::Result<()> {
    let mut arguments = AttachArguments {
        target: number(cgroup),
        program: number(program),
        kind: ATTACH_CGROUP_DEVICE,
        flags,
    };
    bpf(command, &mut arguments).map(drop)
}

/// The device programs that are attached to `cgroup` itself (64 at most).
pub fn device_programs(cgroup: impl AsFd) -> io::Result<Vec<OwnedFd>> {
    let mut ids = [0_u32; 64];
    let mut arguments = QueryArguments {
        target: number(cgroup.as_fd()),
        kind: ATTACH_CGROUP_DEVICE,
        query_flags: 0,
        attach_flags: 0,
        ids: ids.as_mut_ptr().expose_provenance() as u64,
        count: 64,
        padding: 0,
    };
    bpf(PROG_QUERY, &mut arguments)?;
    let count = usize::try_from(arguments.count).unwrap_or(0).min(ids.len());
    ids[..count]
        .iter()
        .map(|id| owned(bpf(PROG_GET_FD_BY_ID, &mut [*id, 0, 0])?))
        .collect()
}
