//! Splitting an instruction into flags and words. All positions are byte ranges of the line.

use std::ops::Range;

/// The characters between words. Newlines cannot occur in a logical line.
fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// Words between blanks, without regard to quotes.
pub(crate) fn split(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let base = range.start;
    let part = &text[range];
    let offset = |word: &str| base + (word.as_ptr() as usize - part.as_ptr() as usize);
    part.split(is_blank)
        .filter(|word| !word.is_empty())
        .map(|word| offset(word)..offset(word) + word.len())
        .collect()
}

/// The first word, and the range of what follows the blanks after it.
pub(crate) fn split_first(text: &str, range: Range<usize>) -> (Range<usize>, Range<usize>) {
    let part = &text[range.clone()];
    let word = part.find(is_blank).unwrap_or(part.len());
    let rest = &part[word..];
    let gap = rest.len() - rest.trim_start_matches(is_blank).len();
    (
        range.start..range.start + word,
        range.start + word + gap..range.end,
    )
}

/// Words between spaces where quotes and escapes hold a word together. Quotes and escapes stay
/// in the words, but an escape character that ends the line escapes nothing and is dropped.
pub(crate) fn quoted(text: &str, range: Range<usize>, escape: char) -> Vec<Range<usize>> {
    let end = range.end;
    let mut words = Vec::new();
    let mut word: Option<usize> = None;
    let mut quote: Option<char> = None;
    let mut last = end;
    let mut characters = text[range.clone()].char_indices();
    while let Some((at, character)) = characters.next() {
        let at = range.start + at;
        if quote.is_none() && character.is_whitespace() {
            words.extend(word.take().map(|start| start..at));
            continue;
        }
        word.get_or_insert(at);
        if character == escape && quote != Some('\'') {
            if characters.next().is_none() {
                last = at;
            }
        } else if quote == Some(character) {
            quote = None;
        } else if quote.is_none() && matches!(character, '\'' | '"') {
            quote = Some(character);
        }
    }
    words.extend(word.filter(|start| *start < last).map(|start| start..last));
    words
}

/// A word that begins with `--`, quotes and escapes taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlagWord {
    pub(crate) value: String,
    pub(crate) range: Range<usize>,
}

/// Takes the flags from the front; returns where the arguments begin. `--` ends the flags. Here
/// the escape is always a backslash, whatever the directive says.
pub(crate) fn flags(text: &str, range: Range<usize>) -> (Vec<FlagWord>, usize) {
    let mut flags = Vec::new();
    let mut at = range.start;
    loop {
        let rest = &text[at..range.end];
        at += rest.len() - rest.trim_start().len();
        if !text[at..range.end].starts_with("--") {
            return (flags, at);
        }
        let word = flag_word(text, at..range.end);
        at = word.range.end;
        if word.value == "--" {
            return (flags, at);
        }
        flags.push(word);
    }
}

fn flag_word(text: &str, range: Range<usize>) -> FlagWord {
    let mut value = String::new();
    let mut quote: Option<char> = None;
    let mut characters = text[range.clone()].char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, _) if character.is_whitespace() => {
                let range = range.start..range.start + at;
                return FlagWord { value, range };
            }
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if character == open => quote = None,
            (_, '\\') => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    FlagWord { value, range }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted_words(text: &str) -> Vec<&str> {
        let ranges = quoted(text, 0..text.len(), '\\');
        ranges.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            quoted_words(r#"a="b c" d=e\ f 'g h'i"#),
            [r#"a="b c""#, r"d=e\ f", "'g h'i"]
        );
        assert_eq!(quoted_words(r#"a="b\" c" d"#), [r#"a="b\" c""#, "d"]);
        assert_eq!(quoted_words(r"a='b\' c"), [r"a='b\'", "c"]);
        assert_eq!(quoted_words("a\\"), ["a"]);
        assert_eq!(quoted_words("a \\"), ["a"]);
        assert_eq!(quoted_words("a=\"b c"), ["a=\"b c"]);
        assert_eq!(quoted_words("  "), [""; 0]);
    }

    #[test]
    fn flags_lose_their_quotes() {
        let text = r#"--a="b c" --d=e\ f -- --x y"#;
        let (found, rest) = flags(text, 0..text.len());
        let values: Vec<_> = found.iter().map(|flag| flag.value.as_str()).collect();
        assert_eq!(values, ["--a=b c", "--d=e f"]);
        assert_eq!(&text[rest..], " --x y");
        assert_eq!(&text[found[0].range.clone()], r#"--a="b c""#);
        assert_eq!(flags("-x --y", 0..6).1, 0);
    }

    #[test]
    fn splits_off_the_first_word() {
        assert_eq!(split_first("a  b c", 0..6), (0..1, 3..6));
        assert_eq!(split_first("a", 0..1), (0..1, 1..1));
        assert_eq!(split("a \t b", 0..5), [0..1, 4..5]);
    }
}
