//! One command: run it, and write down what happened.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::fake::{Answer, Engine};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    args: Vec<String>,
    #[serde(default)]
    stdin: String,
    /// Files of the working directory.
    #[serde(default)]
    files: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    answers: Vec<Answer>,
    /// Files to show afterwards.
    #[serde(default)]
    show: Vec<String>,
}

/// The client with nothing of this machine's environment.
pub(crate) fn client(here: &Path) -> Command {
    let mut program: PathBuf = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    let mut command = Command::new(program.join("examples/client"));
    command
        .env_clear()
        .env("TZ", "UTC")
        .env("HOME", here)
        .current_dir(here);
    command
}

pub(crate) fn run(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("case.json")).unwrap();
    let case: Case =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let here = tempfile::tempdir().unwrap();
    let here_path = here.path();
    for (name, text) in &case.files {
        let path = here_path.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let engine = Engine::start(&here_path.join("engine.sock"), case.answers);
    let mut child = client(here_path)
        .env(
            "DOCKER_HOST",
            format!("unix://{}/engine.sock", here_path.display()),
        )
        .args(&case.args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    drop(child.stdin.take().unwrap().write_all(case.stdin.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let here_text = here_path.to_str().unwrap();
    let clean = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(here_text, "HERE");
    let mut text = format!("status {}\n", output.status.code().unwrap_or(-1));
    for (title, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            text.push_str(&format!("--- {title}\n{}", clean(bytes)));
        }
    }
    for name in &case.show {
        let content = std::fs::read(here_path.join(name));
        let content =
            content.map_or_else(|error| format!("{}\n", error.kind()), |bytes| clean(&bytes));
        text.push_str(&format!("--- {name}\n{content}\n"));
    }
    text.push_str(&format!(
        "--- requests\n{}",
        clean(engine.requests().as_bytes())
    ));
    text
}
