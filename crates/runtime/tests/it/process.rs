//! Who the process is and what it may.

use oci::runtime::{
    Arch, LinuxIdMappingBuilder, LinuxNamespaceType, LinuxSeccomp, LinuxSeccompAction,
    LinuxSyscall, PosixRlimitBuilder, PosixRlimitType,
};

use crate::bundle::Bundle;

#[test]
fn it_is_alone() {
    let mut bundle = Bundle::new(
        "echo $$; hostname; ip link | grep -c ^[0-9]; ip link show lo | grep -c UP; ls /proc | grep -c '^[0-9]'",
    );
    bundle.spec.set_hostname(Some("alone".to_owned()));
    let text = bundle.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(&lines[..4], ["1", "alone", "1", "1"], "{text}");
}

#[test]
fn the_fourteen_capabilities() {
    let text = Bundle::new("grep -E '^(Cap|NoNewPrivs)' /proc/self/status").text();
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert!(
            text.contains(&format!("{set}:\t00000000a80425fb")),
            "{text}"
        );
    }
    assert!(
        text.contains("CapInh:\t0000000000000000") && text.contains("CapAmb:\t0000000000000000")
    );
    assert!(text.contains("NoNewPrivs:\t0"));
}

#[test]
fn another_user_has_none_of_them() {
    let mut bundle = Bundle::new(
        "id; grep -E '^(CapEff|CapBnd|Groups)' /proc/self/status; umask; pwd; echo $HOME",
    );
    let process = bundle.process();
    process
        .user_mut()
        .set_uid(1000)
        .set_gid(1001)
        .set_additional_gids(Some(vec![5, 7]))
        .set_umask(Some(0o027));
    process.set_cwd("/new/folder".into());
    let text = bundle.text();
    assert!(text.starts_with("uid=1000 gid=1001 groups=5,7"), "{text}");
    assert!(text.contains("CapEff:\t0000000000000000"), "{text}");
    assert!(text.contains("CapBnd:\t00000000a80425fb"), "{text}");
    assert!(text.ends_with("0027\n/new/folder\n/\n"), "{text}");
}

#[test]
fn a_filter_is_loaded_and_obeyed() {
    for no_new_privileges in [false, true] {
        let mut bundle = Bundle::new("grep ^Seccomp: /proc/self/status; mkdir /tmp/x; umask 0");
        let mut call = LinuxSyscall::default();
        call.set_names(vec!["mkdir".to_owned(), "mkdirat".to_owned()])
            .set_action(LinuxSeccompAction::ScmpActErrno)
            .set_errno_ret(Some(38));
        let mut profile = LinuxSeccomp::default();
        profile
            .set_default_action(LinuxSeccompAction::ScmpActAllow)
            .set_architectures(Some(vec![Arch::ScmpArchX86_64]))
            .set_syscalls(Some(vec![call]));
        bundle.linux().set_seccomp(Some(profile));
        bundle
            .process()
            .set_no_new_privileges(Some(no_new_privileges));
        let output = bundle.run();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "Seccomp:\t2\n",
            "{output:?}"
        );
        assert!(String::from_utf8_lossy(&output.stderr).contains("Function not implemented"));
    }
}

#[test]
fn root_of_a_user_namespace_is_nobody_outside() {
    let mut bundle =
        Bundle::new("id -u; cat /proc/self/uid_map; echo x > /dev/null && stat -c %u /bin");
    bundle.namespace(LinuxNamespaceType::User);
    let map = LinuxIdMappingBuilder::default()
        .container_id(0_u32)
        .host_id(100_000_u32)
        .size(65_536_u32)
        .build()
        .unwrap();
    bundle
        .linux()
        .set_uid_mappings(Some(vec![map]))
        .set_gid_mappings(Some(vec![map]));
    let text = bundle.text();
    assert!(text.starts_with("0\n"), "{text}");
    assert!(text.contains("100000"), "{text}");
    assert!(text.ends_with("65534\n"), "{text}");
}

#[test]
fn resource_limits() {
    let mut bundle = Bundle::new("ulimit -n; ulimit -Hn");
    let limit = PosixRlimitBuilder::default()
        .typ(PosixRlimitType::RlimitNofile)
        .soft(100_u64)
        .hard(200_u64)
        .build()
        .unwrap();
    bundle.process().set_rlimits(Some(vec![limit]));
    assert_eq!(bundle.text(), "100\n200\n");
}

#[test]
fn a_terminal_of_its_own() {
    let mut bundle = Bundle::new("tty; ls -l /dev/console | grep -c ' 136, '");
    bundle.process().set_terminal(Some(true));
    let text = bundle.text();
    assert!(
        text.starts_with("/dev/pts/0") || text.starts_with("/dev/console"),
        "{text}"
    );
    assert!(text.ends_with("1\r\n"), "{text}");
}

#[test]
fn exit_codes() {
    assert_eq!(Bundle::new("exit 7").run().status.code(), Some(7));
    assert_eq!(
        Bundle::new("kill -9 $$; kill -TERM $$; exit 3")
            .run()
            .status
            .code(),
        Some(3)
    );
    let mut missing = Bundle::new("");
    missing
        .process()
        .set_args(Some(vec!["/nothing/here".to_owned()]));
    assert_eq!(missing.run().status.code(), Some(127));
    let mut refused = Bundle::new("");
    refused.process().set_args(Some(vec!["/etc".to_owned()]));
    assert_eq!(refused.run().status.code(), Some(126));
}
