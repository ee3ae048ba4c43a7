//! `system fsck`: does the store hold together?

use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::failure::Failure;
use crate::settings::Session;

/// Check the store
#[derive(Args)]
pub(crate) struct Fsck {
    /// Read all content and compare its digests
    #[arg(long)]
    digests: bool,
}

impl Verb for Fsck {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let report = client.system_fsck(self.digests).await?;
        for problem in &report.problems {
            console::line(problem)?;
        }
        match report.problems.is_empty() {
            true => Ok(()),
            false => Err(Failure::silent(1)),
        }
    }
}
