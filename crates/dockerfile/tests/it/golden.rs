//! Each folder of `tests/golden` holds a `Dockerfile` and `expected.txt`: the parsed file, or the
//! rendered errors. `BLESS=1 cargo test -p dockerfile` writes what is there now.

use std::fs;
use std::path::Path;

use crate::dump::dump;

#[test]
fn goldens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        let text = fs::read_to_string(folder.join("Dockerfile")).unwrap();
        let actual = match dockerfile::parse(&text, "Dockerfile") {
            Ok(parsed) => dump(&parsed) + &lints(&parsed),
            Err(error) => error.render() + "\n",
        };
        let expected = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &actual).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != actual {
            failed.push(format!("{}\n{actual}", folder.display()));
        }
        count += 1;
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(count > 50, "only {count} cases");
}

fn lints(parsed: &dockerfile::Dockerfile) -> String {
    let found = dockerfile::lint::lint(parsed);
    let lines = found.iter().map(|finding| {
        let rule = finding.rule.unwrap_or_default();
        format!(
            "lint line {}: {rule}: {}\n",
            finding.line(),
            finding.message
        )
    });
    lines.collect()
}

#[test]
fn our_own_examples_are_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = fs::read_dir(&root)
        .unwrap()
        .chain(fs::read_dir(root.join("bases")).unwrap());
    let mut count = 0;
    for folder in folders {
        let path = folder.unwrap().path().join("Dockerfile");
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let parsed = dockerfile::parse(&text, &path.display().to_string()).unwrap();
        assert_eq!(lints(&parsed), "", "{}", path.display());
        count += 1;
    }
    assert!(count >= 3, "only {count} examples");
}
