//! Lists of rows: the default table, a user's table, a template per row, or JSON lines.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{Template, table};

/// One row: the fields that a template can name.
pub(crate) type Row = Map<String, Json>;

/// How one command prints its rows.
pub(crate) struct List {
    /// Every field a template can name, with the heading of its column.
    pub(crate) headings: &'static [(&'static str, &'static str)],
    /// The columns of the table without `--format`, as a template.
    pub(crate) default: &'static str,
    /// What `--quiet` prints of a row, as a template.
    pub(crate) quiet: &'static str,
}

/// What the user asked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Style<'a> {
    /// `--format`, or the format of the configuration file.
    pub(crate) format: Option<&'a str>,
    /// `--quiet`.
    pub(crate) quiet: bool,
}

impl List {
    /// The field that keeps a row's labels for `{{.Label "key"}}`. No template can name it, and
    /// `json` leaves it out.
    pub(crate) const LABELS: &'static str = ".labels";

    /// Labels as one text: `a=b,c=d`.
    pub(crate) fn labels(labels: &BTreeMap<String, String>) -> String {
        let pairs = labels.iter().map(|(key, value)| format!("{key}={value}"));
        pairs.collect::<Vec<_>>().join(",")
    }

    /// The text of the rows, each line with its newline.
    pub(crate) fn render(&self, rows: Vec<Row>, style: Style<'_>) -> anyhow::Result<String> {
        let rows = rows.into_iter().map(Json::Object);
        match style.format.unwrap_or("table") {
            "" | "table" if style.quiet => lines(self.quiet, rows),
            "" | "table" => self.table(self.default, rows),
            "json" => lines("{{json .}}", rows),
            format => match format.strip_prefix("table ") {
                Some(columns) => self.table(&unescape(columns), rows),
                None => lines(&unescape(format), rows),
            },
        }
    }

    fn table(&self, columns: &str, rows: impl Iterator<Item = Json>) -> anyhow::Result<String> {
        let template = Template::strict(columns)?;
        let headings = self
            .headings
            .iter()
            .map(|(key, heading)| ((*key).to_owned(), Json::from(*heading)));
        let head = template.render(&Json::Object(headings.collect()));
        let mut text = vec![head?];
        for row in rows {
            text.push(template.render(&row)?);
        }
        Ok(table::align(&text))
    }
}

fn lines(template: &str, rows: impl Iterator<Item = Json>) -> anyhow::Result<String> {
    let template = Template::strict(template)?;
    let mut text = String::new();
    for row in rows {
        text.push_str(&template.render(&row)?);
        text.push('\n');
    }
    Ok(text)
}

/// Shells pass `\t` as two characters; Docker reads them as a tab.
fn unescape(format: &str) -> String {
    format.trim().replace("\\t", "\t").replace("\\n", "\n")
}
