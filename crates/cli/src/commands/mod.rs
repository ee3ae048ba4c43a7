//! The table of commands, one file per command.

mod attach;
mod build;
mod create;
mod exec;
mod image_ls;
mod lifecycle;
mod ps;
mod run;
mod start;

use crate::app::Entry;

/// A word that only groups commands.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

impl Group {
    /// The group's commands by their second word.
    pub(crate) fn commands(&self) -> impl Iterator<Item = (&'static str, &'static Entry)> {
        TABLE
            .iter()
            .filter(|entry| !entry.hidden)
            .filter_map(|entry| {
                let (group, word) = entry.name.split_once(' ')?;
                (group == self.name).then_some((word, entry))
            })
    }
}

const fn group(name: &'static str, about: &'static str) -> Group {
    Group { name, about }
}

/// All groups, by name.
pub(crate) const GROUPS: &[Group] = &[
    group("builder", "Manage the build cache"),
    group("container", "Manage containers"),
    group("engine", "Manage the engine"),
    group("image", "Manage images"),
    group("network", "Manage networks"),
    group("system", "Manage Corten"),
    group("volume", "Manage volumes"),
];

/// All commands. Their order is that of help.
pub(crate) static TABLE: &[Entry] = &[
    Entry::of::<run::Run>(
        "container run",
        &["run"],
        "IMAGE [COMMAND] [ARG...]",
        "Create and run a new container from an image",
    ),
    Entry::of::<create::Create>(
        "container create",
        &["create"],
        "IMAGE [COMMAND] [ARG...]",
        "Create a new container",
    ),
    Entry::of::<start::Start>(
        "container start",
        &["start"],
        "CONTAINER [CONTAINER...]",
        "Start one or more stopped containers",
    ),
    Entry::of::<lifecycle::Stop>(
        "container stop",
        &["stop"],
        "CONTAINER [CONTAINER...]",
        "Stop one or more running containers",
    ),
    Entry::of::<lifecycle::Restart>(
        "container restart",
        &["restart"],
        "CONTAINER [CONTAINER...]",
        "Restart one or more containers",
    ),
    Entry::of::<lifecycle::Kill>(
        "container kill",
        &["kill"],
        "CONTAINER [CONTAINER...]",
        "Kill one or more running containers",
    ),
    Entry::of::<lifecycle::Pause>(
        "container pause",
        &["pause"],
        "CONTAINER [CONTAINER...]",
        "Pause all processes within one or more containers",
    ),
    Entry::of::<lifecycle::Unpause>(
        "container unpause",
        &["unpause"],
        "CONTAINER [CONTAINER...]",
        "Unpause all processes within one or more containers",
    ),
    Entry::of::<lifecycle::Wait>(
        "container wait",
        &["wait"],
        "CONTAINER [CONTAINER...]",
        "Block until one or more containers stop, then print their exit codes",
    ),
    Entry::of::<lifecycle::Remove>(
        "container rm",
        &["rm", "container remove"],
        "CONTAINER [CONTAINER...]",
        "Remove one or more containers",
    ),
    Entry::of::<lifecycle::Rename>(
        "container rename",
        &["rename"],
        "CONTAINER NEW_NAME",
        "Rename a container",
    ),
    Entry::of::<ps::Ps>(
        "container ls",
        &["ps", "container list", "container ps"],
        "",
        "List containers",
    ),
    Entry::of::<exec::Exec>(
        "container exec",
        &["exec"],
        "CONTAINER COMMAND [ARG...]",
        "Execute a command in a running container",
    ),
    Entry::of::<attach::Attach>(
        "container attach",
        &["attach"],
        "CONTAINER",
        "Attach local standard input, output, and error streams to a running container",
    ),
    Entry::of::<build::Build>(
        "image build",
        &["build", "builder build"],
        "PATH | -",
        "Build an image from a Dockerfile",
    ),
    Entry::of::<image_ls::Images>(
        "image ls",
        &["images", "image list"],
        "[REPOSITORY[:TAG]]",
        "List images",
    ),
];

/// What words name.
pub(crate) enum Found {
    /// A command, by so many words.
    Command(&'static Entry, usize),
    /// Only a group.
    Group(&'static Group),
    /// No words.
    Nothing,
    /// These words name nothing.
    Unknown(String),
}

/// Finds the command that words begin with.
pub(crate) fn find(words: &[&str]) -> Found {
    let Some(first) = words.first() else {
        return Found::Nothing;
    };
    let named = |name: &str| {
        TABLE
            .iter()
            .find(|entry| entry.name == name || entry.aliases.contains(&name))
    };
    if let Some(entry) = named(first) {
        return Found::Command(entry, 1);
    }
    let Some(group) = GROUPS.iter().find(|group| group.name == *first) else {
        return Found::Unknown((*first).to_owned());
    };
    match words.get(1) {
        None => Found::Group(group),
        Some(word) if word.starts_with('-') => Found::Group(group),
        Some(word) => {
            let name = format!("{first} {word}");
            named(&name).map_or(Found::Unknown(name), |entry| Found::Command(entry, 2))
        }
    }
}
