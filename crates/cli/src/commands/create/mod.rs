//! `create`: a container that does not run yet.

pub(crate) mod flags;
pub(crate) mod wire;

use std::io::Write as _;

use anyhow::Context as _;
use api::{Client, ClientError};
use clap::Args;

use crate::app::{Later, Verb};
use crate::console;
use crate::failure::{self, Failure};
use crate::settings::Session;
use flags::Flags;
use wire::{Attached, Surroundings};

/// Create a new container
#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    flags: Flags,
}

impl Verb for Create {
    const LATER: &'static [Later] = flags::LATER;

    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let attached = wire::attached(&self.flags, false).map_err(|why| Failure::exit(125, why))?;
        let client = session.client().await?;
        console::line(container(&self.flags, attached, session, &client).await?)
    }
}

/// Makes a container and returns its id. Failures have Docker's status 125.
pub(crate) async fn container(
    flags: &Flags,
    attached: Attached,
    session: &Session,
    client: &Client,
) -> anyhow::Result<String> {
    let failed = |error: anyhow::Error| match error.downcast_ref::<Failure>() {
        Some(_) => error,
        None => {
            let program = session.settings.program;
            let why = failure::describe(&error);
            let hint = format!("Run '{program} run --help' for more information");
            Failure::exit(125, format!("{program}: {why}\n\n{hint}"))
        }
    };
    create(flags, attached, session, client)
        .await
        .map_err(failed)
}

async fn create(
    flags: &Flags,
    attached: Attached,
    session: &Session,
    client: &Client,
) -> anyhow::Result<String> {
    flags.check()?;
    let here = std::env::current_dir().context("the working directory is gone")?;
    let around = Surroundings {
        environment: &session.environment,
        here: &here,
        terminal: crate::terminal::size(),
    };
    let request = wire::request(flags, attached, around)?;
    let mut id_file =
        match &flags.identity.cidfile {
            Some(path) => Some(std::fs::File::create_new(path).with_context(|| {
                format!("cannot create the container ID file {}", path.display())
            })?),
            None => None,
        };
    let name = flags.identity.name.as_deref();
    let platform = flags.identity.platform.as_deref();
    let created = match client.container_create(name, platform, &request).await {
        Ok(created) => created,
        Err(error) => {
            if let Some(path) = &flags.identity.cidfile {
                // An empty file would say that a container exists.
                drop(std::fs::remove_file(path));
            }
            return Err(explain(error, flags.image()));
        }
    };
    for warning in &created.warnings {
        console::note(format!("WARNING: {warning}"));
    }
    if let Some(file) = &mut id_file {
        file.write_all(created.id.as_bytes())
            .context("cannot write the container ID file")?;
    }
    Ok(created.id)
}

/// A missing image is not pulled yet, which the user must hear.
fn explain(error: ClientError, image: &str) -> anyhow::Error {
    match error.api() {
        Some(refusal) if refusal.status == 404 && refusal.message.contains("image") => {
            Failure::exit(
                125,
                format!(
                    "Unable to find image '{}' locally\nPulling images is not available yet: build, load or import it",
                    crate::words::name::familiar(image)
                ),
            )
        }
        _ => error.into(),
    }
}
