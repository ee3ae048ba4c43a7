//! Finding and parsing the Dockerfile and its ignore file.

use dockerfile::ignore::Patterns;
use dockerfile::{Diagnostic, Dockerfile};

use crate::context::{Context, Opened};
use crate::{BuildError, BuildRequest, DockerfileSource};

/// A parsed Dockerfile.
pub(crate) struct Loaded {
    pub(crate) dockerfile: Dockerfile,
    pub(crate) context: Context,
}

/// Reads the Dockerfile and sets the context's ignore patterns.
pub(crate) fn load(request: &BuildRequest, opened: Opened) -> Result<Loaded, BuildError> {
    let Opened {
        mut context,
        dockerfile,
    } = opened;
    let (name, bytes) = match (&request.dockerfile, dockerfile) {
        (_, Some(text)) => ("Dockerfile".to_owned(), text.into_bytes()),
        (DockerfileSource::Text { name, text }, None) => (name.clone(), text.clone().into_bytes()),
        (DockerfileSource::Context(Some(path)), None) => match context.read(path)? {
            Some(bytes) => (path.clone(), bytes),
            None => return Err(BuildError::NoDockerfile(path.clone())),
        },
        (DockerfileSource::Context(None), None) => default_file(&context)?,
    };
    let parsed = dockerfile::parse_bytes(&bytes, &name)
        .map_err(|error| BuildError::Dockerfile(error.render()))?;
    check_syntax(&parsed)?;
    context.tree.ignore = ignore(&context, &name)?;
    Ok(Loaded {
        dockerfile: parsed,
        context,
    })
}

fn default_file(context: &Context) -> Result<(String, Vec<u8>), BuildError> {
    for name in ["Dockerfile", "dockerfile"] {
        if let Some(bytes) = context.read(name)? {
            return Ok((name.to_owned(), bytes));
        }
    }
    Err(BuildError::NoDockerfile("Dockerfile".to_owned()))
}

fn ignore(context: &Context, dockerfile: &str) -> Result<Patterns, BuildError> {
    for name in [&format!("{dockerfile}.dockerignore"), ".dockerignore"] {
        let Some(bytes) = context.read(name)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let action = format!("read {name}");
        return Patterns::parse(&text).map_err(|error| BuildError::Context {
            action,
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()),
        });
    }
    Ok(Patterns::default())
}

/// `# syntax=docker/dockerfile…` is the language that is built in; others are refused.
fn check_syntax(parsed: &Dockerfile) -> Result<(), BuildError> {
    let Some(syntax) = &parsed.directives.syntax else {
        return Ok(());
    };
    let name = syntax
        .value
        .strip_prefix("docker.io/")
        .unwrap_or(&syntax.value);
    let rest = name.strip_prefix("docker/dockerfile");
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@', '-'])) {
        return Ok(());
    }
    let message = format!("frontend image {} is not supported yet", syntax.value);
    let diagnostic = Diagnostic::error(&parsed.file, syntax.span, message)
        .label("only docker/dockerfile is built in");
    Err(BuildError::Dockerfile(diagnostic.render()))
}
