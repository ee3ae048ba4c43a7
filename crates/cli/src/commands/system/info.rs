//! `info`: the engine and its host.

use std::fmt::Display;

use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::format::{Template, size};
use crate::settings::Session;

/// Display system-wide information
#[derive(Args)]
pub(crate) struct Info {
    /// Format output using a custom template: 'json' or a Go template
    #[arg(short, long, value_name = "string", default_value = "")]
    format: String,
}

impl Verb for Info {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let info = session.client().await?.system_info().await?;
        match self.format.as_str() {
            "" => {
                console::print(&text(&info))?;
                for warning in info.warnings.iter().flatten() {
                    console::note(warning);
                }
                Ok(())
            }
            format => {
                let template = if format == "json" {
                    "{{json .}}"
                } else {
                    format
                };
                let document = serde_json::to_value(&info)?;
                console::line(Template::lenient(template)?.render(&document)?)
            }
        }
    }
}

fn text(info: &api::system::Info) -> String {
    let mut lines = Lines::default();
    lines.head("Client:");
    lines.add("Version", env!("CARGO_PKG_VERSION"));
    lines.add("Context", "default");
    lines.head("\nServer:");
    lines.add("Containers", info.containers);
    lines.add(" Running", info.containers_running);
    lines.add(" Paused", info.containers_paused);
    lines.add(" Stopped", info.containers_stopped);
    lines.add("Images", info.images);
    lines.add("Server Version", &info.server_version);
    lines.add("Storage Driver", &info.driver);
    for [key, value] in &info.driver_status {
        lines.add(&format!(" {key}"), value);
    }
    lines.add("Logging Driver", &info.logging_driver);
    lines.add("Cgroup Driver", &info.cgroup_driver);
    lines.add("Cgroup Version", &info.cgroup_version);
    lines.add("Networks", info.plugins.network.join(" "));
    lines.add("Default Runtime", &info.default_runtime);
    lines.add("Security Options", "");
    for option in &info.security_options {
        lines.add(
            &format!(" {}", option.trim_start_matches("name=").replace(',', " ")),
            "",
        );
    }
    lines.add("Kernel Version", &info.kernel_version);
    lines.add("Operating System", &info.operating_system);
    lines.add("OSType", &info.os_type);
    lines.add("Architecture", &info.architecture);
    lines.add("CPUs", info.n_cpu);
    lines.add("Total Memory", size::binary(info.mem_total));
    lines.add("Name", &info.name);
    lines.add("ID", &info.id);
    lines.add("Docker Root Dir", &info.docker_root_dir);
    lines.add("Debug Mode", info.debug);
    lines.add("Live Restore Enabled", info.live_restore_enabled);
    for label in &info.labels {
        lines.add(" Label", label);
    }
    lines.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn head(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn add(&mut self, key: &str, value: impl Display) {
        let line = format!(" {key}: {value}");
        let line = match line.strip_suffix(": ") {
            // A list follows, or an entry of one.
            Some(key) if key.starts_with("  ") => key,
            Some(_) => line.trim_end(),
            None => &line,
        };
        self.0.push_str(line);
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout() {
        let info: api::system::Info = serde_json::from_value(serde_json::json!({
            "Containers": 3, "ContainersRunning": 1, "Driver": "overlayfs",
            "DriverStatus": [["Backing Filesystem", "extfs"]],
            "SecurityOptions": ["name=seccomp,profile=builtin"],
            "NCPU": 2, "MemTotal": 2_093_796_557_u64, "Plugins": {"Network": ["bridge", "host", "none"]}
        }))
        .unwrap();
        let text = text(&info);
        let text: Vec<&str> = text.lines().skip(5).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        Containers: 3
         Running: 1
         Paused: 0
         Stopped: 0
        Images: 0
        Server Version:
        Storage Driver: overlayfs
         Backing Filesystem: extfs
        Logging Driver:
        Cgroup Driver:
        Cgroup Version:
        Networks: bridge host none
        Default Runtime:
        Security Options:
         seccomp profile=builtin
        Kernel Version:
        Operating System:
        OSType:
        Architecture:
        CPUs: 2
        Total Memory: 1.95GiB
        Name:
        ID:
        Docker Root Dir:
        Debug Mode: false
        Live Restore Enabled: false
        ");
    }
}
