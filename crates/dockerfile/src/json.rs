//! JSON arrays of strings, with the place of each.

use std::ops::Range;

/// Nesting that no Dockerfile needs; keeps the recursion short.
const DEEPEST: usize = 64;

/// What a text that may be an array is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Array {
    /// An array of strings.
    Strings(Vec<(String, Range<usize>)>),
    /// An array with something else in it, at this place.
    Mixed(Range<usize>),
    /// Not a JSON array.
    Not,
}

/// Reads the part of `text` as an array.
pub(crate) fn array(text: &str, range: Range<usize>) -> Array {
    let mut reader = Reader {
        text: &text[..range.end],
        at: range.start,
    };
    match reader.array() {
        Some((strings, None)) if reader.finished() => Array::Strings(strings),
        Some((_, Some(place))) if reader.finished() => Array::Mixed(place),
        _ => Array::Not,
    }
}

/// The value of a string field of an object that is the whole text.
pub(crate) fn object_field(text: &str, start: usize, key: &str) -> Option<(String, Range<usize>)> {
    let mut reader = Reader { text, at: start };
    let mut found = None;
    reader.space();
    reader.eat('{')?;
    reader.members(0, |name, value| {
        if name == key {
            found = value;
        }
    })?;
    reader.finished().then_some(found)?
}

type Text = (String, Range<usize>);

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn eat(&mut self, wanted: char) -> Option<()> {
        (self.peek() == Some(wanted)).then(|| self.at += wanted.len_utf8())
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn finished(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    /// The strings, and the place of the first element that is not a string.
    fn array(&mut self) -> Option<(Vec<Text>, Option<Range<usize>>)> {
        let (mut strings, mut other) = (Vec::new(), None);
        self.text[self.at..]
            .trim_start()
            .starts_with('[')
            .then_some(())?;
        while self.eat('[').is_none() {
            self.next();
        }
        self.elements(0, |place, value| match value {
            Some(text) => strings.push(text),
            None => other = other.take().or(Some(place)),
        })?;
        Some((strings, other))
    }

    fn elements(
        &mut self,
        depth: usize,
        mut each: impl FnMut(Range<usize>, Option<Text>),
    ) -> Option<()> {
        self.space();
        if self.eat(']').is_some() {
            return Some(());
        }
        loop {
            self.space();
            let start = self.at;
            let value = self.value(depth)?;
            each(start..self.at, value);
            self.space();
            match self.next()? {
                ',' => {}
                ']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn members(&mut self, depth: usize, mut each: impl FnMut(&str, Option<Text>)) -> Option<()> {
        self.space();
        if self.eat('}').is_some() {
            return Some(());
        }
        loop {
            self.space();
            let (name, _) = self.string()?;
            self.space();
            self.eat(':')?;
            self.space();
            let value = self.value(depth)?;
            each(&name, value);
            self.space();
            match self.next()? {
                ',' => {}
                '}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads any value; the inner option is the text if it is a string.
    fn value(&mut self, depth: usize) -> Option<Option<Text>> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            '"' => return self.string().map(Some),
            '[' => {
                self.at += 1;
                self.elements(depth + 1, |_, _| ())?;
            }
            '{' => {
                self.at += 1;
                self.members(depth + 1, |_, _| ())?;
            }
            '-' | '0'..='9' => self.number()?,
            _ => self.word()?,
        }
        Some(None)
    }

    fn word(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let word = ["true", "false", "null"]
            .into_iter()
            .find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let count = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        self.at += count;
        (count > 0).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat('-');
        if self.eat('0').is_none() {
            self.digits()?;
        }
        if self.eat('.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            if matches!(self.peek(), Some('+' | '-')) {
                self.next();
            }
            self.digits()?;
        }
        Some(())
    }

    fn string(&mut self) -> Option<Text> {
        let start = self.at;
        self.eat('"')?;
        let mut value = String::new();
        loop {
            match self.next()? {
                '"' => return Some((value, start..self.at)),
                '\\' => value.push(self.escape()?),
                control if control < ' ' => return None,
                other => value.push(other),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            plain @ ('"' | '\\' | '/') => plain,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode()?,
            _ => return None,
        })
    }

    /// The character of `\uXXXX`, or of a surrogate pair; a lone surrogate becomes U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let high = self.hex()?;
        if let Some(character) = char::from_u32(high) {
            return Some(character);
        }
        let after = self.at;
        if high < 0xdc00 && self.eat('\\').is_some() && self.eat('u').is_some() {
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
        }
        self.at = after;
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Option<Vec<String>> {
        match array(text, 0..text.len()) {
            Array::Strings(strings) => Some(strings.into_iter().map(|(text, _)| text).collect()),
            _ => None,
        }
    }

    #[test]
    fn reads_strings_with_escapes() {
        assert_eq!(
            strings(r#" [ "a", "b\n\"\u00e9\ud83d\ude00\ud800x" ] "#).unwrap(),
            ["a", "b\n\"é😀\u{fffd}x"]
        );
        assert_eq!(strings("[]").unwrap(), [""; 0]);
    }

    #[test]
    fn tells_mixed_from_not_json() {
        for mixed in ["[1]", r#"["a", null]"#, r#"[{"a":[1.5e3,-0]}]"#, "[[]]"] {
            assert!(
                matches!(array(mixed, 0..mixed.len()), Array::Mixed(_)),
                "{mixed}"
            );
        }
        for not in [
            "",
            "[",
            "[a]",
            "['a']",
            r#"["a",]"#,
            r#"["a"] b"#,
            r#"["a" "b"]"#,
            r#"["\x"]"#,
            "[ -f x ] && y",
            "[01]",
            "x",
        ] {
            assert_eq!(array(not, 0..not.len()), Array::Not, "{not}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(array(&deep, 0..deep.len()), Array::Not);
    }

    #[test]
    fn finds_a_field() {
        let text = r#"{"a": [1], "syntax": "x/y"}"#;
        assert_eq!(object_field(text, 0, "syntax").unwrap().0, "x/y");
        assert_eq!(object_field(text, 0, "b"), None);
    }
}
