//! The lines of a Dockerfile around an instruction, as Docker shows them with a failed step.

use std::fmt::Write as _;

use dockerfile::{File, Span};

/// Lines of context above and below.
const AROUND: usize = 2;
const RULE: &str = "--------------------\n";

/// ```text
/// Dockerfile:2
/// --------------------
///    1 |     FROM busybox
///    2 | >>> RUN false
/// --------------------
/// ```
pub(crate) fn excerpt(file: &File, span: Span) -> String {
    let marked = file.lines(span);
    let (first, last) = (*marked.start(), *marked.end());
    let mut text = format!("{}:{first}\n{RULE}", file.name());
    let lines = file.text().lines().enumerate();
    for (at, line) in lines.map(|(at, line)| (at + 1, line)) {
        if at + AROUND >= first && at <= last + AROUND {
            let mark = if marked.contains(&at) { ">>>" } else { "   " };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{at:4} | {mark} {line}");
        }
    }
    text + RULE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_all_lines_of_the_instruction() {
        let file = File::new("Dockerfile", "FROM a\n\n\nRUN x \\\n  y\nCMD z\n");
        let text = excerpt(&file, Span::new(9, 20));
        let expected = "Dockerfile:4\n--------------------\n   2 |     \n   3 |     \n   \
            4 | >>> RUN x \\\n   5 | >>>   y\n   6 |     CMD z\n--------------------\n";
        assert_eq!(text, expected);
    }
}
