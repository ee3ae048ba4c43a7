//! Another process in a running container.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{DumpableBehavior, Signal, WaitOptions};
use sys::process::Namespaces;

use crate::channel::{Channel, Message};
use crate::container::{Container, Process};
use crate::create::{self, Stdio};
use crate::error::{At, During, Failure, Step};
use crate::process::{self, Program};
use crate::seccomp::Filter;
use crate::terminal::Terminal;
use crate::{Error, affinity, init};

/// What to execute.
#[derive(Debug)]
pub struct ExecOptions<'a> {
    /// The process, complete: nothing is taken over from the container's first process.
    pub process: &'a oci::runtime::Process,
    /// Its standard streams; ignored with `process.terminal`.
    pub stdio: Stdio,
    /// Its filter.
    pub filter: Option<Filter>,
    /// Descriptors that the process gets as 3, 4, …
    pub keep_fds: Vec<OwnedFd>,
    /// A control group below the container's, which must exist; else the container's own.
    pub cgroup: Option<&'a Path>,
}

impl<'a> ExecOptions<'a> {
    /// Options with everything as `process` says.
    pub fn new(process: &'a oci::runtime::Process) -> Self {
        Self {
            process,
            stdio: Stdio::default(),
            filter: None,
            keep_fds: Vec::new(),
            cgroup: None,
        }
    }
}

/// All namespaces, and whether the container has another one than the caller.
const KINDS: &[(&str, Namespaces)] = &[
    ("user", Namespaces::USER),
    ("mnt", Namespaces::MOUNT),
    ("pid", Namespaces::PID),
    ("net", Namespaces::NETWORK),
    ("ipc", Namespaces::IPC),
    ("uts", Namespaces::UTS),
    ("cgroup", Namespaces::CGROUP),
    ("time", Namespaces::TIME),
];

impl Container {
    /// Starts a process in the container; returns when it has executed its program.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "its descriptors are given away"
    )]
    pub fn exec(&self, options: ExecOptions<'_>) -> Result<Process, Error> {
        let differing = self.differing_namespaces()?;
        let (ours, theirs) = Channel::pair().during(|| "make a socket pair".to_owned())?;
        let mut ours = Some(ours);
        let child = self.spawn(&options, differing, theirs, &mut ours)?;
        let ours = ours.take().ok_or(Error::Vanished)?;
        let mut terminal = None;
        let result = self.accompany(&options, &child, &ours, &mut terminal);
        if let Err(error) = result {
            let _ = rustix::process::pidfd_send_signal(&child.pidfd, Signal::KILL);
            let _ = rustix::process::waitpid(Some(child.pid), WaitOptions::empty());
            return Err(error);
        }
        Ok(Process::new(child, terminal))
    }

    /// Entering a namespace again that one is in is not always allowed (user) or for nothing.
    fn differing_namespaces(&self) -> Result<Namespaces, Error> {
        let pid = self.init().pid().as_raw_nonzero();
        let mut differing = Namespaces::empty();
        for (name, bit) in KINDS {
            let link = |process: &str| rustix::fs::stat(format!("/proc/{process}/ns/{name}"));
            let theirs = link(&pid.to_string());
            // A kernel without this kind has the file for neither.
            if let (Ok(own), Ok(theirs)) = (link("self"), theirs)
                && own.st_ino != theirs.st_ino
            {
                differing = differing.with(*bit);
            }
        }
        Ok(differing)
    }

    fn spawn(
        &self,
        options: &ExecOptions<'_>,
        differing: Namespaces,
        channel: Channel,
        others_end: &mut Option<Channel>,
    ) -> Result<sys::process::Child, Error> {
        let entrance = self.groups().entrance(options.cgroup)?;
        let run = |channel: Channel| {
            drop(others_end.take());
            if let Err(failure) = entrance.enter() {
                let _ = channel.send(&Message::Failed(failure));
                return 1;
            }
            run(options, differing.contains(Namespaces::USER), channel)
        };
        let enter = || {
            sys::process::enter_process(self.init().pidfd(), differing).at(Step::Namespace, "enter")
        };
        let place = (entrance.birthplace(), Namespaces::empty());
        create::through_helper(enter, place, channel, run)
    }

    fn accompany(
        &self,
        options: &ExecOptions<'_>,
        child: &sys::process::Child,
        channel: &Channel,
        terminal: &mut Option<OwnedFd>,
    ) -> Result<(), Error> {
        let action = || "talk to the new process".to_owned();
        if !rustix::process::geteuid().is_root() {
            // Where it may not, it stays where it is. A privileged one has entered by itself.
            let _ = self.groups().join_at(options.cgroup, child.pid);
        }
        if let Some(score) = options.process.oom_score_adj() {
            crate::beginning::set_oom_score(child.pid, score)?;
        }
        let pid = child.pid.as_raw_nonzero().get();
        // If it has ended meanwhile, it says why below.
        let _ = channel.send(&Message::Joined(pid));
        loop {
            match channel.receive().during(action)? {
                None => return Ok(()),
                Some(Message::Terminal(fd)) => *terminal = Some(fd),
                Some(Message::Failed(failure)) => return Err(Error::Child(failure)),
                Some(other) => {
                    let cause = format!("unexpected {other:?}");
                    return Err(Failure::said(Step::Protocol, "exec", &cause).into());
                }
            }
        }
    }
}

fn run(options: &ExecOptions<'_>, other_user: bool, mut channel: Channel) -> i32 {
    match live(options, other_user, &mut channel) {
        Ok(never) => match never {},
        Err(failure) => {
            let _ = channel.send(&Message::Failed(failure));
            1
        }
    }
}

fn live(
    options: &ExecOptions<'_>,
    other_user: bool,
    channel: &mut Channel,
) -> Result<std::convert::Infallible, Failure> {
    // The container's processes see this one from here on; they may not look into it.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .at(Step::Namespace, "hide")?;
    match channel.receive().at(Step::Protocol, "joined")? {
        Some(Message::Joined(_)) => {}
        _ => sys::process::exit(1),
    }
    let affinity = options.process.exec_cpu_affinity().as_ref();
    affinity::set(affinity.and_then(|affinity| affinity.initial().as_deref()))?;
    if other_user {
        init::become_root()?;
    }
    rustix::process::setsid().at(Step::Terminal, "session")?;
    init::new_keyring("exec");
    if options.process.terminal() == Some(true) {
        let terminal = Terminal::of_host()?;
        terminal.prepare(options.process)?;
        let master = terminal.take_over()?;
        channel
            .send(&Message::Terminal(master))
            .at(Step::Protocol, "terminal")?;
    } else {
        process::set_streams(&options.stdio)?;
    }
    let mut program = Program {
        process: options.process,
        filter: options.filter.as_ref(),
        notify: None,
        keep_fds: &options.keep_fds,
        in_user_namespace: other_user,
        dies_with_parent: false,
    };
    program.set_limits()?;
    let executable = program.find()?;
    affinity::set(affinity.and_then(|affinity| affinity.cpu_affinity_final().as_deref()))?;
    Err(program.execute(&executable, channel))
}
