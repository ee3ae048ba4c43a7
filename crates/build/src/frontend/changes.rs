//! Instructions without a Dockerfile: `import --change`, `commit --change`.

use dockerfile::{Diagnostic, Expander, Instruction, Statement, parse_trigger};
use oci::ImageConfig;

use super::metadata::{self, Place};
use super::stage::Draft;
use crate::BuildError;

/// How errors call the text.
const NAME: &str = "--change";

/// Applies instructions that change only the config: `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`,
/// `LABEL`, `ONBUILD`, `USER`, `VOLUME`, `WORKDIR`, `STOPSIGNAL`, `HEALTHCHECK`, `SHELL`.
pub fn apply_changes(config: ImageConfig, changes: &[String]) -> Result<ImageConfig, BuildError> {
    let mut draft = Draft {
        config,
        cmd_set: false,
    };
    for change in changes {
        let statement =
            parse_trigger(change, NAME).map_err(|error| BuildError::Dockerfile(error.render()))?;
        apply(&mut draft, change, &statement)?;
    }
    Ok(draft.config)
}

fn apply(draft: &mut Draft, text: &str, statement: &Statement) -> Result<(), BuildError> {
    let file = dockerfile::File::new(NAME, text);
    let place = Place {
        file: &file,
        span: statement.span,
    };
    let instruction = {
        let lookup = |name: &str| draft.env(name);
        let expander = Expander::new(&file, '\\', &lookup);
        let expanded = statement.node.expand(&expander);
        expanded
            .map_err(|error: Diagnostic| BuildError::Dockerfile(error.render()))?
            .value
    };
    if let Instruction::Workdir(workdir) = &instruction {
        let path = draft.absolute(&workdir.path);
        draft.container().working_dir = path;
        return Ok(());
    }
    match metadata::apply(draft, &instruction, &place)? {
        Some(_) => Ok(()),
        None => {
            let name = instruction.name();
            Err(place.refuse(
                statement.span,
                format!("{name} is not a valid change command"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> Result<ImageConfig, BuildError> {
        let changes: Vec<String> = changes.iter().map(|&text| text.to_owned()).collect();
        apply_changes(ImageConfig::default(), &changes)
    }

    #[test]
    fn changes_apply_in_order() {
        let changes = [
            "ENV A=1",
            "ENV B=${A}2",
            "WORKDIR /a",
            "WORKDIR b",
            r#"CMD ["x", "y"]"#,
        ];
        let config = changed(&changes).unwrap().config;
        assert_eq!(config.env, ["A=1", "B=12"]);
        assert_eq!(config.working_dir, "/a/b");
        assert_eq!(config.cmd.unwrap(), ["x", "y"]);
    }

    #[test]
    fn what_would_run_is_refused() {
        for text in ["RUN true", "COPY a b", "FROM x", "NOPE", ""] {
            assert!(changed(&[text]).is_err(), "{text}");
        }
    }
}
