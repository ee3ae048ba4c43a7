//! The ignore matcher against a slow one that is plainly right, and how fast it is.

use std::time::Instant;

use dockerfile::ignore::{Parent, Patterns};
use proptest::prelude::*;
use regex::Regex;

/// Each pattern as a regular expression, each path and each of its parents against it.
fn oracle(lines: &[String], path: &str) -> bool {
    let mut ignored = false;
    for line in lines {
        let (exception, pattern) = match line.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, line.as_str()),
        };
        let expression = if pattern == "**" {
            ".*".to_owned()
        } else {
            let parts = pattern.replace("**/", "\u{1}").replace("/**", "\u{2}");
            let parts = regex::escape(&parts)
                .replace(r"\*", "[^/]*")
                .replace(r"\?", "[^/]");
            parts.replace('\u{1}', "(.*/)?").replace('\u{2}', "/.*")
        };
        let regex = Regex::new(&format!("^{expression}$")).unwrap();
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        if parents.chain([path]).any(|path| regex.is_match(path)) {
            ignored = !exception;
        }
    }
    ignored
}

fn pattern() -> impl Strategy<Value = String> {
    let component = prop::sample::select(vec!["a", "b", "*", "a*", "*b", "?", "**", "a?b*"]);
    let components = prop::collection::vec(component, 1..4);
    (any::<bool>(), components).prop_map(|(exception, mut components)| {
        components.dedup();
        format!(
            "{}{}",
            if exception { "!" } else { "" },
            components.join("/")
        )
    })
}

fn path() -> impl Strategy<Value = String> {
    let component = prop::sample::select(vec!["a", "b", "ab", "aab", "cb"]);
    prop::collection::vec(component, 1..5).prop_map(|components| components.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn agrees_with_the_oracle(lines in prop::collection::vec(pattern(), 1..5), path in path()) {
        let patterns = Patterns::parse(&lines.join("\n")).unwrap();
        let expected = oracle(&lines, &path);
        prop_assert_eq!(patterns.ignores(&path), expected);

        // A walk from the top gives the same answer, and never skips what would come back.
        let mut parent = Parent::default();
        let mut skipped = false;
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let mut ignored = false;
        for end in ends {
            let verdict = patterns.walk(&path[..end], &parent);
            ignored = verdict.ignored;
            parent = verdict.parent;
            skipped |= verdict.skip && end < path.len();
        }
        prop_assert_eq!(ignored, expected);
        prop_assert!(!skipped || expected);
    }

    #[test]
    fn never_panics(text in "[a*?!/\\[\\]^\\\\{}.-]{0,12}", path in path()) {
        if let Ok(patterns) = Patterns::parse(&text) {
            let ignored = patterns.ignores(&path);
            let _ = (ignored, patterns.walk(&path, &Parent::default()));
        }
    }
}

#[test]
fn fifty_thousand_paths_are_quick() {
    let patterns = Patterns::parse(
        ".git\nnode_modules\n**/__pycache__\n**/*.pyc\n*.log\ndist/**\n!dist/keep.txt\n.env*\n",
    )
    .unwrap();
    let paths: Vec<String> = (0..50_000)
        .map(|index| {
            format!(
                "src/module{}/part{}/file{index}.js",
                index % 100,
                index % 10
            )
        })
        .collect();
    let start = Instant::now();
    let ignored = paths.iter().filter(|path| patterns.ignores(path)).count();
    let took = start.elapsed();
    assert_eq!(ignored, 0);
    // Without optimisation and on a busy machine; optimised it is a twentieth of that.
    assert!(took.as_millis() < 2000, "{took:?}");
}
