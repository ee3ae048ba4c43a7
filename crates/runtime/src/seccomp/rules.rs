//! Rules without conditions on the machine: what a filter is compiled from.

use oci::runtime::{LinuxSeccomp, LinuxSeccompAction, LinuxSeccompOperator};

use super::SeccompError;

/// What happens to which calls.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) default: Action,
    /// Processor modes beside the native one.
    pub(super) architectures: Vec<Architecture>,
    /// `SECCOMP_FILTER_FLAG_…`.
    pub(super) flags: Vec<String>,
    /// The first one that matches counts; those that compare arguments come before the others.
    pub(super) rules: Vec<Rule>,
}

/// What happens to one call.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) action: Action,
    /// All must hold.
    pub(super) comparisons: Vec<Comparison>,
}

/// The answer to a call, as the kernel encodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Action(pub(super) u32);

const ERRNO: u32 = 0x0005_0000;
const TRACE: u32 = 0x7ff0_0000;
const DATA: u32 = 0xffff;
const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

impl Action {
    pub(super) const KILL_PROCESS: Self = Self(0x8000_0000);

    /// From the name in a profile; `data` is the error number, or the tracer's message.
    pub(super) fn parse(name: &str, data: Option<u32>) -> Result<Self, SeccompError> {
        let data = data.unwrap_or(EPERM) & DATA;
        Ok(Self(match name {
            "SCMP_ACT_ALLOW" => 0x7fff_0000,
            "SCMP_ACT_ERRNO" => ERRNO | data,
            "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => 0,
            "SCMP_ACT_KILL_PROCESS" => return Ok(Self::KILL_PROCESS),
            "SCMP_ACT_TRAP" => 0x0003_0000,
            "SCMP_ACT_TRACE" => TRACE | data,
            "SCMP_ACT_LOG" => 0x7ffc_0000,
            "SCMP_ACT_NOTIFY" => 0x7fc0_0000,
            other => {
                return Err(SeccompError::Unknown {
                    what: "action",
                    word: other.to_owned(),
                });
            }
        }))
    }

    /// The error number of an `ERRNO` action.
    pub(super) fn errno(self) -> Option<u32> {
        (self.0 & !DATA == ERRNO).then_some(self.0 & DATA)
    }

    /// The answer to a call that did not exist when the rules were written.
    pub(super) fn for_unknown_call(self) -> Self {
        match self.errno() {
            Some(EPERM) => Self(ERRNO | ENOSYS),
            _ => self,
        }
    }
}

/// A processor mode of an x86 kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    X86_64,
    I386,
    X32,
}

impl Architecture {
    /// From the profile's name; `None` for another processor's.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "SCMP_ARCH_X86_64" => Some(Self::X86_64),
            "SCMP_ARCH_X86" => Some(Self::I386),
            "SCMP_ARCH_X32" => Some(Self::X32),
            _ => None,
        }
    }

    pub(super) fn is_native(name: &str) -> bool {
        Self::parse(name) == Some(Self::X86_64)
    }

    pub(super) fn native_go_name() -> &'static str {
        "amd64"
    }
}

/// How an argument is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Compare {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    /// `argument & first == second`.
    Masked,
}

impl Compare {
    pub(super) fn parse(name: &str) -> Result<Self, SeccompError> {
        Ok(match name {
            "SCMP_CMP_NE" => Self::NotEqual,
            "SCMP_CMP_LT" => Self::Less,
            "SCMP_CMP_LE" => Self::LessOrEqual,
            "SCMP_CMP_EQ" => Self::Equal,
            "SCMP_CMP_GE" => Self::GreaterOrEqual,
            "SCMP_CMP_GT" => Self::Greater,
            "SCMP_CMP_MASKED_EQ" => Self::Masked,
            other => {
                return Err(SeccompError::Unknown {
                    what: "comparison",
                    word: other.to_owned(),
                });
            }
        })
    }
}

/// A comparison of one argument, all unsigned and of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Comparison {
    /// 0 to 5.
    pub(super) index: u32,
    pub(super) compare: Compare,
    pub(super) value: u64,
    /// For [`Compare::Masked`] alone.
    pub(super) second: u64,
}

impl Comparison {
    pub(super) fn new(
        name: &str,
        index: u32,
        compare: Compare,
        (value, second): (u64, u64),
    ) -> Result<Self, SeccompError> {
        if index > 5 {
            return Err(SeccompError::Argument {
                name: name.to_owned(),
                index,
            });
        }
        Ok(Self {
            index,
            compare,
            value,
            second,
        })
    }
}

impl TryFrom<&LinuxSeccomp> for Rules {
    type Error = SeccompError;

    /// The rules of an OCI config.
    fn try_from(seccomp: &LinuxSeccomp) -> Result<Self, SeccompError> {
        let mut rules = Self {
            default: action(seccomp.default_action(), seccomp.default_errno_ret())?,
            architectures: Vec::new(),
            flags: Vec::new(),
            rules: Vec::new(),
        };
        for architecture in seccomp.architectures().iter().flatten() {
            rules
                .architectures
                .extend(Architecture::parse(&word(architecture)?));
        }
        for flag in seccomp.flags().iter().flatten() {
            rules.flags.push(word(flag)?);
        }
        for entry in seccomp.syscalls().iter().flatten() {
            let action = action(entry.action(), entry.errno_ret())?;
            for name in entry.names() {
                let arguments = entry.args().iter().flatten();
                let comparisons = arguments.map(|argument| {
                    let compare = operator(argument.op());
                    let values = (argument.value(), argument.value_two().unwrap_or(0));
                    Comparison::new(
                        name,
                        u32::try_from(argument.index()).unwrap_or(6),
                        compare,
                        values,
                    )
                });
                let comparisons = comparisons.collect::<Result<Vec<_>, _>>()?;
                rules.add(name, action, &comparisons);
            }
        }
        Ok(rules)
    }
}

/// The name that a word of the specification has in JSON.
fn word(value: &impl serde::Serialize) -> Result<String, SeccompError> {
    let value = serde_json::to_value(value).map_err(SeccompError::Parse)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

fn action(action: LinuxSeccompAction, errno: Option<u32>) -> Result<Action, SeccompError> {
    Action::parse(&word(&action)?, errno)
}

fn operator(operator: LinuxSeccompOperator) -> Compare {
    match operator {
        LinuxSeccompOperator::ScmpCmpNe => Compare::NotEqual,
        LinuxSeccompOperator::ScmpCmpLt => Compare::Less,
        LinuxSeccompOperator::ScmpCmpLe => Compare::LessOrEqual,
        LinuxSeccompOperator::ScmpCmpEq => Compare::Equal,
        LinuxSeccompOperator::ScmpCmpGe => Compare::GreaterOrEqual,
        LinuxSeccompOperator::ScmpCmpGt => Compare::Greater,
        LinuxSeccompOperator::ScmpCmpMaskedEq => Compare::Masked,
    }
}
