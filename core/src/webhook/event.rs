//! What tenants hear of. It is found out in one place: where an entry of the audit log is written, in the same commit.

use serde::{Deserialize, Serialize};

use crate::audit::{Draft, EntryOutcome, timestamp};
use crate::id::{TenantId, WebhookId};

/// A kind of event. They are stored by their place here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// Asked for by an operator, to try the webhook.
    Ping,
    /// Nothing is signed with it, for now.
    CredentialFrozen,
    /// It signs again.
    CredentialUnfrozen,
    /// Only cancels and closing orders are signed with it.
    CredentialReduceOnly,
    /// Nothing is signed with it any more.
    CredentialRevoked,
    /// A probe found its key dead, or able to do what it should not.
    CredentialRed,
    /// Its owner has to enroll another key.
    CredentialNeedsReenrollment,
    /// It expires in 14, 7 or 1 days.
    CredentialExpires,
    /// Its key was exchanged.
    CredentialRotated,
    /// It is gone.
    CredentialDeleted,
    /// An incident was opened.
    IncidentOpened,
    /// What it touches was stopped.
    IncidentContained,
    /// Everybody can read of it.
    IncidentPublished,
    /// Whoever must know was told.
    IncidentNotified,
    /// It was reviewed and closed.
    IncidentClosed,
    /// Somebody tried a decoy.
    DecoyUsed,
    /// A backup was not made, or does not open.
    BackupFailed,
}

impl EventKind {
    /// The `type` of the message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ping => "webhook.ping",
            Self::CredentialFrozen => "credential.frozen",
            Self::CredentialUnfrozen => "credential.unfrozen",
            Self::CredentialReduceOnly => "credential.reduce_only",
            Self::CredentialRevoked => "credential.revoked",
            Self::CredentialRed => "credential.red",
            Self::CredentialNeedsReenrollment => "credential.needs_reenrollment",
            Self::CredentialExpires => "credential.expires",
            Self::CredentialRotated => "credential.rotated",
            Self::CredentialDeleted => "credential.deleted",
            Self::IncidentOpened => "incident.opened",
            Self::IncidentContained => "incident.contained",
            Self::IncidentPublished => "incident.published",
            Self::IncidentNotified => "incident.notified",
            Self::IncidentClosed => "incident.closed",
            Self::DecoyUsed => "decoy.used",
            Self::BackupFailed => "backup.failed",
        }
    }
}

/// What a message says: thin, and of nobody's person. Whoever wants more asks the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The kind.
    pub kind: EventKind,
    /// When it happened, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The kind of thing that it happened to.
    pub resource: String,
    /// The id of that thing; empty for an owner, who is not named.
    pub id: String,
    /// The number of the entry of the audit log; none for what is in none.
    pub entry: Option<u64>,
}

impl Message {
    /// The body for a tenant: the same bytes however often it is sent.
    pub fn body(&self, tenant: TenantId) -> Vec<u8> {
        let data = Data { tenant, resource: &self.resource, id: &self.id, entry: self.entry };
        let body = Body { kind: self.kind.as_str(), timestamp: timestamp(self.at_ms), data };
        // Texts and numbers are always JSON.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    tenant: TenantId,
    resource: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
}

/// Something that happened, until each webhook that is to hear of it has a delivery of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The number of the entry of the audit log.
    pub entry: u64,
    /// Whose it is; none for what touches every tenant.
    pub tenant: Option<TenantId>,
    /// What is said of it.
    pub messages: Vec<Message>,
    /// The last webhook that has its deliveries.
    pub told: Option<(TenantId, WebhookId)>,
}

impl Event {
    /// What an entry tells, if it tells anything; it was written at `at_ms`, milliseconds since the Unix epoch.
    pub(crate) fn of(draft: &Draft, entry: u64, at_ms: u64) -> Option<Self> {
        let message = |kind: &EventKind| {
            let resource = draft.resource_type.clone();
            // Backups are the service's own, and their files' names nobody else's business.
            let id = if *kind == EventKind::BackupFailed { String::new() } else { draft.resource_id.clone() };
            Message { kind: *kind, at_ms, resource, id, entry: Some(entry) }
        };
        let messages: Vec<Message> = told(draft).iter().map(message).collect();
        let tenant = if draft.tenant.is_empty() { None } else { Some(draft.tenant.parse().ok()?) };
        (!messages.is_empty()).then_some(Self { entry, tenant, messages, told: None })
    }
}

/// What an entry tells tenants of.
fn told(draft: &Draft) -> &'static [EventKind] {
    use EventKind::{
        BackupFailed, CredentialDeleted, CredentialExpires, CredentialFrozen, CredentialNeedsReenrollment,
        CredentialRed, CredentialReduceOnly, CredentialRevoked, CredentialRotated, CredentialUnfrozen, DecoyUsed,
        IncidentClosed, IncidentContained, IncidentNotified, IncidentOpened, IncidentPublished,
    };
    match (draft.action.as_str(), draft.outcome) {
        ("alarm.decoy", _) => return &[DecoyUsed],
        ("alarm.backup", _) => return &[BackupFailed],
        (_, EntryOutcome::Allowed) => {}
        // What was refused or failed has not happened.
        _ => return &[],
    }
    let detail = |name: &str| draft.detail.get(name).map_or("", String::as_str);
    let holds_credentials = matches!(draft.resource_type.as_str(), "everything" | "tenant" | "owner" | "venue");
    match draft.action.as_str() {
        "credential.freeze" | "credential.expire" => &[CredentialFrozen],
        "credential.unfreeze" => &[CredentialUnfrozen],
        "credential.reduce-only" => &[CredentialReduceOnly],
        "credential.revoke" => &[CredentialRevoked],
        "credential.reenroll" => &[CredentialNeedsReenrollment],
        "credential.expiring" => &[CredentialExpires],
        "credential.rotate" => &[CredentialRotated],
        "credential.delete" => &[CredentialDeleted],
        "credential.probe" if detail("health") != detail("was") => match detail("health") {
            "dead" => &[CredentialRed, CredentialNeedsReenrollment],
            "suspect" => &[CredentialRed],
            _ => &[],
        },
        "scope.freeze" if holds_credentials => &[CredentialFrozen],
        "scope.resume" if holds_credentials => &[CredentialUnfrozen],
        "scope.reduce-only" if holds_credentials => &[CredentialReduceOnly],
        "scope.revoke" if holds_credentials => &[CredentialRevoked],
        "incident.open" => &[IncidentOpened],
        "incident.contain" => &[IncidentContained],
        "incident.publish" => &[IncidentPublished],
        "incident.clock" if detail("clock") == "notify" => &[IncidentNotified],
        "incident.close" => &[IncidentClosed],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IncidentId;

    fn draft(action: &str, outcome: EntryOutcome) -> Draft {
        Draft::new(action, outcome).on("credential", "cred_1")
    }

    #[test]
    fn what_was_refused_tells_nothing() {
        for action in ["credential.freeze", "credential.rotate", "incident.close", "scope.revoke"] {
            for outcome in [EntryOutcome::Denied, EntryOutcome::Failed, EntryOutcome::Unknown] {
                assert_eq!(told(&draft(action, outcome)), [], "{action}");
            }
        }
        assert_eq!(told(&draft("alarm.decoy", EntryOutcome::Denied)), [EventKind::DecoyUsed]);
    }

    #[test]
    fn only_a_probe_that_finds_something_new_tells() {
        let probe = |was: &str, health: &str| {
            told(&draft("credential.probe", EntryOutcome::Allowed).detail("was", was).detail("health", health))
        };
        assert_eq!(probe("ok", "suspect"), [EventKind::CredentialRed]);
        assert_eq!(probe("suspect", "dead"), [EventKind::CredentialRed, EventKind::CredentialNeedsReenrollment]);
        assert!([("dead", "dead"), ("dead", "ok"), ("ok", "ok")].iter().all(|(was, is)| probe(was, is).is_empty()));
    }

    #[test]
    fn a_failed_backup_is_told_without_its_files_name() {
        let failed = Draft::new("alarm.backup", EntryOutcome::Failed).on("backup", "claviger-2026.age");
        let event = Event::of(&failed, 9, 0).unwrap();
        assert_eq!((event.messages[0].kind, event.messages[0].id.as_str()), (EventKind::BackupFailed, ""));
    }

    #[test]
    fn a_body_is_thin_and_names_no_owner() {
        let tenant = TenantId::from_bytes([1; 16]);
        let owner = draft("scope.freeze", EntryOutcome::Allowed).tenant(tenant.to_string()).on("owner", "");
        let owner = owner.personal(crate::audit::Personal { owner: "ada".to_owned() }).detail("reason", "ada left");
        let event = Event::of(&owner, 7, 1_785_312_000_000).unwrap();
        let body = String::from_utf8(event.messages[0].body(tenant)).unwrap();
        let data = format!(r#"{{"tenant":"{tenant}","resource":"owner","entry":7}}"#);
        let wanted = format!(r#"{{"type":"credential.frozen","timestamp":"2026-07-29T08:00:00.000Z","data":{data}}}"#);
        assert_eq!(body, wanted);

        let incident = Draft::new("incident.open", EntryOutcome::Allowed).on("incident", IncidentId::MIN.to_string());
        let event = Event::of(&incident, 8, 0).unwrap();
        assert_eq!((event.tenant, event.messages[0].id.as_str()), (None, IncidentId::MIN.to_string().as_str()));
    }
}
