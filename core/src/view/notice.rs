//! Notices and what they say, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::credential::Contact;
use crate::id::NoticeId;
use crate::notice::{Notice, Stage, Template, Told, Topic};

/// That an owner can be told what happens to a key. Where, is shown to nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactView {
    /// Since when, RFC 3339.
    pub set_at: String,
}

/// What owners were told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeView {
    /// `ntc_…`
    pub id: String,
    /// What it is.
    pub topic: Topic,
    /// RFC 3339.
    pub at: String,
    /// How far it is.
    pub state: NoticeState,
    /// Letters that the relay has taken.
    pub sent: u64,
    /// Letters that wait, as far as they are written.
    pub waiting: u64,
    /// Letters that were refused for good, or for three days.
    pub failed: u64,
    /// Credentials whose owners cannot be written to.
    pub unreached: u64,
}

/// How far a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeState {
    /// Owners are still being looked up.
    Spreading,
    /// Letters are under way.
    Sending,
    /// All letters were taken or have failed, and the incident's timeline says so.
    Ended,
}

/// A key whose owner could not be told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreachedView {
    /// `ntc_…`
    pub notice: String,
    /// What it is.
    pub topic: Topic,
    /// `cred_…`
    pub credential: String,
    /// Why there was no letter.
    pub why: String,
}

/// The words of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateView {
    /// Which notice.
    pub topic: Topic,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// Whether they are the tenant's own.
    pub own: bool,
    /// What they can name: `{name}` stands for it.
    pub placeholders: Vec<String>,
}

impl From<&(NoticeId, Topic, Told)> for UnreachedView {
    fn from((notice, topic, told): &(NoticeId, Topic, Told)) -> Self {
        let why = told.failed.clone().unwrap_or_default();
        Self { notice: notice.to_string(), topic: *topic, credential: told.credential.to_string(), why }
    }
}

impl From<&Contact> for ContactView {
    fn from(contact: &Contact) -> Self {
        Self { set_at: timestamp(contact.set_ms) }
    }
}

impl From<&Notice> for NoticeView {
    fn from(notice: &Notice) -> Self {
        let count = notice.count;
        Self {
            id: notice.id.to_string(),
            topic: notice.topic,
            at: timestamp(notice.at_ms),
            state: match notice.stage {
                Stage::Spreading(_) => NoticeState::Spreading,
                Stage::Out | Stage::Clearing(_) => NoticeState::Sending,
                Stage::Ended(_) => NoticeState::Ended,
            },
            sent: count.sent,
            waiting: count.waiting,
            failed: count.failed,
            unreached: count.unreached,
        }
    }
}

impl TemplateView {
    /// The words of a notice; `own` says whether they are the tenant's.
    pub fn of(topic: Topic, Template { subject, text }: Template, own: bool) -> Self {
        let placeholders = topic.placeholders().map(str::to_owned).collect();
        Self { topic, subject, text, own, placeholders }
    }
}
