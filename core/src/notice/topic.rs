//! What notices are of, and what they say unless a tenant says it otherwise.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Template;

/// What a notice is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Topic {
    /// An incident touches the owner's keys, and this is what to do.
    #[serde(rename = "incident.notified")]
    IncidentNotified,
    /// What an incident touches was stopped.
    #[serde(rename = "incident.contained")]
    IncidentContained,
    /// The venue does not know the key any more, or an operator asked for another one.
    #[serde(rename = "credential.reenroll")]
    CredentialReenroll,
    /// The key gained a permission that no key here may have, and is frozen.
    #[serde(rename = "credential.overscoped")]
    CredentialOverscoped,
    /// The key expires soon.
    #[serde(rename = "credential.expiring")]
    CredentialExpiring,
    /// The key has expired, and is frozen.
    #[serde(rename = "credential.expired")]
    CredentialExpired,
    /// What happens to the key is told to another address, or to nobody: goes to the address that it was told to.
    #[serde(rename = "contact.changed")]
    ContactChanged,
}

/// What can be said of each owner.
const OWNER: [&str; 2] = ["tenant", "owner"];

impl Topic {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::IncidentNotified,
        Self::IncidentContained,
        Self::CredentialReenroll,
        Self::CredentialOverscoped,
        Self::CredentialExpiring,
        Self::CredentialExpired,
        Self::ContactChanged,
    ];

    /// The word used in API, command line and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IncidentNotified => "incident.notified",
            Self::IncidentContained => "incident.contained",
            Self::CredentialReenroll => "credential.reenroll",
            Self::CredentialOverscoped => "credential.overscoped",
            Self::CredentialExpiring => "credential.expiring",
            Self::CredentialExpired => "credential.expired",
            Self::ContactChanged => "contact.changed",
        }
    }

    /// What its text can name: `{name}` stands for it.
    pub fn placeholders(self) -> impl Iterator<Item = &'static str> {
        let own: &[&str] = match self {
            Self::IncidentNotified => &["incident", "severity", "title", "detected_at", "text"],
            Self::IncidentContained => &["incident", "severity", "title", "detected_at", "state"],
            Self::CredentialReenroll => &["credential", "label", "venue"],
            Self::CredentialOverscoped => &["credential", "label", "venue", "found"],
            Self::CredentialExpiring => &["credential", "label", "venue", "expires_at", "days"],
            Self::CredentialExpired => &["credential", "label", "venue", "expires_at"],
            Self::ContactChanged => &["credential", "label", "venue", "changed_at", "told", "by"],
        };
        OWNER.into_iter().chain(own.iter().copied())
    }

    /// What is said where a tenant has no words of its own.
    pub fn template(self) -> Template {
        let (subject, text) = match self {
            Self::IncidentNotified => (
                "{tenant}: an incident touches your exchange keys",
                "An incident touches keys that you have given to {tenant}.\n\n\
                 What happened: {title}\n\
                 Known since: {detected_at}\n\n\
                 {text}\n\n\
                 Reference: {incident}\n",
            ),
            Self::IncidentContained => (
                "{tenant}: your exchange keys are {state}",
                "As a precaution {tenant} has stopped signing with keys of yours: they are {state}.\n\n\
                 Why: {title}\n\
                 Known since: {detected_at}\n\n\
                 Orders that are open at your exchanges stay as they are: look at them there. You will be told what to \
                 do next.\n\n\
                 Reference: {incident}\n",
            ),
            Self::CredentialReenroll => (
                "{tenant}: a new key is needed for {venue}",
                "Nothing is signed any more with the key \"{label}\" that you have given to {tenant} for {venue}: make a \
                 new one there, give it to {tenant}, and delete the old one.\n\n\
                 Reference: {credential}\n",
            ),
            Self::CredentialOverscoped => (
                "{tenant}: your key for {venue} can do too much, and is frozen",
                "The key \"{label}\" that you have given to {tenant} for {venue} has gained a permission that it must \
                 not have ({found}). It is frozen. If this was not you, somebody else has access to your account at \
                 {venue}: change your password there, delete the key, and make a new one.\n\n\
                 Reference: {credential}\n",
            ),
            Self::CredentialExpiring => (
                "{tenant}: your key for {venue} expires",
                "The key \"{label}\" that you have given to {tenant} for {venue} is used until {expires_at} ({days} days \
                 or less from now). Make a new one there, and give it to {tenant} before that.\n\n\
                 Reference: {credential}\n",
            ),
            Self::CredentialExpired => (
                "{tenant}: your key for {venue} has expired",
                "The key \"{label}\" that you have given to {tenant} for {venue} has expired at {expires_at}, and is not \
                 used any more. Make a new one there, give it to {tenant}, and delete the old one.\n\n\
                 Reference: {credential}\n",
            ),
            Self::ContactChanged => (
                "{tenant}: you are told no more about your key for {venue}",
                "What happens to the key \"{label}\" that you have given to {tenant} for {venue} was told to this address. \
                 From {changed_at} on it is told to {told}, because {by} of {tenant} asked for that. This is the last letter about \
                 that key to this address.\n\n\
                 If you did not want this, somebody may be keeping from you what is done with your key: delete it at \
                 {venue}, and ask {tenant} who changed the address.\n\n\
                 Reference: {credential}\n",
            ),
        };
        Template { subject: subject.to_owned(), text: text.to_owned() }
    }
}

/// The text names nothing that owners are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such notice: docs/notices.md has the list")]
pub struct BadTopic;

impl FromStr for Topic {
    type Err = BadTopic;

    fn from_str(text: &str) -> Result<Self, BadTopic> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text).ok_or(BadTopic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_unless_said_otherwise_passes_as_a_template() {
        for topic in Topic::ALL {
            assert_eq!(topic.as_str().parse(), Ok(topic));
            topic.template().check(topic).unwrap();
        }
        assert_eq!("incident".parse::<Topic>(), Err(BadTopic));
    }
}
