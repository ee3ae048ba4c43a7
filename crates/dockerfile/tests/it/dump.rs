//! A parsed file as text for goldens: one line for each instruction and one for each line of its
//! structure, with byte ranges.

use std::fmt::Write as _;

use dockerfile::{Dockerfile, File, Instruction, Statement};

pub(crate) fn dump(dockerfile: &Dockerfile) -> String {
    let mut out = String::new();
    let directives = &dockerfile.directives;
    let _ = writeln!(out, "escape {:?}", directives.escape);
    if let Some(syntax) = &directives.syntax {
        let _ = writeln!(out, "syntax {syntax:?}");
    }
    if let Some(check) = &directives.check {
        let _ = writeln!(out, "check {check:?}");
    }
    for arg in &dockerfile.global_args {
        statement(&mut out, &dockerfile.file, arg);
    }
    for stage in &dockerfile.stages {
        let _ = writeln!(out, "\nstage {} {:?}", stage.index, stage.name);
        statement(&mut out, &dockerfile.file, &stage.from);
        for instruction in &stage.instructions {
            node(&mut out, &dockerfile.file, instruction);
        }
    }
    for warning in &dockerfile.warnings {
        let _ = writeln!(out, "\n{}", warning.render());
    }
    out
}

fn node(out: &mut String, file: &File, of: &Statement) {
    head(out, file, of);
    match &of.node {
        Instruction::Run(run) => {
            let _ = writeln!(out, "  {:?}", run.command);
            for heredoc in &run.heredocs {
                let _ = writeln!(out, "  {heredoc:?}");
            }
            for mount in &run.mount_flags {
                let _ = writeln!(out, "  mount {:?} from {:?}", mount.raw, mount.from());
            }
            let _ = writeln!(
                out,
                "  {:?} {:?} {:?}",
                run.network, run.security, run.devices
            );
            let _ = writeln!(out, "  {:?}", run.script());
        }
        Instruction::OnBuild(trigger) => {
            let _ = writeln!(out, "  stored {:?}", trigger.text);
            node(out, file, &trigger.trigger);
        }
        other => {
            let _ = writeln!(out, "  {other:?}");
        }
    }
}

fn statement<T: std::fmt::Debug>(out: &mut String, file: &File, of: &Statement<T>) {
    head(out, file, of);
    let _ = writeln!(out, "  {:?}", of.node);
}

fn head<T>(out: &mut String, file: &File, of: &Statement<T>) {
    let lines = file.lines(of.span);
    let _ = writeln!(out, "{:?} lines {lines:?} {:?}", of.span, of.text);
    for comment in &of.comments {
        let _ = writeln!(out, "  comment {comment:?}");
    }
}
