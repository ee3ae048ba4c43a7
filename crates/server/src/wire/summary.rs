//! A container as a row of `docker ps`.

use api::container::{Port, Summary, SummaryHostConfig, SummaryNetworkSettings};
use engine::spec::NetworkMode;
use engine::{Container, ContainerState};
use jiff::Timestamp;

use super::network::{NetworkIds, endpoints};
use super::{mounts, signed, since};

/// One row.
pub(crate) fn summary(container: &Container, networks: &NetworkIds, now: Timestamp) -> Summary {
    let document = &container.document;
    let host = &document.options.host;
    let size = container.size.unwrap_or_default();
    Summary {
        id: document.id.to_string(),
        names: vec![format!("/{}", document.name)],
        image: container.image.clone(),
        image_id: document.image.to_string(),
        command: command(&document.process.args),
        created: document.created.as_second(),
        ports: ports(host.network == NetworkMode::Bridge, container),
        size_rw: signed(size.writable),
        size_root_fs: signed(size.total),
        labels: document.process.labels.clone(),
        state: document.state.name().to_owned(),
        status: status(&document.state, now),
        host_config: SummaryHostConfig {
            network_mode: host.network.to_string(),
            annotations: host.annotations.clone(),
        },
        network_settings: SummaryNetworkSettings {
            networks: endpoints(&host.network, document.endpoint.as_ref(), networks),
        },
        mounts: mounts::points(&document.mounts),
    }
}

/// The command line as Docker prints it: words with a space in them in single quotes.
fn command(args: &[String]) -> String {
    let quoted = |word: &String| match word.contains(char::is_whitespace) {
        true => format!("'{word}'"),
        false => word.clone(),
    };
    args.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn ports(has_network: bool, container: &Container) -> Vec<Port> {
    if !has_network || container.document.state.run().is_none() {
        return Vec::new();
    }
    let exposed = container.document.process.exposed_ports.iter();
    let ports = exposed.filter_map(|text| {
        let (port, kind) = text.split_once('/').unwrap_or((text, "tcp"));
        Some(Port {
            private_port: port.parse().ok()?,
            kind: kind.to_owned(),
            ..Port::default()
        })
    });
    ports.collect()
}

fn status(state: &ContainerState, now: Timestamp) -> String {
    match state {
        ContainerState::Created | ContainerState::Starting => "Created".to_owned(),
        ContainerState::Running(run) => format!("Up {}", since(run.started, now)),
        ContainerState::Paused(run) => format!("Up {} (Paused)", since(run.started, now)),
        ContainerState::Exited(exit) => {
            format!("Exited ({}) {} ago", exit.code, since(exit.finished, now))
        }
        ContainerState::Removing => "Removal In Progress".to_owned(),
        ContainerState::Dead => "Dead".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        let args = ["sh", "-c", "echo a b"].map(str::to_owned);
        assert_eq!(command(&args), "sh -c 'echo a b'");
    }

    #[test]
    fn states() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let run = engine::Running {
            pid: 1,
            started: at(100),
        };
        let paused = ContainerState::Paused(run);
        assert_eq!(status(&paused, at(105)), "Up 5 seconds (Paused)");
        let exited = ContainerState::Exited(engine::Exited {
            code: 137,
            started: None,
            finished: at(0),
            oom_killed: false,
            error: None,
        });
        assert_eq!(status(&exited, at(90)), "Exited (137) About a minute ago");
    }
}
