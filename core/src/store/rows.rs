//! Rows and their keys.

use claviger_venues::{Ceiling, VenueId};
use serde::{Deserialize, Serialize};

use super::{Recent, Scope, Spender, Spent, Stop};
use crate::act::Approval;
use crate::agenda::{Agenda, Due, Errand, Gap};
use crate::audit::Subject;
use crate::backup::Backup;
use crate::credential::{BornKey, Contact, Contacts, Credential};
use crate::decoy::Decoy;
use crate::deletion::Deletion;
use crate::epoch::{Epochs, Unerased};
use crate::id::{
    AppId, ApprovalId, CredentialId, DecoyId, DeliveryId, GrantId, IncidentId, LoginId, NoticeId, OperatorId, TenantId,
    VirtualKeyId, WebhookId,
};
use crate::identity::role::Role;
use crate::identity::{App, AppUse, Grant, Login, LoginMark, Operator, Tenant};
use crate::incident::{Incident, Note, PublicIncident};
use crate::keeper::{KekRow, Withdrawal};
use crate::notice::{Delivery, Notice, Queue, Recipient, Template, Told, Topic};
use crate::recovery::RecoveryKey;
use crate::rotation::{RootRotation, Rotation};
use crate::token::PublicKeys;
use crate::virtual_key::VirtualKey;
use crate::webhook::{self, Event, Webhook};

/// Where a row is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A tenant.
    Tenant(TenantId),
    /// The tenant of this name.
    TenantName(String),
    /// A tenant's KEK of one version.
    Kek(TenantId, u32),
    /// An app.
    App(AppId),
    /// Marks that the app is the tenant's, for lists.
    TenantApp(TenantId, AppId),
    /// A grant of an app.
    Grant(AppId, GrantId),
    /// A credential.
    Credential(TenantId, CredentialId),
    /// A credential's sealed payload, of the version in use.
    Sealed(CredentialId),
    /// The token that a venue handed out for a credential's login.
    Token(CredentialId),
    /// A blind index.
    Index([u8; 32]),
    /// An operator.
    Operator(OperatorId),
    /// The operator of this name.
    OperatorName(String),
    /// A login, by the hash of its bearer.
    Login([u8; 32]),
    /// What is stopped for a whole scope.
    Stopped(Scope),
    /// The keeper's public keys.
    KeeperKeys,
    /// A tenant's virtual key.
    VirtualKey(TenantId, VirtualKeyId),
    /// The virtual key that a client names: by SHA-256 of venue and key id, or of its bearer.
    VirtualName([u8; 32]),
    /// What the token told of a credential's key when it made it.
    Born(TenantId, CredentialId),
    /// A caller's key that is an object of the token, by its label.
    TokenObject(String),
    /// A role that is not built in, by its name.
    Role(String),
    /// A tenant's policy of one version.
    Policy(TenantId, u32),
    /// Which version of a tenant's policy is in force.
    PolicyInForce(TenantId),
    /// What was spent of a spender's budgets.
    Spent(Spender),
    /// How far a sink of the audit log is, by its name.
    Sink(String),
    /// Orders that a tenant's credentials placed at a venue for a symbol a moment ago.
    Recent(TenantId, VenueId, String),
    /// An act that was asked for.
    Approval(ApprovalId),
    /// How wide a credential's next version may be.
    Allowance(CredentialId),
    /// A request of a tenant's app that an operator approved, by its digest.
    Approved(TenantId, [u8; 32]),
    /// When an app was last used.
    AppUse(AppId),
    /// That an app's assertion was used, by SHA-256 over the app and the assertion's `jti`.
    Jti([u8; 32]),
    /// The logins of an operator that have not ended.
    LoginsOf(OperatorId),
    /// The operator that an invitation is for, by the invitation's hash.
    Invitation([u8; 32]),
    /// A login by break-glass code that no other operator has reviewed, whether or not it has ended.
    Unreviewed(LoginId),
    /// The newest rotation of a tenant's KEK.
    Rotation(TenantId),
    /// A backup that was made, by its file's name.
    Backup(String),
    /// That something was deleted: it never comes back.
    Tombstone(Subject),
    /// A tombstone that is in no file outside of the store yet.
    Unengraved(Subject),
    /// An incident.
    Incident(IncidentId),
    /// An entry of an incident's timeline, by its number.
    IncidentNote(IncidentId, u32),
    /// What everybody may know of an incident.
    PublicIncident(IncidentId),
    /// The open incident of what a detector saw, by a hash of both.
    Sighted([u8; 32]),
    /// An incident of a tenant's, or of none, that something is left to be done about: an index.
    OpenIncident(Option<TenantId>, IncidentId),
    /// A look at a credential, by what it is for and when it is due, milliseconds since the Unix epoch.
    Due(Errand, u64, CredentialId),
    /// What is planned for a credential.
    Agenda(CredentialId),
    /// Since when a venue cannot be asked about keys; none while it can.
    Gap(VenueId),
    /// The newest rotation of the token's root key.
    RootRotation,
    /// A root key that is to be destroyed in the token, once it wraps no stored KEK any more.
    RetiredRoot(u32),
    /// A tenant's decoy.
    Decoy(TenantId, DecoyId),
    /// The decoy that a client names: by SHA-256 of its key id or bearer.
    DecoyName([u8; 32]),
    /// That a tenant is being deleted, or was: nothing is stored for it any more.
    Deletion(TenantId),
    /// Where a credential's owner is told what happens to it.
    Contact(CredentialId),
    /// Something that owners are told of.
    Notice(NoticeId),
    /// That an owner is on a notice's list.
    Told(NoticeId, Recipient),
    /// Something to be done for a notice, by its queue and when it is due, milliseconds since the Unix epoch.
    Delivery(Queue, u64, NoticeId, Recipient),
    /// A tenant's own words for a notice.
    Template(TenantId, Topic),
    /// A tenant's webhook.
    Webhook(TenantId, WebhookId),
    /// What an entry of the log tells webhooks, until each has a delivery of its own; by the entry's number. Written with
    /// the entry.
    Event(u64),
    /// A message for a webhook.
    WebhookDelivery(TenantId, WebhookId, DeliveryId),
    /// That a delivery is to be tried, by when, milliseconds since the Unix epoch.
    WebhookDue(TenantId, WebhookId, u64, DeliveryId),
    /// The deletion epochs.
    Epochs,
    /// That something sealed of a tenant's was deleted in the epoch that goes on.
    Unerased(TenantId),
    /// That a tenant has taken its own KEK away: nothing of it is signed.
    Withdrawn(TenantId),
    /// That recovery wraps are left of what is under KEKs that a tenant took away. Written with the KEK that goes.
    WrapsLeft(TenantId),
    /// The public half of the recovery key.
    RecoveryKey,
}

impl Key {
    /// Whether a row of this kind is kept under this key.
    pub(in crate::store) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Tenant(_) => matches!(row, Row::Tenant(_)),
            Self::TenantName(_) => matches!(row, Row::TenantRef(_)),
            Self::Kek(..) => matches!(row, Row::Kek(_)),
            Self::App(_) => matches!(row, Row::App(_)),
            Self::TenantApp(..) | Self::OpenIncident(..) => matches!(row, Row::Mark),
            Self::Grant(..) => matches!(row, Row::Grant(_)),
            Self::Credential(..) => matches!(row, Row::Credential(_)),
            Self::Sealed(_) => matches!(row, Row::Sealed(_)),
            Self::Token(_) => matches!(row, Row::Token(_)),
            Self::VirtualKey(..) => matches!(row, Row::VirtualKey(_)),
            Self::VirtualName(_) => matches!(row, Row::VirtualRef(..)),
            Self::Born(..) => matches!(row, Row::Born(_)),
            Self::TokenObject(_) => matches!(row, Row::TokenObject { .. }),
            Self::Sink(_) => matches!(row, Row::Sink(_)),
            Self::Index(_) => matches!(row, Row::CredentialRef(_)),
            Self::Operator(_) => matches!(row, Row::Operator(_)),
            Self::OperatorName(_) | Self::Invitation(_) => matches!(row, Row::OperatorRef(_)),
            Self::Login(_) | Self::Unreviewed(_) => matches!(row, Row::Login(_)),
            Self::Stopped(_) => matches!(row, Row::Stopped(_)),
            Self::Role(_) => matches!(row, Row::Role(_)),
            Self::Policy(..) => matches!(row, Row::Policy(_)),
            Self::PolicyInForce(_) => matches!(row, Row::PolicyRef(_)),
            Self::Spent(_) => matches!(row, Row::Spent(_)),
            Self::Recent(..) => matches!(row, Row::Recent(_)),
            Self::Approved(..) => matches!(row, Row::Approved { .. }),
            Self::Approval(_) => matches!(row, Row::Approval(_)),
            Self::Allowance(_) => matches!(row, Row::Allowance(_)),
            Self::KeeperKeys => matches!(row, Row::KeeperKeys(_)),
            Self::AppUse(_) => matches!(row, Row::AppUse(_)),
            Self::Jti(_) => matches!(row, Row::Jti { .. }),
            Self::LoginsOf(_) => matches!(row, Row::LoginsOf(_)),
            Self::Rotation(_) => matches!(row, Row::Rotation(_)),
            Self::Backup(_) => matches!(row, Row::Backup(_)),
            Self::Tombstone(_) | Self::Unengraved(_) => matches!(row, Row::Tombstone(_)),
            Self::Incident(_) => matches!(row, Row::Incident(_)),
            Self::IncidentNote(..) => matches!(row, Row::IncidentNote(_)),
            Self::PublicIncident(_) => matches!(row, Row::PublicIncident(_)),
            Self::Sighted(_) => matches!(row, Row::IncidentRef(_)),
            Self::Due(..) => matches!(row, Row::Due(_)),
            Self::Agenda(_) => matches!(row, Row::Agenda(_)),
            Self::Gap(_) => matches!(row, Row::Gap(_)),
            Self::RootRotation => matches!(row, Row::RootRotation(_)),
            Self::RetiredRoot(_) => matches!(row, Row::RetiredRoot(_) | Row::RetiringRoot(_)),
            Self::Decoy(..) => matches!(row, Row::Decoy(_)),
            Self::DecoyName(_) => matches!(row, Row::DecoyRef(..)),
            Self::Deletion(_) => matches!(row, Row::Deletion(_)),
            Self::Contact(_) => matches!(row, Row::Contact(_) | Row::Contacts(_)),
            Self::Notice(_) => matches!(row, Row::Notice(_)),
            Self::Told(..) => matches!(row, Row::Told(_)),
            Self::Delivery(..) => matches!(row, Row::Delivery(_)),
            Self::Template(..) => matches!(row, Row::Template(_)),
            Self::Webhook(..) => matches!(row, Row::Webhook(_)),
            Self::Event(_) => matches!(row, Row::Event(_)),
            Self::WebhookDelivery(..) => matches!(row, Row::WebhookDelivery(_)),
            Self::WebhookDue(..) => matches!(row, Row::WebhookDue(_)),
            Self::Epochs => matches!(row, Row::Epochs(_)),
            Self::Unerased(_) => matches!(row, Row::Unerased(_)),
            Self::Withdrawn(_) => matches!(row, Row::Withdrawn(_)),
            Self::WrapsLeft(_) => matches!(row, Row::WrapsLeft { .. }),
            Self::RecoveryKey => matches!(row, Row::RecoveryKey(_)),
        }
    }

    /// The tenant that a row under this key is of, if it is one's.
    pub(in crate::store) fn tenant(&self, row: &Row) -> Option<TenantId> {
        match self {
            Self::Tenant(tenant)
            | Self::Kek(tenant, _)
            | Self::TenantApp(tenant, _)
            | Self::Credential(tenant, _)
            | Self::VirtualKey(tenant, _)
            | Self::Born(tenant, _)
            | Self::Policy(tenant, _)
            | Self::PolicyInForce(tenant)
            | Self::Recent(tenant, ..)
            | Self::Approved(tenant, _)
            | Self::Rotation(tenant)
            | Self::Decoy(tenant, _)
            | Self::Template(tenant, _)
            | Self::Webhook(tenant, _)
            | Self::WebhookDelivery(tenant, ..)
            | Self::WebhookDue(tenant, ..)
            | Self::Withdrawn(tenant)
            | Self::WrapsLeft(tenant)
            | Self::Stopped(Scope::Tenant(tenant) | Scope::Owner(tenant, _)) => Some(*tenant),
            Self::App(_)
            | Self::Grant(..)
            | Self::Sealed(_)
            | Self::Token(_)
            | Self::Operator(_)
            | Self::TenantName(_)
            | Self::VirtualName(_)
            | Self::Due(..)
            | Self::Contact(_)
            | Self::DecoyName(_) => row.tenant(),
            // They come and go with rows of the others, or are nobody's.
            Self::Index(_)
            | Self::Spent(_)
            | Self::Allowance(_)
            | Self::AppUse(_)
            | Self::Stopped(_)
            | Self::OperatorName(_)
            | Self::Login(_)
            | Self::LoginsOf(_)
            | Self::Invitation(_)
            | Self::Unreviewed(_)
            | Self::Approval(_)
            | Self::Jti(_)
            | Self::KeeperKeys
            | Self::RecoveryKey
            | Self::TokenObject(_)
            | Self::Role(_)
            | Self::Sink(_)
            | Self::Deletion(_)
            | Self::Event(_)
            // What was deleted, or went wrong, is known for longer than the tenant.
            | Self::Backup(_)
            | Self::Tombstone(_)
            | Self::Unengraved(_)
            | Self::Incident(_)
            | Self::IncidentNote(..)
            | Self::PublicIncident(_)
            | Self::Sighted(_)
            | Self::OpenIncident(..)
            | Self::Notice(_)
            | Self::Told(..)
            | Self::Delivery(..)
            | Self::Agenda(_)
            | Self::Gap(_)
            | Self::RootRotation
            | Self::RetiredRoot(_)
            | Self::Epochs
            | Self::Unerased(_) => None,
        }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// See [`Key::Tenant`].
    Tenant(Tenant),
    /// See [`Key::TenantName`].
    TenantRef(TenantId),
    /// See [`Key::Kek`].
    Kek(KekRow),
    /// See [`Key::App`].
    App(App),
    /// See [`Key::TenantApp`].
    Mark,
    /// See [`Key::Grant`].
    Grant(Grant),
    /// See [`Key::Credential`].
    Credential(Credential),
    /// See [`Key::Sealed`]: the envelope's stored form.
    Sealed(Vec<u8>),
    /// See [`Key::Index`].
    CredentialRef(CredentialId),
    /// See [`Key::Operator`].
    Operator(Operator),
    /// See [`Key::OperatorName`].
    OperatorRef(OperatorId),
    /// See [`Key::Login`].
    Login(Login),
    /// See [`Key::Stopped`].
    Stopped(Stop),
    /// See [`Key::KeeperKeys`].
    KeeperKeys(PublicKeys),
    /// See [`Key::VirtualKey`].
    VirtualKey(VirtualKey),
    /// See [`Key::VirtualName`].
    VirtualRef(TenantId, VirtualKeyId),
    /// See [`Key::Born`].
    Born(BornKey),
    /// See [`Key::TokenObject`].
    TokenObject {
        /// The label once more, for lists.
        label: String,
        /// Whose it is; nobody's is to be destroyed.
        credential: Option<CredentialId>,
    },
    /// See [`Key::Token`].
    Token(VenueToken),
    /// See [`Key::Role`].
    Role(Role),
    /// See [`Key::Policy`].
    Policy(StoredPolicy),
    /// See [`Key::PolicyInForce`].
    PolicyRef(u32),
    /// See [`Key::Spent`].
    Spent(Spent),
    /// See [`Key::Sink`].
    Sink(SinkCursor),
    /// See [`Key::Recent`].
    Recent(Recent),
    /// See [`Key::Approval`].
    Approval(Box<Approval>),
    /// See [`Key::Allowance`].
    Allowance(Ceiling),
    /// See [`Key::Approved`].
    Approved {
        /// Until when it may be made, milliseconds since the Unix epoch.
        expires_ms: u64,
    },
    /// See [`Key::AppUse`].
    AppUse(AppUse),
    /// See [`Key::Jti`].
    Jti {
        /// The key once more, for lists.
        hash: [u8; 32],
        /// How long it must be known, milliseconds since the Unix epoch.
        until_ms: u64,
    },
    /// See [`Key::LoginsOf`]; oldest first.
    LoginsOf(Vec<LoginMark>),
    /// See [`Key::Rotation`].
    Rotation(Rotation),
    /// See [`Key::Backup`].
    Backup(Box<Backup>),
    /// See [`Key::Tombstone`] and [`Key::Unengraved`].
    Tombstone(Subject),
    /// See [`Key::Incident`].
    Incident(Box<Incident>),
    /// See [`Key::IncidentNote`].
    IncidentNote(Note),
    /// See [`Key::PublicIncident`].
    PublicIncident(PublicIncident),
    /// See [`Key::Sighted`].
    IncidentRef(IncidentId),
    /// See [`Key::Due`].
    Due(Due),
    /// See [`Key::Agenda`].
    Agenda(Agenda),
    /// See [`Key::Gap`].
    Gap(Gap),
    /// See [`Key::RootRotation`].
    RootRotation(RootRotation),
    /// See [`Key::RetiredRoot`]: the number once more, for lists. It wraps no stored KEK.
    RetiredRoot(u32),
    /// See [`Key::Decoy`].
    Decoy(Decoy),
    /// See [`Key::DecoyName`].
    DecoyRef(TenantId, DecoyId),
    /// See [`Key::Deletion`].
    Deletion(Deletion),
    /// See [`Key::Contact`].
    Contact(Contact),
    /// See [`Key::Notice`].
    Notice(Box<Notice>),
    /// See [`Key::Told`].
    Told(Told),
    /// See [`Key::Delivery`].
    Delivery(Delivery),
    /// See [`Key::Template`].
    Template(Template),
    /// See [`Key::Webhook`].
    Webhook(Box<Webhook>),
    /// See [`Key::Event`].
    Event(Event),
    /// See [`Key::WebhookDelivery`].
    WebhookDelivery(Box<webhook::Delivery>),
    /// See [`Key::WebhookDue`].
    WebhookDue(webhook::DueDelivery),
    /// See [`Key::Epochs`].
    Epochs(Epochs),
    /// See [`Key::Unerased`].
    Unerased(Unerased),
    /// See [`Key::Withdrawn`].
    Withdrawn(Withdrawal),
    /// See [`Key::RecoveryKey`].
    RecoveryKey(Box<RecoveryKey>),
    /// See [`Key::WrapsLeft`].
    WrapsLeft {
        /// The tenant once more, for lists.
        tenant: TenantId,
        /// What was looked at last: a version of the KEK, and what the store calls a row under it.
        after: Option<(u32, Vec<u8>)>,
    },
    /// See [`Key::RetiredRoot`]: the same while KEKs under it are still stored.
    RetiringRoot(u32),
    /// See [`Key::Contact`]: the same while former addresses are still to be told of a change.
    Contacts(Contacts),
}

impl Row {
    /// The tenant that the row says it is of.
    fn tenant(&self) -> Option<TenantId> {
        if let Self::TenantRef(tenant) | Self::VirtualRef(tenant, _) | Self::DecoyRef(tenant, _) = self {
            return Some(*tenant);
        }
        if let Self::App(App { tenant, .. }) | Self::Grant(Grant { tenant, .. }) | Self::Due(Due { tenant, .. }) = self
        {
            return Some(*tenant);
        }
        if let Self::Operator(operator) = self {
            return operator.tenant;
        }
        self.keks().first().map(|(tenant, _)| *tenant)
    }
}

/// Every row that goes with a credential, its own among them; what else names it names another thing as well.
pub(crate) fn rows_of_credential(row: &Credential) -> Vec<Key> {
    let id = row.id;
    let own = [Key::Credential(row.tenant, id), Key::Index(row.index)];
    let more = [Key::Spent(Spender::Credential(id)), Key::Allowance(id), Key::Born(row.tenant, id)];
    own.into_iter().chain(Key::sealed_of(id)).chain(more).collect()
}

/// A version of a policy as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPolicy {
    /// The tenant.
    pub tenant: TenantId,
    /// Counts from 1.
    pub version: u32,
    /// The document, TOML.
    pub text: String,
    /// Who gave it.
    pub by: String,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Whether it is in force, or ever was: then it is kept.
    pub was_in_force: bool,
}

/// What a sink of the audit log is to get next: all before it was taken at least once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkCursor {
    /// The number of the leaf.
    pub leaf: u64,
    /// The least size of the checkpoint.
    pub checkpoint: u64,
}

/// A token that a venue handed out, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueToken {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// Milliseconds since the Unix epoch.
    pub issued_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub expires_ms: u64,
}
