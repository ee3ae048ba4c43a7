//! A Go template over JSON documents.

use anyhow::Context as _;
use serde_json::Value as Json;

use super::{functions, json};

/// A parsed `--format` value.
pub(crate) struct Template(gotmpl::Template);

impl Template {
    /// Parses a template; fields that a document lacks print as `<no value>`.
    pub(crate) fn lenient(source: &str) -> anyhow::Result<Self> {
        Self::parse(source, gotmpl::MissingKey::default())
    }

    /// Parses a template for rows whose fields are all known: any other field is an error.
    pub(crate) fn strict(source: &str) -> anyhow::Result<Self> {
        Self::parse(source, gotmpl::MissingKey::Error)
    }

    /// `.Label "key"` is a method of Docker's rows; here it is a function of the row.
    fn parse(source: &str, missing: gotmpl::MissingKey) -> anyhow::Result<Self> {
        functions::add(gotmpl::Template::new("").missing_key(missing))
            .parse(&source.replace(".Label \"", "label . \""))
            .map(Self)
            .context("template parsing error")
    }

    /// The text of one document.
    pub(crate) fn render(&self, document: &Json) -> anyhow::Result<String> {
        self.0
            .execute_to_string(&json::to_template(document))
            .context("template parsing error")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> String {
        let document = serde_json::json!({
            "Name": "/web one",
            "Args": ["-c", "echo"],
            "Config": {"Labels": {"com.x": "1", "b": "2"}, "Tty": false},
            "Size": 12,
        });
        match Template::lenient(source).and_then(|template| template.render(&document)) {
            Ok(text) => text,
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn functions() {
        insta::assert_snapshot!(render("{{json .Config}}"), @r#"{"Labels":{"b":"2","com.x":"1"},"Tty":false}"#);
        insta::assert_snapshot!(render(r#"{{join .Args ","}} {{join (split "a:b" ":") "/"}}"#), @"-c,echo a/b");
        insta::assert_snapshot!(render("{{upper .Name}} {{title .Name}} {{truncate .Name 4}}"), @"/WEB ONE /Web One /web");
        insta::assert_snapshot!(render("[{{pad .Name 1 2}}][{{pad \"\" 1 2}}]"), @"[ /web one  ][]");
        insta::assert_snapshot!(render(r#"{{index .Config.Labels "com.x"}}[{{index .Config.Labels "no"}}]{{index .Args 1}}"#), @"1[]echo");
        insta::assert_snapshot!(render(r"{{range $k, $v := .Config.Labels}}{{$k}}={{println $v}}{{end}}"), @r"
        b=2
        com.x=1
        ");
        insta::assert_snapshot!(render("{{.Config.Labels}} {{.Args}} {{.Size}}"), @"map[b:2 com.x:1] [-c echo] 12");
    }

    #[test]
    fn mistakes() {
        insta::assert_snapshot!(render("{{.Missing}}"), @"<no value>");
        insta::assert_snapshot!(render("{{.Name"), @"template parsing error: template: 1:8: unclosed action");
        insta::assert_snapshot!(render("{{nope .Name}}"), @"template parsing error: undefined function: nope");
    }
}
