//! `RUN` → a vertex.

use std::collections::BTreeMap;
use std::sync::Arc;

use dockerfile::{
    BindMount, CacheMount, Mount, Run, Script, SecretMount, Security, Spanned, Statement,
};
use solver::{Edge, Keyed};

use super::arguments::PROXY;
use super::history;
use super::lowering::Lowering;
use super::metadata::Place;
use super::stage::Stage;
use crate::BuildError;
use crate::executor::Network;
use crate::ops::{CacheFolder, ExecOp, MountKind, StepMount, Variable};
use crate::request::Secret;

/// A `RUN` while its mounts are collected.
struct Collected {
    mounts: Vec<StepMount>,
    inputs: Vec<Edge>,
    hidden: Vec<(String, String)>,
}

impl Lowering<'_> {
    pub(super) fn run(
        &mut self,
        stage: &mut Stage,
        index: usize,
        (run, mounts): (&Run, Vec<Mount>),
        (statement, place): (&Statement, &Place<'_>),
    ) -> Result<(), BuildError> {
        refuse_privileges(run, place)?;
        let mut collected = Collected {
            mounts: Vec::new(),
            inputs: Vec::new(),
            hidden: self.proxies(stage),
        };
        let (args, script) = command(stage, run);
        for mount in mounts {
            self.mount(stage, index, (mount, place), &mut collected)?;
        }
        collected.mounts.extend(script);
        let request = self.given.request;
        let label = self.label(stage, "RUN", &statement.text);
        let name = label.name.clone();
        let text = history_text(stage, &args);
        let op = ExecOp {
            label,
            maker: self.maker.clone(),
            executor: Arc::clone(&self.given.executor),
            cache_mounts: Arc::clone(&self.given.cache_mounts),
            run_dir: self.given.run_dir.clone(),
            file: place.file.clone(),
            span: place.span,
            command: args.join(" "),
            in_shell: matches!(run.script(), Script::Shell(_)),
            args,
            variables: variables(stage),
            hidden: collected.hidden,
            cwd: stage.draft.absolute("."),
            user: stage.draft.config.config.user.clone(),
            mounts: collected.mounts,
            network: match run.network.as_ref().map(|network| network.value) {
                None => request.network,
                Some(dockerfile::Network::Default) => Network::Default,
                Some(dockerfile::Network::None) => Network::None,
                Some(dockerfile::Network::Host) => Network::Host,
            },
            hostname: request.build_args.get("BUILDKIT_SANDBOX_HOSTNAME").cloned(),
            extra_hosts: request.extra_hosts.clone(),
            shm_size: request.shm_size,
        };
        self.layer(stage, place, &name, (Arc::new(op), collected.inputs));
        stage.record(history::layer(&text, &self.created()), true);
        Ok(())
    }

    /// Proxies of the request that the stage did not declare.
    fn proxies(&self, stage: &Stage) -> Vec<(String, String)> {
        let given = PROXY.iter().filter_map(|name| {
            let value = self.given.request.build_args.get(*name)?;
            stage
                .variable(name)
                .is_none()
                .then(|| ((*name).to_owned(), value.clone()))
        });
        given.collect()
    }

    fn mount(
        &mut self,
        stage: &mut Stage,
        index: usize,
        (mount, place): (Mount, &Place<'_>),
        collected: &mut Collected,
    ) -> Result<(), BuildError> {
        let text = format!("{mount:?}");
        let (target, kind) = match mount {
            Mount::Bind(bind) => {
                let kind = self.bind(stage, index, (&bind, place), collected)?;
                (bind.target, kind)
            }
            Mount::Cache(cache) => {
                let kind = self.cache(stage, index, (&cache, place), collected)?;
                (cache.target, kind)
            }
            Mount::Tmpfs(tmpfs) => (tmpfs.target, MountKind::Tmpfs { size: tmpfs.size }),
            Mount::Secret(secret) => match self.secret(&secret, place, collected)? {
                Some(mounted) => mounted,
                None => return Ok(()),
            },
            Mount::Ssh(_) => {
                let message = "RUN --mount=type=ssh is not supported yet";
                return Err(place.refuse(place.span, message));
            }
        };
        let target = stage.draft.absolute(&target);
        if target == "/" {
            return Err(place.refuse(place.span, "invalid mount target \"/\""));
        }
        collected.mounts.push(StepMount { text, target, kind });
        Ok(())
    }

    fn bind(
        &mut self,
        stage: &mut Stage,
        index: usize,
        (bind, place): (&BindMount, &Place<'_>),
        collected: &mut Collected,
    ) -> Result<MountKind, BuildError> {
        let source = bind.source.clone().unwrap_or_else(|| "/".to_owned());
        let edge = match &bind.from {
            Some(from) => Edge {
                from: self.root_of(&Spanned::new(from.clone(), place.span), index, place.file)?,
                keyed: Keyed::Content,
            },
            // Its key is of its content already.
            None => Edge {
                from: self.context_part(stage, &source, place),
                keyed: Keyed::Definition,
            },
        };
        collected.inputs.push(edge);
        Ok(MountKind::Bind {
            input: collected.inputs.len(),
            source,
            read_only: bind.readonly,
        })
    }

    fn cache(
        &mut self,
        stage: &Stage,
        index: usize,
        (cache, place): (&CacheMount, &Place<'_>),
        collected: &mut Collected,
    ) -> Result<MountKind, BuildError> {
        let seed = match &cache.from {
            None => None,
            Some(from) => {
                let from = Spanned::new(from.clone(), place.span);
                collected.inputs.push(Edge {
                    from: self.root_of(&from, index, place.file)?,
                    keyed: Keyed::Content,
                });
                let source = cache.source.clone().unwrap_or_else(|| "/".to_owned());
                Some((collected.inputs.len(), source))
            }
        };
        let id = cache
            .id
            .clone()
            .unwrap_or_else(|| stage.draft.absolute(&cache.target));
        let namespace = self.given.request.build_args.get("BUILDKIT_CACHE_MOUNT_NS");
        let id = match namespace {
            Some(namespace) => format!("{namespace}/{id}"),
            None => id,
        };
        Ok(MountKind::Cache {
            folder: CacheFolder {
                id,
                sharing: cache.sharing,
                mode: cache.mode,
                owner: (cache.uid, cache.gid),
            },
            read_only: cache.readonly,
            seed,
        })
    }

    /// The mount of a secret; `None` where it is only a variable, or missing and not required.
    fn secret(
        &self,
        secret: &SecretMount,
        place: &Place<'_>,
        collected: &mut Collected,
    ) -> Result<Option<(String, MountKind)>, BuildError> {
        let Some(value) = self.given.request.secrets.get(&secret.id) else {
            if secret.required {
                let message = format!("secret {}: not found", secret.id);
                return Err(place.refuse(place.span, message));
            }
            return Ok(None);
        };
        if let Some(name) = &secret.env {
            let text = String::from_utf8_lossy(&value.0).into_owned();
            collected.hidden.push((name.clone(), text));
        }
        Ok(secret.target.clone().map(|target| {
            let kind = MountKind::File {
                content: value.clone(),
                mode: secret.mode,
                owner: (secret.uid, secret.gid),
            };
            (target, kind)
        }))
    }
}

fn refuse_privileges(run: &Run, place: &Place<'_>) -> Result<(), BuildError> {
    if let Some(security) = run
        .security
        .as_ref()
        .filter(|s| s.value == Security::Insecure)
    {
        return Err(place.refuse(
            security.span,
            "RUN --security=insecure is not supported yet",
        ));
    }
    if let Some(device) = run.devices.first() {
        return Err(place.refuse(device.name.span, "RUN --device is not supported yet"));
    }
    Ok(())
}

/// The arguments to run, and the script's file where it is one.
fn command(stage: &Stage, run: &Run) -> (Vec<String>, Option<StepMount>) {
    match run.script() {
        Script::Exec(args) => (args, None),
        Script::Shell(text) => (stage.draft.in_shell(&text), None),
        Script::File { name, content } => {
            let target = format!("/dev/pipes/{name}");
            let mount = StepMount {
                text: format!("script {content}"),
                target: target.clone(),
                kind: MountKind::File {
                    content: Secret(content.into_bytes()),
                    mode: 0o755,
                    owner: (0, 0),
                },
            };
            (vec![target], Some(mount))
        }
    }
}

/// What the process sees: `ENV` wins over `ARG`.
fn variables(stage: &Stage) -> Vec<Variable> {
    let mut variables = BTreeMap::new();
    let scanner = |name: &str| name.starts_with("BUILDKIT_SBOM_SCAN_");
    for (name, value) in &stage.arguments {
        if let Some(value) = value
            && !scanner(name)
        {
            variables.insert(name.clone(), ("ARG", value.clone()));
        }
    }
    for pair in &stage.draft.config.config.env {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        variables.insert(name.to_owned(), ("ENV", value.to_owned()));
    }
    let variable = |(name, (kind, value)): (String, (&str, String))| Variable {
        label: format!("{kind} {name}"),
        name,
        value,
    };
    variables.into_iter().map(variable).collect()
}

/// `RUN |1 A=b /bin/sh -c command`
fn history_text(stage: &Stage, args: &[String]) -> String {
    let mut words = vec!["RUN".to_owned()];
    if !stage.arguments.is_empty() {
        words.push(format!("|{}", stage.arguments.len()));
    }
    for (name, value) in &stage.arguments {
        let value = stage
            .draft
            .env(name)
            .or_else(|| value.clone())
            .unwrap_or_default();
        words.push(format!("{name}={value}"));
    }
    words.extend(args.iter().cloned());
    words.join(" ")
}
