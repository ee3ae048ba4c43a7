//! The second stage of every command: flags, environment and configuration file become settings.

use std::path::PathBuf;

use api::{Client, Endpoint};
use clap::Args;

use crate::console::Console;
use crate::failure::Failure;
use crate::{Environment, autostart, config::Config};

/// The flags before the command.
#[derive(Args, Debug, Default)]
pub(crate) struct Global {
    /// Location of client config files
    #[arg(long, value_name = "string")]
    pub(crate) config: Option<PathBuf>,
    /// Name of the context to use to connect to the engine (only "default")
    #[arg(short, long, value_name = "string")]
    pub(crate) context: Option<String>,
    /// Enable debug mode
    #[arg(short = 'D', long)]
    pub(crate) debug: bool,
    /// Engine socket to connect to (unix:///path)
    #[arg(short = 'H', long, value_name = "string")]
    pub(crate) host: Option<String>,
    /// Set the logging level of an engine that this command starts
    #[arg(short, long, value_name = "string", default_value = "info",
          value_parser = ["debug", "info", "warn", "error", "fatal"])]
    pub(crate) log_level: String,
    /// Print version information and quit
    #[arg(short, long)]
    pub(crate) version: bool,
}

/// Where the engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// The default socket; the engine is started when nobody listens there.
    Default(PathBuf),
    /// A place that the user named; nothing is started.
    Named(Endpoint),
}

/// What holds for the whole run of the program.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The name under which the program was called: `corten` or `docker`.
    pub(crate) program: &'static str,
    pub(crate) host: Host,
    /// The data root of an engine that is started.
    pub(crate) root: PathBuf,
    /// The folder of its socket.
    pub(crate) run_dir: PathBuf,
    pub(crate) log_level: String,
    pub(crate) config: Config,
}

const DEFAULT_ROOT: &str = "/var/lib/corten";
const DEFAULT_RUN_DIR: &str = "/run/corten";

impl Settings {
    /// Resolves the settings. The host is that of `--host`, else of `DOCKER_HOST`, else the
    /// default socket.
    pub(crate) fn resolve(
        program: &'static str,
        global: Global,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let run_dir = environment
            .path("CORTEN_RUN_DIR")
            .unwrap_or_else(|| DEFAULT_RUN_DIR.into());
        let context = global
            .context
            .as_deref()
            .or(environment.set("DOCKER_CONTEXT"));
        let named = global.host.as_deref().filter(|host| !host.is_empty());
        if named.is_some() && global.context.is_some() {
            let why = "conflicting options: cannot specify both --host and --context";
            return Err(Failure::exit(1, why));
        }
        // A context on the command line wins over DOCKER_HOST; one in the environment does not.
        let from_environment = environment
            .set("DOCKER_HOST")
            .filter(|_| global.context.is_none());
        let host = match (named.or(from_environment), context) {
            (Some(host), _) => Host::Named(host.parse()?),
            (None, None | Some("default")) => Host::Default(run_dir.join("corten.sock")),
            (None, Some(context)) => {
                let why = format!("context \"{context}\": only \"default\" is available yet");
                return Err(Failure::exit(1, why));
            }
        };
        let config = global
            .config
            .or_else(|| environment.path("DOCKER_CONFIG"))
            .or_else(|| environment.path("HOME").map(|home| home.join(".docker")));
        Ok(Self {
            program,
            host,
            root: environment
                .path("CORTEN_ROOT")
                .unwrap_or_else(|| DEFAULT_ROOT.into()),
            run_dir,
            log_level: if global.debug {
                "debug".to_owned()
            } else {
                global.log_level
            },
            config: Config::in_folder(config.as_deref())?,
        })
    }
}

/// What a command works with.
pub(crate) struct Session {
    pub(crate) settings: Settings,
    pub(crate) environment: Environment,
    pub(crate) console: Console,
}

impl Session {
    /// A client of the engine, which is started first where nobody listens on the default socket.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(match &self.settings.host {
            Host::Named(endpoint) => endpoint.clone(),
            Host::Default(socket) => {
                autostart::ensure(socket, &self.settings).await?;
                Endpoint::Unix(socket.clone())
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(global: Global, environment: &Environment) -> String {
        match Settings::resolve("corten", global, environment) {
            Ok(settings) => format!("{:?}", settings.host),
            Err(error) => error.to_string(),
        }
    }

    fn of(flag: Option<&str>, context: Option<&str>) -> Global {
        Global {
            host: flag.map(Into::into),
            context: context.map(Into::into),
            ..Global::default()
        }
    }

    #[test]
    fn the_host_is_the_nearest_word() {
        let none = Environment::of([]);
        let docker = Environment::of([("DOCKER_HOST", "unix:///a.sock")]);
        let moved = Environment::of([("CORTEN_RUN_DIR", "/tmp/x"), ("DOCKER_HOST", "")]);
        insta::assert_snapshot!(host(of(None, None), &none), @r#"Default("/run/corten/corten.sock")"#);
        insta::assert_snapshot!(host(of(None, None), &moved), @r#"Default("/tmp/x/corten.sock")"#);
        insta::assert_snapshot!(host(of(None, None), &docker), @r#"Named(Unix("/a.sock"))"#);
        insta::assert_snapshot!(host(of(Some("unix:///b"), None), &docker), @r#"Named(Unix("/b"))"#);
        insta::assert_snapshot!(host(of(None, Some("default")), &docker), @r#"Default("/run/corten/corten.sock")"#);
        insta::assert_snapshot!(host(of(None, Some("x")), &none), @r#"context "x": only "default" is available yet"#);
        insta::assert_snapshot!(host(of(Some("tcp://h:1"), None), &none), @"unable to connect to `tcp://h:1`: only unix:// is supported by this version of Corten");
        insta::assert_snapshot!(host(of(Some("x"), None), &none), @"`x` is not the address of an engine: expected unix:///path/to/socket");
    }
}
