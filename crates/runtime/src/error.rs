//! What can go wrong, in the calling process or in the new one.

use std::fmt;
use std::io;

macro_rules! steps {
    ($($name:ident => $text:literal, $doc:literal;)*) => {
        /// What the new process was doing when it failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Step { $(#[doc = $doc] $name,)* }

        impl Step {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

steps! {
    Namespace => "enter the namespace", "Making or joining namespaces.";
    Group => "enter the control group", "Entering the control groups.";
    Ids => "take the id", "Becoming the root user of a user namespace, or the process's user.";
    Hostname => "set the name", "Host and domain name.";
    Rootfs => "prepare the root filesystem", "Opening, attaching and entering the root.";
    Mount => "mount", "One of the spec's mounts.";
    Device => "make the device", "A node or link in `/dev`.";
    Terminal => "set up the terminal", "The pty and `/dev/console`.";
    Mask => "hide the path", "A masked path.";
    ReadOnly => "make read-only", "A read-only path.";
    Sysctl => "set the kernel parameter", "A sysctl.";
    Hook => "run the hook", "A hook that runs in the container.";
    Limit => "set the resource limit", "An rlimit.";
    Scheduling => "set the scheduling", "CPU or I/O scheduling, personality, memory policy.";
    WorkingDirectory => "chdir to the working directory", "`process.cwd`.";
    Capabilities => "set the capabilities", "One of the five sets.";
    Security => "set the security label", "AppArmor, SELinux, `no_new_privs`.";
    Seccomp => "load the seccomp filter", "The filter.";
    Descriptors => "arrange descriptors", "Standard streams and kept descriptors.";
    Executable => "execute", "Finding or executing the program.";
    Protocol => "talk to the runtime", "The channel to the parent.";
}

impl Step {
    pub(crate) fn number(self) -> u8 {
        // A unit enum with fewer than 256 variants.
        self as u8
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

/// A failure inside the new process, as it told it to its parent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step} `{object}`: {cause}")]
pub struct Failure {
    /// What it was doing.
    pub step: Step,
    /// What it did it to.
    pub object: String,
    /// What the kernel said.
    pub cause: String,
    /// The error number, 0 if there is none.
    pub errno: i32,
}

impl Failure {
    pub(crate) fn new(step: Step, object: impl fmt::Display, error: &io::Error) -> Self {
        Self {
            step,
            object: object.to_string(),
            cause: cause(error),
            errno: error.raw_os_error().unwrap_or(match error.kind() {
                io::ErrorKind::NotFound => rustix::io::Errno::NOENT.raw_os_error(),
                io::ErrorKind::PermissionDenied => rustix::io::Errno::ACCESS.raw_os_error(),
                _ => 0,
            }),
        }
    }

    pub(crate) fn said(step: Step, object: impl fmt::Display, cause: &str) -> Self {
        Self {
            step,
            object: object.to_string(),
            cause: cause.to_owned(),
            errno: 0,
        }
    }
}

/// The kernel's words without the number that the standard library appends.
fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) if error.raw_os_error().is_some() => words.to_owned(),
        _ => text,
    }
}

/// Names step and object of an error in the new process.
pub(crate) trait At<T> {
    fn at(self, step: Step, object: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, step: Step, object: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(step, object, &error.into()))
    }
}

/// An error of the runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The new process could not be set up.
    #[error(transparent)]
    Child(#[from] Failure),
    /// A system call of the calling process failed.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The configuration contradicts itself or asks for what does not exist.
    #[error("config.json: {0}")]
    Spec(String),
    /// The seccomp profile cannot be compiled.
    #[error(transparent)]
    Seccomp(#[from] crate::seccomp::SeccompError),
    /// The new process ended without a word.
    #[error("the container's process ended before it was ready")]
    Vanished,
    /// A hook failed.
    #[error("{kind} hook {path}: {reason}")]
    Hook {
        /// Which list it is in.
        kind: &'static str,
        /// Its program.
        path: String,
        /// What happened to it.
        reason: String,
    },
}

/// Names the action of an error in the calling process.
pub(crate) trait During<T> {
    fn during(self, action: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> During<T> for Result<T, E> {
    fn during(self, action: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::Io {
            action: action(),
            source: error.into(),
        })
    }
}
