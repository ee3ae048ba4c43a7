//! From a set-up process to the container's program: limits, identity, privileges, `execve`.
//! The same for a container's first process and for one that joins it.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use oci::runtime::{LinuxIOPriority, PosixRlimit, PosixRlimitType, Process, Scheduler, User};
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags};
use rustix::process::{Resource, Rlimit};
use rustix::thread::{CapabilitySet, Gid, Uid};

use crate::capabilities::Sets;
use crate::channel::Channel;
use crate::create::Stdio;
use crate::error::{At, Failure, Step};
use crate::hooks::State;
use crate::notify::Listener;
use crate::seccomp::Filter;

/// What the program is executed with.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    pub(crate) process: &'a Process,
    pub(crate) filter: Option<&'a Filter>,
    /// Who gets the filter's notification descriptor, and what is said of the container.
    pub(crate) notify: Option<(Listener<'a>, State<'a>)>,
    pub(crate) keep_fds: &'a [OwnedFd],
    pub(crate) in_user_namespace: bool,
    /// Does the kernel kill it when its parent ends?
    pub(crate) dies_with_parent: bool,
}

/// A program that was found, with its arguments as the kernel wants them.
#[derive(Debug)]
pub(crate) struct Executable {
    path: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

/// Replaces the standard streams.
pub(crate) fn set_streams(stdio: &Stdio) -> Result<(), Failure> {
    let Stdio::Files([stdin, stdout, stderr]) = stdio else {
        return Ok(());
    };
    // One of them may itself have a number below 3.
    let copy = |fd: &OwnedFd| rustix::io::fcntl_dupfd_cloexec(fd, 3);
    let place = || -> io::Result<()> {
        let (stdin, stdout, stderr) = (copy(stdin)?, copy(stdout)?, copy(stderr)?);
        rustix::stdio::dup2_stdin(stdin)?;
        rustix::stdio::dup2_stdout(stdout)?;
        Ok(rustix::stdio::dup2_stderr(stderr)?)
    };
    place().at(Step::Descriptors, "standard streams")
}

impl Program<'_> {
    /// What needs the runtime's own rights or the proc filesystem: limits, scheduling.
    pub(crate) fn set_limits(&self) -> Result<(), Failure> {
        for limit in self.process.rlimits().iter().flatten() {
            set_limit(limit)?;
        }
        if let Some(scheduler) = self.process.scheduler() {
            set_scheduler(scheduler)?;
        }
        if let Some(priority) = self.process.io_priority() {
            set_io_priority(priority)?;
        }
        self.give_pipes_away()
    }

    /// Pipes on the standard streams are given to the process's user, so that it can open
    /// `/dev/stdout` again.
    fn give_pipes_away(&self) -> Result<(), Failure> {
        let user = self.process.user();
        if user.uid() == 0 {
            return Ok(());
        }
        let streams = [
            rustix::stdio::stdin(),
            rustix::stdio::stdout(),
            rustix::stdio::stderr(),
        ];
        for stream in streams {
            let Ok(stat) = rustix::fs::fstat(stream) else {
                continue;
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::Fifo && stat.st_uid != user.uid()
            {
                // Not possible for ids outside the user namespace: then it stays as it is.
                let _ = rustix::fs::fchown(
                    stream,
                    Some(Uid::from_raw(user.uid())),
                    Some(Gid::from_raw(user.gid())),
                );
            }
        }
        Ok(())
    }

    /// Finds the program in the root that the caller is in now.
    pub(crate) fn find(&self) -> Result<Executable, Failure> {
        let arguments = self.process.args().as_deref().unwrap_or(&[]);
        let Some(name) = arguments.first() else {
            return Err(Failure::said(
                Step::Executable,
                "process.args",
                "it is empty",
            ));
        };
        let strings = |list: &[String]| -> Result<Vec<CString>, Failure> {
            list.iter()
                .map(|text| {
                    CString::new(text.as_str())
                        .map_err(io::Error::from)
                        .at(Step::Executable, text)
                })
                .collect()
        };
        let mut environment = strings(self.process.env().as_deref().unwrap_or(&[]))?;
        if !environment
            .iter()
            .any(|variable| variable.as_bytes().starts_with(b"HOME="))
        {
            environment.push(home_of(self.process.user().uid()));
        }
        let path = self.look_up(name).at(Step::Executable, name)?;
        Ok(Executable {
            path: CString::new(path.as_os_str().as_bytes())
                .map_err(io::Error::from)
                .at(Step::Executable, name)?,
            arguments: strings(arguments)?,
            environment,
        })
    }

    fn look_up(&self, name: &str) -> io::Result<PathBuf> {
        if name.is_empty() {
            return Err(io::Error::from_raw_os_error(2));
        }
        if name.contains('/') {
            let path = self.process.cwd().join(name);
            executable(&path)?;
            return Ok(name.into());
        }
        let variables = self.process.env().iter().flatten();
        let path = variables
            .filter_map(|variable| variable.strip_prefix("PATH="))
            .next_back();
        let path = path.unwrap_or("/bin:/usr/bin");
        let mut refusal = None;
        for folder in path.split(':') {
            let folder = if folder.is_empty() { "." } else { folder };
            let candidate = self.process.cwd().join(folder).join(name);
            match executable(&candidate) {
                Ok(()) => return Ok(candidate),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    refusal = Some(error);
                }
                Err(_) => {}
            }
        }
        let not_found = || {
            io::Error::new(
                io::ErrorKind::NotFound,
                "executable file not found in $PATH",
            )
        };
        Err(refusal.unwrap_or_else(not_found))
    }

    /// Becomes the process's user with its privileges, arranges descriptors and executes. Returns
    /// only if that failed.
    pub(crate) fn execute(&mut self, executable: &Executable, channel: &mut Channel) -> Failure {
        match self.become_user(channel) {
            Ok(()) => {
                let error = sys::process::execve(
                    &executable.path,
                    &executable.arguments,
                    &executable.environment,
                );
                let name = executable.arguments[0].to_string_lossy();
                Failure::new(Step::Executable, name, &error)
            }
            Err(failure) => failure,
        }
    }

    fn become_user(&mut self, channel: &mut Channel) -> Result<(), Failure> {
        let user = self.process.user();
        let sets = Sets::new(self.process.capabilities().as_ref())?;
        self.security_labels()?;
        sets.bound()?;
        self.enter_working_directory()?;
        let umask = user.umask().unwrap_or(0o022);
        rustix::process::umask(Mode::from_raw_mode(umask & 0o777));
        take_ids(user, self.in_user_namespace)?;
        if self.dies_with_parent {
            // After the ids: the kernel forgets it when they change.
            let signal = Some(rustix::process::Signal::KILL);
            rustix::process::set_parent_process_death_signal(signal).at(Step::Ids, "parent")?;
        }
        sys::process::reset_signals().at(Step::Descriptors, "signals")?;
        let above = i32::try_from(self.keep_fds.len()).unwrap_or(i32::MAX - 3) + 3;
        channel.move_above(above).at(Step::Descriptors, "channel")?;
        if let Some((listener, _)) = &mut self.notify {
            listener
                .move_above(above)
                .at(Step::Descriptors, "listener")?;
        }
        let kept: Vec<_> = self.keep_fds.iter().map(AsFd::as_fd).collect();
        sys::process::place_from_three(&kept).at(Step::Descriptors, "kept ones")?;
        sys::process::close_on_exec_from(above.cast_unsigned())
            .at(Step::Descriptors, "the others")?;
        let no_new_privileges = self.process.no_new_privileges() == Some(true);
        if no_new_privileges {
            rustix::thread::set_no_new_privs(true).at(Step::Security, "no_new_privs")?;
        }
        match self.filter {
            None => sets.apply(),
            // As late as possible, so that the filter has to allow as little as possible of what
            // is still to be done. Without `no_new_privs` loading needs a privilege, and with it
            // the privileges can be gone before.
            Some(filter) if no_new_privileges => {
                sets.apply()?;
                self.load(filter)
            }
            Some(filter) => {
                sets.apply_with(CapabilitySet::SYS_ADMIN)?;
                self.load(filter)?;
                sets.apply()
            }
        }
    }

    fn load(&self, filter: &Filter) -> Result<(), Failure> {
        let fd = filter.load().at(Step::Seccomp, "filter")?;
        match (fd, &self.notify) {
            (Some(fd), Some((listener, state))) => listener.send(&fd, state),
            (Some(_), None) => Err(Failure::said(
                Step::Seccomp,
                "filter",
                "it has no listenerPath",
            )),
            (None, _) => Ok(()),
        }
    }

    fn enter_working_directory(&self) -> Result<(), Failure> {
        let cwd = self.process.cwd().as_path();
        let name = cwd.display();
        if !cwd.is_absolute() {
            return Err(Failure::said(
                Step::WorkingDirectory,
                name,
                "it is not absolute",
            ));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = rustix::fs::ResolveFlags::NO_MAGICLINKS;
        let open = || rustix::fs::openat2(rustix::fs::CWD, cwd, flags, Mode::empty(), resolve);
        let folder = match open() {
            Err(rustix::io::Errno::NOENT) => {
                std::fs::create_dir_all(cwd).at(Step::WorkingDirectory, &name)?;
                open()
            }
            other => other,
        };
        let folder = folder.at(Step::WorkingDirectory, &name)?;
        rustix::process::fchdir(folder).at(Step::WorkingDirectory, &name)?;
        // A descriptor of the host must not have led out of the root.
        match rustix::process::getcwd(Vec::new()) {
            Ok(path) if path.as_bytes().starts_with(b"/") => Ok(()),
            _ => Err(Failure::said(
                Step::WorkingDirectory,
                name,
                "it is outside the root",
            )),
        }
    }

    fn security_labels(&self) -> Result<(), Failure> {
        if let Some(profile) = self
            .process
            .apparmor_profile()
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            write_label("apparmor/exec", &format!("exec {profile}"))
                .or_else(|_| write_label("exec", &format!("exec {profile}")))
                .at(Step::Security, profile)?;
        }
        match self.process.selinux_label().as_deref() {
            None | Some("") => Ok(()),
            Some(label) => write_label("exec", label).at(Step::Security, label),
        }
    }
}

/// Writes to an attribute of this process on what is verified to be the proc filesystem.
fn write_label(file: &str, value: &str) -> io::Result<()> {
    let path = format!("/proc/thread-self/attr/{file}");
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    if rustix::fs::fstatfs(&file)?.f_type != rustix::fs::PROC_SUPER_MAGIC {
        return Err(io::ErrorKind::InvalidData.into());
    }
    rustix::io::write(&file, value.as_bytes())?;
    Ok(())
}

fn executable(path: &Path) -> io::Result<()> {
    let stat = rustix::fs::stat(path)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is a folder",
        ));
    }
    rustix::fs::accessat(rustix::fs::CWD, path, Access::EXEC_OK, AtFlags::empty())?;
    Ok(())
}

/// `HOME` of a user by the container's own `/etc/passwd`, `/` without an entry.
fn home_of(uid: u32) -> CString {
    let table = std::fs::read("/etc/passwd").unwrap_or_default();
    let uid = uid.to_string();
    let home = table.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        (fields.nth(2)? == uid.as_bytes()).then_some(())?;
        fields.nth(2)
    });
    let home = OsStr::from_bytes(home.unwrap_or(b"/"));
    let mut variable = b"HOME=".to_vec();
    variable.extend(home.as_bytes().iter().filter(|byte| **byte != 0));
    CString::new(variable).unwrap_or_default()
}

fn take_ids(user: &User, in_user_namespace: bool) -> Result<(), Failure> {
    let groups = user.additional_gids().iter().flatten();
    let groups: Vec<_> = groups.map(|gid| Gid::from_raw(*gid)).collect();
    rustix::thread::set_keep_capabilities(true).at(Step::Ids, "keep capabilities")?;
    match rustix::thread::set_thread_groups(&groups) {
        // A user namespace made without privileges forbids it; no groups asked, none lost.
        Err(rustix::io::Errno::PERM) if in_user_namespace && groups.is_empty() => {}
        other => other.at(Step::Ids, "additional groups")?,
    }
    let gid = Gid::from_raw(user.gid());
    rustix::thread::set_thread_res_gid(gid, gid, gid)
        .at(Step::Ids, format!("gid {}", user.gid()))?;
    let uid = Uid::from_raw(user.uid());
    rustix::thread::set_thread_res_uid(uid, uid, uid)
        .at(Step::Ids, format!("uid {}", user.uid()))?;
    rustix::thread::set_keep_capabilities(false).at(Step::Ids, "keep capabilities")
}

fn set_limit(limit: &PosixRlimit) -> Result<(), Failure> {
    let resource = match limit.typ() {
        PosixRlimitType::RlimitCpu => Resource::Cpu,
        PosixRlimitType::RlimitFsize => Resource::Fsize,
        PosixRlimitType::RlimitData => Resource::Data,
        PosixRlimitType::RlimitStack => Resource::Stack,
        PosixRlimitType::RlimitCore => Resource::Core,
        PosixRlimitType::RlimitRss => Resource::Rss,
        PosixRlimitType::RlimitNproc => Resource::Nproc,
        PosixRlimitType::RlimitNofile => Resource::Nofile,
        PosixRlimitType::RlimitMemlock => Resource::Memlock,
        PosixRlimitType::RlimitAs => Resource::As,
        PosixRlimitType::RlimitLocks => Resource::Locks,
        PosixRlimitType::RlimitSigpending => Resource::Sigpending,
        PosixRlimitType::RlimitMsgqueue => Resource::Msgqueue,
        PosixRlimitType::RlimitNice => Resource::Nice,
        PosixRlimitType::RlimitRtprio => Resource::Rtprio,
        PosixRlimitType::RlimitRttime => Resource::Rttime,
    };
    let value = |number: u64| (number != u64::MAX).then_some(number);
    let new = Rlimit {
        current: value(limit.soft()),
        maximum: value(limit.hard()),
    };
    rustix::process::setrlimit(resource, new).at(
        Step::Limit,
        format!("{} {}:{}", limit.typ(), limit.soft(), limit.hard()),
    )
}

fn set_scheduler(scheduler: &Scheduler) -> Result<(), Failure> {
    use oci::runtime::{LinuxSchedulerFlag as Flag, LinuxSchedulerPolicy as Policy};
    let policy = match scheduler.policy() {
        Policy::SchedOther => 0,
        Policy::SchedFifo => 1,
        Policy::SchedRr => 2,
        Policy::SchedBatch => 3,
        Policy::SchedIso => 4,
        Policy::SchedIdle => 5,
        Policy::SchedDeadline => 6,
    };
    let flags = scheduler.flags().iter().flatten().fold(0, |flags, flag| {
        flags
            | match flag {
                Flag::SchedResetOnFork => 0x01,
                Flag::SchedFlagReclaim => 0x02,
                Flag::SchedFlagDLOverrun => 0x04,
                Flag::SchedFlagKeepPolicy => 0x08,
                Flag::SchedFlagKeepParams => 0x10,
                Flag::SchedFlagUtilClampMin => 0x20,
                Flag::SchedFlagUtilClampMax => 0x40,
            }
    });
    let wanted = sys::process::Scheduler {
        policy,
        flags,
        nice: scheduler.nice().unwrap_or(0),
        priority: u32::try_from(scheduler.priority().unwrap_or(0)).unwrap_or(0),
        runtime: scheduler.runtime().unwrap_or(0),
        deadline: scheduler.deadline().unwrap_or(0),
        period: scheduler.period().unwrap_or(0),
    };
    sys::process::set_scheduler(&wanted).at(Step::Scheduling, "scheduler")
}

fn set_io_priority(priority: &LinuxIOPriority) -> Result<(), Failure> {
    use oci::runtime::IOPriorityClass as Class;
    let class = match priority.class() {
        Class::IoprioClassRt => 1,
        Class::IoprioClassBe => 2,
        Class::IoprioClassIdle => 3,
    };
    let level = u16::try_from(priority.priority()).unwrap_or(0);
    sys::process::set_io_priority(class, level).at(Step::Scheduling, "I/O priority")
}
