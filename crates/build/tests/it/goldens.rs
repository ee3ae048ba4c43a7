//! One folder for each word of the language: a Dockerfile, the context beside it, and what the
//! image must be. `UPDATE_GOLDENS=1` writes what it is.

use std::fs;
use std::path::{Path, PathBuf};

use build::ContextSource;

use crate::machine::{Machine, folder, request};

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/goldens");
    let entries = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_of_the_language() {
    let machine = Machine::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let dockerfile = fs::read_to_string(case.join("Dockerfile")).unwrap();
        let mut request = request(&dockerfile);
        for line in dockerfile.lines().take_while(|line| line.starts_with('#')) {
            if let Some(argument) = line.strip_prefix("# build-arg ") {
                let (key, value) = argument.split_once('=').unwrap();
                request.build_args.insert(key.to_owned(), value.to_owned());
            }
            if let Some(target) = line.strip_prefix("# target ") {
                request.target = Some(target.to_owned());
            }
        }
        let context = case.join("context");
        let context = match context.is_dir() {
            true => folder(&context),
            false => ContextSource::Empty,
        };
        let built = machine.build(request, context).await;
        let actual = match &built.result {
            Ok(_) => match built.output() {
                output if output.is_empty() => machine.describe(&built.image()),
                output => format!("output {output}\n{}", machine.describe(&built.image())),
            },
            Err(error) => format!("{error}\n"),
        };
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            fs::write(&expected, &actual).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != actual {
            wrong.push(format!("== {name}\n{actual}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
