//! Whole commands against a scripted engine.
//!
//! A folder in `cases/` is one command: `case.json` has its words and the answers that the engine
//! gives, `expected` is what came of it: exit status, output, and the requests that were made.
//! `UPDATE_CASES=1` writes `expected` anew.

#![expect(clippy::unwrap_used, reason = "tests")]

mod case;
mod fake;

use std::path::Path;

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    for path in names {
        let text = case::run(&path);
        let expected = path.join("expected");
        if update {
            std::fs::write(&expected, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        if text != expected {
            wrong.push(format!(
                "{}:\n{text}\n=== expected\n{expected}",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let host = format!("unix://{}/none.sock", folder.path().display());
    let output = case::client(folder.path())
        .args(["-H", &host, "ps"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("cannot connect to the engine at unix://"),
        "{error}"
    );
}
