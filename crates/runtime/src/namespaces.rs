//! Which namespaces are made and which are joined.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use oci::runtime::{LinuxNamespace, LinuxNamespaceType, LinuxTimeOffset, Spec};
use rustix::fs::{Mode, OFlags};
use sys::process::Namespaces;

use crate::Error;
use crate::error::{At, During, Failure, Step};

/// The namespaces of a process to be.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Made for it.
    pub(crate) new: Namespaces,
    /// Joined.
    pub(crate) join: Vec<(Namespaces, OwnedFd)>,
}

/// The kernel's bit for a namespace type of the spec.
pub(crate) fn bit(kind: LinuxNamespaceType) -> Namespaces {
    match kind {
        LinuxNamespaceType::Mount => Namespaces::MOUNT,
        LinuxNamespaceType::Cgroup => Namespaces::CGROUP,
        LinuxNamespaceType::Uts => Namespaces::UTS,
        LinuxNamespaceType::Ipc => Namespaces::IPC,
        LinuxNamespaceType::User => Namespaces::USER,
        LinuxNamespaceType::Pid => Namespaces::PID,
        LinuxNamespaceType::Network => Namespaces::NETWORK,
        LinuxNamespaceType::Time => Namespaces::TIME,
    }
}

impl Plan {
    /// Reads the spec; `given` are descriptors that replace its entries.
    pub(crate) fn new(
        spec: &Spec,
        given: Vec<(LinuxNamespaceType, OwnedFd)>,
    ) -> Result<Self, Error> {
        let mut plan = Self {
            new: Namespaces::empty(),
            join: given
                .into_iter()
                .map(|(kind, fd)| (bit(kind), fd))
                .collect(),
        };
        let mut seen = Namespaces::empty();
        let linux = spec.linux().as_ref();
        for entry in linux
            .and_then(|linux| linux.namespaces().as_ref())
            .into_iter()
            .flatten()
        {
            let bit = bit(entry.typ());
            if seen.contains(bit) {
                let kind = entry.typ();
                return Err(Error::Spec(format!("namespace {kind} is listed twice")));
            }
            seen = seen.with(bit);
            plan.add(bit, entry)?;
        }
        // A user namespace is entered first: it gives the rights for the others.
        plan.join.sort_by_key(|(bit, _)| *bit != Namespaces::USER);
        Ok(plan)
    }

    fn add(&mut self, bit: Namespaces, entry: &LinuxNamespace) -> Result<(), Error> {
        if self.joins(bit) {
            return Ok(());
        }
        match entry.path() {
            Some(path) if !path.as_os_str().is_empty() => {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC;
                let fd = rustix::fs::open(path, flags, Mode::empty())
                    .during(|| format!("open the namespace {}", path.display()))?;
                self.join.push((bit, fd));
            }
            _ => self.new = self.new.with(bit),
        }
        Ok(())
    }

    pub(crate) fn joins(&self, bit: Namespaces) -> bool {
        self.join.iter().any(|(joined, _)| *joined == bit)
    }

    /// Is the process in another user namespace than the caller?
    pub(crate) fn changes_user(&self) -> bool {
        self.new.contains(Namespaces::USER) || self.joins(Namespaces::USER)
    }

    /// Must a helper process enter some namespaces first and make the process in them? Pid
    /// namespaces are entered by children only; what a user namespace owns is made inside it; and
    /// what it does not own is joined before it is left behind.
    pub(crate) fn needs_helper(&self) -> bool {
        self.joins(Namespaces::PID)
            || self.joins(Namespaces::USER)
            || (self.new.contains(Namespaces::USER) && !self.join.is_empty())
    }

    /// What `clone3` makes. The two others are made by the process itself: the cgroup namespace
    /// when it is in its control group, the time namespace when its offsets are written.
    pub(crate) fn made_by_clone(&self) -> Namespaces {
        self.new
            .without(Namespaces::CGROUP)
            .without(Namespaces::TIME)
    }

    /// Enters all namespaces that are to be joined.
    pub(crate) fn enter(&self) -> Result<(), Failure> {
        for (_, fd) in &self.join {
            sys::process::enter(fd).at(Step::Namespace, "to be joined")?;
        }
        Ok(())
    }
}

/// Makes a time namespace with `offsets` and enters it.
pub(crate) fn enter_new_time(
    offsets: Option<&HashMap<String, LinuxTimeOffset>>,
) -> Result<(), Failure> {
    sys::process::unshare(Namespaces::TIME).at(Step::Namespace, "time")?;
    if let Some(offsets) = offsets.filter(|offsets| !offsets.is_empty()) {
        let lines: String = offsets
            .iter()
            .map(|(clock, offset)| {
                let seconds = offset.secs().unwrap_or(0);
                let nanoseconds = offset.nanosecs().unwrap_or(0);
                format!("{clock} {seconds} {nanoseconds}\n")
            })
            .collect();
        std::fs::write("/proc/self/timens_offsets", lines).at(Step::Namespace, "time offsets")?;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let fd = rustix::fs::open("/proc/self/ns/time_for_children", flags, Mode::empty())
        .at(Step::Namespace, "time")?;
    sys::process::enter(fd).at(Step::Namespace, "time")
}
