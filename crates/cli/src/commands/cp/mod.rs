//! `cp`: files between a container and this machine.

mod local;
mod plan;
mod stream;

use std::path::Path;

use anyhow::bail;
use api::Client;
use api::client::{ArchiveOptions, Body};
use api::container::PathStat;
use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::format::size;
use crate::settings::Session;
use crate::transfer;
use plan::{Place, Source, Target};

/// Copy files/folders between a container and the local filesystem
#[derive(Args)]
pub(crate) struct Copy {
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    archive: bool,
    /// Always follow symbol link in `SRC_PATH`
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Suppress progress output during copy
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "SRC_PATH", hide = true)]
    source: String,
    #[arg(value_name = "DEST_PATH", hide = true)]
    destination: String,
}

impl Verb for Copy {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match (Place::parse(&self.source), Place::parse(&self.destination)) {
            (Place::Container { .. }, Place::Container { .. }) => {
                bail!("copying between containers is not supported")
            }
            (Place::Container { name, path }, Place::Local(to)) => {
                self.get(&client, name, path, to).await
            }
            (Place::Local(from), Place::Container { name, path }) => {
                self.put(&client, from, name, path).await
            }
            _ => bail!("must specify at least one container source"),
        }
    }
}

impl Copy {
    async fn get(&self, client: &Client, name: &str, path: &str, to: &str) -> anyhow::Result<()> {
        let (wanted, contents) = plan::without_dot(path);
        let mut wanted = wanted.to_owned();
        let mut stat = existing(client, name, &wanted).await?;
        if stat.is_symlink() && (self.follow_link || contents || path.ends_with('/')) {
            wanted = plan::follow(&wanted, &stat.link_target);
            stat = existing(client, name, &wanted).await?;
        }
        if to == "-" {
            let (_, mut archive) = client.container_get_archive(name, &wanted).await?;
            let mut output = std::io::stdout().lock();
            while let Some(chunk) = archive.chunk().await? {
                std::io::Write::write_all(&mut output, &chunk)?;
            }
            return Ok(std::io::Write::flush(&mut output)?);
        }
        let source = Source {
            name: plan::last(path, &stat.name),
            is_dir: stat.is_dir(),
            contents,
        };
        let target = plan::target(&source, local::look(to), to)?;
        local::check_parent(&target)?;
        let (_, mut archive) = client.container_get_archive(name, &wanted).await?;
        let (send, reader) = stream::channel();
        let keep_owners = self.archive;
        let path = target.path().to_owned();
        let unpack = tokio::task::spawn_blocking(move || {
            local::unpack(reader, Path::new(&path), keep_owners)
        });
        while let Some(chunk) = archive.chunk().await? {
            // The unpacking thread stops at an error, which is the one to report.
            if send.send(chunk).await.is_err() {
                break;
            }
        }
        drop(send);
        let bytes = unpack.await??;
        self.say(bytes, to);
        Ok(())
    }

    async fn put(&self, client: &Client, from: &str, name: &str, path: &str) -> anyhow::Result<()> {
        let options = ArchiveOptions {
            no_overwrite_dir_non_dir: true,
            copy_uid_gid: self.archive,
        };
        let (to, found) = destination(client, name, path).await?;
        if from == "-" {
            if !found.unwrap_or(false) {
                bail!("destination \"{name}:{path}\" must be a directory");
            }
            let input = Body::reader(transfer::stdin()?);
            return Ok(client
                .container_put_archive(name, &to, options, input)
                .await?);
        }
        let source = local::source(from, self.follow_link)?;
        let target = plan::target(&source.facts, found, &to)?;
        let (folder, root) = match &target {
            Target::Contents(folder) => (folder.clone(), String::new()),
            Target::As(path) => plan::split(path),
        };
        let (archive, pack) = stream::packed(source.path, root)?;
        let put = client
            .container_put_archive(name, &folder, options, archive)
            .await;
        // Both ends may fail; without the reader the packing ends with a broken pipe.
        let packed = pack.await?;
        put?;
        self.say(packed?, &format!("{name}:{path}"));
        Ok(())
    }

    fn say(&self, bytes: u64, to: &str) {
        if !self.quiet {
            console::note(format!(
                "Successfully copied {} to {to}",
                size::short(bytes)
            ));
        }
    }
}

/// The path in the container, links followed, and whether a folder is there; `None` where nothing is.
async fn destination(
    client: &Client,
    name: &str,
    path: &str,
) -> anyhow::Result<(String, Option<bool>)> {
    let absolute = |path: &str| match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/{path}"),
    };
    let mut path = absolute(path);
    let (bare, _) = plan::without_dot(&path);
    let Some(found) = stat(client, name, bare).await? else {
        return Ok((path, None));
    };
    if !found.is_symlink() {
        return Ok((path, Some(found.is_dir())));
    }
    path = plan::follow(bare, &found.link_target);
    let found = stat(client, name, &path).await?;
    Ok((path, found.map(|stat| stat.is_dir())))
}

/// Facts of a path in a container; `None` where nothing is there.
async fn stat(client: &Client, name: &str, path: &str) -> anyhow::Result<Option<PathStat>> {
    match client.container_stat(name, path).await {
        Ok(stat) => Ok(Some(stat)),
        // The answer has no body. Whether it is the container that is missing tells another one.
        Err(error) if error.is_not_found() => {
            client.container_inspect(name, false).await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Facts of a path that must be there.
async fn existing(client: &Client, name: &str, path: &str) -> anyhow::Result<PathStat> {
    match stat(client, name, path).await? {
        Some(stat) => Ok(stat),
        None => bail!("Could not find the file {path} in container {name}"),
    }
}
