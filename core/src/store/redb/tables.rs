//! Tables, keys and row frames.
//!
//! A row is one byte for its format and then postcard, of a record: its version and the row. Tenants lead every key of
//! theirs.

use std::ops::RangeInclusive;

use redb::TableDefinition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::{Key, Range, Row, Scope, Spender, StoreError, Versioned};
use crate::agenda::Errand;
use crate::id::{
    AppId, ApprovalId, CredentialId, DecoyId, DeliveryId, GrantId, IncidentId, LoginId, OperatorId, TenantId,
    VirtualKeyId, WebhookId,
};
use crate::keeper::KekOrigin;
use crate::notice::{Queue, Recipient};

pub(super) type Bytes = &'static [u8];
pub(super) type Id = [u8; 16];

pub(super) const RECORDS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("records");
/// A tenant, a version of its KEK, and the key of a record that is sealed under it.
pub(super) const SEALED_UNDER: TableDefinition<'static, (Id, u32, Bytes), ()> = TableDefinition::new("sealed_under");
/// How many records are sealed under a version of a tenant's KEK.
pub(super) const SEALED_COUNTS: TableDefinition<'static, (Id, u32), u64> = TableDefinition::new("sealed_counts");
pub(super) const EXECUTIONS: TableDefinition<'static, Id, Bytes> = TableDefinition::new("executions");
pub(super) const TENANT_EXECUTIONS: TableDefinition<'static, (Id, Id), ()> = TableDefinition::new("tenant_executions");
pub(super) const IDEMPOTENCY: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("idempotency");
/// When an execution was recorded and its intent's number, for those that are not forgotten yet.
pub(super) const DUE: TableDefinition<'static, (u64, u64), Id> = TableDefinition::new("due");
pub(super) const NONCES: TableDefinition<'static, Id, u64> = TableDefinition::new("nonces");
pub(super) const OPEN: TableDefinition<'static, u64, Bytes> = TableDefinition::new("open_intents");
/// Intents of executions whose outcome is that nobody knows, until it is known or forgotten.
pub(super) const UNKNOWN: TableDefinition<'static, u64, Bytes> = TableDefinition::new("unknown_intents");
/// Intents whose signatures were released, by when these expire and the intent's number.
pub(super) const RELEASED: TableDefinition<'static, (u64, u64), Bytes> = TableDefinition::new("released_intents");
pub(super) const LEAVES: TableDefinition<'static, u64, Bytes> = TableDefinition::new("audit_leaves");
pub(super) const NODES: TableDefinition<'static, (u8, u64), [u8; 32]> = TableDefinition::new("audit_nodes");
pub(super) const TENANT_LEAVES: TableDefinition<'static, (&str, u64), u64> = TableDefinition::new("audit_tenants");
pub(super) const TENANT_COUNTS: TableDefinition<'static, &str, u64> = TableDefinition::new("audit_counts");
/// The number of an intent's entry, and that of an entry which says what became of it.
pub(super) const OUTCOMES: TableDefinition<'static, (u64, u64), ()> = TableDefinition::new("audit_outcomes");
pub(super) const AUDIT_KEYS: TableDefinition<'static, (&str, &str), [u8; 32]> = TableDefinition::new("audit_keys");
/// Salted hashes of owners who were erased, and the salt.
pub(super) const ERASED: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("audit_erased");
pub(super) const CHECKPOINTS: TableDefinition<'static, u64, &str> = TableDefinition::new("checkpoints");
/// The first and the last leaf of a segment, and SHA-256 of its file.
pub(super) const SEGMENTS: TableDefinition<'static, u64, (u64, [u8; 32])> = TableDefinition::new("audit_segments");
/// What opens sealed bytes without the token, by [`crate::recovery::wrap_id`]. No backup holds it.
pub(super) const WRAPS: TableDefinition<'static, [u8; 32], Bytes> = TableDefinition::new("recovery_wraps");
/// What a health check wrote last.
pub(super) const PROBE: TableDefinition<'static, (), Bytes> = TableDefinition::new("probe");
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// Gives a macro every table that a backup holds: all but the probe's and that of recovery wraps. What was deleted must not
/// open by a wrap that an old backup kept.
macro_rules! every_table {
    ($with:ident) => {
        $with! {
            RECORDS SEALED_UNDER SEALED_COUNTS EXECUTIONS TENANT_EXECUTIONS IDEMPOTENCY DUE NONCES OPEN UNKNOWN RELEASED LEAVES NODES
            TENANT_LEAVES TENANT_COUNTS OUTCOMES AUDIT_KEYS ERASED CHECKPOINTS SEGMENTS META
        }
    };
}

pub(super) use every_table;

/// Where the salt is among the hashes: no hash is as short.
pub(super) const ERASED_SALT: &[u8] = b"salt";

/// The highest intent number allotted.
pub(super) const INTENTS: &str = "intents";
/// How many leaves the audit tree has.
pub(super) const LEAF_COUNT: &str = "leaves";
/// How many commits were made: tells after an I/O error whether the last one counts.
pub(super) const COMMITS: &str = "commits";
/// How often rows were written: the next version of whichever row is written next.
pub(super) const CHANGES: &str = "changes";
/// How often recovery wraps were written or removed.
pub(super) const WRAPS_CHANGED: &str = "recovery_wraps";
/// The format of this file.
pub(super) const FORMAT: &str = "format";
/// The only format so far.
pub(super) const FORMAT_NOW: u64 = 1;

/// The kinds of rows that are worth nothing after a while: see [`key`].
pub(super) const PASSING: [u8; 2] = [24, 30];

const ROW_FORMAT: u8 = 1;

/// The key of a row: a byte for the kind, then what sorts it.
pub(super) fn key(key: &Key) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    match key {
        Key::Tenant(id) => push(&mut out, 1, &[id.as_bytes()]),
        Key::TenantName(name) => push(&mut out, 2, &[name.as_bytes()]),
        Key::Kek(tenant, version) => push(&mut out, 3, &[tenant.as_bytes(), &version.to_be_bytes()]),
        Key::App(id) => push(&mut out, 4, &[id.as_bytes()]),
        Key::TenantApp(tenant, id) => push(&mut out, 5, &[tenant.as_bytes(), id.as_bytes()]),
        Key::Grant(app, id) => push(&mut out, 6, &[app.as_bytes(), id.as_bytes()]),
        Key::Credential(tenant, id) => push(&mut out, 7, &[tenant.as_bytes(), id.as_bytes()]),
        Key::Sealed(id) => push(&mut out, 8, &[id.as_bytes()]),
        Key::Index(index) => push(&mut out, 9, &[index]),
        Key::Operator(id) => push(&mut out, 10, &[id.as_bytes()]),
        Key::OperatorName(name) => push(&mut out, 11, &[name.as_bytes()]),
        Key::Login(hash) => push(&mut out, 12, &[hash]),
        Key::Stopped(scope) => match scope {
            Scope::All => push(&mut out, 13, &[&[1]]),
            Scope::Tenant(id) => push(&mut out, 13, &[&[2], id.as_bytes()]),
            Scope::Owner(tenant, owner) => push(&mut out, 13, &[&[3], tenant.as_bytes(), owner.as_bytes()]),
            Scope::Venue(venue) => push(&mut out, 13, &[&[4], venue.as_str().as_bytes()]),
            Scope::App(id) => push(&mut out, 13, &[&[5], id.as_bytes()]),
            Scope::Grant(id) => push(&mut out, 13, &[&[6], id.as_bytes()]),
            Scope::Credential(id) => push(&mut out, 13, &[&[7], id.as_bytes()]),
            Scope::VirtualKey(id) => push(&mut out, 13, &[&[8], id.as_bytes()]),
        },
        Key::KeeperKeys => push(&mut out, 14, &[]),
        Key::VirtualKey(tenant, id) => push(&mut out, 15, &[tenant.as_bytes(), id.as_bytes()]),
        Key::VirtualName(hash) => push(&mut out, 16, &[hash]),
        Key::Born(tenant, id) => push(&mut out, 17, &[tenant.as_bytes(), id.as_bytes()]),
        Key::TokenObject(label) => push(&mut out, 18, &[label.as_bytes()]),
        Key::Token(id) => push(&mut out, 19, &[id.as_bytes()]),
        Key::Role(name) => push(&mut out, 20, &[name.as_bytes()]),
        Key::Policy(tenant, version) => push(&mut out, 21, &[tenant.as_bytes(), &version.to_be_bytes()]),
        Key::PolicyInForce(tenant) => push(&mut out, 22, &[tenant.as_bytes()]),
        Key::Recent(tenant, venue, symbol) => {
            let venue = venue.as_str().as_bytes();
            push(&mut out, 24, &[tenant.as_bytes(), venue, &[0], symbol.as_bytes()]);
        }
        Key::Approved(tenant, digest) => push(&mut out, 30, &[tenant.as_bytes(), digest]),
        Key::Spent(spender) => match spender {
            Spender::App(id) => push(&mut out, 23, &[&[1], id.as_bytes()]),
            Spender::Credential(id) => push(&mut out, 23, &[&[2], id.as_bytes()]),
            Spender::Grant(id) => push(&mut out, 23, &[&[3], id.as_bytes()]),
        },
        Key::Sink(name) => push(&mut out, 40, &[name.as_bytes()]),
        Key::AppUse(id) => push(&mut out, 50, &[id.as_bytes()]),
        Key::Jti(hash) => push(&mut out, 51, &[hash]),
        Key::Approval(id) => push(&mut out, 31, &[id.as_bytes()]),
        Key::Allowance(id) => push(&mut out, 32, &[id.as_bytes()]),
        Key::LoginsOf(id) => push(&mut out, 60, &[id.as_bytes()]),
        Key::Invitation(hash) => push(&mut out, 61, &[hash]),
        Key::Unreviewed(id) => push(&mut out, 62, &[id.as_bytes()]),
        Key::Rotation(tenant) => push(&mut out, 70, &[tenant.as_bytes()]),
        Key::Backup(name) => push(&mut out, 90, &[name.as_bytes()]),
        Key::Tombstone(subject) => push(&mut out, 91, &[subject.to_string().as_bytes()]),
        Key::Unengraved(subject) => push(&mut out, 92, &[subject.to_string().as_bytes()]),
        Key::Incident(id) => push(&mut out, 80, &[id.as_bytes()]),
        Key::IncidentNote(id, number) => push(&mut out, 81, &[id.as_bytes(), &number.to_be_bytes()]),
        // Newest first.
        Key::PublicIncident(id) => push(&mut out, 82, &[&id.as_bytes().map(|byte| !byte)]),
        Key::Sighted(hash) => push(&mut out, 83, &[hash]),
        // No tenant has the least of all ids.
        Key::OpenIncident(tenant, id) => {
            push(&mut out, OPEN_INCIDENT, &[tenant.unwrap_or(TenantId::MIN).as_bytes(), id.as_bytes()]);
        }
        Key::Due(errand, at_ms, id) => {
            push_errand(&mut out, *errand);
            out.extend_from_slice(&at_ms.to_be_bytes());
            out.extend_from_slice(id.as_bytes());
        }
        Key::Agenda(id) => push(&mut out, 76, &[id.as_bytes()]),
        Key::Gap(venue) => push(&mut out, 77, &[venue.as_str().as_bytes()]),
        Key::RootRotation => push(&mut out, 71, &[]),
        Key::RetiredRoot(number) => push(&mut out, 72, &[&number.to_be_bytes()]),
        Key::Decoy(tenant, id) => push(&mut out, 95, &[tenant.as_bytes(), id.as_bytes()]),
        Key::DecoyName(hash) => push(&mut out, 96, &[hash]),
        Key::Deletion(tenant) => push(&mut out, 97, &[tenant.as_bytes()]),
        Key::Contact(id) => push(&mut out, 98, &[id.as_bytes()]),
        Key::Notice(id) => push(&mut out, 99, &[id.as_bytes()]),
        Key::Told(id, to) => push(&mut out, 100, &[id.as_bytes(), &to.0]),
        Key::Delivery(queue, at_ms, id, to) => {
            push(&mut out, 101, &[&[queue_byte(*queue)], &at_ms.to_be_bytes(), id.as_bytes(), &to.0]);
        }
        Key::Template(tenant, topic) => push(&mut out, 102, &[tenant.as_bytes(), topic.as_str().as_bytes()]),
        Key::Webhook(tenant, id) => push(&mut out, WEBHOOK, &[tenant.as_bytes(), id.as_bytes()]),
        Key::Event(entry) => push(&mut out, 104, &[&entry.to_be_bytes()]),
        // Newest first.
        Key::WebhookDelivery(tenant, webhook, id) => {
            push(&mut out, 105, &[tenant.as_bytes(), webhook.as_bytes(), &id.as_bytes().map(|byte| !byte)]);
        }
        Key::WebhookDue(tenant, webhook, at_ms, id) => {
            push(&mut out, 106, &[tenant.as_bytes(), webhook.as_bytes(), &at_ms.to_be_bytes(), id.as_bytes()]);
        }
        Key::Epochs => push(&mut out, 111, &[]),
        Key::Unerased(tenant) => push(&mut out, 112, &[tenant.as_bytes()]),
        Key::Withdrawn(tenant) => push(&mut out, 113, &[tenant.as_bytes()]),
        Key::WrapsLeft(tenant) => push(&mut out, 114, &[tenant.as_bytes()]),
        Key::RecoveryKey => push(&mut out, 107, &[]),
    }
    out
}

fn push(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    out.push(kind);
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn push_errand(out: &mut Vec<u8>, errand: Errand) {
    match errand {
        Errand::Probe(venue) => push(out, 75, &[&[1], venue.as_str().as_bytes(), &[0]]),
        Errand::Expiry => push(out, 75, &[&[2]]),
    }
}

fn queue_byte(queue: Queue) -> u8 {
    match queue {
        Queue::Tend => 1,
        Queue::Mail => 2,
    }
}

/// The first and the last key of a range, both included.
pub(super) fn range(range: &Range) -> (Vec<u8>, Vec<u8>) {
    let ends = |first: &Key, last: &Key| (key(first), key(last));
    match range {
        Range::Tenants => ends(&Key::Tenant(TenantId::MIN), &Key::Tenant(TenantId::MAX)),
        Range::Keks(tenant) => ends(&Key::Kek(*tenant, 0), &Key::Kek(*tenant, u32::MAX)),
        Range::Apps(tenant) => ends(&Key::TenantApp(*tenant, AppId::MIN), &Key::TenantApp(*tenant, AppId::MAX)),
        Range::Grants(app) => ends(&Key::Grant(*app, GrantId::MIN), &Key::Grant(*app, GrantId::MAX)),
        Range::Credentials(tenant) => {
            ends(&Key::Credential(*tenant, CredentialId::MIN), &Key::Credential(*tenant, CredentialId::MAX))
        }
        Range::VirtualKeys(tenant) => {
            ends(&Key::VirtualKey(*tenant, VirtualKeyId::MIN), &Key::VirtualKey(*tenant, VirtualKeyId::MAX))
        }
        Range::Born(tenant) => ends(&Key::Born(*tenant, CredentialId::MIN), &Key::Born(*tenant, CredentialId::MAX)),
        // Labels are ASCII.
        Range::TokenObjects => (vec![18], vec![18, 0xff]),
        Range::Operators => ends(&Key::Operator(OperatorId::MIN), &Key::Operator(OperatorId::MAX)),
        Range::Logins => ends(&Key::Login([0; 32]), &Key::Login([0xff; 32])),
        Range::Stopped => (vec![13], vec![13, 0xff]),
        // Names are ASCII.
        Range::Roles => (vec![20], vec![20, 0xff]),
        Range::Policies(tenant) => ends(&Key::Policy(*tenant, 0), &Key::Policy(*tenant, u32::MAX)),
        Range::Approvals => ends(&Key::Approval(ApprovalId::MIN), &Key::Approval(ApprovalId::MAX)),
        Range::Jtis => ends(&Key::Jti([0; 32]), &Key::Jti([0xff; 32])),
        Range::Deletions => ends(&Key::Deletion(TenantId::MIN), &Key::Deletion(TenantId::MAX)),
        Range::Decoys(tenant) => ends(&Key::Decoy(*tenant, DecoyId::MIN), &Key::Decoy(*tenant, DecoyId::MAX)),
        Range::Rotations => ends(&Key::Rotation(TenantId::MIN), &Key::Rotation(TenantId::MAX)),
        // Names and subjects are ASCII.
        Range::Backups => (vec![90], vec![90, 0xff]),
        Range::Unengraved => (vec![92], vec![92, 0xff]),
        Range::Incidents => ends(&Key::Incident(IncidentId::MIN), &Key::Incident(IncidentId::MAX)),
        Range::IncidentNotes(id) => ends(&Key::IncidentNote(*id, 0), &Key::IncidentNote(*id, u32::MAX)),
        Range::PublicIncidents => ends(&Key::PublicIncident(IncidentId::MAX), &Key::PublicIncident(IncidentId::MIN)),
        Range::OpenIncidents => {
            ends(&Key::OpenIncident(None, IncidentId::MIN), &Key::OpenIncident(Some(TenantId::MAX), IncidentId::MAX))
        }
        Range::OpenIncidentsOf(tenant) => {
            ends(&Key::OpenIncident(*tenant, IncidentId::MIN), &Key::OpenIncident(*tenant, IncidentId::MAX))
        }
        Range::Sighted => ends(&Key::Sighted([0; 32]), &Key::Sighted([0xff; 32])),
        Range::Due(errand) => {
            ends(&Key::Due(*errand, 0, CredentialId::MIN), &Key::Due(*errand, u64::MAX, CredentialId::MAX))
        }
        // Names of venues are ASCII.
        Range::Gaps => (vec![77], vec![77, 0xff]),
        Range::KeksAfter(tenant) => {
            let all = ends(&Key::Kek(TenantId::MIN, 0), &Key::Kek(TenantId::MAX, u32::MAX));
            beginning_after(all, tenant.map(|tenant| key(&Key::Kek(tenant, u32::MAX))))
        }
        Range::Webhooks(tenant) => ends(&Key::Webhook(*tenant, WebhookId::MIN), &Key::Webhook(*tenant, WebhookId::MAX)),
        Range::WebhooksAfter(last) => {
            let all = ends(&Key::Webhook(TenantId::MIN, WebhookId::MIN), &Key::Webhook(TenantId::MAX, WebhookId::MAX));
            beginning_after(all, last.map(|(tenant, id)| key(&Key::Webhook(tenant, id))))
        }
        Range::Events => ends(&Key::Event(0), &Key::Event(u64::MAX)),
        Range::WebhookDeliveries(tenant, webhook) => ends(
            &Key::WebhookDelivery(*tenant, *webhook, DeliveryId::MAX),
            &Key::WebhookDelivery(*tenant, *webhook, DeliveryId::MIN),
        ),
        Range::WebhookDeliveriesBefore(tenant, webhook, before_ms) => {
            // An id begins with 48 bits of time.
            let first = u128::from(*before_ms).checked_shl(80).unwrap_or(u128::MAX);
            ends(
                &Key::WebhookDelivery(*tenant, *webhook, DeliveryId::from_bytes(first.to_be_bytes())),
                &Key::WebhookDelivery(*tenant, *webhook, DeliveryId::MIN),
            )
        }
        Range::WebhooksDueAfter(last) => {
            let due = |tenant, webhook, at_ms, id| Key::WebhookDue(tenant, webhook, at_ms, id);
            let all = ends(
                &due(TenantId::MIN, WebhookId::MIN, 0, DeliveryId::MIN),
                &due(TenantId::MAX, WebhookId::MAX, u64::MAX, DeliveryId::MAX),
            );
            beginning_after(all, last.map(|(tenant, webhook)| key(&due(tenant, webhook, u64::MAX, DeliveryId::MAX))))
        }
        Range::Told(id) => ends(&Key::Told(*id, Recipient::NOBODY), &Key::Told(*id, Recipient([0xff; 16]))),
        Range::Deliveries(queue) => {
            let byte = queue_byte(*queue);
            // Their times are not that late.
            (vec![101, byte], vec![101, byte, 0xff])
        }
        Range::Unerased => ends(&Key::Unerased(TenantId::MIN), &Key::Unerased(TenantId::MAX)),
        Range::WrapsLeft => ends(&Key::WrapsLeft(TenantId::MIN), &Key::WrapsLeft(TenantId::MAX)),
        Range::RetiredRoots => ends(&Key::RetiredRoot(0), &Key::RetiredRoot(u32::MAX)),
        Range::Unreviewed => ends(&Key::Unreviewed(LoginId::MIN), &Key::Unreviewed(LoginId::MAX)),
    }
}

/// A range without all up to a key, and that.
fn beginning_after((first, last): (Vec<u8>, Vec<u8>), key: Option<Vec<u8>>) -> (Vec<u8>, Vec<u8>) {
    // The least key that is greater.
    let next = key.map(|key| [key, vec![0]].concat());
    (next.unwrap_or(first), last)
}

/// Where the rows of some kinds begin: see [`key`].
pub(super) const KEK: u8 = 3;
pub(super) const TENANT_APP: u8 = 5;
pub(super) const CREDENTIAL: u8 = 7;
pub(super) const VIRTUAL_KEY: u8 = 15;
pub(super) const OPEN_INCIDENT: u8 = 84;
pub(super) const DECOY: u8 = 95;
pub(super) const WEBHOOK: u8 = 103;

/// How the keys of a tenant's rows of a kind begin.
pub(super) fn led_by(kind: u8, tenant: TenantId) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(tenant.as_bytes());
    out
}

/// How the keys of a tenant's rows begin on which nothing hangs: rotations, policies and which is in force, recent
/// orders, approved requests, words of notices, webhooks and what is for them, what is left of wraps, stopped owners.
pub(super) fn plain_of(tenant: TenantId) -> [Vec<u8>; 12] {
    let owners = [&[13, 3], tenant.as_bytes().as_slice()].concat();
    let led = |kind| led_by(kind, tenant);
    [
        led(70),
        led(21),
        led(22),
        led(24),
        led(30),
        led(102),
        led(WEBHOOK),
        led(105),
        led(106),
        led(113),
        led(114),
        owners,
    ]
}

/// How the keys of an app's grants begin.
pub(super) fn grants_of(app: AppId) -> Vec<u8> {
    let mut out = vec![6];
    out.extend_from_slice(app.as_bytes());
    out
}

/// What comes after every key that begins with `prefix`, whose first byte is not 255.
pub(super) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut out = prefix.to_vec();
    while let Some(last) = out.pop() {
        if let Some(next) = last.checked_add(1) {
            out.push(next);
            break;
        }
    }
    out
}

/// The first and the last key of [`SEALED_UNDER`] for some versions of a tenant's KEK.
pub(super) fn under(tenant: TenantId, versions: RangeInclusive<u32>) -> ((Id, u32, Bytes), (Id, u32, Bytes)) {
    // Keys of records begin with their kind, and no kind is 255.
    ((*tenant.as_bytes(), *versions.start(), &[]), (*tenant.as_bytes(), *versions.end(), &[0xff]))
}

/// The key of a record that may hold sealed bytes.
pub(super) fn sealed_key(key: &[u8]) -> Option<Key> {
    let (kind, id) = key.split_first()?;
    match kind {
        8 => id.try_into().ok().map(|id| Key::Sealed(CredentialId::from_bytes(id))),
        19 => id.try_into().ok().map(|id| Key::Token(CredentialId::from_bytes(id))),
        98 => id.try_into().ok().map(|id| Key::Contact(CredentialId::from_bytes(id))),
        10 => id.try_into().ok().map(|id| Key::Operator(OperatorId::from_bytes(id))),
        15 => {
            let (tenant, id) = id.split_first_chunk()?;
            let id = VirtualKeyId::from_bytes(id.try_into().ok()?);
            Some(Key::VirtualKey(TenantId::from_bytes(*tenant), id))
        }
        &WEBHOOK => {
            let (tenant, id) = id.split_first_chunk()?;
            Some(Key::Webhook(TenantId::from_bytes(*tenant), WebhookId::from_bytes(id.try_into().ok()?)))
        }
        _ => None,
    }
}

/// What a backup holds in the place of a record: a KEK that its tenant brought stays here, so that the tenant can take
/// it away for good.
pub(super) fn without_own_kek(key: &[u8], bytes: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    if key.first() != Some(&KEK) {
        return Ok(None);
    }
    match decode_row(bytes)? {
        Versioned { version, row: Row::Kek(kek) } if kek.origin == KekOrigin::Imported => {
            encode_row(version, &Row::Kek(kek.withdrawn())).map(Some)
        }
        _ => Ok(None),
    }
}

/// The row under a key that may hold sealed bytes; other rows need not be read for that.
pub(super) fn sealed_row(key: &[u8], bytes: &[u8]) -> Result<Option<Row>, StoreError> {
    sealed_key(key).map(|_| decode_row(bytes).map(|found| found.row)).transpose()
}

/// What a mark stands for: the second id in its key names it.
pub(super) fn marked(mark: &[u8]) -> Option<Key> {
    let id: Id = mark.get(17..)?.try_into().ok()?;
    match *mark.first()? {
        TENANT_APP => Some(Key::App(AppId::from_bytes(id))),
        OPEN_INCIDENT => Some(Key::Incident(IncidentId::from_bytes(id))),
        _ => None,
    }
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, vec![ROW_FORMAT]).map_err(|e| StoreError::NotApplied(format!("not encodable: {e}")))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(body(bytes)?).map_err(|e| undecodable(&e))
}

fn body(bytes: &[u8]) -> Result<&[u8], StoreError> {
    match bytes.split_first() {
        Some((&ROW_FORMAT, body)) => Ok(body),
        Some((format, _)) => Err(StoreError::Corrupt(format!("a row of format {format}"))),
        None => Err(StoreError::Corrupt("an empty row".to_owned())),
    }
}

fn undecodable(error: &postcard::Error) -> StoreError {
    StoreError::Corrupt(format!("a row that does not decode: {error}"))
}

/// Decodes what a row begins with, and looks at nothing after that.
pub(super) fn decode_beginning<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, StoreError> {
    postcard::take_from_bytes(body(bytes)?).map(|(value, _)| value).map_err(|e| undecodable(&e))
}

pub(super) fn encode_row(version: u64, row: &Row) -> Result<Vec<u8>, StoreError> {
    encode(&(version, row))
}

pub(super) fn decode_row(bytes: &[u8]) -> Result<Versioned, StoreError> {
    decode::<(u64, Row)>(bytes).map(|(version, row)| Versioned { version, row })
}

/// The key of an idempotency claim: who asked, and the caller's own key.
pub(super) fn claim(tenant: TenantId, app: Option<AppId>, key: &str) -> Vec<u8> {
    let mut out = tenant.as_bytes().to_vec();
    out.extend_from_slice(app.unwrap_or(AppId::MIN).as_bytes());
    out.extend_from_slice(key.as_bytes());
    out
}
