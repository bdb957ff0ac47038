//! One row of every kind.

use std::iter::successors;

use claviger_core::act::{Act, Approval, ApprovalState, Person};
use claviger_core::agenda::{Agenda, Due, Errand, Gap};
use claviger_core::audit::Subject;
use claviger_core::backup::{Backup, Checked};
use claviger_core::credential::{BornKey, Contact, Contacts, Former, State};
use claviger_core::decoy::Decoy;
use claviger_core::deletion::Deletion;
use claviger_core::epoch::{Aging, Epochs, Phase, Unerased};
use claviger_core::id::{
    ApprovalId, AuthenticatorId, DecoyId, DeliveryId, GrantId, IncidentId, LoginId, NoticeId, OperatorId, TenantId,
    WebhookId,
};
use claviger_core::identity::role::{Permission, Role};
use claviger_core::identity::{
    AppUse, Credentials, Factors, Grant, Login, LoginKind, LoginMark, Operator, PasswordHash,
};
use claviger_core::incident::{Detector, Incident, Note, NoteKind, Opener, Review, Severity, deadlines};
use claviger_core::keeper::{KekOrigin, KekRow, Withdrawal};
use claviger_core::notice::{About, Count, Delivery, Notice, Queue, Recipient, Stage, Told, Topic};
use claviger_core::policy::{Budget, Limits};
use claviger_core::recovery::RecoveryKey;
use claviger_core::rotation::{RootRotation, Rotation, RotationState};
use claviger_core::store::{
    Charge, Key, Recent, Resting, Row, Scope, SinkCursor, Spender, Spent, Stop, StoredPolicy, Unit, VenueToken, Window,
};
use claviger_core::token::{KekBlob, PublicKeys};
use claviger_core::virtual_key::{Proof, VirtualKey};
use claviger_core::webhook::{
    Attempt, Delivery as WebhookDelivery, DeliveryState, Disabled, Event, EventKind, Message, Previous, Webhook, Why,
};
use claviger_venues::{Ceiling, CeilingClass, Products, Side, VenueId};

use super::super::fixtures::{
    START_MS, app, app_row, credential, credential_row, grant, tenant, tenant_row, virtual_key,
};

/// Every kind of key, each with its row.
pub(super) fn one_of_each() -> Vec<(Key, Row)> {
    let all: Vec<(Key, Row)> = successors(Some(Key::Tenant(tenant(0))), |key| of(key).1)
        .map(|key| {
            let row = of(&key).0;
            (key, row)
        })
        .collect();
    // The last of the list, so that one that leads nowhere is seen.
    assert!(matches!(all.last(), Some((Key::WrapsLeft(_), _))));
    all
}

/// A key's row, and the kind of key that comes next: a new kind does not build here before it has both.
#[expect(clippy::too_many_lines, reason = "a table")]
fn of(key: &Key) -> (Row, Option<Key>) {
    let (row, next) = match key {
        Key::Tenant(_) => (tenant_row(0, "a"), Key::TenantName("a".to_owned())),
        Key::TenantName(_) => (Row::TenantRef(tenant(0)), Key::Kek(tenant(0), 1)),
        Key::Kek(..) => (Row::Kek(kek()), Key::App(app(0))),
        Key::App(_) => (app_row(0, 0, "bot"), Key::TenantApp(tenant(0), app(0))),
        Key::TenantApp(..) => (Row::Mark, Key::Grant(app(0), grant(0))),
        Key::Grant(_, id) => (Row::Grant(granted(*id)), Key::Credential(tenant(0), credential(0))),
        Key::Credential(..) => (Row::Credential(credential_row(0, 0, State::Pending, 0)), Key::Sealed(credential(0))),
        Key::Sealed(_) => (Row::Sealed(vec![0; 300]), Key::Token(credential(0))),
        Key::Token(_) => {
            let token = VenueToken { sealed: vec![1; 300], issued_ms: START_MS, expires_ms: START_MS + 1 };
            (Row::Token(token), Key::Index([5; 32]))
        }
        Key::Index(_) => (Row::CredentialRef(credential(0)), Key::Operator(operator_id())),
        Key::Operator(_) => (Row::Operator(operator()), Key::OperatorName("ada".to_owned())),
        Key::OperatorName(_) => (Row::OperatorRef(operator_id()), Key::Login([6; 32])),
        Key::Login(_) => (Row::Login(login()), Key::Stopped(Scope::Tenant(tenant(1)))),
        Key::Stopped(_) => (Row::Stopped(Stop::Frozen), Key::KeeperKeys),
        Key::KeeperKeys => {
            let keys = PublicKeys { api: vec![4; 65], audit: vec![5; 32] };
            (Row::KeeperKeys(keys), Key::VirtualKey(tenant(0), virtual_key(0)))
        }
        Key::VirtualKey(..) => (Row::VirtualKey(client_key()), Key::VirtualName([7; 32])),
        Key::VirtualName(_) => (Row::VirtualRef(tenant(0), virtual_key(0)), Key::Born(tenant(0), credential(0))),
        Key::Born(..) => {
            let born = BornKey { public_pem: "pem".to_owned(), object: Some("object".to_owned()), pending: true };
            (Row::Born(born), Key::TokenObject("object".to_owned()))
        }
        Key::TokenObject(label) => {
            let object = Row::TokenObject { label: label.clone(), credential: Some(credential(0)) };
            (object, Key::Role("desk".to_owned()))
        }
        Key::Role(name) => {
            let role = Role { name: name.clone(), permissions: Permission::all().collect(), flagged_only: true };
            (Row::Role(role), Key::Policy(tenant(0), 1))
        }
        Key::Policy(..) => (Row::Policy(policy()), Key::PolicyInForce(tenant(0))),
        Key::PolicyInForce(_) => (Row::PolicyRef(1), Key::Spent(Spender::App(app(0)))),
        Key::Spent(spender) => (Row::Spent(spent(*spender)), Key::Sink("file".to_owned())),
        Key::Sink(_) => {
            let cursor = SinkCursor { leaf: 7, checkpoint: 8 };
            (Row::Sink(cursor), Key::Recent(tenant(0), VenueId::Kraken, "XBTUSD".to_owned()))
        }
        Key::Recent(..) => (Row::Recent(recent()), Key::Approval(approval_id())),
        Key::Approval(_) => (Row::Approval(Box::new(approval())), Key::Allowance(credential(0))),
        Key::Allowance(_) => {
            let ceiling = Ceiling { class: CeilingClass::Trade, products: Products::SPOT };
            (Row::Allowance(ceiling), Key::Approved(tenant(0), [8; 32]))
        }
        Key::Approved(..) => (Row::Approved { expires_ms: START_MS }, Key::AppUse(app(0))),
        Key::AppUse(_) => {
            let authenticators = vec![(AuthenticatorId::from_bytes([12; 16]), START_MS)];
            (Row::AppUse(AppUse { last_ms: START_MS, authenticators }), Key::Jti([9; 32]))
        }
        Key::Jti(hash) => (Row::Jti { hash: *hash, until_ms: START_MS }, Key::LoginsOf(operator_id())),
        Key::LoginsOf(_) => {
            let mark = LoginMark { id: login_id(), hash: [6; 32], expires_ms: START_MS + 1 };
            (Row::LoginsOf(vec![mark]), Key::Invitation([10; 32]))
        }
        Key::Invitation(_) => (Row::OperatorRef(operator_id()), Key::Unreviewed(login_id())),
        Key::Unreviewed(_) => (Row::Login(login()), Key::Rotation(tenant(0))),
        Key::Rotation(_) => (Row::Rotation(rotation()), Key::RootRotation),
        Key::Backup(name) => (Row::Backup(Box::new(backup(name))), Key::Tombstone(Subject::Tenant(tenant(1)))),
        Key::Tombstone(subject) => (Row::Tombstone(*subject), Key::Unengraved(*subject)),
        Key::Unengraved(subject) => (Row::Tombstone(*subject), Key::Incident(incident().id)),
        Key::Incident(id) => (Row::Incident(Box::new(incident())), Key::IncidentNote(*id, 1)),
        Key::IncidentNote(id, number) => {
            let (by, text) = ("claviger".to_owned(), "it was seen".to_owned());
            let note = Note { number: *number, at_ms: START_MS, by, kind: NoteKind::Known, text };
            (Row::IncidentNote(note), Key::PublicIncident(*id))
        }
        Key::PublicIncident(id) => {
            (Row::PublicIncident(incident().public().unwrap()), Key::OpenIncident(Some(tenant(0)), *id))
        }
        Key::OpenIncident(..) => (Row::Mark, Key::Sighted([3; 32])),
        Key::Sighted(_) => {
            (Row::IncidentRef(incident().id), Key::Due(Errand::Probe(VenueId::Kraken), START_MS + 1, credential(0)))
        }
        Key::Due(_, at_ms, credential) => {
            let due = Due { at_ms: *at_ms, tenant: tenant(0), credential: *credential };
            (Row::Due(due), Key::Agenda(*credential))
        }
        Key::Agenda(_) => {
            let agenda =
                Agenda { probed_ms: START_MS, probe_ms: START_MS + 1, expiry_ms: Some(START_MS + 2), used_ms: None };
            (Row::Agenda(agenda), Key::Gap(VenueId::Kraken))
        }
        Key::Gap(venue) => {
            let gap = Gap { venue: *venue, since_ms: START_MS, why: "unavailable".to_owned() };
            (Row::Gap(gap), Key::Decoy(tenant(0), decoy_id()))
        }
        Key::RootRotation => {
            let root = RootRotation { sum: rotation(), at: Some(tenant(0)), tenants: 1 };
            (Row::RootRotation(root), Key::RetiredRoot(1))
        }
        Key::RetiredRoot(number @ 1) => (Row::RetiredRoot(*number), Key::RetiredRoot(2)),
        Key::RetiredRoot(number) => (Row::RetiringRoot(*number), Key::RecoveryKey),
        Key::RecoveryKey => (Row::RecoveryKey(Box::new(recovery_key())), Key::Backup("claviger.age".to_owned())),
        Key::Decoy(..) => (Row::Decoy(decoy()), Key::DecoyName([11; 32])),
        Key::DecoyName(_) => (Row::DecoyRef(tenant(0), decoy_id()), Key::Contact(credential(0))),
        Key::Contact(_) => (Row::Contacts(contacts()), Key::Notice(notice().id)),
        Key::Notice(id) => (Row::Notice(Box::new(notice())), Key::Told(*id, Recipient([5; 16]))),
        Key::Told(_, to) => {
            let told = Told { to: *to, credential: credential(0), failed: Some("550 no such user".to_owned()) };
            (Row::Told(told), Key::Delivery(Queue::Mail, START_MS, notice().id, *to))
        }
        Key::Delivery(queue, at_ms, id, to) => {
            let letter = Delivery::new(*queue, *id, *to, *at_ms);
            let letter = Delivery { credential: Some((tenant(0), credential(0))), tries: 2, ..letter };
            (Row::Delivery(letter), Key::Template(tenant(0), Topic::CredentialExpired))
        }
        Key::Template(_, topic) => (Row::Template(topic.template()), Key::Webhook(tenant(0), webhook().id)),
        Key::Webhook(..) => (Row::Webhook(Box::new(webhook())), Key::Event(7)),
        Key::Event(entry) => {
            let (tenant, messages) = (Some(tenant(0)), vec![delivery().message]);
            let event = Event { entry: *entry, tenant, messages, told: Some((webhook().tenant, webhook().id)) };
            (Row::Event(event), Key::WebhookDelivery(webhook().tenant, webhook().id, delivery().id))
        }
        Key::WebhookDelivery(tenant, webhook, id) => {
            (Row::WebhookDelivery(Box::new(delivery())), Key::WebhookDue(*tenant, *webhook, START_MS, *id))
        }
        // Of a tenant that nothing else is of: nothing could be stored for it any more.
        Key::WebhookDue(..) => (Row::WebhookDue(delivery().due().unwrap()), Key::Deletion(tenant(3))),
        Key::Deletion(of) => (Row::Deletion(deletion(*of)), Key::Epochs),
        Key::Epochs => (Row::Epochs(epochs()), Key::Unerased(tenant(0))),
        Key::Unerased(tenant) => {
            let unerased = Unerased { tenant: *tenant, count: 2, first_ms: START_MS, last_ms: START_MS + 1 };
            (Row::Unerased(unerased), Key::Withdrawn(*tenant))
        }
        Key::Withdrawn(tenant) => {
            let withdrawal = Withdrawal { tenant: *tenant, by: "ada".to_owned(), at_ms: START_MS };
            (Row::Withdrawn(withdrawal), Key::WrapsLeft(*tenant))
        }
        Key::WrapsLeft(tenant) => return (Row::WrapsLeft { tenant: *tenant, after: Some((1, vec![8; 17])) }, None),
    };
    (row, Some(next))
}

pub(super) fn recovery_key() -> RecoveryKey {
    let commitments = vec![[3; 32], [4; 32]];
    RecoveryKey { set: [1; 8], public: [2; 32], threshold: 2, commitments, made_ms: START_MS, mac: [5; 32] }
}

fn operator_id() -> OperatorId {
    OperatorId::from_bytes([9; 16])
}

fn decoy_id() -> DecoyId {
    DecoyId::from_bytes([13; 16])
}

fn decoy() -> Decoy {
    Decoy {
        id: decoy_id(),
        tenant: tenant(0),
        venue: VenueId::Kraken,
        label: "wiki".to_owned(),
        key_id: "clv".to_owned(),
        name: [11; 32],
        created_ms: START_MS,
        uses: 2,
        used_ms: Some((START_MS, START_MS + 1)),
    }
}

fn webhook() -> Webhook {
    Webhook {
        id: WebhookId::from_bytes([14; 16]),
        tenant: tenant(0),
        label: "desk".to_owned(),
        url: "https://desk.example/claviger".to_owned(),
        secret_version: 2,
        sealed: vec![1; 300],
        previous: Some(Previous { sealed: vec![2; 300], until_ms: START_MS }),
        created_ms: START_MS,
        took_ms: START_MS + 1,
        disabled: Some(Disabled { at_ms: START_MS + 2, why: Why::Failing }),
    }
}

fn delivery() -> WebhookDelivery {
    let (kind, resource, id) = (EventKind::IncidentOpened, "incident".to_owned(), incident().id.to_string());
    WebhookDelivery {
        id: DeliveryId::from_bytes([15; 16]),
        tenant: tenant(0),
        webhook: webhook().id,
        message: Message { kind, at_ms: START_MS, resource, id, entry: Some(7) },
        since_ms: START_MS,
        attempts: 1,
        state: DeliveryState::Waiting(START_MS),
        last: Some(Attempt { at_ms: START_MS, status: Some(500), fault: "status 500".to_owned() }),
    }
}

fn epochs() -> Epochs {
    let aging = vec![Aging { number: 1, until_ms: START_MS, below: 2, moved_ms: START_MS + 1 }];
    let phase = Phase::Moving { root: 3 };
    Epochs { number: 2, began_ms: START_MS, phase, aging, ended_ms: Some(START_MS + 1), erased: Some((1, START_MS)) }
}

fn deletion(tenant: TenantId) -> Deletion {
    let credentials = [(VenueId::Binance, 2), (VenueId::Kraken, 1)].into();
    Deletion { ended_ms: Some(START_MS + 1), credentials, owners: 3, ..Deletion::new(tenant, START_MS) }
}

fn login_id() -> LoginId {
    LoginId::from_bytes([8; 16])
}

fn approval_id() -> ApprovalId {
    ApprovalId::from_bytes([10; 16])
}

pub(super) fn login() -> Login {
    Login {
        id: login_id(),
        operator: operator_id(),
        name: "ada".to_owned(),
        kind: LoginKind::Password,
        address: "192.0.2.7".to_owned(),
        device: "terminal".to_owned(),
        proven_ms: START_MS,
        created_ms: START_MS,
        expires_ms: START_MS + 1,
    }
}

fn operator() -> Operator {
    Operator {
        id: operator_id(),
        name: "ada".to_owned(),
        tenant: Some(tenant(0)),
        role: "viewer".to_owned(),
        factors: Factors { password: Some(PasswordHash { salt: [1; 16], hash: [2; 32] }), ..Factors::default() },
        factors_ms: START_MS,
        created_ms: START_MS,
    }
}

fn granted(id: GrantId) -> Grant {
    Grant {
        id,
        tenant: tenant(0),
        app: app(0),
        credentials: Credentials::These(vec![credential(0)]),
        operations: vec!["trade".to_owned()],
        hours: vec![],
        orders: Limits::default(),
        budget: Budget::default(),
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        enroll: false,
        created_ms: START_MS,
    }
}

fn notice() -> Notice {
    Notice {
        id: NoticeId::from_bytes([14; 16]),
        topic: Topic::IncidentNotified,
        about: About::Incident(incident().id),
        at_ms: START_MS,
        details: vec![("text".to_owned(), "make a new key".to_owned())],
        stage: Stage::Spreading(Some(vec![7])),
        count: Count { sent: 1, waiting: 2, failed: 3, unreached: 4 },
    }
}

fn contacts() -> Contacts {
    let now = Some(Contact { sealed: vec![2; 300], set_ms: START_MS });
    Contacts { now, former: vec![Former { notice: notice().id, sealed: vec![3; 300] }] }
}

fn incident() -> Incident {
    let by = Person { id: operator_id(), name: "ada".to_owned() };
    let (root_cause, measures) = ("a disk".to_owned(), "another disk".to_owned());
    Incident {
        id: IncidentId::from_bytes([13; 16]),
        severity: Severity::High,
        title: "bytes".to_owned(),
        summary: "Some bytes were wrong.".to_owned(),
        detected_ms: START_MS,
        opened_ms: START_MS + 1,
        opened_by: Opener::Detector(Detector::Tamper),
        tenant: Some(tenant(0)),
        scope: Scope::Owner(tenant(0), "trader".to_owned()),
        containment: Some(Stop::Frozen),
        notes: 1,
        sightings: 2,
        deadlines: deadlines(START_MS, true),
        notices: vec![NoticeId::from_bytes([14; 16])],
        published_ms: Some(START_MS + 2),
        review: Some(Review { root_cause, measures, by, at_ms: START_MS + 3 }),
    }
}

fn rotation() -> Rotation {
    Rotation {
        tenant: tenant(0),
        to: 2,
        rekey: true,
        per_second: Some(9),
        state: RotationState::Blocked,
        done: 3,
        unopened: 1,
        active_ms: 1_000,
        by: "ada".to_owned(),
        started_ms: START_MS,
        ended_ms: Some(START_MS + 1),
    }
}

fn backup(name: &str) -> Backup {
    let checked = Some(Checked { at_ms: START_MS + 1, fault: Some("damaged".to_owned()) });
    Backup { name: name.to_owned(), at_ms: START_MS, entries: 7, bytes: 4_096, sha256: [4; 32], checked }
}

fn kek() -> KekRow {
    KekRow {
        tenant: tenant(0),
        version: 1,
        origin: KekOrigin::Generated,
        blob: KekBlob { root: 1, wrapped: vec![1; 40], canary: vec![2; 44] },
        mac: [3; 32],
    }
}

fn client_key() -> VirtualKey {
    VirtualKey {
        id: virtual_key(0),
        tenant: tenant(0),
        app: app(0),
        credential: credential(0),
        venue: VenueId::Kraken,
        label: "terminal".to_owned(),
        key_id: "key-id".to_owned(),
        name: [7; 32],
        proof: Proof::Hmac(vec![1; 300]),
        created_ms: START_MS,
    }
}

fn policy() -> StoredPolicy {
    let text = "# nothing is ruled out\n".to_owned();
    StoredPolicy { tenant: tenant(0), version: 1, text, by: "ada".to_owned(), created_ms: START_MS, was_in_force: true }
}

fn spent(spender: Spender) -> Spent {
    let (amount, most) = ("0.5".parse().unwrap(), "1".parse().unwrap());
    let charge = Charge { spender, unit: Unit::Notional("USD".to_owned()), window: Window::Day, amount, most };
    let mut spent = Spent::default();
    assert!(spent.take(&charge, START_MS));
    spent
}

fn recent() -> Recent {
    let order = Resting { market: "XBTUSD".to_owned(), side: Side::Buy, price: "1.5".parse().unwrap() };
    let mut recent = Recent::default();
    assert!(recent.take(credential(0), &order, START_MS));
    recent
}

fn approval() -> Approval {
    Approval {
        id: approval_id(),
        act: Act::UnfreezeCredential { tenant: tenant(0), credential: credential(0) },
        name: "key 0".to_owned(),
        lines: vec!["it trades again".to_owned()],
        blast_radius: [("grants".to_owned(), 1)].into(),
        digest: "digest".to_owned(),
        window: 1,
        requester: Person { id: operator_id(), name: "ada".to_owned() },
        reason: "the venue is well again".to_owned(),
        created_ms: START_MS,
        expires_ms: START_MS + 1,
        approved: None,
        closed: None,
        state: ApprovalState::Waiting,
        changed_ms: START_MS,
        invited: Some([7; 32]),
    }
}
