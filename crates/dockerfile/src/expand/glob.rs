//! Patterns of `#`, `%` and `/`: `*`, `?` and `\`, nothing else.

/// One piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// `*`: any number of characters.
    Any,
    /// `?`: one character.
    One,
    /// This character.
    Literal(char),
}

/// A pattern, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                // Several stars are one: keeps matching linear in them.
                '*' if pieces.last() == Some(&Piece::Any) => continue,
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '?' | '\\' | '}' | '/')) => Piece::Literal(escaped),
                    _ => return Err("a backslash may only stand before * ? \\ } and /"),
                },
                other => Piece::Literal(other),
            });
        }
        Ok(Self(pieces))
    }

    fn reversed(&self) -> Self {
        Self(self.0.iter().rev().copied().collect())
    }

    /// How many characters at the start of `text` match, the fewest or the most possible. All
    /// states are followed at once, so that no pattern is slow.
    fn prefix(&self, text: &[char], longest: bool) -> Option<usize> {
        let last = self.0.len();
        let mut states = vec![false; last + 1];
        states[0] = true;
        let mut found = None;
        for taken in 0..=text.len() {
            for at in 0..last {
                if states[at] && self.0[at] == Piece::Any {
                    states[at + 1] = true;
                }
            }
            if states[last] {
                found = Some(taken);
                if !longest {
                    break;
                }
            }
            let Some(&character) = text.get(taken) else {
                break;
            };
            states = self.step(&states, character);
            if !states.contains(&true) {
                break;
            }
        }
        found
    }

    fn step(&self, states: &[bool], character: char) -> Vec<bool> {
        let mut next = vec![false; states.len()];
        for (at, piece) in self.0.iter().enumerate().filter(|(at, _)| states[*at]) {
            match piece {
                Piece::Any => next[at] = true,
                Piece::One => next[at + 1] = true,
                Piece::Literal(literal) => next[at + 1] |= *literal == character,
            }
        }
        next
    }
}

/// The value without the shortest or longest start that matches.
pub(super) fn trim_prefix(pattern: &Pattern, value: &str, longest: bool) -> String {
    let text: Vec<char> = value.chars().collect();
    let taken = pattern.prefix(&text, longest).unwrap_or(0);
    text[taken..].iter().collect()
}

/// The value without the shortest or longest end that matches.
pub(super) fn trim_suffix(pattern: &Pattern, value: &str, longest: bool) -> String {
    let text: Vec<char> = value.chars().rev().collect();
    let taken = pattern.reversed().prefix(&text, longest).unwrap_or(0);
    text[taken..].iter().rev().collect()
}

/// The value with the first match, or all, replaced by `text`; each match is the leftmost, longest.
pub(super) fn replace(pattern: &Pattern, value: &str, text: &str, all: bool) -> String {
    let value: Vec<char> = value.chars().collect();
    let mut result = String::new();
    let mut at = 0;
    while at <= value.len() {
        match pattern.prefix(&value[at..], true) {
            Some(taken) if taken > 0 || !all => {
                result.push_str(text);
                at += taken;
                if !all {
                    break;
                }
            }
            _ => {
                result.extend(value.get(at));
                at += 1;
            }
        }
    }
    result.extend(value.get(at..).unwrap_or_default());
    result
}
