//! Shell completions and man pages, made from the definitions that the commands are parsed with.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use super::{GROUPS, TABLE};
use crate::app::{self, Verb};
use crate::console;
use crate::settings::Session;

/// Generate the autocompletion script for the specified shell
#[derive(Args)]
pub(crate) struct Completion {
    #[arg(value_name = "bash|elvish|fish|powershell|zsh", hide = true)]
    shell: Shell,
}

impl Verb for Completion {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let program = session.settings.program;
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree(program), program, &mut script);
        console::print(&String::from_utf8_lossy(&script))
    }
}

/// Write the man pages into a folder
#[derive(Args)]
pub(crate) struct Man {
    /// Folder to write to
    #[arg(long, value_name = "string")]
    dir: PathBuf,
}

impl Verb for Man {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot make {}", self.dir.display()))?;
        let mut root = tree(session.settings.program);
        root.build();
        pages(&root, session.settings.program, &self.dir)
    }
}

/// A page for the command and for each below it: `corten-container-run.1`.
fn pages(command: &Command, name: &str, folder: &Path) -> anyhow::Result<()> {
    let page = clap_mangen::Man::new(command.clone()).title(name.to_uppercase());
    let mut text = Vec::new();
    page.render(&mut text)?;
    let path = folder.join(format!("{name}.1"));
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        pages(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}

/// Every command as one tree.
fn tree(program: &'static str) -> Command {
    let mut root = app::root(program).about("Build, run and ship containers");
    for entry in TABLE {
        let short = std::iter::once(&entry.name)
            .chain(entry.aliases)
            .find(|name| !name.contains(' '));
        root = root.subcommands(short.map(|name| entry.command(program, name)));
    }
    for group in GROUPS {
        let commands = group
            .commands()
            .map(|(_, entry)| entry.command(program, entry.name));
        root = root.subcommand(
            Command::new(group.name)
                .about(group.about)
                .subcommands(commands),
        );
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_sound() {
        tree("corten").debug_assert();
    }

    #[test]
    fn completions_know_flags() {
        let mut script = Vec::new();
        clap_complete::generate(Shell::Bash, &mut tree("corten"), "corten", &mut script);
        let script = String::from_utf8(script).unwrap();
        for word in ["--read-only", "container", "images", "--no-trunc"] {
            assert!(script.contains(word), "{word}");
        }
        assert!(
            !script.contains("--publish"),
            "a flag that is not served is not offered"
        );
    }

    #[test]
    fn man_pages() {
        let folder = tempfile::tempdir().unwrap();
        let mut root = tree("corten");
        root.build();
        pages(&root, "corten", folder.path()).unwrap();
        let run = std::fs::read_to_string(folder.path().join("corten-run.1")).unwrap();
        assert!(run.contains("Create and run a new container"));
        assert!(!folder.path().join("corten-man.1").exists());
    }
}
