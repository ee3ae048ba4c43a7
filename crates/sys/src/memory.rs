//! Giving memory back that a long-lived, idle process no longer looks at.

use rustix::mm::Advice;

/// Returns free heap to the kernel and unmaps (for as long as they are not looked at) the pages of
/// the program file that this process has read so far.
///
/// A shim touches most of its code and tables once, at its start, and then sleeps for months.
pub fn release() {
    // SAFETY: glibc's allocator may be told at any time to give free memory back.
    unsafe { libc::malloc_trim(0) };
    // SAFETY: the callback reads the header that it is given and gives advice on memory that is
    // mapped from a file and never written; see there.
    unsafe { libc::dl_iterate_phdr(Some(release_segments), std::ptr::null_mut()) };
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
