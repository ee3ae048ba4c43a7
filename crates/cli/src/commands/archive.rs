//! Archives of images and containers: save, load, import, export.

use std::path::PathBuf;

use api::client::{ImportOptions, JsonLines};
use api::jsonmessage::Message;
use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::failure::Failure;
use crate::settings::Session;
use crate::transfer::{self, Destination};
use crate::words::name;

/// Save one or more images to a tar archive (streamed to STDOUT by default)
#[derive(Args)]
pub(crate) struct Save {
    /// Write to a file, instead of STDOUT
    #[arg(short, long, value_name = "string")]
    output: Option<PathBuf>,
    /// Save only the given platform (not available yet)
    #[arg(long, value_name = "string")]
    platform: Vec<String>,
    #[arg(value_name = "IMAGE", required = true, hide = true)]
    images: Vec<String>,
}

impl Verb for Save {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        refuse_platform(&self.platform)?;
        let destination = Destination::new(self.output, session.console.stdout_terminal)?;
        let client = session.client().await?;
        let names: Vec<&str> = self.images.iter().map(String::as_str).collect();
        destination.write(client.image_save(&names).await?).await
    }
}

fn refuse_platform(platforms: &[String]) -> anyhow::Result<()> {
    match platforms.is_empty() {
        true => Ok(()),
        false => Err(Failure::exit(1, "--platform: not available yet")),
    }
}

/// Load an image from a tar archive or STDIN
#[derive(Args)]
pub(crate) struct Load {
    /// Read from tar archive file, instead of STDIN
    #[arg(short, long, value_name = "string")]
    input: Option<PathBuf>,
    /// Load only the given platform (not available yet)
    #[arg(long, value_name = "string")]
    platform: Vec<String>,
    /// Suppress the load output
    #[arg(short, long)]
    quiet: bool,
}

impl Verb for Load {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        refuse_platform(&self.platform)?;
        if self.input.is_none() && session.console.stdin_terminal {
            return Err(Failure::exit(
                1,
                "requested load from stdin, but stdin is empty",
            ));
        }
        let archive = transfer::input(self.input.as_deref(), self.quiet)?;
        let client = session.client().await?;
        show(client.image_load(self.quiet, archive).await?).await
    }
}

/// Import the contents from a tarball to create a filesystem image
#[derive(Args)]
pub(crate) struct Import {
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long, value_name = "list")]
    change: Vec<String>,
    /// Set commit message for imported image
    #[arg(short, long, value_name = "string")]
    message: Option<String>,
    /// Set platform of the image
    #[arg(long, value_name = "string")]
    platform: Option<String>,
    #[arg(value_name = "FILE|-", hide = true)]
    source: String,
    #[arg(value_name = "REPOSITORY[:TAG]", hide = true)]
    reference: Option<String>,
}

impl Verb for Import {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        if self.source.starts_with("http://") || self.source.starts_with("https://") {
            return Err(Failure::exit(
                1,
                format!("import from {}: not available yet", self.source),
            ));
        }
        let path = (self.source != "-").then(|| PathBuf::from(&self.source));
        let archive = transfer::input(path.as_deref(), false)?;
        let (repository, tag) = self.reference.as_deref().map(name::with_tag).unzip();
        let options = ImportOptions {
            source: "-".to_owned(),
            repository,
            tag,
            message: self.message,
            changes: self.change,
            platform: self.platform,
        };
        let client = session.client().await?;
        show(client.image_import(&options, archive).await?).await
    }
}

/// Export a container's filesystem as a tar archive
#[derive(Args)]
pub(crate) struct Export {
    /// Write to a file, instead of STDOUT
    #[arg(short, long, value_name = "string")]
    output: Option<PathBuf>,
    #[arg(value_name = "CONTAINER", hide = true)]
    container: String,
}

impl Verb for Export {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let destination = Destination::new(self.output, session.console.stdout_terminal)?;
        let client = session.client().await?;
        destination
            .write(client.container_export(&self.container).await?)
            .await
    }
}

/// Prints what a long request says. A failure in the stream is the command's failure.
async fn show(mut messages: JsonLines<Message>) -> anyhow::Result<()> {
    while let Some(message) = messages.next().await? {
        if let Some(failure) = message.error_detail {
            return Err(Failure::exit(1, failure.message));
        }
        if let Some(error) = message.error {
            return Err(Failure::exit(1, error));
        }
        match (message.stream, message.status) {
            (Some(text), _) => console::print(&text)?,
            // What is counted is shown by the bar of the bytes that are sent.
            (None, Some(status)) if message.progress_detail.is_none() => console::line(status)?,
            _ => {}
        }
    }
    Ok(())
}
