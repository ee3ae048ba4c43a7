use super::*;

fn patterns(text: &str) -> Patterns {
    Patterns::parse(text).unwrap()
}

#[test]
fn lines_are_cleaned() {
    let list: Vec<_> = patterns("\u{feff}# c\n /a/./b/ \n\n! /x/../y \n #not a comment\n")
        .iter()
        .collect();
    assert_eq!(list, ["a/b", "!y", "#not a comment"]);
    assert!(patterns("# a\n\n").is_empty());
}

#[test]
fn matches_as_go_does() {
    for (text, ignored, kept) in [
        ("a", "a/b/c", "b/a"),
        ("*.log", "x.log", "d/x.log"),
        ("**/*.log", "d/e/x.log", "d/x.logs"),
        ("a/**", "a/b", "a"),
        ("**.pyc", "d/x.pyc", "x.py"),
        ("abc**", "abcd/e", "ab"),
        ("a/*b**c", "a/xbc", "a/b"),
        ("*\n!keep", "x/keep", "keep/x"),
        ("*\n!a/b", "a/c", "a/b/c"),
        ("!a\na", "a", "b"),
        ("a[!b]", "a!", "ac"),
        ("{a,b}", "{a,b}", "a"),
        ("a?c", "abc", "a/c"),
        ("**", "a/b/c", ""),
    ] {
        let patterns = patterns(text);
        assert!(patterns.ignores(ignored), "{text:?} {ignored}");
        assert!(
            kept.is_empty() || !patterns.ignores(kept),
            "{text:?} {kept}"
        );
    }
}

#[test]
fn a_folder_is_skipped_if_nothing_can_come_back() {
    let skip = |text: &str, path: &str| patterns(text).walk(path, &Parent::default()).skip;
    assert!(skip("node_modules", "node_modules"));
    assert!(skip("a\n!b", "a"));
    assert!(!skip("a\n!a/b", "a"));
    assert!(skip("!a/b\na", "a"));
    assert!(!skip("*\n!**/keep", "a"));
    assert!(!skip("a", "b"));
    let patterns = patterns("a\n!a/b\na/b/c");
    let a = patterns.walk("a", &Parent::default());
    let b = patterns.walk("a/b", &a.parent);
    assert!(a.ignored && !b.ignored);
    assert!(patterns.walk("a/b/c", &b.parent).skip);
    assert!(!patterns.walk("a/b/d", &b.parent).ignored);
}

#[test]
fn malformed_patterns_are_refused() {
    for (text, message) in [
        ("!", "`!` is not a pattern: a path must follow the `!`"),
        ("a/[b", "`a/[b` is not a pattern: a closing `]` is missing"),
        (
            "a\\",
            "`a\\` is not a pattern: nothing follows the backslash",
        ),
    ] {
        assert_eq!(Patterns::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn cleans_like_go() {
    for (path, cleaned) in [
        ("", "."),
        ("/", "/"),
        ("a//b/./c/..", "a/b"),
        ("../a", "../a"),
        ("/..", "/"),
        ("a/..", "."),
        ("a/../../b", "../b"),
    ] {
        assert_eq!(clean(path), cleaned, "{path}");
    }
}
