//! Parser directives: `# key=value` lines at the top of the file, before anything else, each once.

use crate::json;
use crate::lines::PhysicalLines;
use crate::{Diagnostic, File, Span, Spanned};

/// The directives of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    /// Frontend that the author asked for, for example `docker/dockerfile:1`.
    pub syntax: Option<Spanned<String>>,
    /// The escape character, `\` or a backtick.
    pub escape: char,
    /// Which build checks to skip, and whether they fail the build.
    pub check: Option<Spanned<String>>,
}

impl Default for Directives {
    fn default() -> Self {
        Self {
            syntax: None,
            escape: '\\',
            check: None,
        }
    }
}

/// Which frontend a text of any language asks for: `# syntax=`, `// syntax=` or the field `syntax`
/// of a JSON object, in each case also after a `#!` line.
pub fn detect_syntax(text: &str) -> Option<Spanned<String>> {
    let start = body_start(text);
    let found = ["#", "//"].into_iter().find_map(|comment| {
        let mut lines = Lines::new(text, start, comment);
        lines
            .find(|line| line.key == "syntax")
            .map(|line| line.value)
    });
    found.or_else(|| {
        let (value, range) = json::object_field(text, start, "syntax")?;
        Some(Spanned::new(value, Span::new(range.start, range.end)))
    })
}

/// Reads the directives of a Dockerfile, and where the text after them begins. After a `#!` line `escape` is a plain comment, as the
/// body of the file is then read with the default.
pub(crate) fn read(file: &File) -> Result<(Directives, usize), Diagnostic> {
    let text = file.text();
    let start = body_start(text);
    let shebang = start > bom(text);
    let mut directives = Directives::default();
    let mut escape: Option<Span> = None;
    let mut end = start;
    for line in Lines::new(text, start, "#") {
        end = line.end;
        let seen = match line.key.as_str() {
            "syntax" => directives.syntax.replace(line.value).map(|old| old.span),
            "check" => directives.check.replace(line.value).map(|old| old.span),
            _ => {
                if !shebang {
                    directives.escape = escape_character(file, &line.value)?;
                }
                escape.replace(line.value.span)
            }
        };
        if let Some(first) = seen {
            let message = format!("the directive `{}` is given twice", line.key);
            return Err(Diagnostic::error(file, line.place, message)
                .label("expected each directive once")
                .help(format!(
                    "the first stands in line {}",
                    file.line(first.start)
                )));
        }
    }
    Ok((directives, end))
}

fn escape_character(file: &File, value: &Spanned<String>) -> Result<char, Diagnostic> {
    match value.as_str() {
        "\\" => Ok('\\'),
        "`" => Ok('`'),
        other => {
            let message = format!("`{other}` cannot be the escape character");
            Err(Diagnostic::error(file, value.span, message).label("expected \\ or `"))
        }
    }
}

/// Length of a byte order mark.
fn bom(text: &str) -> usize {
    text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len()
}

/// Where the text begins after a byte order mark and a `#!` line.
fn body_start(text: &str) -> usize {
    let start = bom(text);
    let rest = &text[start..];
    if !rest.starts_with("#!") {
        return start;
    }
    start + rest.find('\n').map_or(rest.len(), |end| end + 1)
}

struct DirectiveLine {
    /// In lower case.
    key: String,
    value: Spanned<String>,
    place: Span,
    /// Where the next line begins.
    end: usize,
}

/// The lines at the top that are directives that we know; the first other line ends them.
struct Lines<'a> {
    text: &'a str,
    comment: &'static str,
    lines: PhysicalLines<'a>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, start: usize, comment: &'static str) -> Self {
        Self {
            text,
            comment,
            lines: PhysicalLines::new(text, start),
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = DirectiveLine;

    fn next(&mut self) -> Option<DirectiveLine> {
        let line = self.lines.next()?;
        let text = self.text[line.clone()].trim();
        let (key, value) = text.strip_prefix(self.comment)?.split_once('=')?;
        let (key, value) = (key.trim().to_lowercase(), value.trim());
        if !matches!(key.as_str(), "syntax" | "escape" | "check") || value.is_empty() {
            return None;
        }
        let offset = |part: &str| part.as_ptr() as usize - self.text.as_ptr() as usize;
        let span = |part: &str| Span::new(offset(part), offset(part) + part.len());
        Some(DirectiveLine {
            key,
            value: Spanned::new(value.to_owned(), span(value)),
            place: span(text),
            end: line.end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(text: &str) -> Result<Directives, String> {
        read(&File::new("Dockerfile", text))
            .map(|(directives, _)| directives)
            .map_err(|error| error.message)
    }

    #[test]
    fn reads_all_three() {
        let found = directives("\u{feff}# syntax=a/b:1\n#ESCAPE = `\r\n  # check=skip=all\nFROM x")
            .unwrap();
        assert_eq!(found.syntax.unwrap().value, "a/b:1");
        assert_eq!(found.escape, '`');
        assert_eq!(found.check.unwrap().value, "skip=all");
    }

    #[test]
    fn anything_else_ends_them() {
        for text in [
            "# hello\n# escape=`",
            "\n# escape=`",
            "# other=1\n# escape=`",
            "#!x\n#escape=`",
        ] {
            assert_eq!(directives(text).unwrap().escape, '\\', "{text}");
        }
    }

    #[test]
    fn refuses_repeats_and_nonsense() {
        assert_eq!(
            directives("# escape=`\n# escape=`").unwrap_err(),
            "the directive `escape` is given twice"
        );
        assert_eq!(
            directives("# escape=x\n").unwrap_err(),
            "`x` cannot be the escape character"
        );
    }

    #[test]
    fn syntax_is_found_in_other_languages() {
        for text in [
            "#!/usr/bin/env x\n# syntax=a/b\n",
            "// syntax=a/b\n",
            "#!x\n//syntax=a/b",
            "{\"x\": 1, \"syntax\": \"a/b\"}",
        ] {
            assert_eq!(detect_syntax(text).unwrap().value, "a/b", "{text}");
        }
        assert_eq!(detect_syntax("FROM a"), None);
    }
}
