//! From rules to a BPF program.

use std::collections::BTreeMap;

use super::assemble::{Assembler, Label, Test};
use super::rules::{Action, Architecture, Compare, Comparison, Rule, Rules};
use super::syscalls::numbers;
use super::{Filter, SeccompError};

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const AUDIT_X86_64: u32 = 0xc000_003e;
const AUDIT_I386: u32 = 0x4000_0003;
/// Marks the number of an x32 call.
const X32: u32 = 0x4000_0000;

/// Longest program that the kernel takes.
const MAX_LENGTH: usize = 4096;

const FLAGS: &[(&str, u32)] = &[
    ("SECCOMP_FILTER_FLAG_TSYNC", 1),
    ("SECCOMP_FILTER_FLAG_LOG", 2),
    ("SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4),
    ("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 32),
];

const NOTIFY: u32 = 0x7fc0_0000;

/// What the program does with one call number: the first alternative whose comparisons hold.
type Body = Vec<(Vec<Comparison>, Action)>;

impl Rules {
    /// Compiles the rules.
    pub fn compile(&self) -> Result<Filter, SeccompError> {
        if cfg!(not(target_arch = "x86_64")) {
            return Err(SeccompError::Processor(std::env::consts::ARCH));
        }
        let mut code = Assembler::default();
        self.program(&mut code);
        let program = code.finish();
        if program.len() > MAX_LENGTH {
            return Err(SeccompError::TooLong(program.len()));
        }
        Ok(Filter::new(&program, self.load_flags()?))
    }

    fn load_flags(&self) -> Result<u32, SeccompError> {
        let mut flags = 0;
        for name in &self.flags {
            let known = FLAGS.iter().find(|(known, _)| known == name);
            let (_, bit) = known.ok_or_else(|| SeccompError::Unknown {
                what: "flag",
                word: name.clone(),
            })?;
            flags |= bit;
        }
        if self.rules.iter().any(|rule| rule.action.0 == NOTIFY) {
            flags |= sys::seccomp::NEW_LISTENER;
        }
        Ok(flags)
    }

    /// `load arch; x86_64 → (x32 bit → x32 calls | native calls); i386 → its calls; else kill`
    fn program(&self, code: &mut Assembler) {
        let kill = code.ret(Action::KILL_PROCESS.0);
        let section = |code: &mut Assembler, mode: Architecture| {
            self.serves(mode).then(|| self.section(code, mode))
        };
        let i386 = section(code, Architecture::I386).map(|_| code.load(NUMBER));
        let x32 = section(code, Architecture::X32);
        let native = self.section(code, Architecture::X86_64);
        // Without x32 its numbers are just unknown ones; what they get is never a permission.
        let x32 = x32.unwrap_or_else(|| code.ret(self.without_x32().0));
        code.branch(Test::GreaterOrEqual, X32, x32, native);
        let x86_64 = code.load(NUMBER);
        let other = match i386 {
            Some(i386) => code.branch(Test::Equal, AUDIT_I386, i386, kill),
            None => code.jump(kill),
        };
        code.branch(Test::Equal, AUDIT_X86_64, x86_64, other);
        code.load(ARCHITECTURE);
    }

    fn serves(&self, mode: Architecture) -> bool {
        self.architectures.contains(&mode)
    }

    fn without_x32(&self) -> Action {
        match self.default.errno() {
            Some(_) => self.default.for_unknown_call(),
            None => Action::KILL_PROCESS,
        }
    }

    /// The calls of one mode. The accumulator holds the number.
    fn section(&self, code: &mut Assembler, mode: Architecture) -> Label {
        let (column, mark) = match mode {
            Architecture::X86_64 => (0, 0),
            Architecture::I386 => (1, 0),
            Architecture::X32 => (2, X32),
        };
        let mut bodies: BTreeMap<u32, Body> = BTreeMap::new();
        for rule in &self.rules {
            let number = numbers(&rule.name).and_then(|row| row[column]);
            if let Some(number) = number {
                add(bodies.entry(u32::from(number) | mark).or_default(), rule);
            }
        }
        self.search(code, &bodies, mark)
    }

    /// Finds the number among ranges of numbers with the same body.
    fn search(&self, code: &mut Assembler, bodies: &BTreeMap<u32, Body>, first: u32) -> Label {
        let mut starts: Vec<(u32, Label)> = Vec::new();
        let mut labels: BTreeMap<&Body, Label> = BTreeMap::new();
        let default = code.ret(self.default.0);
        let mut start = |number: u32, label: Label| {
            if starts.last().is_none_or(|(_, last)| *last != label) {
                starts.push((number, label));
            }
        };
        start(first, default);
        let mut next = first;
        for (number, body) in bodies {
            if *number > next {
                start(next, default);
            }
            let known = labels.get(body).copied();
            let label = known.unwrap_or_else(|| self.body(code, body));
            labels.insert(body, label);
            start(*number, label);
            next = number + 1;
        }
        if !bodies.is_empty() {
            start(next, code.ret(self.default.for_unknown_call().0));
        }
        tree(code, &starts)
    }

    /// The alternatives of one call, one after the other, then the default.
    fn body(&self, code: &mut Assembler, body: &Body) -> Label {
        let mut otherwise = code.ret(self.default.0);
        for (comparisons, action) in body.iter().rev() {
            let yes = code.ret(action.0);
            otherwise = comparisons.iter().rev().fold(yes, |yes, comparison| {
                compare(code, comparison, yes, otherwise)
            });
        }
        otherwise
    }
}

/// Rules that compare come first; of those that do not, the last one counts.
fn add(body: &mut Body, rule: &Rule) {
    let conditional = body
        .iter()
        .take_while(|(comparisons, _)| !comparisons.is_empty())
        .count();
    if rule.comparisons.is_empty() {
        body.truncate(conditional);
        body.push((Vec::new(), rule.action));
    } else {
        body.insert(conditional, (rule.comparisons.clone(), rule.action));
    }
}

/// A binary search over `starts`, which is sorted and not empty.
fn tree(code: &mut Assembler, starts: &[(u32, Label)]) -> Label {
    match starts {
        [] => code.ret(Action::KILL_PROCESS.0),
        [(_, label)] => code.jump(*label),
        _ => {
            let (low, high) = starts.split_at(starts.len() / 2);
            let above = tree(code, high);
            let below = tree(code, low);
            code.branch(Test::GreaterOrEqual, high[0].0, above, below)
        }
    }
}

/// Compares an argument of 64 bits in two halves.
fn compare(code: &mut Assembler, what: &Comparison, yes: Label, no: Label) -> Label {
    match what.compare {
        Compare::Equal => equal(code, what, yes, no),
        Compare::NotEqual => equal(code, what, no, yes),
        Compare::Greater => order(code, what, Test::Greater, (yes, no)),
        Compare::GreaterOrEqual => order(code, what, Test::GreaterOrEqual, (yes, no)),
        Compare::Less => order(code, what, Test::GreaterOrEqual, (no, yes)),
        Compare::LessOrEqual => order(code, what, Test::Greater, (no, yes)),
        Compare::Masked => masked(code, what, yes, no),
    }
}

fn equal(code: &mut Assembler, what: &Comparison, yes: Label, no: Label) -> Label {
    code.branch(Test::Equal, low(what.value), yes, no);
    let lower = code.load(low_word(what.index));
    code.branch(Test::Equal, high(what.value), lower, no);
    code.load(high_word(what.index))
}

fn masked(code: &mut Assembler, what: &Comparison, yes: Label, no: Label) -> Label {
    code.branch(Test::Equal, low(what.second), yes, no);
    code.and(low(what.value));
    let lower = code.load(low_word(what.index));
    code.branch(Test::Equal, high(what.second), lower, no);
    code.and(high(what.value));
    code.load(high_word(what.index))
}

fn order(code: &mut Assembler, what: &Comparison, test: Test, (yes, no): (Label, Label)) -> Label {
    code.branch(test, low(what.value), yes, no);
    let lower = code.load(low_word(what.index));
    let same = code.branch(Test::Equal, high(what.value), lower, no);
    code.branch(Test::Greater, high(what.value), yes, same);
    code.load(high_word(what.index))
}

fn low(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn high(value: u64) -> u32 {
    let [.., a, b, c, d] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn low_word(index: u32) -> u32 {
    ARGUMENTS + 8 * index
}

fn high_word(index: u32) -> u32 {
    ARGUMENTS + 8 * index + 4
}
