//! Which parts of which instructions have variables.

use super::{Add, Arg, Copy, Expose, From, Instruction, Pair, Source, SourceFile, Volume};
use crate::{Diagnostic, Expanded, Expander, Spanned};

type Result<T> = std::result::Result<T, Diagnostic>;

/// Expands one word after another and keeps the names.
struct Words<'e, 'a> {
    expander: &'e Expander<'a>,
    names: Expanded<()>,
}

impl Words<'_, '_> {
    fn word(&mut self, word: &mut Spanned<String>) -> Result<()> {
        *word = self.names.absorb(self.expander.word(word)?);
        Ok(())
    }

    fn maybe(&mut self, word: &mut Option<Spanned<String>>) -> Result<()> {
        word.as_mut().map_or(Ok(()), |word| self.word(word))
    }

    fn pairs(&mut self, pairs: &mut [Pair]) -> Result<()> {
        pairs.iter_mut().try_for_each(|pair| {
            self.word(&mut pair.name)?;
            self.word(&mut pair.value)
        })
    }

    fn sources(&mut self, sources: &mut [Source]) -> Result<()> {
        sources.iter_mut().try_for_each(|source| match source {
            Source::Path(path) => self.word(path),
            Source::File(file) if file.expand => self.body(file),
            Source::File(_) => Ok(()),
        })
    }

    fn body(&mut self, file: &mut SourceFile) -> Result<()> {
        let body = self.expander.body(&file.content, file.span)?;
        file.content = self.names.absorb(body);
        Ok(())
    }

    fn add(&mut self, add: &mut Add) -> Result<()> {
        self.sources(&mut add.sources)?;
        self.word(&mut add.destination)?;
        self.maybe(&mut add.chown)?;
        self.maybe(&mut add.chmod)?;
        self.maybe(&mut add.checksum)
    }

    fn copy(&mut self, copy: &mut Copy) -> Result<()> {
        self.sources(&mut copy.sources)?;
        self.word(&mut copy.destination)?;
        self.maybe(&mut copy.chown)?;
        self.maybe(&mut copy.chmod)
    }

    fn arg(&mut self, arg: &mut Arg) -> Result<()> {
        arg.items.iter_mut().try_for_each(|item| {
            self.word(&mut item.name)?;
            self.maybe(&mut item.default)
        })
    }

    fn expose(&mut self, expose: &mut Expose) -> Result<()> {
        let mut ports = Vec::new();
        for port in &expose.ports {
            ports.extend(self.names.absorb(self.expander.words(port)?));
        }
        expose.ports = ports;
        Ok(())
    }

    fn volume(&mut self, volume: &mut Volume) -> Result<()> {
        volume.paths.iter_mut().try_for_each(|path| self.word(path))
    }
}

impl Instruction {
    /// The instruction with its variables replaced, wherever this instruction expands them. The
    /// mounts of `RUN` are expanded by [`super::Run::mounts`]. `ARG` items see the same values;
    /// expand the items one by one where each must see those before it.
    pub fn expand(&self, expander: &Expander<'_>) -> Result<Expanded<Self>> {
        let mut words = Words {
            expander,
            names: Expanded::default(),
        };
        let mut result = self.clone();
        match &mut result {
            Self::Add(add) => words.add(add)?,
            Self::Arg(arg) => words.arg(arg)?,
            Self::Copy(copy) => words.copy(copy)?,
            Self::Env(env) => words.pairs(&mut env.pairs)?,
            Self::Label(label) => words.pairs(&mut label.pairs)?,
            Self::Expose(expose) => words.expose(expose)?,
            Self::StopSignal(stop) => words.word(&mut stop.signal)?,
            Self::User(user) => words.word(&mut user.user)?,
            Self::Volume(volume) => words.volume(volume)?,
            Self::Workdir(workdir) => words.word(&mut workdir.path)?,
            Self::Cmd(_)
            | Self::Entrypoint(_)
            | Self::HealthCheck(_)
            | Self::Maintainer(_)
            | Self::OnBuild(_)
            | Self::Run(_)
            | Self::Shell(_) => {}
        }
        Ok(words.names.map(|()| result))
    }
}

impl From {
    /// `FROM` with its variables replaced; only global arguments are seen here.
    pub fn expand(&self, expander: &Expander<'_>) -> Result<Expanded<Self>> {
        let mut words = Words {
            expander,
            names: Expanded::default(),
        };
        let mut result = self.clone();
        words.word(&mut result.image)?;
        words.maybe(&mut result.platform)?;
        Ok(words.names.map(|()| result))
    }
}
