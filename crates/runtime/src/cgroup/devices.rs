//! Which devices a container may use.
//!
//! The spec's rules are applied in order to "nothing is allowed"; then come the devices that every
//! container needs. On v1 the kernel keeps the list; on v2 it runs a program that we write.

use oci::runtime::{LinuxDeviceCgroup, LinuxDeviceType};
use rustix::fs::{Mode, OFlags};
use sys::bpf::Instruction;

use super::Groups;
use crate::Error;
use crate::error::During;

/// One rule. `None` stands for any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    allow: bool,
    kind: Option<char>,
    major: Option<u32>,
    minor: Option<u32>,
    access: u32,
}

const MKNOD: u32 = 1;
const READ: u32 = 2;
const WRITE: u32 = 4;
const ALL: u32 = MKNOD | READ | WRITE;

const fn always(kind: char, major: Option<u32>, minor: Option<u32>, access: u32) -> Rule {
    Rule {
        allow: true,
        kind: Some(kind),
        major,
        minor,
        access,
    }
}

/// Nodes may be made (opening them is another matter); the standard devices and ptys work.
const ALWAYS: &[Rule] = &[
    always('c', None, None, MKNOD),
    always('b', None, None, MKNOD),
    always('c', Some(1), Some(3), ALL),
    always('c', Some(1), Some(5), ALL),
    always('c', Some(1), Some(7), ALL),
    always('c', Some(1), Some(8), ALL),
    always('c', Some(1), Some(9), ALL),
    always('c', Some(5), Some(0), ALL),
    always('c', Some(5), Some(1), ALL),
    always('c', Some(5), Some(2), ALL),
    always('c', Some(136), None, ALL),
];

/// Sets the rules.
pub(super) fn set(groups: &Groups, rules: &[LinuxDeviceCgroup]) -> Result<(), Error> {
    let mut all = Vec::with_capacity(rules.len() + ALWAYS.len());
    for rule in rules {
        all.push(read_rule(rule)?);
    }
    // What came before a rule for all devices does not matter any more.
    let start = all.iter().rposition(Rule::is_for_all).unwrap_or(0);
    all.drain(..start);
    if !matches!(all.first(), Some(first) if first.is_for_all() && first.allow) {
        all.extend_from_slice(ALWAYS);
    }
    match (groups.controller("devices"), groups.unified()) {
        (Some(place), _) => set_v1(place.folder(), &all),
        (None, Some(place)) => set_v2(place.folder(), &all),
        (None, None) => Ok(()),
    }
}

impl Rule {
    fn is_for_all(&self) -> bool {
        self.kind.is_none() && self.major.is_none() && self.minor.is_none() && self.access == ALL
    }

    fn line(&self) -> String {
        let number =
            |number: Option<u32>| number.map_or("*".to_owned(), |number| number.to_string());
        let letters = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
        let access: String = letters
            .into_iter()
            .filter_map(|(bit, letter)| (self.access & bit != 0).then_some(letter))
            .collect();
        let kind = self.kind.unwrap_or('a');
        format!(
            "{kind} {}:{} {access}",
            number(self.major),
            number(self.minor)
        )
    }
}

fn read_rule(rule: &LinuxDeviceCgroup) -> Result<Rule, Error> {
    let kind = match rule.typ().unwrap_or_default() {
        LinuxDeviceType::A => None,
        LinuxDeviceType::B => Some('b'),
        LinuxDeviceType::C | LinuxDeviceType::U => Some('c'),
        LinuxDeviceType::P => return Err(Error::Spec("a device rule for a fifo".to_owned())),
    };
    let number = |number: Option<i64>| match number {
        None | Some(-1) => Ok(None),
        Some(number) => u32::try_from(number)
            .map(Some)
            .map_err(|_| Error::Spec(format!("{number} is no device number"))),
    };
    let mut access = 0;
    for letter in rule.access().as_deref().unwrap_or("rwm").chars() {
        access |= match letter {
            'r' => READ,
            'w' => WRITE,
            'm' => MKNOD,
            _ => {
                return Err(Error::Spec(format!(
                    "`{letter}` is no kind of access to a device"
                )));
            }
        };
    }
    Ok(Rule {
        allow: rule.allow(),
        kind,
        major: number(rule.major())?,
        minor: number(rule.minor())?,
        access: if access == 0 { ALL } else { access },
    })
}

fn set_v1(folder: &std::path::Path, rules: &[Rule]) -> Result<(), Error> {
    let open = |file: &str| {
        let path = folder.join(file);
        rustix::fs::open(&path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
            .during(|| format!("open {}", path.display()))
    };
    let (allow, deny) = (open("devices.allow")?, open("devices.deny")?);
    let write = |file: &std::os::fd::OwnedFd, line: &str| {
        rustix::io::write(file, line.as_bytes()).during(|| format!("set the device rule `{line}`"))
    };
    write(&deny, "a")?;
    for rule in rules {
        // Only the bare letter stands for all devices to the kernel.
        let line = match rule.is_for_all() {
            true => "a".to_owned(),
            false => rule.line(),
        };
        write(if rule.allow { &allow } else { &deny }, &line)?;
    }
    Ok(())
}

fn set_v2(folder: &std::path::Path, rules: &[Rule]) -> Result<(), Error> {
    let action = || "set the device rules".to_owned();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let cgroup = rustix::fs::open(folder, flags, Mode::empty()).during(action)?;
    let old = sys::bpf::device_programs(&cgroup).during(action)?;
    let program = sys::bpf::load_device_program(&program(rules)).during(action)?;
    sys::bpf::attach_device_program(&cgroup, &program).during(action)?;
    for old in old {
        sys::bpf::detach_device_program(&cgroup, old).during(action)?;
    }
    Ok(())
}

/// The program for the kernel: the last rule that matches decides, so they are tried backwards.
///
/// It is given a pointer to three numbers: access in the upper and kind (1 block, 2 character) in
/// the lower half of the first, then major and minor.
fn program(rules: &[Rule]) -> Vec<Instruction> {
    const LOAD: u8 = 0x61;
    const MOVE: u8 = 0xbf;
    const AND: u8 = 0x57;
    const SHIFT_RIGHT: u8 = 0x77;
    const MOVE_CONSTANT: u8 = 0xb7;
    const EXIT: u8 = 0x95;
    const JUMP_NOT_EQUAL: u8 = 0x55;
    let step = |code, target: u8, source: u8, offset, immediate| Instruction {
        code,
        registers: source << 4 | target,
        offset,
        immediate,
    };
    let (kind, access, major, minor, scratch) = (2, 3, 4, 5, 6);
    let mut program = vec![
        step(LOAD, kind, 1, 0, 0),
        step(MOVE, access, kind, 0, 0),
        step(SHIFT_RIGHT, access, 0, 0, 16),
        step(AND, kind, 0, 0, 0xffff),
        step(LOAD, major, 1, 4, 0),
        step(LOAD, minor, 1, 8, 0),
    ];
    for rule in rules.iter().rev() {
        let mut tests = Vec::new();
        if let Some(letter) = rule.kind {
            let number = if letter == 'b' { 1 } else { 2 };
            tests.push((kind, JUMP_NOT_EQUAL, number));
        }
        for (register, number) in [(major, rule.major), (minor, rule.minor)] {
            if let Some(number) = number {
                tests.push((register, JUMP_NOT_EQUAL, number.cast_signed()));
            }
        }
        let needs_access = rule.access != ALL;
        // Instructions from the first test to the next rule.
        let mut left = i16::try_from(tests.len()).unwrap_or(0) + 2;
        if needs_access {
            left += 3;
        }
        for (register, code, number) in tests {
            left -= 1;
            program.push(step(code, register, 0, left, number));
        }
        if needs_access {
            // Allowed is what asks for nothing else; denied is what asks for any of it.
            let (mask, code) = match rule.allow {
                true => (!rule.access & ALL, JUMP_NOT_EQUAL),
                false => (rule.access, 0x15),
            };
            program.push(step(MOVE, scratch, access, 0, 0));
            program.push(step(AND, scratch, 0, 0, mask.cast_signed()));
            program.push(step(code, scratch, 0, 2, 0));
        }
        program.push(step(MOVE_CONSTANT, 0, 0, 0, i32::from(rule.allow)));
        program.push(step(EXIT, 0, 0, 0, 0));
    }
    program.push(step(MOVE_CONSTANT, 0, 0, 0, 0));
    program.push(step(EXIT, 0, 0, 0, 0));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel does with the program.
    fn run(program: &[Instruction], kind: u32, access: u32, device: (u32, u32)) -> i64 {
        let context = [
            i64::from(access << 16 | kind),
            i64::from(device.0),
            i64::from(device.1),
        ];
        let mut registers = [0_i64; 11];
        let mut at = 0_i64;
        loop {
            let step = program[usize::try_from(at).unwrap()];
            let (target, source) = (
                usize::from(step.registers & 15),
                usize::from(step.registers >> 4),
            );
            let constant = i64::from(step.immediate);
            at += 1;
            match step.code {
                0x61 => registers[target] = context[usize::try_from(step.offset / 4).unwrap()],
                0xbf => registers[target] = registers[source],
                0x57 => registers[target] &= constant,
                0x77 => registers[target] >>= constant,
                0xb7 => registers[target] = constant,
                0x55 if registers[target] != constant => at += i64::from(step.offset),
                0x15 if registers[target] == constant => at += i64::from(step.offset),
                0x55 | 0x15 => {}
                0x95 => return registers[0],
                other => panic!("{other:#x}"),
            }
        }
    }

    #[test]
    fn the_last_matching_rule_decides() {
        let rules = [
            Rule {
                allow: true,
                kind: None,
                major: None,
                minor: None,
                access: ALL,
            },
            Rule {
                allow: false,
                kind: Some('c'),
                major: Some(1),
                minor: None,
                access: WRITE,
            },
            Rule {
                allow: true,
                kind: Some('c'),
                major: Some(1),
                minor: Some(3),
                access: ALL,
            },
        ];
        let program = program(&rules);
        assert_eq!(run(&program, 2, READ | WRITE, (1, 3)), 1);
        assert_eq!(run(&program, 2, WRITE, (1, 5)), 0);
        assert_eq!(run(&program, 2, READ | WRITE, (1, 5)), 0);
        assert_eq!(run(&program, 2, READ, (1, 5)), 1);
        assert_eq!(run(&program, 1, WRITE, (1, 5)), 1);
    }

    #[test]
    fn nothing_but_the_standard_devices() {
        let program = program(ALWAYS);
        assert_eq!(run(&program, 2, ALL, (1, 3)), 1);
        assert_eq!(run(&program, 1, MKNOD, (8, 0)), 1);
        assert_eq!(run(&program, 1, READ, (8, 0)), 0);
        assert_eq!(run(&program, 2, READ, (136, 77)), 1);
    }

    #[test]
    fn lines_for_v1() {
        assert_eq!(always('c', Some(1), None, READ | WRITE).line(), "c 1:* rw");
    }
}
