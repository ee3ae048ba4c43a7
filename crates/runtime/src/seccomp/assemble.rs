//! An assembler for BPF that works backwards: BPF only jumps forward, so with the end written first
//! every target is known when a jump is written.

use std::collections::HashMap;

use sys::seccomp::Instruction;

const LOAD_WORD: u16 = 0x20;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const AND: u16 = 0x54;

/// A comparison with the accumulator.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    Equal = 0x15,
    Greater = 0x25,
    GreaterOrEqual = 0x35,
}

/// A place in the program, as its distance from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A program, last instruction first.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    reversed: Vec<Instruction>,
    returns: HashMap<u32, Label>,
}

impl Assembler {
    /// Puts an instruction in front of all others.
    fn put(&mut self, code: u16, operand: u32) -> Label {
        self.reversed.push(Instruction {
            code,
            jump_true: 0,
            jump_false: 0,
            operand,
        });
        Label(self.reversed.len())
    }

    /// How many instructions a jump that is put now skips to reach `target`.
    fn distance(&self, target: Label) -> usize {
        self.reversed.len() - target.0
    }

    /// `return value`. Equal ones are shared.
    pub(super) fn ret(&mut self, value: u32) -> Label {
        if let Some(label) = self.returns.get(&value) {
            return *label;
        }
        let label = self.put(RETURN, value);
        self.returns.insert(value, label);
        label
    }

    /// Loads a word of the call's data, then goes on to what was put before.
    pub(super) fn load(&mut self, offset: u32) -> Label {
        self.put(LOAD_WORD, offset)
    }

    /// Masks the accumulator, then goes on to what was put before.
    pub(super) fn and(&mut self, mask: u32) -> Label {
        self.put(AND, mask)
    }

    /// Goes to `target`; nothing is put where it is next anyway.
    pub(super) fn jump(&mut self, target: Label) -> Label {
        match u32::try_from(self.distance(target)) {
            Ok(0) | Err(_) => target,
            Ok(distance) => self.put(JUMP, distance),
        }
    }

    /// Goes to `yes` if the test of the accumulator against `value` holds, else to `no`.
    pub(super) fn branch(&mut self, test: Test, value: u32, yes: Label, no: Label) -> Label {
        let no = self.near(no);
        let yes = self.near(yes);
        // The second of the two may have pushed the first out of reach.
        let no = self.near(no);
        let (jump_true, jump_false) = (self.short(yes), self.short(no));
        self.reversed.push(Instruction {
            code: test as u16,
            jump_true,
            jump_false,
            operand: value,
        });
        Label(self.reversed.len())
    }

    /// A label within reach of a conditional jump: `target`, or a jump to it.
    fn near(&mut self, target: Label) -> Label {
        // One is kept free for a jump that the other branch may still need.
        match self.distance(target) < usize::from(u8::MAX) {
            true => target,
            false => self.jump(target),
        }
    }

    fn short(&self, target: Label) -> u8 {
        u8::try_from(self.distance(target)).unwrap_or(u8::MAX)
    }

    /// The program, in order.
    pub(super) fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }
}
