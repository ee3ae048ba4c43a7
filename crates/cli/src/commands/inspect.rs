//! `inspect`: everything about an object, as JSON or through a template.

use api::{Client, ClientError};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::app::Verb;
use crate::console;
use crate::failure;
use crate::format::{Template, json};
use crate::settings::Session;

/// What is looked for under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Container,
    Image,
    Volume,
    Network,
}

/// Without `--type` the kinds are tried in this order.
const ORDER: [Kind; 4] = [Kind::Container, Kind::Image, Kind::Volume, Kind::Network];

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Volume => "volume",
            Self::Network => "network",
        }
    }
}

/// `--format` and names.
#[derive(Args)]
pub(crate) struct Wanted {
    /// Format output using a custom template: 'json' or a Go template
    #[arg(short, long, value_name = "string", default_value = "")]
    format: String,
    #[arg(value_name = "NAME|ID", required = true, hide = true)]
    names: Vec<String>,
}

/// Return low-level information on objects
#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    wanted: Wanted,
    /// Display total file sizes if the type is container
    #[arg(short, long)]
    size: bool,
    /// Return JSON for specified type
    #[arg(long = "type", value_name = "string", default_value = "")]
    kind: String,
}

impl Verb for Inspect {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let kinds = match self.kind.as_str() {
            "" => ORDER.to_vec(),
            word => match ORDER.iter().find(|kind| kind.word() == word) {
                Some(kind) => vec![*kind],
                None => anyhow::bail!("\"{word}\" is not a valid value for --type"),
            },
        };
        show(&self.wanted, &kinds, self.size, session).await
    }
}

/// Display detailed information on one or more containers
#[derive(Args)]
pub(crate) struct OfContainer {
    #[command(flatten)]
    wanted: Wanted,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
}

impl Verb for OfContainer {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        show(&self.wanted, &[Kind::Container], self.size, session).await
    }
}

/// Display detailed information on one or more images
#[derive(Args)]
pub(crate) struct OfImage {
    #[command(flatten)]
    wanted: Wanted,
}

impl Verb for OfImage {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        show(&self.wanted, &[Kind::Image], false, session).await
    }
}

/// Display detailed information on one or more volumes
#[derive(Args)]
pub(crate) struct OfVolume {
    #[command(flatten)]
    wanted: Wanted,
}

impl Verb for OfVolume {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        show(&self.wanted, &[Kind::Volume], false, session).await
    }
}

/// Display detailed information on one or more networks
#[derive(Args)]
pub(crate) struct OfNetwork {
    #[command(flatten)]
    wanted: Wanted,
}

impl Verb for OfNetwork {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        show(&self.wanted, &[Kind::Network], false, session).await
    }
}

/// One object: its JSON with the keys in the API's order, and as a document for templates.
struct Object {
    text: String,
    document: Value,
}

impl Object {
    fn of(object: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self {
            text: serde_json::to_string(object)?,
            document: serde_json::to_value(object)?,
        })
    }
}

/// Prints what was found, then fails if something was not.
async fn show(
    wanted: &Wanted,
    kinds: &[Kind],
    size: bool,
    session: &Session,
) -> anyhow::Result<()> {
    let template = match wanted.format.as_str() {
        "" => None,
        "json" => Some(Template::lenient("{{json .}}")?),
        format => Some(Template::lenient(format)?),
    };
    let client = session.client().await?;
    let (mut objects, mut failures) = (Vec::new(), Vec::new());
    for name in &wanted.names {
        match find(&client, name, kinds, size).await {
            Ok(object) => objects.push(object),
            Err(error) => failures.push(error),
        }
    }
    match template {
        Some(template) => {
            for object in &objects {
                console::line(template.render(&object.document)?)?;
            }
        }
        None => console::print(&list(&objects))?,
    }
    failure::each(&failures)
}

/// A list with an object on each level of indentation, as Docker lays it out.
fn list(objects: &[Object]) -> String {
    let objects = objects
        .iter()
        .map(|object| json::indent(&object.text, "    ", "    "));
    let text = objects
        .map(|object| format!("    {object}"))
        .collect::<Vec<_>>()
        .join(",\n");
    match text.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n{text}\n]\n"),
    }
}

async fn find(client: &Client, name: &str, kinds: &[Kind], size: bool) -> anyhow::Result<Object> {
    for kind in kinds {
        match one(client, name, *kind, size).await {
            Err(error) if is_missing(&error) && kinds.len() > 1 => {}
            outcome => return outcome,
        }
    }
    anyhow::bail!("error: no such object: {name}")
}

/// A name that cannot be one of this kind is none of it.
fn is_missing(error: &anyhow::Error) -> bool {
    let status = error
        .downcast_ref::<ClientError>()
        .and_then(ClientError::status);
    matches!(status, Some(404 | 400))
}

async fn one(client: &Client, name: &str, kind: Kind, size: bool) -> anyhow::Result<Object> {
    match kind {
        Kind::Container => Object::of(&client.container_inspect(name, size).await?),
        Kind::Image => Object::of(&client.image_inspect(name).await?),
        Kind::Volume => Object::of(&client.volume_inspect(name).await?),
        Kind::Network => Object::of(&client.network_inspect(name).await?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout() {
        let objects = [
            serde_json::json!({"Id": "a", "Args": []}),
            serde_json::json!({}),
        ];
        let objects: Vec<Object> = objects.iter().map(|o| Object::of(o).unwrap()).collect();
        insta::assert_snapshot!(list(&objects), @r#"
        [
            {
                "Args": [],
                "Id": "a"
            },
            {}
        ]
        "#);
        assert_eq!(list(&[]), "[]\n");
    }
}
