//! Profiles in Docker's schema.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::SeccompError;
use super::rules::{Action, Architecture, Compare, Comparison, Rule, Rules};

/// A profile document: what `--security-opt seccomp=FILE` takes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    default_action: String,
    #[serde(default)]
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default)]
    arch_map: Option<Vec<ArchMap>>,
    #[serde(default)]
    flags: Option<Vec<String>>,
    #[serde(default)]
    syscalls: Option<Vec<Entry>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// The old schema's single name.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    names: Option<Vec<String>>,
    action: String,
    #[serde(default)]
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<Argument>>,
    #[serde(default)]
    includes: Option<Filters>,
    #[serde(default)]
    excludes: Option<Filters>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    index: u32,
    value: u64,
    #[serde(default)]
    value_two: u64,
    op: String,
}

/// When an entry counts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filters {
    #[serde(default)]
    arches: Option<Vec<String>>,
    #[serde(default)]
    caps: Option<Vec<String>>,
    #[serde(default)]
    min_kernel: Option<String>,
}

/// What `includes` and `excludes` ask about.
#[derive(Debug, Clone)]
pub struct Context {
    /// Capabilities of the process, `CAP_…`.
    pub capabilities: BTreeSet<String>,
    /// Major and minor version of the kernel.
    pub kernel: (u32, u32),
}

impl Profile {
    /// The profile that containers get when nothing is said: at least as strict as Docker's.
    pub fn stock() -> Result<Self, SeccompError> {
        Self::parse(include_str!("default.json"))
    }

    /// Reads a profile.
    pub fn parse(text: &str) -> Result<Self, SeccompError> {
        serde_json::from_str(text).map_err(SeccompError::Parse)
    }

    /// The rules that count in `context`.
    pub fn resolve(&self, context: &Context) -> Result<Rules, SeccompError> {
        let mut rules = Rules {
            default: Action::parse(&self.default_action, self.default_errno_ret)?,
            architectures: self.architectures()?,
            flags: self.flags.clone().unwrap_or_default(),
            rules: Vec::new(),
        };
        for entry in self.syscalls.iter().flatten() {
            if entry.counts(context)? {
                entry.add_to(&mut rules)?;
            }
        }
        Ok(rules)
    }

    fn architectures(&self) -> Result<Vec<Architecture>, SeccompError> {
        let names = |names: &[String]| -> Vec<Architecture> {
            names
                .iter()
                .filter_map(|name| Architecture::parse(name))
                .collect()
        };
        match (&self.architectures, &self.arch_map) {
            (Some(list), Some(map)) if !list.is_empty() && !map.is_empty() => {
                Err(SeccompError::Architectures)
            }
            (_, Some(map)) if !map.is_empty() => {
                let native = map
                    .iter()
                    .find(|row| Architecture::is_native(&row.architecture));
                let sub = native.and_then(|row| row.sub_architectures.as_deref());
                Ok(names(sub.unwrap_or_default()))
            }
            (Some(list), _) => Ok(names(list)),
            (None, _) => Ok(Vec::new()),
        }
    }
}

impl Entry {
    fn counts(&self, context: &Context) -> Result<bool, SeccompError> {
        let none = Filters::default();
        let includes = self.includes.as_ref().unwrap_or(&none);
        let excludes = self.excludes.as_ref().unwrap_or(&none);
        let has = |cap: &String| context.capabilities.contains(cap);
        let arch = |name: &String| name == Architecture::native_go_name();
        let included = includes
            .arches
            .as_ref()
            .is_none_or(|list| list.is_empty() || list.iter().any(arch))
            && includes
                .caps
                .as_ref()
                .is_none_or(|list| list.iter().all(has))
            && includes
                .kernel()?
                .is_none_or(|least| context.kernel >= least);
        let excluded = excludes
            .arches
            .as_ref()
            .is_some_and(|list| list.iter().any(arch))
            || excludes
                .caps
                .as_ref()
                .is_some_and(|list| list.iter().any(has))
            || excludes
                .kernel()?
                .is_some_and(|least| context.kernel >= least);
        Ok(included && !excluded)
    }

    fn add_to(&self, rules: &mut Rules) -> Result<(), SeccompError> {
        let action = Action::parse(&self.action, self.errno_ret.or(rules.default.errno()))?;
        let arguments = self.args.as_deref().unwrap_or_default();
        for name in self.names.iter().flatten().chain(&self.name) {
            let comparisons = arguments.iter().map(|argument| argument.comparison(name));
            let comparisons = comparisons.collect::<Result<Vec<_>, _>>()?;
            rules.add(name, action, &comparisons);
        }
        Ok(())
    }
}

impl Argument {
    fn comparison(&self, name: &str) -> Result<Comparison, SeccompError> {
        Comparison::new(
            name,
            self.index,
            Compare::parse(&self.op)?,
            (self.value, self.value_two),
        )
    }
}

impl Filters {
    fn kernel(&self) -> Result<Option<(u32, u32)>, SeccompError> {
        let Some(text) = &self.min_kernel else {
            return Ok(None);
        };
        let parse = |text: &str| {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        };
        let unknown = || SeccompError::Unknown {
            what: "kernel version",
            word: text.clone(),
        };
        parse(text).ok_or_else(unknown).map(Some)
    }
}

impl Rules {
    /// Adds a rule; comparisons of one argument are alternatives, of different ones all must hold.
    pub(super) fn add(&mut self, name: &str, action: Action, comparisons: &[Comparison]) {
        let indexes: BTreeSet<u32> = comparisons.iter().map(|one| one.index).collect();
        let alternatives = indexes.len() < comparisons.len();
        let rule = |comparisons: &[Comparison]| Rule {
            name: name.to_owned(),
            action,
            comparisons: comparisons.to_vec(),
        };
        if alternatives {
            self.rules.extend(comparisons.chunks(1).map(rule));
        } else {
            self.rules.push(rule(comparisons));
        }
    }
}
