//! Filters are run by a BPF interpreter.

use std::collections::BTreeSet;

use sys::seccomp::Instruction;

use super::{Context, Filter, Profile, SeccompError};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const KILL: u32 = 0x8000_0000;

fn run(filter: &Filter, arch: u32, number: u32, args: [u64; 6]) -> u32 {
    let program = filter.program();
    let mut data = Vec::new();
    data.extend_from_slice(&number.to_le_bytes());
    data.extend_from_slice(&arch.to_le_bytes());
    data.extend_from_slice(&0_u64.to_le_bytes());
    args.iter()
        .for_each(|arg| data.extend_from_slice(&arg.to_le_bytes()));
    let (mut accumulator, mut next) = (0_u32, 0_usize);
    loop {
        let Instruction {
            code,
            jump_true,
            jump_false,
            operand,
        } = program[next];
        let offset = operand as usize;
        let branch = |holds: bool| usize::from(if holds { jump_true } else { jump_false });
        next += 1;
        match code {
            0x20 => accumulator = u32::from_le_bytes(data[offset..offset + 4].try_into().unwrap()),
            0x05 => next += offset,
            0x06 => return operand,
            0x54 => accumulator &= operand,
            0x15 => next += branch(accumulator == operand),
            0x25 => next += branch(accumulator > operand),
            0x35 => next += branch(accumulator >= operand),
            other => panic!("instruction {other:#x}"),
        }
    }
}

fn stock(capabilities: &[&str]) -> Filter {
    let context = Context {
        capabilities: capabilities.iter().map(|&name| name.to_owned()).collect(),
        kernel: (6, 18),
    };
    Profile::stock()
        .unwrap()
        .resolve(&context)
        .unwrap()
        .compile()
        .unwrap()
}

fn compile(text: &str) -> Result<Filter, SeccompError> {
    let context = Context {
        capabilities: BTreeSet::new(),
        kernel: (5, 10),
    };
    Profile::parse(text)?.resolve(&context)?.compile()
}

fn first(value: u64) -> [u64; 6] {
    [value, 0, 0, 0, 0, 0]
}

#[test]
fn the_stock_profile_on_three_modes() {
    let filter = stock(&[]);
    let x32 = 0x4000_0000;
    for (what, arch, number, expected) in [
        ("read", X86_64, 0, ALLOW),
        ("read", I386, 3, ALLOW),
        ("read", X86_64, x32, ALLOW),
        ("mount", X86_64, 165, EPERM),
        ("mount", I386, 21, EPERM),
        ("mount", X86_64, x32 | 165, EPERM),
        ("ioctl of x32", X86_64, x32 | 514, ALLOW),
        ("bpf", X86_64, 321, EPERM),
        ("keyctl", X86_64, 250, EPERM),
        ("unshare", X86_64, 272, EPERM),
        ("clone3", X86_64, 435, ENOSYS),
        ("ptrace", X86_64, 101, ALLOW),
        ("a call of tomorrow", X86_64, 5000, ENOSYS),
        ("a call of tomorrow", I386, 5000, ENOSYS),
    ] {
        assert_eq!(
            run(&filter, arch, number, [0; 6]),
            expected,
            "{what} {arch:x} {number:x}"
        );
    }
    assert_eq!(
        run(&filter, 0xc000_00b7, 0, [0; 6]),
        KILL,
        "another processor"
    );
}

#[test]
fn the_stock_profile_compares_arguments() {
    let filter = stock(&[]);
    let socket = |family| run(&filter, X86_64, 41, first(family));
    assert_eq!([1, 2, 10, 16, 37, 39, 41].map(socket), [ALLOW; 7]);
    assert_eq!([38, 40].map(socket), [EPERM; 2]);
    // The kernel takes the family as a 32-bit number: the upper half must not hide it.
    assert_eq!(socket((1 << 32) | 38), EPERM);
    let clone = |flags| run(&filter, X86_64, 56, first(flags));
    assert_eq!(clone(0x0120_0011), ALLOW);
    assert_eq!(clone(0x1000_0000), EPERM, "CLONE_NEWUSER");
    assert_eq!(clone(0x0002_0000 | 17), EPERM, "CLONE_NEWNS");
    let personality = |value| run(&filter, X86_64, 135, first(value));
    assert_eq!(
        [0, 8, 0x20000, 0x20008, 0xffff_ffff].map(personality),
        [ALLOW; 5]
    );
    assert_eq!(personality(0x0040_0000), EPERM, "ADDR_NO_RANDOMIZE");
}

#[test]
fn capabilities_unlock_calls() {
    let filter = stock(&["CAP_SYS_ADMIN", "CAP_SYS_TIME"]);
    assert_eq!(run(&filter, X86_64, 165, [0; 6]), ALLOW, "mount");
    assert_eq!(run(&filter, X86_64, 435, [0; 6]), ALLOW, "clone3");
    assert_eq!(run(&filter, X86_64, 56, first(0x1000_0000)), ALLOW, "clone");
    assert_eq!(run(&filter, X86_64, 164, [0; 6]), ALLOW, "settimeofday");
    assert_eq!(run(&filter, X86_64, 169, [0; 6]), EPERM, "reboot");
}

#[test]
fn every_comparison_on_both_halves() {
    let big = 0x1_0000_0005_u64;
    let values = [
        0,
        4,
        5,
        6,
        0x1_0000_0004,
        big,
        0x1_0000_0006,
        0x2_0000_0000,
        u64::MAX,
    ];
    type Holds = fn(u64, u64) -> bool;
    let holds: [(&str, Holds); 6] = [
        ("NE", |a, b| a != b),
        ("LT", |a, b| a < b),
        ("LE", |a, b| a <= b),
        ("EQ", |a, b| a == b),
        ("GE", |a, b| a >= b),
        ("GT", |a, b| a > b),
    ];
    for (op, holds) in holds {
        for limit in [5, big] {
            let filter = compile(&format!(
                r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":["read"],
                "action":"SCMP_ACT_ALLOW","args":[{{"index":2,"op":"SCMP_CMP_{op}","value":{limit}}}]}}]}}"#
            ));
            let filter = filter.unwrap();
            for value in values {
                let allowed = run(&filter, X86_64, 0, [9, 9, value, 9, 9, 9]) == ALLOW;
                assert_eq!(allowed, holds(value, limit), "{value:#x} {op} {limit:#x}");
            }
        }
    }
}

#[test]
fn several_arguments_must_all_hold_and_one_argument_twice_means_either() {
    let filter = compile(
        r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":13,"syscalls":[
        {"names":["read"],"action":"SCMP_ACT_ALLOW","args":[
            {"index":0,"op":"SCMP_CMP_EQ","value":1},{"index":1,"op":"SCMP_CMP_EQ","value":2}]},
        {"names":["write"],"action":"SCMP_ACT_ALLOW","args":[
            {"index":0,"op":"SCMP_CMP_EQ","value":1},{"index":0,"op":"SCMP_CMP_EQ","value":2}]}]}"#,
    );
    let filter = filter.unwrap();
    let eacces = 0x0005_000d;
    assert_eq!(run(&filter, X86_64, 0, [1, 2, 0, 0, 0, 0]), ALLOW);
    assert_eq!(run(&filter, X86_64, 0, [1, 3, 0, 0, 0, 0]), eacces);
    assert_eq!(
        [1, 2, 3].map(|fd| run(&filter, X86_64, 1, first(fd))),
        [ALLOW, ALLOW, eacces]
    );
}

#[test]
fn kernel_and_processor_decide() {
    let filter = compile(
        r#"{"defaultAction":"SCMP_ACT_KILL","architectures":["SCMP_ARCH_X86"],"syscalls":[
        {"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"5.10"}},
        {"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"5.11"}},
        {"names":["open"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["arm64"]}},
        {"names":["close"],"action":"SCMP_ACT_ALLOW","excludes":{"arches":["amd64"]}},
        {"names":["no_such_call"],"action":"SCMP_ACT_ALLOW"}]}"#,
    );
    let filter = filter.unwrap();
    assert_eq!(
        [0, 1, 2, 3].map(|call| run(&filter, X86_64, call, [0; 6])),
        [ALLOW, 0, 0, 0]
    );
    assert_eq!(
        run(&filter, X86_64, 0x4000_0000, [0; 6]),
        KILL,
        "x32 was not named"
    );
}

#[test]
fn what_is_not_understood_is_an_error() {
    for text in [
        "{",
        r#"{"defaultAction":"SCMP_ACT_MAYBE"}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_X"]}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"x"}]}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],
            "action":"SCMP_ACT_ALLOW","args":[{"index":6,"op":"SCMP_CMP_EQ","value":0}]}]}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],
            "action":"SCMP_ACT_ALLOW","includes":{"minKernel":"six"}}]}"#,
    ] {
        assert!(compile(text).is_err(), "{text}");
    }
}

#[test]
fn bytes_make_the_same_filter_again() {
    let filter = stock(&[]);
    assert_eq!(Filter::from_bytes(filter.as_bytes()), Some(filter.clone()));
    assert_eq!(Filter::from_bytes(b"nonsense"), None);
    assert_eq!(
        Filter::from_bytes(&filter.as_bytes()[..filter.as_bytes().len() - 1]),
        None
    );
    assert!(filter.program().len() < 1000, "{}", filter.program().len());
}

#[test]
fn compiling_is_fast() {
    let begin = std::time::Instant::now();
    let rounds = 10;
    (0..rounds).for_each(|_| drop(stock(&[])));
    // Unoptimised and on a busy machine; an optimised build needs a tenth of this.
    assert!(
        begin.elapsed() / rounds < std::time::Duration::from_millis(50),
        "{:?}",
        begin.elapsed()
    );
}
