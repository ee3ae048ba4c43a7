use super::*;

fn lookup(name: &str) -> Option<String> {
    let value = match name {
        "v" => "value",
        "empty" => "",
        "path" => "/a/b/c.tar.gz",
        "two" => "one two",
        "star" => "a*b",
        "ü" => "umlaut",
        _ => return None,
    };
    Some(value.to_owned())
}

fn expand(word: &str) -> String {
    match text(word, '\\', &lookup) {
        Ok(expanded) => expanded.value,
        Err(error) => format!("{error} at {:?}", error.at),
    }
}

fn words(word: &str) -> Vec<String> {
    let run = Lexer::new(word, '\\', Style::default(), &lookup).run();
    run.unwrap().value.1
}

#[test]
fn modifiers() {
    for (word, expected) in [
        ("$v", "value"),
        ("${v}x", "valuex"),
        ("$vx.", "."),
        ("${none}", ""),
        ("${none:-d}", "d"),
        ("${empty:-d}", "d"),
        ("${empty-d}", ""),
        ("${none-d}", "d"),
        ("${v:-d}", "value"),
        ("${v:+a}", "a"),
        ("${empty:+a}", ""),
        ("${empty+a}", "a"),
        ("${none+a}", ""),
        ("${none:-${v:-x}}", "value"),
        ("${none:-\"a }b\"}", "a }b"),
        ("${v:?no}", "value"),
        ("${empty?no}", ""),
        ("${path#*/}", "a/b/c.tar.gz"),
        ("${path##*/}", "c.tar.gz"),
        ("${path%.*}", "/a/b/c.tar"),
        ("${path%%.*}", "/a/b/c"),
        ("${path%x}", "/a/b/c.tar.gz"),
        ("${path/\\//_}", "_a/b/c.tar.gz"),
        ("${path//\\//_}", "_a_b_c.tar.gz"),
        ("${v/l?/X}", "vaXe"),
        ("${v//[a-z]/X}", "value"),
        ("${star#a\\*}", "b"),
        ("${none#x}${none/a/b}", ""),
        ("$ü", "umlaut"),
        ("a$", "a$"),
        ("$(x)", "$(x)"),
        ("$1a", "a"),
        ("$10a", "a"),
        ("$$", ""),
    ] {
        assert_eq!(expand(word), expected, "{word}");
    }
}

#[test]
fn quotes_and_escapes() {
    for (word, expected) in [
        ("'$v'", "$v"),
        ("\"$v\"", "value"),
        ("\\$v", "$v"),
        ("\"\\$v \\\" \\\\ \\n\"", "$v \" \\ \\n"),
        ("a\\", "a"),
        ("a\\ b", "a b"),
        ("'a'\"b\"c", "abc"),
        ("<<  X", "<<  X"),
    ] {
        assert_eq!(expand(word), expected, "{word}");
    }
    assert_eq!(text("`$v\\x", '`', &lookup).unwrap().value, "$v\\x");
}

#[test]
fn errors() {
    for (word, expected) in [
        ("a${v", "a closing `}` is missing at 1..4"),
        ("${", "a closing `}` is missing at 0..2"),
        ("${}", "bad substitution: a name must follow `${` at 0..3"),
        (
            "${v!x}",
            "unsupported modifier `!` in a substitution at 3..4",
        ),
        (
            "${v:x}",
            "unsupported modifier `:x` in a substitution at 3..5",
        ),
        (
            "${v:#x}",
            "unsupported modifier `:#` in a substitution at 3..5",
        ),
        ("${v/a}", "a closing `/` is missing at 0..6"),
        ("${v/a/b", "a closing `}` is missing at 0..7"),
        ("${none?}", "none: is not allowed to be unset at 0..8"),
        ("${empty:?}", "empty: is not allowed to be empty at 0..10"),
        ("${none:?give none}", "none: give none at 0..18"),
        (
            "${v#\\a}",
            "invalid pattern `\\a`: a backslash may only stand before * ? \\ } and / at 0..7",
        ),
        ("'a", "a closing single quote is missing at 0..2"),
        ("x\"a", "a closing double quote is missing at 1..3"),
    ] {
        assert_eq!(expand(word), expected, "{word}");
    }
    let deep = "${a:-".repeat(50_000);
    assert!(expand(&deep).starts_with("variables are nested too deep"));
}

#[test]
fn splits_after_expansion() {
    assert_eq!(
        words("80 $two '$two x' \"$two\""),
        ["80", "one", "two", "$two x", "one two"]
    );
    assert_eq!(words("a${none:-b} c"), ["ab", "c"]);
    assert_eq!(words("a\\ b '' c"), ["a b", "c"]);
}

#[test]
fn names_are_reported() {
    let expanded = text("$v ${none:-x} $none $other", '\\', &lookup).unwrap();
    assert_eq!(expanded.used.into_iter().collect::<Vec<_>>(), ["v"]);
    let unset: Vec<_> = expanded
        .unset
        .iter()
        .map(|unset| unset.name.as_str())
        .collect();
    assert_eq!(unset, ["none", "other"]);
    assert_eq!(expanded.unset[0].span, Span::new(3, 13));
}

#[test]
fn a_word_points_into_its_file() {
    let file = File::new("Dockerfile", "USER ab$x${y\n");
    let expander = Expander::new(&file, '\\', &lookup);
    let word = Spanned::new("ab$x${y".to_owned(), Span::new(5, 12));
    assert_eq!(expander.word(&word).unwrap_err().span, Span::new(9, 12));
    let word = Spanned::new("ab$x".to_owned(), Span::new(5, 9));
    assert_eq!(expander.word(&word).unwrap().unset[0].span, Span::new(7, 9));
}

#[test]
fn a_body_keeps_its_quotes() {
    let file = File::new("Dockerfile", "");
    let expander = Expander::new(&file, '`', &lookup);
    let body = expander
        .body("\"$v\" 'it' \\$v\n", Span::default())
        .unwrap();
    assert_eq!(body.value, "\"value\" 'it' $v\n");
}
