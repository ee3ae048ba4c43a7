//! The table of commands, one file per command.

mod archive;
mod attach;
mod build;
mod completion;
mod cp;
mod create;
mod diff;
mod engine;
mod events;
mod exec;
mod image;
mod image_ls;
mod inspect;
mod lifecycle;
mod logs;
mod prune;
mod ps;
mod run;
mod start;
mod system;
mod volume;

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
    Entry::of::<logs::Logs>(
        "container logs",
        &["logs"],
        "CONTAINER",
        "Fetch the logs of a container",
    ),
    Entry::of::<cp::Copy>(
        "container cp",
        &["cp"],
        "CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH",
        "Copy files/folders between a container and the local filesystem",
    ),
    Entry::of::<diff::Diff>(
        "container diff",
        &["diff"],
        "CONTAINER",
        "Inspect changes to files or directories on a container's filesystem",
    ),
    Entry::of::<diff::Top>(
        "container top",
        &["top"],
        "CONTAINER [ps OPTIONS]",
        "Display the running processes of a container",
    ),
    Entry::of::<diff::Port>(
        "container port",
        &["port"],
        "CONTAINER [PRIVATE_PORT[/PROTO]]",
        "List port mappings or a specific mapping for the container",
    ),
    Entry::of::<archive::Export>(
        "container export",
        &["export"],
        "CONTAINER",
        "Export a container's filesystem as a tar archive",
    ),
    Entry::of::<inspect::OfContainer>(
        "container inspect",
        &[],
        "CONTAINER [CONTAINER...]",
        "Display detailed information on one or more containers",
    ),
    Entry::of::<inspect::Inspect>(
        "inspect",
        &[],
        "NAME|ID [NAME|ID...]",
        "Return low-level information on objects",
    ),
    Entry::of::<image::Tag>(
        "image tag",
        &["tag"],
        "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
        "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    ),
    Entry::of::<image::Remove>(
        "image rm",
        &["rmi", "image remove"],
        "IMAGE [IMAGE...]",
        "Remove one or more images",
    ),
    Entry::of::<image::History>(
        "image history",
        &["history"],
        "IMAGE",
        "Show the history of an image",
    ),
    Entry::of::<inspect::OfImage>(
        "image inspect",
        &[],
        "IMAGE [IMAGE...]",
        "Display detailed information on one or more images",
    ),
    Entry::of::<archive::Save>(
        "image save",
        &["save"],
        "IMAGE [IMAGE...]",
        "Save one or more images to a tar archive (streamed to STDOUT by default)",
    ),
    Entry::of::<archive::Load>(
        "image load",
        &["load"],
        "",
        "Load an image from a tar archive or STDIN",
    ),
    Entry::of::<archive::Import>(
        "image import",
        &["import"],
        "file|- [REPOSITORY[:TAG]]",
        "Import the contents from a tarball to create a filesystem image",
    ),
    Entry::of::<events::Events>(
        "system events",
        &["events"],
        "",
        "Get real time events from the server",
    ),
    Entry::of::<prune::Containers>("container prune", &[], "", "Remove all stopped containers"),
    Entry::of::<prune::Images>("image prune", &[], "", "Remove unused images"),
    Entry::of::<prune::Volumes>("volume prune", &[], "", "Remove unused local volumes"),
    Entry::of::<prune::Networks>("network prune", &[], "", "Remove all unused networks"),
    Entry::of::<prune::Cache>("builder prune", &[], "", "Remove build cache"),
    Entry::of::<prune::Everything>("system prune", &[], "", "Remove unused data"),
    Entry::of::<system::DiskUsage>("system df", &[], "", "Show disk usage"),
    Entry::of::<system::Fsck>("system fsck", &[], "", "Check the store"),
    Entry::of::<system::Info>(
        "system info",
        &["info"],
        "",
        "Display system-wide information",
    ),
    Entry::of::<system::Versions>("version", &[], "", "Show the Corten version information"),
    Entry::of::<engine::Status>("engine status", &[], "", "Show whether the engine runs"),
    Entry::of::<engine::Stop>("engine stop", &[], "", "Stop the engine; containers go on"),
    Entry::of::<completion::Completion>(
        "completion",
        &[],
        "SHELL",
        "Generate the autocompletion script for the specified shell",
    ),
    Entry::of::<completion::Man>(
        "man",
        &[],
        "--dir FOLDER",
        "Write the man pages into a folder",
    )
    .hide(),
    Entry::of::<volume::Volumes>("volume ls", &["volume list"], "", "List volumes"),
    Entry::of::<inspect::OfVolume>(
        "volume inspect",
        &[],
        "VOLUME [VOLUME...]",
        "Display detailed information on one or more volumes",
    ),
    Entry::of::<volume::Networks>("network ls", &["network list"], "", "List networks"),
    Entry::of::<inspect::OfNetwork>(
        "network inspect",
        &[],
        "NETWORK [NETWORK...]",
        "Display detailed information on one or more networks",
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
