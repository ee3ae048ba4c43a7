//! `diff`, `top` and `port`: small tables about one container.

use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::format;
use crate::settings::Session;

/// Inspect changes to files or directories on a container's filesystem
#[derive(Args)]
pub(crate) struct Diff {
    #[arg(value_name = "CONTAINER", hide = true)]
    container: String,
}

impl Verb for Diff {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let changes = session
            .client()
            .await?
            .container_changes(&self.container)
            .await?;
        let letter = |kind| match kind {
            0 => 'C',
            1 => 'A',
            _ => 'D',
        };
        let lines = changes
            .iter()
            .map(|change| format!("{} {}\n", letter(change.kind), change.path));
        console::print(&lines.collect::<String>())
    }
}

/// Display the running processes of a container
#[derive(Args)]
pub(crate) struct Top {
    #[arg(value_names = ["CONTAINER", "ps OPTIONS"], required = true, num_args = 1.., trailing_var_arg = true, hide = true)]
    words: Vec<String>,
}

impl Verb for Top {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let (container, options) = match self.words.split_first() {
            Some((container, options)) => (container.as_str(), options.join(" ")),
            None => ("", String::new()),
        };
        let options = Some(options.as_str()).filter(|options| !options.is_empty());
        let top = session
            .client()
            .await?
            .container_top(container, options)
            .await?;
        let rows = std::iter::once(&top.titles).chain(&top.processes);
        let lines: Vec<String> = rows.map(|cells| cells.join("\t")).collect();
        console::print(&format::wide_table(&lines))
    }
}

/// List port mappings or a specific mapping for the container
#[derive(Args)]
pub(crate) struct Port {
    #[arg(value_name = "CONTAINER", hide = true)]
    container: String,
    #[arg(value_name = "PRIVATE_PORT[/PROTO]", hide = true)]
    port: Option<String>,
}

impl Verb for Port {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let container = session
            .client()
            .await?
            .container_inspect(&self.container, false)
            .await?;
        let wanted = self.port.as_ref().map(|port| match port.contains('/') {
            true => port.clone(),
            false => format!("{port}/tcp"),
        });
        let mut lines = Vec::new();
        for (port, bindings) in &container.network_settings.ports {
            if wanted.as_ref().is_some_and(|wanted| wanted != port) {
                continue;
            }
            for binding in bindings.iter().flatten() {
                let address = match binding.host_ip.contains(':') {
                    true => format!("[{}]:{}", binding.host_ip, binding.host_port),
                    false => format!("{}:{}", binding.host_ip, binding.host_port),
                };
                lines.push(match wanted {
                    Some(_) => format!("{address}\n"),
                    None => format!("{port} -> {address}\n"),
                });
            }
        }
        if let (Some(port), true) = (self.port, lines.is_empty()) {
            anyhow::bail!("no public port '{port}' published for {}", self.container);
        }
        console::print(&lines.concat())
    }
}
