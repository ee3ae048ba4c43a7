//! Control groups that nobody supervises any more.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// Kills what is in a control group and removes it from every hierarchy. What is not there is fine;
/// what does not end now is found again by the next start.
pub(crate) fn end(path: &Path) {
    const TRIES: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(10);
    let below = path.strip_prefix("/").unwrap_or(path);
    let top = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(top).into_iter().flatten().flatten();
    let groups: Vec<_> = hierarchies
        .map(|entry| entry.path())
        .chain([top.to_owned()])
        .map(|hierarchy| hierarchy.join(below))
        .filter(|group| group.is_dir())
        .collect();
    for _ in 0..TRIES {
        let left: Vec<_> = groups.iter().filter(|group| group.is_dir()).collect();
        if left.is_empty() {
            return;
        }
        for group in left {
            let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            for pid in text.lines().filter_map(|line| line.parse().ok()) {
                if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
            }
            let _ = fs::remove_dir(group);
        }
        std::thread::sleep(PAUSE);
    }
}
