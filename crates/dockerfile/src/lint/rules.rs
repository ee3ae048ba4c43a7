//! The rules as data.

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as `# check=skip=` knows it.
    pub name: &'static str,
    /// What it wants.
    pub description: &'static str,
    /// Is it off unless asked for?
    pub experimental: bool,
}

const fn rule(name: &'static str, description: &'static str) -> Rule {
    Rule {
        name,
        description,
        experimental: false,
    }
}

/// All rules.
pub const RULES: [Rule; 22] = [
    rule("StageNameCasing", "Names of stages are in lower case"),
    rule("FromAsCasing", "AS has the case of FROM"),
    rule("NoEmptyContinuation", "No empty line inside an instruction"),
    rule(
        "ConsistentInstructionCasing",
        "All instruction words have the same case",
    ),
    rule("DuplicateStageName", "Names of stages are unique"),
    rule("ReservedStageName", "No stage is called scratch or context"),
    rule(
        "JSONArgsRecommended",
        "CMD and ENTRYPOINT are in JSON form, so that signals arrive",
    ),
    rule(
        "MaintainerDeprecated",
        "The author is a label, not MAINTAINER",
    ),
    rule("UndefinedArgInFrom", "FROM uses declared arguments only"),
    rule(
        "WorkdirRelativePath",
        "A relative WORKDIR follows an absolute one of this file",
    ),
    rule("UndefinedVar", "Variables are defined before they are used"),
    rule(
        "MultipleInstructionsDisallowed",
        "CMD, ENTRYPOINT and HEALTHCHECK stand once in a stage",
    ),
    rule(
        "LegacyKeyValueFormat",
        "ENV and LABEL are written name=value",
    ),
    rule(
        "InvalidBaseImagePlatform",
        "A base image has the platform of the build",
    ),
    rule(
        "RedundantTargetPlatform",
        "FROM does not repeat the default platform",
    ),
    rule("SecretsUsedInArgOrEnv", "ARG and ENV hold no secrets"),
    rule(
        "InvalidDefaultArgInFrom",
        "Defaults of global arguments make a valid image name",
    ),
    rule(
        "FromPlatformFlagConstDisallowed",
        "FROM --platform is not a constant",
    ),
    rule(
        "CopyIgnoredFile",
        "COPY and ADD name no file that is ignored",
    ),
    Rule {
        name: "InvalidDefinitionDescription",
        description: "A comment above FROM or ARG begins with the name that it describes",
        experimental: true,
    },
    rule(
        "ExposeProtoCasing",
        "The protocol of EXPOSE is in lower case",
    ),
    rule(
        "ExposeInvalidFormat",
        "EXPOSE names no address and no port of the host",
    ),
];
