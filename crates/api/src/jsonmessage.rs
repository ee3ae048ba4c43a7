//! Progress of long work as JSON lines: pull, push, load, import and the legacy build. The status
//! of the HTTP answer is 200 once it began: a failure comes as [`Message::error_detail`].

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Text that is printed as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What is going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How far it is.
    #[serde(rename = "progressDetail", skip_serializing_if = "Option::is_none")]
    pub progress_detail: Option<Progress>,
    /// The same as a text, for old clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// Of which part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What went wrong.
    #[serde(rename = "errorDetail", skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<ErrorDetail>,
    /// The same as a text, for old clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Something for machines, for example the id of a built image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aux: Option<serde_json::Value>,
}

/// How far work is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Done so far.
    #[serde(skip_serializing_if = "crate::go::is_zero")]
    pub current: i64,
    /// Of how many.
    #[serde(skip_serializing_if = "crate::go::is_zero")]
    pub total: i64,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "crate::go::is_zero")]
    pub start: i64,
    /// Show the bar alone.
    #[serde(rename = "hidecounts", skip_serializing_if = "std::ops::Not::not")]
    pub hide_counts: bool,
    /// What is counted; bytes where it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub units: String,
}

/// What went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorDetail {
    /// Exit code of a failed step.
    #[serde(skip_serializing_if = "crate::go::is_zero")]
    pub code: i64,
    /// One sentence, or more, for people.
    pub message: String,
}

impl Message {
    /// Text that is printed as it is.
    pub fn stream(text: impl Into<String>) -> Self {
        Self {
            stream: Some(text.into()),
            ..Self::default()
        }
    }

    /// What is going on.
    pub fn status(text: impl Into<String>) -> Self {
        Self {
            status: Some(text.into()),
            ..Self::default()
        }
    }

    /// Something for machines.
    pub fn aux(value: serde_json::Value) -> Self {
        Self {
            aux: Some(value),
            ..Self::default()
        }
    }

    /// The end by a failure.
    pub fn failure(message: impl Into<String>, code: i64) -> Self {
        let message = message.into();
        Self {
            error: Some(message.clone()),
            error_detail: Some(ErrorDetail { code, message }),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_dockers() {
        let text = serde_json::to_string(&Message::failure("no", 3)).unwrap();
        assert_eq!(
            text,
            r#"{"errorDetail":{"code":3,"message":"no"},"error":"no"}"#
        );
        let message = Message {
            progress_detail: Some(Progress {
                current: 1,
                total: 2,
                ..Progress::default()
            }),
            ..Message::status("loading")
        };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(
            text,
            r#"{"status":"loading","progressDetail":{"current":1,"total":2}}"#
        );
    }
}
