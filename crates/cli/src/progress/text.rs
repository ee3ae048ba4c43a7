//! Small pieces of progress text.

use std::time::Duration;

/// Seconds with one decimal: `0.4s`, `75.0s`.
pub(super) fn seconds(length: Duration) -> String {
    format!("{:.1}s", length.as_secs_f64())
}

/// The instruction of a step's name: `[build 2/4] RUN npm ci` is `RUN npm ci`.
pub(super) fn instruction(name: &str) -> &str {
    match name.split_once("] ") {
        Some((stage, rest)) if stage.starts_with('[') => rest,
        _ => name,
    }
}

/// Whether a step belongs to the build's own work and not to a Dockerfile line.
pub(super) fn is_internal(name: &str) -> bool {
    name.starts_with("[internal]")
}

/// A line of a process's output as one terminal line: what a carriage return overwrote, escape
/// sequences and control characters are left out.
pub(super) fn printable(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => skip_escape(&mut chars),
            '\t' => out.push_str("    "),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        // Control sequence: up to its final letter.
        Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
        // Operating system command: up to a bell or the string terminator.
        Some(']') => {
            while let Some(c) = chars.next() {
                if c == '\x07' || (c == '\x1b' && chars.next().is_some()) {
                    return;
                }
            }
        }
        _ => {}
    }
}

/// At most `width` characters; a cut is shown by an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) if width == 0 => String::new(),
        Some(_) => text.chars().take(width - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_output_cannot_move_the_cursor() {
        assert_eq!(printable("10%\r20%\r100% done\r"), "100% done");
        assert_eq!(
            printable("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;u\x1b\\y\x08"),
            "red xy"
        );
        assert_eq!(printable("a\tb"), "a    b");
    }

    #[test]
    fn cuts() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("äöü", 2), "ä…");
        assert_eq!(cut("a", 0), "");
    }
}
