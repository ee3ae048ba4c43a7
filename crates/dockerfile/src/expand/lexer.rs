//! One pass over a word. The grammar is that of Dockerfiles: like a shell's, but smaller.

use super::glob::{self, Pattern};
use super::{ExpandError, Expanded, Lookup, Unset};
use crate::Span;

/// `${a:-${b:-…}}` deeper than this is an attack, not a Dockerfile.
const DEEPEST: usize = 64;

/// What stays as it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// Quotes stay around what they quote.
    pub(crate) keep_quotes: bool,
    /// Escape characters stay.
    pub(crate) keep_escapes: bool,
    /// Quotes have no meaning.
    pub(crate) plain_quotes: bool,
    /// Variables that are not set stay.
    pub(crate) keep_unset: bool,
}

pub(crate) struct Lexer<'t, 'l> {
    source: &'t str,
    at: usize,
    depth: usize,
    escape: char,
    style: Style,
    lookup: &'l Lookup<'l>,
    names: Expanded<()>,
}

type Result<T> = std::result::Result<T, ExpandError>;

impl<'t, 'l> Lexer<'t, 'l> {
    pub(crate) fn new(source: &'t str, escape: char, style: Style, lookup: &'l Lookup<'l>) -> Self {
        Self {
            source,
            at: 0,
            depth: 0,
            escape,
            style,
            lookup,
            names: Expanded::default(),
        }
    }

    /// The whole text, and the same split into words.
    pub(crate) fn run(mut self) -> Result<Expanded<(String, Vec<String>)>> {
        let result = self.until(None)?;
        Ok(self.names.map(|()| result))
    }

    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn error<T>(&self, start: usize, message: impl Into<String>) -> Result<T> {
        Err(ExpandError {
            message: message.into(),
            at: Span::new(start, self.at),
        })
    }

    /// Reads up to `stop`, which is taken too, or to the end.
    fn until(&mut self, stop: Option<char>) -> Result<(String, Vec<String>)> {
        let start = self.at;
        let mut words = Words::default();
        while let Some(character) = self.peek() {
            if stop == Some(character) {
                self.next();
                return Ok(words.finish());
            }
            match character {
                '\'' if !self.style.plain_quotes => words.solid(self.single_quoted()?),
                '"' if !self.style.plain_quotes => words.solid(&self.double_quoted()?),
                '$' => words.splittable(&self.dollar()?),
                '<' => words.solid(self.less_than()),
                _ => self.plain(&mut words),
            }
        }
        match stop {
            Some(stop) => self.error(start, format!("a closing `{stop}` is missing")),
            None => Ok(words.finish()),
        }
    }

    fn plain(&mut self, words: &mut Words) {
        let start = self.at;
        let Some(character) = self.next() else {
            return;
        };
        if character != self.escape {
            words.splittable(&self.source[start..self.at]);
            return;
        }
        // An escape character at the end escapes nothing and goes away.
        let escaped = self.at;
        self.next();
        if self.style.keep_escapes {
            words.solid(&self.source[start..self.at]);
        } else if escaped < self.at {
            words.solid(&self.source[escaped..self.at]);
        }
    }

    fn single_quoted(&mut self) -> Result<&'t str> {
        let start = self.at;
        self.next();
        let Some(length) = self.source[self.at..].find('\'') else {
            self.at = self.source.len();
            return self.error(start, "a closing single quote is missing");
        };
        let inside = self.at..self.at + length;
        self.at = inside.end + 1;
        Ok(if self.style.keep_quotes {
            &self.source[start..self.at]
        } else {
            &self.source[inside]
        })
    }

    fn double_quoted(&mut self) -> Result<String> {
        let start = self.at;
        let mut result = String::new();
        self.next();
        if self.style.keep_quotes {
            result.push('"');
        }
        loop {
            if self.peek() == Some('$') {
                result.push_str(&self.dollar()?);
                continue;
            }
            match self.next() {
                None => return self.error(start, "a closing double quote is missing"),
                Some('"') => {
                    if self.style.keep_quotes {
                        result.push('"');
                    }
                    return Ok(result);
                }
                Some(character) if character == self.escape => self.quoted_escape(&mut result),
                Some(character) => result.push(character),
            }
        }
    }

    /// Inside double quotes only `"`, `$` and the escape character itself can be escaped.
    fn quoted_escape(&mut self, result: &mut String) {
        let special = matches!(self.peek(), Some('"' | '$')) || self.peek() == Some(self.escape);
        if self.style.keep_escapes || (!special && self.peek().is_some()) {
            result.push(self.escape);
        }
        if special {
            result.extend(self.next());
        }
    }

    /// `<<` keeps the blanks after it, so that a here-document's delimiter stays with it.
    fn less_than(&mut self) -> &'t str {
        let start = self.at;
        self.next();
        if self.eat('<') {
            let rest = &self.source[self.at..];
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        }
        &self.source[start..self.at]
    }

    fn dollar(&mut self) -> Result<String> {
        let start = self.at;
        self.next();
        if self.eat('{') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return self.error(start, "variables are nested too deep");
            }
            let result = self.braced(start);
            self.depth -= 1;
            return result;
        }
        let name = self.name();
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        Ok(match self.get(name, start) {
            None if self.style.keep_unset => format!("${name}"),
            value => value.unwrap_or_default(),
        })
    }

    fn braced(&mut self, start: usize) -> Result<String> {
        if matches!(self.peek(), Some('{' | '}' | ':')) {
            self.next();
            return self.error(start, "bad substitution: a name must follow `${`");
        }
        let name = self.name();
        let operator = self.at;
        match self.next() {
            None => self.error(start, "a closing `}` is missing"),
            Some('}') => Ok(match self.get(name, start) {
                None if self.style.keep_unset => format!("${{{name}}}"),
                value => value.unwrap_or_default(),
            }),
            Some('/') => self.replace(name, start),
            Some(':' | '-' | '+' | '?' | '#' | '%') => {
                self.at = operator;
                self.modified(name, start)
            }
            Some(_) => self.unsupported(operator),
        }
    }

    fn unsupported<T>(&self, operator: usize) -> Result<T> {
        let modifier = &self.source[operator..self.at];
        self.error(
            operator,
            format!("unsupported modifier `{modifier}` in a substitution"),
        )
    }

    /// `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%`
    fn modified(&mut self, name: &str, start: usize) -> Result<String> {
        let from = self.at;
        let null_is_unset = self.eat(':');
        let modifier = self.next();
        let trims = matches!(modifier, Some('#' | '%'));
        if modifier.is_none() {
            return self.error(start, "a closing `}` is missing");
        }
        if !matches!(modifier, Some('-' | '+' | '?' | '#' | '%')) || (null_is_unset && trims) {
            return self.unsupported(from);
        }
        let operator = &self.source[from..self.at];
        let word = self.inner('}', trims, start)?;
        let value = self.get(name, start);
        if value.is_none() && self.style.keep_unset {
            return Ok(format!("${{{name}{operator}{word}}}"));
        }
        let present = value
            .clone()
            .filter(|value| !(null_is_unset && value.is_empty()));
        match modifier {
            Some('-') => Ok(present.unwrap_or(word)),
            Some('+') => Ok(present.map_or_else(String::new, |_| word)),
            Some('?') => match present {
                Some(value) => Ok(value),
                None if word.is_empty() && value.is_none() => {
                    self.error(start, format!("{name}: is not allowed to be unset"))
                }
                None if word.is_empty() => {
                    self.error(start, format!("{name}: is not allowed to be empty"))
                }
                None => self.error(start, format!("{name}: {word}")),
            },
            end => self.trimmed(&value.unwrap_or_default(), &word, end == Some('%'), start),
        }
    }

    fn trimmed(&self, value: &str, word: &str, suffix: bool, start: usize) -> Result<String> {
        let doubled = if suffix { '%' } else { '#' };
        let (word, longest) = match word.strip_prefix(doubled) {
            Some(word) => (word, true),
            None => (word, false),
        };
        let pattern = self.pattern(word, start)?;
        let result = if suffix {
            glob::trim_suffix(&pattern, value, longest)
        } else {
            glob::trim_prefix(&pattern, value, longest)
        };
        Ok(result)
    }

    /// `${name/pattern/text}` and `${name//pattern/text}`
    fn replace(&mut self, name: &str, start: usize) -> Result<String> {
        let all = self.eat('/');
        let pattern = self.inner('/', true, start)?;
        let text = self.inner('}', true, start)?;
        let Some(value) = self.get(name, start) else {
            let kept = self.style.keep_unset;
            let slash = if all { "//" } else { "/" };
            return Ok(if kept {
                format!("${{{name}{slash}{pattern}/{text}}}")
            } else {
                String::new()
            });
        };
        let pattern = self.pattern(&pattern, start)?;
        Ok(glob::replace(&pattern, &value, &text, all))
    }

    fn pattern(&self, text: &str, start: usize) -> Result<Pattern> {
        match Pattern::parse(text) {
            Ok(pattern) => Ok(pattern),
            Err(reason) => self.error(start, format!("invalid pattern `{text}`: {reason}")),
        }
    }

    /// The word after a modifier.
    fn inner(&mut self, stop: char, keep_escapes: bool, start: usize) -> Result<String> {
        let outer = std::mem::replace(&mut self.style.keep_escapes, keep_escapes);
        let result = self.until(Some(stop));
        self.style.keep_escapes = outer;
        match result {
            Ok((text, _)) => Ok(text),
            Err(_) if self.at == self.source.len() && self.depth == 1 => {
                self.error(start, format!("a closing `{stop}` is missing"))
            }
            Err(error) => Err(error),
        }
    }

    /// A name: letters, digits and `_`; or digits alone; or one special character.
    fn name(&mut self) -> &'t str {
        let rest = &self.source[self.at..];
        let length = match rest.chars().next() {
            Some(first) if first.is_numeric() => rest.find(|c: char| !c.is_numeric()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => Some(1),
            _ => rest.find(|c: char| !c.is_alphanumeric() && c != '_'),
        };
        let name = &rest[..length.unwrap_or(rest.len())];
        self.at += name.len();
        name
    }

    fn get(&mut self, name: &str, start: usize) -> Option<String> {
        let value = (self.lookup)(name);
        if value.is_some() {
            self.names.used.insert(name.to_owned());
        } else if self.names.unset.iter().all(|unset| unset.name != name) {
            let span = Span::new(start, self.at);
            let name = name.to_owned();
            self.names.unset.push(Unset { name, span });
        }
        value
    }
}

/// The text, and its words: only spaces that are neither quoted nor escaped separate them.
#[derive(Default)]
struct Words {
    text: String,
    done: Vec<String>,
    current: String,
}

impl Words {
    fn solid(&mut self, text: &str) {
        self.text.push_str(text);
        self.current.push_str(text);
    }

    fn splittable(&mut self, text: &str) {
        self.text.push_str(text);
        for character in text.chars() {
            if !character.is_whitespace() {
                self.current.push(character);
            } else if !self.current.is_empty() {
                self.done.push(std::mem::take(&mut self.current));
            }
        }
    }

    fn finish(mut self) -> (String, Vec<String>) {
        if !self.current.is_empty() {
            self.done.push(self.current);
        }
        (self.text, self.done)
    }
}
