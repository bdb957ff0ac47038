//! What goes on beside requests, and the configuration, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RotationView;

/// Something that goes on beside requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// What it is.
    pub name: String,
    /// `running`, `paused`, `blocked`, `failing`, `idle` until there is something to do, or `off`.
    pub state: String,
    /// Since when it is so, or when it was last done, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// How much is done, in its own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// How much is left, in the same; 1000 of a queue means at least that many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// How much it does in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
    /// Seconds until nothing is left, at this rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
    /// What was last in the way, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl JobView {
    /// A job of which no more is known than how it stands.
    #[must_use]
    pub fn new(name: impl Into<String>, state: &str) -> Self {
        let (name, state) = (name.into(), state.to_owned());
        let (since, done, left, rate, eta_seconds, error) = (None, None, None, None, None, None);
        Self { name, state, since, done, left, rate, eta_seconds, error }
    }

    /// A rotation.
    #[must_use]
    pub fn of_rotation(name: impl Into<String>, rotation: RotationView) -> Self {
        Self {
            since: Some(rotation.started_at),
            done: Some(rotation.done),
            left: Some(rotation.left),
            rate: rotation.rows_per_second,
            eta_seconds: rotation.eta_seconds,
            error: (rotation.unopened > 0).then(|| format!("{} rows do not open", rotation.unopened)),
            ..Self::new(name, rotation.state.as_str())
        }
    }
}

/// A value of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingView {
    /// Its key, `section.name`.
    pub key: String,
    /// Its value as JSON, in a text; what could be secret is `"…"`.
    pub value: String,
    /// `environment`, `file` or `default`.
    pub origin: String,
}
