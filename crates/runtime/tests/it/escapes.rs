//! What a hostile image or config tries.

use std::fs;
use std::os::unix::fs::symlink;

use crate::bundle::{Bundle, complaint};

#[test]
fn a_mount_target_that_leads_out_stays_in() {
    let mut bundle = Bundle::new("cat /inner/file");
    let source = bundle.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "secret").unwrap();
    let outside = bundle.path("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, bundle.path("rootfs/inner")).unwrap();
    bundle.mount("/inner", "bind", &source, "rbind,ro");
    assert_eq!(bundle.text(), "secret");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn dots_in_a_mount_target_stay_in() {
    let mut bundle = Bundle::new("cat /etc/inner");
    let source = bundle.path("source");
    fs::write(&source, "x").unwrap();
    bundle.mount("/../../../etc/inner", "bind", &source, "bind");
    assert_eq!(bundle.text(), "x");
    assert!(!std::path::Path::new("/etc/inner").exists());
}

#[test]
fn proc_is_not_mounted_through_a_link() {
    let bundle = Bundle::new("true");
    fs::remove_dir(bundle.path("rootfs/proc")).unwrap();
    fs::create_dir(bundle.path("rootfs/elsewhere")).unwrap();
    symlink("elsewhere", bundle.path("rootfs/proc")).unwrap();
    let output = bundle.run();
    assert!(!output.status.success());
    assert!(complaint(&output).contains("symbolic link"), "{output:?}");
}

#[test]
fn a_descriptor_of_the_host_is_no_working_directory() {
    for number in 3..12 {
        let mut bundle = Bundle::new("pwd");
        bundle
            .process()
            .set_cwd(format!("/proc/self/fd/{number}").into());
        let output = bundle.run();
        assert!(!output.status.success(), "{number}: {output:?}");
    }
}

#[test]
fn masks_do_not_come_from_the_image() {
    let bundle = Bundle::new(
        "cat /proc/keys; cat /proc/timer_list; stat -c %t:%T /dev/null; ls /sys/firmware",
    );
    fs::write(bundle.path("rootfs/trap"), "trap").unwrap();
    symlink("/trap", bundle.path("rootfs/dev/null")).unwrap();
    assert_eq!(bundle.text(), "1:3\n");
}

#[test]
fn a_link_as_dev_gets_no_devices() {
    let mut bundle = Bundle::new("true");
    let mounts = bundle.spec.mounts_mut().as_mut().unwrap();
    mounts.retain(|mount| !mount.destination().starts_with("/dev"));
    fs::remove_dir(bundle.path("rootfs/dev")).unwrap();
    fs::create_dir(bundle.path("rootfs/target")).unwrap();
    symlink("target", bundle.path("rootfs/dev")).unwrap();
    assert!(!bundle.run().status.success());
    assert_eq!(
        fs::read_dir(bundle.path("rootfs/target")).unwrap().count(),
        0
    );
}

#[test]
fn sysctls_of_the_host_are_refused() {
    let before = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let mut bundle = Bundle::new("true");
    let sysctls = [("kernel.core_pattern".to_owned(), "|/bin/evil".to_owned())];
    bundle.linux().set_sysctl(Some(sysctls.into()));
    assert!(!bundle.run().status.success());
    let after = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    assert_eq!(before, after);
}

#[test]
fn names_of_containers_are_no_paths() {
    let mut bundle = Bundle::new("true");
    bundle.id = "../../escape".to_owned();
    assert!(complaint(&bundle.run()).contains("invalid character"));
}

/// CVE-2019-5736: a container's root looks at the runtime that works in it, holds its program open,
/// and writes to it when it has ended.
#[test]
fn the_runtime_cannot_be_overwritten_through_its_processes() {
    let bundle = Bundle::new("sleep 60");
    bundle.start();
    let mut runtime = bundle.spawn(&["exec", "ID", "sleep", "60"]);
    let program = format!("/proc/{}/exe", runtime.id());
    let is_read_only = || {
        rustix::fs::statvfs(&program)
            .is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
    };
    let sealed = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        is_read_only()
    });
    runtime.kill().unwrap();
    runtime.wait().unwrap();
    assert!(sealed);
}
