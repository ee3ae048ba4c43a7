//! Whatever the input: no panic, and every range is in bounds.

use dockerfile::{Diagnostic, Dockerfile, Expander, Instruction, Span};
use proptest::prelude::*;

/// Text made of what the language is made of, so that deep code is reached.
fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        prop::sample::select(vec![
            "FROM a\n",
            "RUN ",
            "COPY ",
            "ADD ",
            "ENV ",
            "ARG ",
            "LABEL ",
            "ONBUILD ",
            "EXPOSE ",
            "HEALTHCHECK ",
            "CMD ",
            "SHELL ",
            "VOLUME ",
            "USER ",
            "WORKDIR ",
            "FROM ",
            " AS b",
            "STOPSIGNAL ",
            "MAINTAINER ",
            "ENTRYPOINT ",
            "--mount=type=cache,target=/a",
            "--from=",
            "--chmod=755 ",
            "--interval=5s ",
            "<<EOF",
            "<<-'E F'",
            "\nEOF\n",
            "\n",
            "\\\n",
            "\r\n",
            "# c\n",
            "# escape=`\n",
            "`\n",
            "[\"a\", \"\\u00e9\"]",
            "[1]",
            "$v",
            "${v:-",
            "${v#",
            "}",
            "\"",
            "'",
            "=",
            " ",
            "\t",
            "\u{feff}",
            "é",
            "--",
            ",",
            "\\",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec(fragment, 0..24).prop_map(|parts| parts.concat())
}

fn in_bounds(text: &str, span: Span) -> bool {
    span.start <= span.end && text.get(span.range()).is_some()
}

fn check_diagnostics(text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        assert!(in_bounds(text, diagnostic.span), "{diagnostic:?}");
        assert!(diagnostic.render().lines().count() > 2);
    }
}

/// Spans are printed as `@start..end`, wherever they hide in the tree.
fn check_spans(text: &str, tree: &str) {
    for part in tree.split('@').skip(1) {
        let digits =
            |text: &str| -> String { text.chars().take_while(char::is_ascii_digit).collect() };
        let start = digits(part);
        let Some(rest) = part[start.len()..].strip_prefix("..") else {
            continue;
        };
        if let (Ok(start), Ok(end)) = (start.parse(), digits(rest).parse()) {
            assert!(
                in_bounds(text, Span::new(start, end)),
                "{start}..{end} in {tree}"
            );
        }
    }
}

fn check(text: &str) {
    match dockerfile::parse(text, "Dockerfile") {
        Ok(parsed) => {
            check_diagnostics(text, &parsed.warnings);
            check_diagnostics(text, &dockerfile::lint::lint(&parsed));
            if !text.contains('@') {
                check_spans(text, &format!("{:?}", parsed.stages));
            }
            check_expansion(&parsed);
        }
        Err(error) => {
            assert!(!error.diagnostics().is_empty());
            check_diagnostics(text, error.diagnostics());
        }
    }
}

fn check_expansion(parsed: &Dockerfile) {
    let lookup = |name: &str| name.len().is_multiple_of(2).then(|| format!("a {name}"));
    let expander = Expander::new(&parsed.file, parsed.directives.escape, &lookup);
    for stage in &parsed.stages {
        let _ = stage.from.node.expand(&expander);
        for statement in &stage.instructions {
            if let Err(error) = statement.node.expand(&expander) {
                check_diagnostics(parsed.file.text(), &[error]);
            }
            if let Instruction::Run(run) = &statement.node {
                let _ = (run.script(), run.mounts(&expander));
            }
            if let Instruction::OnBuild(trigger) = &statement.node {
                let _ = dockerfile::parse_trigger(&trigger.text, "trigger");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn fragments_never_panic(text in fragments()) {
        check(&text);
        check(&format!("FROM a\n{text}"));
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = dockerfile::parse_bytes(&bytes, "Dockerfile").map_err(|error| error.render());
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn expansion_never_panics(text in r#"[${}:?#%/a*\\'"` +-]{0,30}"#) {
        for escape in ['\\', '`'] {
            let found = dockerfile::expand::text(&text, escape, &|_| Some("some/value".to_owned()));
            if let Err(error) = found {
                prop_assert!(in_bounds(&text, error.at));
            }
            let _ = dockerfile::expand::text(&text, escape, &|_| None);
        }
    }

    #[test]
    fn plain_text_expands_to_itself(text in "[a-z0-9 ./=_-]{0,30}") {
        let expanded = dockerfile::expand::text(&text, '\\', &|_| None).unwrap();
        prop_assert_eq!(expanded.value, text);
    }

    #[test]
    fn triggers_survive_storage(body in "[a-z $\n]{0,30}", command in "[a-z]{1,8}") {
        let text = format!("FROM a\nONBUILD RUN {command} <<EOF\n{body}\nEOF\n");
        let parsed = dockerfile::parse(&text, "Dockerfile").unwrap();
        let Instruction::OnBuild(trigger) = &parsed.stages[0].instructions[0].node else { panic!() };
        let stored = dockerfile::parse_trigger(&trigger.text, "trigger").unwrap();
        let (Instruction::Run(a), Instruction::Run(b)) = (&trigger.trigger.node, &stored.node) else { panic!() };
        prop_assert_eq!(a.script(), b.script());
    }
}

#[test]
fn long_input_is_quick() {
    let line = format!("FROM a\nRUN {}\n", "x".repeat(64 << 10));
    assert!(dockerfile::parse(&line, "Dockerfile").is_ok());
    let many = format!("FROM a\n{}", "RUN echo \\\n  a\n".repeat(64 << 10));
    assert_eq!(
        dockerfile::parse(&many, "Dockerfile").unwrap().stages[0]
            .instructions
            .len(),
        64 << 10
    );
    let joined = format!("FROM a\nENV a=b{}\n", " \\\n c=d".repeat(64 << 10));
    assert!(dockerfile::parse(&joined, "Dockerfile").is_ok());
}
