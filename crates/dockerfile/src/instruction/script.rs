//! What `RUN` executes.

use super::{CommandLine, Run, Script};
use crate::{Diagnostic, Expanded, Expander, Mount, heredoc};

impl Run {
    /// What it executes. A single here-document that is the whole command is the script itself;
    /// any other is put back below the command, for the shell to read.
    pub fn script(&self) -> Script {
        let text = match &self.command {
            CommandLine::Exec(arguments) => {
                let arguments = arguments.iter().map(|argument| argument.value.clone());
                return Script::Exec(arguments.collect());
            }
            CommandLine::Shell(text) => text,
        };
        let single = heredoc::delimiter(text).and_then(|_| self.heredocs.first());
        match single {
            Some(heredoc) if heredoc.content.starts_with("#!") => Script::File {
                name: heredoc.name.clone(),
                content: heredoc.body().into_owned(),
            },
            Some(heredoc) => Script::Shell(heredoc.body().into_owned()),
            None => {
                let mut full = text.value.clone();
                for heredoc in &self.heredocs {
                    full = format!("{full}\n{}{}", heredoc.content, heredoc.name);
                }
                Script::Shell(full)
            }
        }
    }

    /// The mounts with their variables replaced and all values typed.
    pub fn mounts(&self, expander: &Expander<'_>) -> Result<Expanded<Vec<Mount>>, Diagnostic> {
        let mut all = Expanded::<()>::default();
        let mut mounts = Vec::new();
        for flag in &self.mount_flags {
            mounts.push(all.absorb(flag.expand(expander)?));
        }
        Ok(all.map(|()| mounts))
    }
}
