//! From entries of the audit log to what an operator is told of them.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::sse::Event;
use claviger_core::audit::EntryOutcome;
use claviger_core::id::TenantId;
use claviger_core::identity::OperatorPrincipal;
use claviger_core::identity::role::{Action, Permission, Resource};
use claviger_core::store::Leaf;
use serde::{Deserialize, Serialize};

/// Things of one kind that are named at once; of more it is only said that they are many.
const NAMED_MAX: usize = 200;

/// As much of an entry as matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    seq: u64,
    tenant: String,
    action: String,
    resource_type: String,
    resource_id: String,
    outcome: EntryOutcome,
}

impl Seen {
    /// Reads an entry; that somebody looked at something is none that matters.
    pub(super) fn of(leaf: &Leaf) -> Option<Self> {
        let seen: Self = serde_json::from_slice(&leaf.bytes).ok()?;
        (seen.action.rsplit('.').next() != Some("read")).then_some(seen)
    }

    /// What changed, and what must be allowed to be told of it. What was refused left everything as it was, but for the
    /// requests of apps: a policy may hold such a one for an operator.
    fn kind(&self) -> Option<(&'static str, Resource)> {
        let (subject, _) = self.action.split_once('.')?;
        let refused = self.outcome == EntryOutcome::Denied;
        Some(match subject {
            "execution" if refused => ("denial", Resource::Execution),
            _ if refused => return None,
            // With an owner all of their credentials go.
            "credential" | "contact" | "owner" => ("credential", Resource::Credential),
            "incident" | "notice" => ("incident", Resource::Incident),
            "approval" => ("approval", Resource::Approval),
            "kek" | "root" => ("rotation", Resource::Kek),
            "scope" => ("stop", Resource::Stop),
            "execution" => ("execution", Resource::Execution),
            "app" => ("app", Resource::App),
            "grant" => ("grant", Resource::Grant),
            "virtual-key" => ("virtual-key", Resource::VirtualKey),
            "policy" => ("policy", Resource::Policy),
            "tenant" => ("tenant", Resource::Tenant),
            "operator" | "password" | "passkey" => ("operator", Resource::Operator),
            "login" => ("login", Resource::Login),
            "role" => ("role", Resource::Role),
            "backup" | "recovery" => ("backup", Resource::Backup),
            _ => return None,
        })
    }
}

/// What changed since the last time, for one operator.
#[derive(Debug, Default)]
pub(super) struct Changes {
    kinds: BTreeMap<&'static str, BTreeSet<Thing>>,
    newest: Option<u64>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Thing {
    #[serde(skip_serializing_if = "String::is_empty")]
    tenant: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
}

impl Changes {
    /// What of these entries an operator may know of.
    pub(super) fn of(entries: &[Seen], principal: &OperatorPrincipal) -> Self {
        let mut changes = Self::default();
        let may = |resource| principal.may(Permission(resource, Action::Read));
        let reaches = |entry: &&Seen| match principal.tenant {
            None => true,
            Some(own) => entry.tenant.parse::<TenantId>() == Ok(own),
        };
        for entry in entries.iter().filter(reaches) {
            if may(Resource::Audit) {
                changes.newest = Some(entry.seq);
            }
            let Some((kind, resource)) = entry.kind() else { continue };
            if may(resource) {
                let named = changes.kinds.entry(kind).or_default();
                // One more than are named shows that they are many.
                if named.len() <= NAMED_MAX {
                    named.insert(Thing { tenant: entry.tenant.clone(), id: named_id(entry, kind, principal) });
                }
            }
        }
        changes
    }

    /// As they are sent.
    pub(super) fn events(self) -> Vec<Event> {
        let mut events = Vec::new();
        for (kind, things) in self.kinds {
            if things.len() > NAMED_MAX {
                events.push(told("reset", &BTreeMap::from([("kind", kind)])));
            } else {
                events.extend(things.iter().map(|thing| told(kind, thing)));
            }
        }
        events.extend(self.newest.map(|seq| told("audit", &BTreeMap::from([("seq", seq)]))));
        events
    }
}

/// That everything is to be read again.
pub(super) fn reset() -> Event {
    Event::default().event("reset").data("{}")
}

/// The id of the thing, where the entry is about one of that kind, and the operator would see it in a list. Executions are
/// too many to be named.
fn named_id(entry: &Seen, kind: &str, principal: &OperatorPrincipal) -> String {
    let hidden = kind == "execution" || kind == "credential" && principal.flagged_only;
    if entry.resource_type == kind && !hidden { entry.resource_id.clone() } else { String::new() }
}

fn told(name: &str, data: &impl Serialize) -> Event {
    // Numbers and words always serialise.
    Event::default().event(name).json_data(data).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, tenant: &str, action: &str, id: &str, outcome: EntryOutcome) -> Seen {
        let kind = action.split('.').next().unwrap().to_owned();
        Seen {
            seq,
            tenant: tenant.to_owned(),
            action: action.to_owned(),
            resource_type: kind,
            resource_id: id.to_owned(),
            outcome,
        }
    }

    fn principal(tenant: Option<TenantId>, permissions: &[&str], flagged_only: bool) -> OperatorPrincipal {
        OperatorPrincipal {
            operator: claviger_core::id::OperatorId::MIN,
            name: "ada".to_owned(),
            tenant,
            permissions: permissions.iter().map(|word| word.parse().unwrap()).collect(),
            flagged_only,
            login: claviger_core::id::LoginId::MIN,
            kind: claviger_core::identity::LoginKind::Password,
            has_second: false,
            guard: claviger_core::audit::Guard([0; 32]),
            proven_ms: 0,
            address: std::net::IpAddr::from([127, 0, 0, 1]),
        }
    }

    fn kinds(changes: &Changes) -> Vec<(&'static str, usize)> {
        changes.kinds.iter().map(|(kind, things)| (*kind, things.len())).collect()
    }

    #[test]
    fn nobody_hears_of_what_he_may_not_read() {
        let (own, other) = (TenantId::MIN.to_string(), TenantId::MAX.to_string());
        let allowed = EntryOutcome::Allowed;
        let entries = [
            entry(1, &own, "credential.freeze", "cred_1", allowed),
            entry(2, &other, "credential.freeze", "cred_2", allowed),
            entry(3, &own, "incident.open", "inc_1", allowed),
            entry(4, "", "tenant.create", "ten_1", allowed),
            entry(5, &own, "credential.freeze", "cred_3", EntryOutcome::Denied),
        ];
        let all = principal(None, &["credential.read", "incident.read", "tenant.read", "audit.read"], false);
        let seen = Changes::of(&entries, &all);
        assert_eq!((kinds(&seen), seen.newest), (vec![("credential", 2), ("incident", 1), ("tenant", 1)], Some(5)));
        let bound = principal(Some(TenantId::MIN), &["credential.read", "tenant.read", "audit.read"], false);
        let seen = Changes::of(&entries[..4], &bound);
        assert_eq!((kinds(&seen), seen.newest), (vec![("credential", 1)], Some(3)));
        assert!(seen.kinds["credential"].iter().all(|thing| thing.tenant == own && thing.id == "cred_1"));
        let watcher = Changes::of(&entries, &principal(None, &["credential.read"], true));
        assert!(watcher.kinds["credential"].iter().all(|thing| thing.id.is_empty()));
        assert_eq!((kinds(&watcher), watcher.newest), (vec![("credential", 2)], None));
    }

    #[test]
    fn a_refused_request_and_an_erased_owner_are_told() {
        let own = TenantId::MIN.to_string();
        let entries = [
            entry(1, &own, "execution.deny", "cred_1", EntryOutcome::Denied),
            entry(2, &own, "execution.deny", "cred_2", EntryOutcome::Denied),
            entry(3, &own, "owner.erase", "00", EntryOutcome::Allowed),
        ];
        let seen = Changes::of(&entries, &principal(None, &["credential.read", "execution.read"], false));
        assert_eq!(kinds(&seen), [("credential", 1), ("denial", 1)]);
        assert!(seen.kinds.values().flatten().all(|thing| thing.tenant == own && thing.id.is_empty()));
    }

    #[test]
    fn many_of_a_kind_are_one_event() {
        let all = principal(None, &["credential.read", "audit.read"], false);
        let of = |count: u64| {
            let entries: Vec<Seen> = (0..count)
                .map(|n| entry(n, "", "credential.freeze", &format!("cred_{n}"), EntryOutcome::Allowed))
                .collect();
            Changes::of(&entries, &all).events().len()
        };
        assert_eq!((of(0), of(200), of(201), of(5_000)), (0, 201, 2, 2));
    }
}
