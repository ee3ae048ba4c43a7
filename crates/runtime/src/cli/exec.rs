//! `exec`: another process in a container, and what it shares with `run`.

use std::fs;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use oci::runtime::{Capability, LinuxCapabilities, Process, User};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};

use super::Outcome;
use super::arguments::Exec;
use super::record::{Root, Status, read_document};
use super::relay;
use super::report::{CliError, Doing};
use crate::{ExecOptions, seccomp};

/// `exec`
pub(super) fn exec(root: &Root, options: &Exec) -> Outcome {
    let record = root.load(&options.id)?;
    match record.status(root)? {
        Status::Running | Status::Created => {}
        Status::Paused if options.ignore_paused => {}
        other => {
            return Err(CliError::WrongState {
                id: options.id.clone(),
                is: other.word(),
                needed: "running",
            });
        }
    }
    let spec = root.config(&options.id)?;
    let mut process: Process = match &options.process {
        Some(path) => read_document(path)?,
        None => of_flags(options, spec.process().as_ref())?,
    };
    if let Some(tty) = options.tty {
        process.set_terminal(Some(tty));
    }
    let linux = spec.linux().as_ref();
    let profile = linux.and_then(|linux| linux.seccomp().as_ref());
    let filter = profile
        .map(|profile| seccomp::Rules::try_from(profile).and_then(|rules| rules.compile()))
        .transpose()
        .map_err(crate::Error::from)?;
    let console = options
        .console_socket
        .as_deref()
        .map(connect_console)
        .transpose()?;
    if let Some(path) = options.cgroup.as_deref()
        && Path::new(path)
            .components()
            .any(|name| name == Component::ParentDir)
    {
        return Err(CliError::Usage(format!(
            "cgroup `{path}`: `..` components are not allowed"
        )));
    }
    let mut exec = ExecOptions::new(&process);
    exec.filter = filter;
    exec.keep_fds = super::run::preserved(options.preserve_fds)?;
    exec.cgroup = options.cgroup.as_deref().map(Path::new);
    let mut running = record.container()?.exec(exec)?;
    if let Some(path) = &options.pid_file {
        write_pid(path, running.pid().as_raw_nonzero().get())?;
    }
    if let (Some(console), Some(terminal)) = (&console, running.terminal()) {
        send_terminal(console, terminal)?;
        drop(running.take_terminal());
    }
    match options.detach {
        true => Ok(0),
        false => relay::wait(&mut running),
    }
}

/// The container's own process, changed as the flags say.
fn of_flags(options: &Exec, base: Option<&Process>) -> Result<Process, CliError> {
    if options.command.is_empty() {
        return Err(CliError::Usage(
            "exec needs a command or --process".to_owned(),
        ));
    }
    let mut process = base.cloned().unwrap_or_default();
    process.set_args(Some(options.command.clone()));
    process.set_terminal(Some(false));
    let mut environment = process.env().clone().unwrap_or_default();
    for variable in &options.env {
        let (name, _) = variable.split_once('=').unwrap_or((variable, ""));
        environment.retain(|other| other.split_once('=').is_none_or(|(known, _)| known != name));
        environment.push(variable.clone());
    }
    process.set_env(Some(environment));
    if let Some(cwd) = &options.cwd {
        process.set_cwd(cwd.clone());
    }
    if let Some(user) = &options.user {
        process.set_user(parse_user(user)?);
    }
    if !options.additional_gids.is_empty() {
        let mut groups = process.user().additional_gids().clone().unwrap_or_default();
        groups.extend(&options.additional_gids);
        process.user_mut().set_additional_gids(Some(groups));
    }
    if options.no_new_privs {
        process.set_no_new_privileges(Some(true));
    }
    if let Some(profile) = &options.apparmor {
        process.set_apparmor_profile(Some(profile.clone()));
    }
    if let Some(label) = &options.process_label {
        process.set_selinux_label(Some(label.clone()));
    }
    if !options.cap.is_empty() {
        add_capabilities(&mut process, &options.cap)?;
    }
    Ok(process)
}

fn parse_user(text: &str) -> Result<User, CliError> {
    let number = |text: &str| {
        text.parse()
            .map_err(|_| CliError::Usage(format!("`{text}` is no numeric id")))
    };
    let (uid, gid) = text.split_once(':').unwrap_or((text, "0"));
    let mut user = User::default();
    user.set_uid(number(uid)?).set_gid(number(gid)?);
    Ok(user)
}

fn add_capabilities(process: &mut Process, names: &[String]) -> Result<(), CliError> {
    let mut added = Vec::new();
    for name in names {
        let upper = name.to_uppercase();
        let full = match upper.starts_with("CAP_") {
            true => upper,
            false => format!("CAP_{upper}"),
        };
        let known = crate::capabilities::all().into_iter();
        let found: Option<Capability> = known
            .into_iter()
            .find(|capability| crate::capabilities::name(*capability) == full);
        added.push(found.ok_or_else(|| CliError::Usage(format!("unknown capability `{name}`")))?);
    }
    let mut sets = match process.capabilities() {
        Some(sets) => sets.clone(),
        None => {
            let mut none = LinuxCapabilities::default();
            none.set_bounding(None)
                .set_effective(None)
                .set_permitted(None);
            none.set_inheritable(None).set_ambient(None);
            none
        }
    };
    let with = |set: &Option<std::collections::HashSet<Capability>>| {
        let mut set = set.clone().unwrap_or_default();
        set.extend(&added);
        Some(set)
    };
    let (bounding, effective) = (with(sets.bounding()), with(sets.effective()));
    let permitted = with(sets.permitted());
    sets.set_bounding(bounding)
        .set_effective(effective)
        .set_permitted(permitted);
    process.set_capabilities(Some(sets));
    Ok(())
}

/// Connects to the socket that wants the terminal.
pub(super) fn connect_console(path: &Path) -> Result<OwnedFd, CliError> {
    let action = || format!("connect to the console socket {}", path.display());
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .doing(action)?;
    let address = SocketAddrUnix::new(path).doing(action)?;
    rustix::net::connect(&socket, &address).doing(action)?;
    Ok(socket)
}

/// Sends the terminal's master side.
pub(super) fn send_terminal(socket: &OwnedFd, terminal: BorrowedFd<'_>) -> Result<(), CliError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds = [terminal.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(b"/dev/ptmx")],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )
    .doing(|| "send the terminal".to_owned())?;
    Ok(())
}

/// Writes a process id for whoever supervises it, whole or not at all.
pub(super) fn write_pid(path: &Path, pid: i32) -> Result<(), CliError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let new = path.with_file_name(name);
    fs::write(&new, pid.to_string())
        .and_then(|()| fs::rename(&new, path))
        .doing(|| format!("write {}", path.display()))
}
