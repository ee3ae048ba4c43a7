//! Giving memory back that a long-lived, idle process no longer looks at.

use rustix::mm::Advice;

/// Returns free heap and unused stack to the kernel and unmaps (for as long as they are not looked
/// at) the pages of the program file that this process has read so far.
///
/// A shim touches most of its code and tables once, at its start, and then sleeps for months.
pub fn release() {
    release_stack();
    // SAFETY: glibc's allocator may be told at any time to give free memory back.
    unsafe { libc::malloc_trim(0) };
    // SAFETY: the callback reads the header that it is given and gives advice on memory that is
    // mapped from a file and never written; see there.
    unsafe { libc::dl_iterate_phdr(Some(release_segments), std::ptr::null_mut()) };
}

/// How much of the stack below the caller is kept: signal frames, the red zone and our own calls.
const STACK_KEPT: usize = 16 << 10;

/// How far down the stack may have been used. Less than the gap (1 MiB) that the kernel keeps free
/// of other mappings below the first thread's stack.
const STACK_USED: usize = 512 << 10;

fn release_stack() {
    // Below the stack of another thread may lie anything.
    if rustix::thread::gettid() != rustix::process::getpid() {
        return;
    }
    let page = rustix::param::page_size();
    let marker = 0_u8;
    let here = (&raw const marker).addr();
    let last = here.saturating_sub(STACK_KEPT) & !(page - 1);
    let first = last.saturating_sub(STACK_USED);
    let address = std::ptr::without_provenance_mut(first);
    // SAFETY: whole pages of this thread's stack well below every live frame, whose content nobody
    // can have a reference to, and nothing else: see `STACK_USED`. Where the stack does not reach
    // that far the kernel says so, after it has done the rest.
    let _ = unsafe { rustix::mm::madvise(address, last - first, Advice::LinuxDontNeed) };
}

unsafe extern "C" fn release_segments(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the C library passes a valid object for the time of the call.
    let info = unsafe { &*info };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY: the C library promises `dlpi_phnum` headers at `dlpi_phdr`.
    let headers =
        unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    for header in headers {
        if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
            continue;
        }
        let (Ok(start), Ok(size)) = (
            usize::try_from(info.dlpi_addr + header.p_vaddr),
            usize::try_from(header.p_memsz),
        ) else {
            continue;
        };
        let page = rustix::param::page_size();
        let first = start.next_multiple_of(page);
        let last = (start + size) & !(page - 1);
        if first < last {
            let address = std::ptr::without_provenance_mut(first);
            // SAFETY: whole pages of a segment that is never writable: dropping them loses nothing,
            // as the next look reads them from the program file again. A failure changes nothing.
            let _ = unsafe { rustix::mm::madvise(address, last - first, Advice::LinuxDontNeed) };
        }
    }
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_is_still_there_afterwards() {
        let heap: Vec<usize> = (0..10_000).collect();
        let stack = [7_u8; 4096];
        super::release();
        assert_eq!(heap.iter().sum::<usize>(), 49_995_000);
        assert!(stack.iter().all(|&byte| byte == 7));
        assert_eq!(format!("{:?}", "text"), "\"text\"");
    }
}
