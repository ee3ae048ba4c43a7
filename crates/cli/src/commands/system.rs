//! `version`, `info`, `system df` and `system fsck`.

mod df;
mod fsck;
mod info;

use api::system::Version;
use clap::Args;
use serde_json::{Value, json};

use crate::app::Verb;
use crate::console;
use crate::format::Template;
use crate::settings::Session;

pub(crate) use df::DiskUsage;
pub(crate) use fsck::Fsck;
pub(crate) use info::Info;

/// Show the Corten version information
#[derive(Args)]
pub(crate) struct Versions {
    /// Format output using a custom template: 'json' or a Go template
    #[arg(short, long, value_name = "string", default_value = "")]
    format: String,
}

impl Verb for Versions {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let template = match self.format.as_str() {
            "" => None,
            "json" => Some(Template::lenient("{{json .}}")?),
            format => Some(Template::lenient(format)?),
        };
        // The client's part is worth showing when the engine cannot be reached.
        let server = async { anyhow::Ok(session.client().await?.system_version().await?) }.await;
        let client = client();
        match template {
            Some(template) => {
                let server = server.as_ref().map(serde_json::to_value);
                let server = server.unwrap_or(Ok(Value::Null))?;
                console::line(template.render(&json!({"Client": client, "Server": server}))?)?;
            }
            None => console::print(&text(&client, server.as_ref().ok()))?,
        }
        server.map(drop)
    }
}

fn client() -> Value {
    json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "ApiVersion": api::ApiVersion::MAX.to_string(),
        "DefaultAPIVersion": api::ApiVersion::MAX.to_string(),
        "Os": std::env::consts::OS,
        "Arch": architecture(),
        "Context": "default",
        "Platform": {"Name": "Corten"},
    })
}

/// The processor in Go's word.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn text(client: &Value, server: Option<&Version>) -> String {
    let field = |key: &str| client.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut lines = vec![
        "Client: Corten".to_owned(),
        row(" Version:", field("Version")),
        row(" API version:", field("ApiVersion")),
        row(" OS/Arch:", &format!("{}/{}", field("Os"), field("Arch"))),
        row(" Context:", field("Context")),
    ];
    if let Some(server) = server {
        lines.push(format!("\nServer: {}", server.platform.name));
        lines.push(" Engine:".to_owned());
        let range = format!(
            "{} (minimum version {})",
            server.api_version, server.min_api_version
        );
        lines.push(row("  Version:", &server.version));
        lines.push(row("  API version:", &range));
        lines.push(row("  Git commit:", &server.git_commit));
        lines.push(row("  Built:", &server.build_time));
        lines.push(row("  OS/Arch:", &format!("{}/{}", server.os, server.arch)));
        lines.push(row("  Kernel:", &server.kernel_version));
        for part in server
            .components
            .iter()
            .filter(|part| part.name != "Engine")
        {
            lines.push(format!(" {}:", part.name));
            lines.push(row("  Version:", &part.version));
        }
    }
    lines.join("\n") + "\n"
}

fn row(key: &str, value: &str) -> String {
    format!("{key:<19}{value}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let server: Version = serde_json::from_value(json!({
            "Platform": {"Name": "Corten Engine"},
            "Components": [{"Name": "Engine", "Version": "0.1.0"}, {"Name": "shim", "Version": "1"}],
            "Version": "0.1.0", "ApiVersion": "1.51", "MinAPIVersion": "1.24", "GitCommit": "",
            "Os": "linux", "Arch": "amd64", "KernelVersion": "6.18.0", "BuildTime": ""
        }))
        .unwrap();
        let client = json!({"Version": "0.1.0", "ApiVersion": "1.51", "Os": "linux", "Arch": "amd64", "Context": "default"});
        insta::assert_snapshot!(text(&client, Some(&server)), @r"
        Client: Corten
         Version:          0.1.0
         API version:      1.51
         OS/Arch:          linux/amd64
         Context:          default

        Server: Corten Engine
         Engine:
          Version:         0.1.0
          API version:     1.51 (minimum version 1.24)
          Git commit:
          Built:
          OS/Arch:         linux/amd64
          Kernel:          6.18.0
         shim:
          Version:         1
        ");
    }
}
