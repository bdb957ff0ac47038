//! What front and keeper say to each other: small, versioned, bounded.

mod reply;

use claviger_venues::{KeyType, Scheme, VenueId};
use serde::{Deserialize, Serialize};

use super::kek::KekRow;
use crate::audit::{Hash, Subject};
use crate::clock::BootTime;
use crate::envelope::Binding;
use crate::id::{AppId, AuthenticatorId, DeliveryId, OperatorId, TenantId, WebhookId};
use crate::recovery::RecoveryKey;
use crate::recovery::file::RecoveryFile;
use crate::store::{IntentKind, Scope, Scopes};

pub use reply::{Born, Greeting, Recovered, Refused, Reply, Signed, SignedLogin, SignedWebhook, Taken};

/// What the front asks for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// The first message after each start.
    Hello(Hello),
    /// Sign one catalogued operation.
    Sign(Box<Sign>),
    /// Sign the login to a stream on which the venue accepts no orders.
    SignStream(Box<SignStream>),
    /// Seal the secret that travels beside this message.
    Seal(Box<Seal>),
    /// Take the token out of the login's answer that travels beside this message, and seal it.
    TakeToken(Box<TakeToken>),
    /// Make a key inside the token, and seal what names it.
    Birth(Box<Birth>),
    /// Give a key that was made in the token its key id, once.
    Name(Box<Name>),
    /// Move sealed bytes under a newer KEK of their tenant.
    Rewrap(Box<Rewrap>),
    /// The labels of callers' keys that are objects of the token.
    KeyObjects,
    /// Destroy such an object.
    DestroyKey {
        /// Its label.
        label: String,
    },
    /// The address that a letter goes to next.
    OpenContact(Box<OpenContact>),
    /// Whether a signature bears a virtual key's secret; the passphrase that was shown travels beside this message.
    Verify(Box<Verify>),
    /// Whether the one-time code that travels beside this message is an operator's.
    VerifyCode(Box<VerifyCode>),
    /// Make a KEK for a tenant.
    NewKek {
        /// Whose.
        tenant: TenantId,
        /// Its version.
        version: u32,
    },
    /// What tenants wrap their own KEKs to.
    KekDoor {
        /// Which asks.
        tenant: TenantId,
    },
    /// Take a tenant's own KEK into the token.
    ImportKek(Box<ImportKek>),
    /// The numbers of the token's root keys.
    Roots,
    /// Make the root key that follows the newest one.
    NewRoot {
        /// Its number.
        number: u32,
    },
    /// Destroy a root key that no KEK was used under for long.
    DestroyRoot {
        /// Its number.
        number: u32,
    },
    /// The blind index of a key id.
    Index {
        /// The tenant.
        tenant: TenantId,
        /// The venue.
        venue: VenueId,
        /// The venue's key id.
        key_id: String,
    },
    /// The pepper over an argon2id output.
    Pepper {
        /// The output.
        argon2: [u8; 32],
    },
    /// An access token for an app.
    SignJwt(Claims),
    /// Sign the head of the audit tree.
    SignCheckpoint(Box<Head>),
    /// Sign nothing more in a scope for intents up to a number.
    Bar {
        /// The scope.
        scope: Scope,
        /// The highest intent that is barred.
        up_to: u64,
    },
    /// Give up what was unwrapped of KEKs: one of them was destroyed.
    ForgetKeks,
    /// A known-answer operation on the token.
    Health,
    /// Another keeper has taken over: the checkpoint in the token is its to renew. Not answered.
    Relieved,
    /// Sign that something was deleted for good.
    SignTombstone(Subject),
    /// Sign what a tenant's webhook is told.
    SignWebhook(Box<SignWebhook>),
    /// Wrap what opens sealed bytes to the recovery key.
    WrapDek(Box<WrapDek>),
    /// Sign that a recovery file is this log's.
    SignRecoveryFile(RecoveryFile),
    /// Seal anew what a wrap opens; the recovery key's private half travels beside this message.
    Recover(Box<Recover>),
    /// The blind index of a key id that is sealed: the token that made the one before was lost.
    IndexSealed(Box<IndexSealed>),
}

/// See [`Request::Hello`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The store's highest intent number: only later ones are signed.
    pub highest_intent: u64,
    /// The newest signed checkpoint that the store has.
    pub checkpoint: Option<String>,
    /// The recovery key that the store has; the token must vouch for it.
    pub recovery: Option<RecoveryKey>,
}

/// See [`Request::Sign`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Sign {
    /// The intent that is recorded for it.
    pub intent: u64,
    /// Who stands behind it.
    pub kind: IntentKind,
    /// Where it lies.
    pub scopes: Scopes,
    /// No signature after this.
    pub deadline: BootTime,
    /// The operation's name in the venue's catalogue.
    pub operation: String,
    /// Its parameters, in order.
    pub params: Vec<(String, String)>,
    /// The nonce, where the venue wants one.
    pub nonce: u64,
    /// The credential version's envelope, as stored.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
}

/// See [`Request::SignStream`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignStream {
    /// The intent that is recorded for it.
    pub intent: u64,
    /// Where it lies.
    pub scopes: Scopes,
    /// No signature after this.
    pub deadline: BootTime,
    /// The stream's name.
    pub stream: String,
    /// What the venue sent to be signed, where it does.
    pub challenge: Option<String>,
    /// The credential version's envelope, as stored.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
}

/// See [`Request::Verify`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Verify {
    /// The virtual key's envelope, as stored.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
    /// The MAC's algorithm.
    pub scheme: Scheme,
    /// What was signed; one of these texts must fit.
    pub texts: Vec<Vec<u8>>,
    /// The MAC that was shown.
    pub mac: Vec<u8>,
    /// Whether a passphrase was shown.
    pub passphrase: bool,
}

/// See [`Request::OpenContact`].
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenContact {
    /// The address's envelope, as stored.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
}

/// See [`Request::VerifyCode`].
#[derive(Debug, Serialize, Deserialize)]
pub struct VerifyCode {
    /// Whose.
    pub operator: OperatorId,
    /// The seed's envelope, as stored.
    pub sealed: Vec<u8>,
    /// The KEK of Claviger's own tenant that its DEK is wrapped by.
    pub kek: KekRow,
}

/// See [`Request::SignWebhook`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignWebhook {
    /// The tenant.
    pub tenant: TenantId,
    /// Whose secrets they are.
    pub webhook: WebhookId,
    /// The message's id.
    pub delivery: DeliveryId,
    /// The message, of [`BODY_BYTES_MAX`](crate::webhook::BODY_BYTES_MAX) at most.
    pub body: Vec<u8>,
    /// What it is signed with: the secret, and the one before while that signs along.
    pub secrets: Vec<SealedSecret>,
}

/// A secret, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Its envelope, as stored.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
}

/// See [`Request::Seal`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Seal {
    /// Where the sealed secret belongs.
    pub binding: Binding,
    /// The venue's key id, or the virtual key's.
    pub key_id: String,
    /// The tenant's KEK.
    pub kek: KekRow,
}

/// See [`Request::Birth`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Birth {
    /// Where the key belongs.
    pub binding: Binding,
    /// Its type.
    pub key_type: KeyType,
    /// The tenant's KEK.
    pub kek: KekRow,
}

/// See [`Request::Name`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Name {
    /// The envelope of the newborn, as stored.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
    /// The venue's key id.
    pub key_id: String,
}

/// See [`Request::ImportKek`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ImportKek {
    /// Whose.
    pub tenant: TenantId,
    /// Its version.
    pub version: u32,
    /// The key, wrapped to the token's door.
    pub wrapped: Vec<u8>,
    /// The canary of the KEK that it must be, where it comes back.
    pub known: Option<Vec<u8>>,
}

/// See [`Request::Rewrap`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Rewrap {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub from: KekRow,
    /// The newer one.
    pub to: KekRow,
    /// Whether the payload is sealed anew under a fresh DEK, too.
    pub rekey: bool,
}

/// See [`Request::WrapDek`].
#[derive(Debug, Serialize, Deserialize)]
pub struct WrapDek {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
}

/// See [`Request::IndexSealed`].
#[derive(Debug, Serialize, Deserialize)]
pub struct IndexSealed {
    /// The stored form of an envelope with an owner's secret.
    pub sealed: Vec<u8>,
    /// The tenant's KEK that its DEK is wrapped by.
    pub kek: KekRow,
}

/// See [`Request::Recover`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Recover {
    /// The envelope's stored form, under a KEK that is lost.
    pub sealed: Vec<u8>,
    /// What opens it.
    pub wrap: Vec<u8>,
    /// The tenant's KEK from now on.
    pub kek: KekRow,
}

/// See [`Request::TakeToken`].
#[derive(Debug, Serialize, Deserialize)]
pub struct TakeToken {
    /// The envelope of the login's secret: the token belongs where that does.
    pub login: Vec<u8>,
    /// What came with the signed login; empty where nothing did.
    pub exchange: Vec<u8>,
    /// The tenant's KEK.
    pub kek: KekRow,
}

/// See [`Request::SignJwt`]: typed claims, never bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The app.
    pub app: AppId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Who issues: the service's own name.
    pub issuer: String,
    /// Issued at and not before, seconds since the Unix epoch.
    pub issued: u64,
    /// Expires at, seconds since the Unix epoch.
    pub expires: u64,
    /// What the app authenticated with: the token ends with it.
    pub authenticator: AuthenticatorId,
    /// SHA-256 of the client certificate that the token is bound to (RFC 8705 section 3.1).
    pub certificate: Option<[u8; 32]>,
}

/// See [`Request::SignCheckpoint`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    /// The log's origin line.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Proof that it extends the head signed last.
    pub proof: Vec<Hash>,
}
