//! Webhooks, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::service::ShownWebhook;
use crate::webhook::{Delivery, DeliveryState, Webhook};

/// A webhook, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookView {
    /// `hook_…`
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Whom it is at, and the port if it is not 443. The rest of its URL may be the receiver's secret, and is not shown.
    pub host: String,
    /// `active` or `disabled`.
    pub state: String,
    /// `gone`, where it said so itself, or `failing`; absent while it is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_because: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// When it last took something, RFC 3339, an hour late at most; absent where it took nothing yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_taken_at: Option<String>,
    /// Until when the secret before the last one signs along, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_secret_until: Option<String>,
}

impl From<&Webhook> for WebhookView {
    fn from(row: &Webhook) -> Self {
        Self {
            id: row.id.to_string(),
            label: row.label.clone(),
            host: row.host().to_owned(),
            state: if row.disabled.is_some() { "disabled" } else { "active" }.to_owned(),
            disabled_because: row.disabled.map(|disabled| disabled.why.as_str().to_owned()),
            disabled_at: row.disabled.map(|disabled| timestamp(disabled.at_ms)),
            created_at: timestamp(row.created_ms),
            last_taken_at: (row.took_ms > 0).then(|| timestamp(row.took_ms)),
            previous_secret_until: row.previous.as_ref().map(|previous| timestamp(previous.until_ms)),
        }
    }
}

/// A webhook with its secret, which is shown once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewWebhookView {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// What its receiver verifies with: `whsec_…`
    pub secret: String,
}

impl From<&ShownWebhook> for NewWebhookView {
    fn from(shown: &ShownWebhook) -> Self {
        Self { webhook: (&shown.row).into(), secret: shown.secret.to_string() }
    }
}

impl std::fmt::Debug for NewWebhookView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewWebhookView").field("webhook", &self.webhook).finish_non_exhaustive()
    }
}

/// A message to a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDeliveryView {
    /// `msg_…`: the `webhook-id` of each attempt.
    pub id: String,
    /// What kind of event it tells of.
    #[serde(rename = "type")]
    pub kind: String,
    /// When that happened, RFC 3339.
    pub happened_at: String,
    /// `waiting`, `taken` or `given-up`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried next, RFC 3339; absent where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// RFC 3339; absent where it was not tried yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt_at: Option<String>,
    /// The status that the last attempt was answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// What went wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_fault: Option<String>,
}

impl From<&Delivery> for WebhookDeliveryView {
    fn from(row: &Delivery) -> Self {
        let (state, next) = match row.state {
            DeliveryState::Waiting(at_ms) => ("waiting", Some(at_ms)),
            DeliveryState::Taken(_) => ("taken", None),
            DeliveryState::GivenUp(_) => ("given-up", None),
        };
        let last = row.last.as_ref();
        Self {
            id: row.id.to_string(),
            kind: row.message.kind.as_str().to_owned(),
            happened_at: timestamp(row.message.at_ms),
            state: state.to_owned(),
            attempts: row.attempts,
            next_attempt_at: next.map(timestamp),
            last_attempt_at: last.map(|last| timestamp(last.at_ms)),
            last_status: last.and_then(|last| last.status),
            last_fault: last.map(|last| last.fault.clone()).filter(|fault| !fault.is_empty()),
        }
    }
}
