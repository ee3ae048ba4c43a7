//! The creating process's part while the container's first process gets ready.

use std::os::fd::OwnedFd;

use oci::runtime::{Hooks, Linux, LinuxIdMapping};
use rustix::process::Pid;
use sys::process::Namespaces;

use crate::Error;
use crate::cgroup::Groups;
use crate::channel::{Channel, Message};
use crate::create::{CreateOptions, unexpected};
use crate::error::During;
use crate::hooks::{self, State};
use crate::idmap;
use crate::namespaces::Plan;

/// The parent's part while the first process gets ready.
pub(crate) struct Beginning<'a> {
    pub(crate) options: &'a CreateOptions<'a>,
    pub(crate) plan: &'a Plan,
    pub(crate) groups: &'a mut Groups,
    pub(crate) channel: &'a Channel,
    pub(crate) pid: Pid,
    pub(crate) terminal: Option<OwnedFd>,
}

impl Beginning<'_> {
    pub(crate) fn accompany(&mut self, hooks_outside: bool) -> Result<(), Error> {
        match self.provide(hooks_outside) {
            // Why the other side does not listen any more says more than that it does not.
            Err(error @ Error::Io { .. }) => {
                self.channel.finish();
                Err(match self.await_ready() {
                    Err(told @ Error::Child(_)) => told,
                    _ => error,
                })
            }
            other => other,
        }
    }

    fn provide(&mut self, hooks_outside: bool) -> Result<(), Error> {
        let spec = self.options.spec;
        let linux = spec.linux().as_ref();
        if self.plan.new.contains(Namespaces::USER) {
            let maps = |list: fn(&Linux) -> &Option<Vec<LinuxIdMapping>>| {
                linux
                    .and_then(|linux| list(linux).as_deref())
                    .unwrap_or(&[])
            };
            idmap::write(
                self.pid,
                maps(Linux::uid_mappings),
                maps(Linux::gid_mappings),
            )?;
            self.say(&Message::Mapped)?;
        }
        self.join_groups(linux)?;
        self.set_oom_score()?;
        self.say(&Message::Joined(self.pid.as_raw_nonzero().get()))?;
        if hooks_outside {
            self.expect(|message| matches!(message, Message::Prepared))?;
            self.run_hooks()?;
            self.say(&Message::Hooked)?;
        }
        self.await_ready()
    }

    /// Sets the limits. A privileged process has entered its groups by itself.
    fn join_groups(&mut self, linux: Option<&Linux>) -> Result<(), Error> {
        let lenient = !rustix::process::geteuid().is_root();
        let resources = linux.and_then(|linux| linux.resources().as_ref());
        if let Some(resources) = resources {
            self.groups.limit(resources, lenient)?;
        }
        if lenient {
            // Where it may not, it stays where it is.
            let _ = self.groups.join(self.pid);
        }
        Ok(())
    }

    fn set_oom_score(&self) -> Result<(), Error> {
        let process = self.options.spec.process().as_ref();
        let Some(score) = process.and_then(oci::runtime::Process::oom_score_adj) else {
            return Ok(());
        };
        set_oom_score(self.pid, score)
    }

    fn run_hooks(&self) -> Result<(), Error> {
        let Some(hooks) = self.options.spec.hooks() else {
            return Ok(());
        };
        let pid = self.pid.as_raw_nonzero().get();
        let state = State::new(self.options.spec, self.options.id, self.options.bundle, pid);
        let prestart = Hooks::prestart(hooks);
        hooks::run("prestart", prestart.as_ref(), &state)?;
        hooks::run("createRuntime", hooks.create_runtime().as_ref(), &state)
    }

    fn say(&self, message: &Message) -> Result<(), Error> {
        let sent = self.channel.send(message);
        sent.during(|| "talk to the container's process".to_owned())
    }

    fn await_ready(&mut self) -> Result<(), Error> {
        self.expect(|message| matches!(message, Message::Ready))
    }

    fn expect(&mut self, wanted: impl Fn(&Message) -> bool) -> Result<(), Error> {
        loop {
            let message = self.channel.receive();
            let message = message.during(|| "listen to the container's process".to_owned())?;
            match message {
                None => return Err(Error::Vanished),
                Some(message) if wanted(&message) => return Ok(()),
                Some(Message::Terminal(fd)) => self.terminal = Some(fd),
                Some(other) => return Err(unexpected(other)),
            }
        }
    }
}

/// Sets how readily the kernel kills the process for memory. What it is anyway needs no right.
pub(crate) fn set_oom_score(pid: Pid, score: i32) -> Result<(), Error> {
    let path = format!("/proc/{}/oom_score_adj", pid.as_raw_nonzero());
    let error = match std::fs::write(&path, score.to_string()) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let is_so = std::fs::read_to_string(&path).is_ok_and(|text| text.trim() == score.to_string());
    match is_so {
        true => Ok(()),
        false => Err(error).during(|| format!("set oomScoreAdj to {score}")),
    }
}
