//! Mounts, hidden paths, devices.

use std::fs;

use crate::bundle::Bundle;

#[test]
fn hidden_and_read_only_paths() {
    let bundle = Bundle::new(
        "cat /proc/keys | wc -c; echo 1 > /proc/sys/kernel/panic; echo 1 > /sys/kernel/mm/ksm/run; ls /sys/firmware | wc -l",
    );
    let output = bundle.run();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n0\n");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        errors.matches("Read-only file system").count(),
        2,
        "{errors}"
    );
}

#[test]
fn the_root_can_be_read_only() {
    let mut bundle = Bundle::new("touch /file || touch /dev/shm/file");
    let mut root = bundle.spec.root().clone().unwrap();
    root.set_readonly(Some(true));
    bundle.spec.set_root(Some(root));
    bundle.text();
    assert!(!bundle.path("rootfs/file").exists());
}

#[test]
fn read_only_binds_go_all_the_way_down() {
    let mut bundle = Bundle::new("touch /top/a; touch /top/below/b; touch /own/c && echo own");
    let (top, own) = (bundle.path("top"), bundle.path("own"));
    fs::create_dir_all(top.join("below")).unwrap();
    fs::create_dir_all(&own).unwrap();
    bundle.mount("/top", "bind", &top, "rbind,rro");
    bundle.mount("/top/below", "bind", &own, "rbind,ro");
    bundle.mount("/own", "bind", &own, "rbind");
    assert_eq!(bundle.text(), "own\n");
    assert!(!top.join("a").exists() && !own.join("b").exists() && own.join("c").exists());
}

#[test]
fn a_file_is_bound_on_a_file_that_is_made() {
    let mut bundle = Bundle::new("cat /etc/made/hosts");
    let source = bundle.path("hosts");
    fs::write(&source, "127.0.0.1 here\n").unwrap();
    bundle.mount("/etc/made/hosts", "bind", &source, "rbind,rprivate,ro");
    assert_eq!(bundle.text(), "127.0.0.1 here\n");
}

#[test]
fn a_new_tmpfs_can_start_with_what_was_there() {
    let mut bundle =
        Bundle::new("cat /data/sub/file; readlink /data/link; echo new > /data/sub/file");
    fs::create_dir_all(bundle.path("rootfs/data/sub")).unwrap();
    fs::write(bundle.path("rootfs/data/sub/file"), "old\n").unwrap();
    std::os::unix::fs::symlink("sub/file", bundle.path("rootfs/data/link")).unwrap();
    bundle.mount("/data", "tmpfs", "tmpfs".as_ref(), "tmpcopyup,nosuid");
    assert_eq!(bundle.text(), "old\nsub/file\n");
    assert_eq!(
        fs::read_to_string(bundle.path("rootfs/data/sub/file")).unwrap(),
        "old\n"
    );
}

#[test]
fn devices_are_there_and_work() {
    let bundle = Bundle::new(
        "echo x > /dev/null; stat -c %t:%T /dev/zero /dev/urandom; readlink /dev/fd; readlink /dev/ptmx",
    );
    assert_eq!(bundle.text(), "1:5\n1:9\n/proc/self/fd\npts/ptmx\n");
}

#[test]
fn other_devices_can_be_made_but_not_used() {
    let mut bundle = Bundle::new("mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg");
    std::os::unix::fs::symlink("busybox", bundle.path("rootfs/bin/mknod")).unwrap();
    bundle.mount("/tmp", "tmpfs", "tmpfs".as_ref(), "dev");
    let output = bundle.run();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("kmsg': Operation not permitted"),
        "{errors}"
    );
}

#[test]
fn the_host_sees_no_mount_of_the_container() {
    let bundle = Bundle::new("sleep 60");
    bundle.start();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(bundle.path("rootfs").to_str().unwrap()));
}
