//! What the keeper answers.

use claviger_venues::RequestParts;
use serde::{Deserialize, Serialize};

use super::super::kek::KekRow;
use crate::notice::Address;
use crate::token::{KekDoor, PublicKeys};

/// What the keeper answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Hello`](super::Request::Hello).
    Hello(Greeting),
    /// To [`Sign`](super::Request::Sign): the finished request.
    Signed(Signed),
    /// To [`SignStream`](super::Request::SignStream): the login's fields.
    Login(SignedLogin),
    /// To [`Seal`](super::Request::Seal), [`Name`](super::Request::Name), [`Rewrap`](super::Request::Rewrap) and
    /// [`WrapDek`](super::Request::WrapDek): the envelope's stored form, with a recovery wrap before it where there is a
    /// new one.
    Sealed(Vec<u8>),
    /// To [`TakeToken`](super::Request::TakeToken).
    Token(Taken),
    /// To [`Birth`](super::Request::Birth).
    Born(Born),
    /// To [`KeyObjects`](super::Request::KeyObjects).
    KeyObjects(Vec<String>),
    /// To [`Health`](super::Request::Health).
    Alive {
        /// Whether the process asks to be replaced, because the token's library has lost too much memory in it.
        worn: bool,
    },
    /// To [`VerifyCode`](super::Request::VerifyCode): the time step that the code is of.
    Step(u64),
    /// To [`KekDoor`](super::Request::KekDoor).
    KekDoor(KekDoor),
    /// To [`NewKek`](super::Request::NewKek) and [`ImportKek`](super::Request::ImportKek).
    Kek(KekRow),
    /// To [`Roots`](super::Request::Roots): the newest is the last.
    Roots(Vec<u32>),
    /// To [`Index`](super::Request::Index), [`IndexSealed`](super::Request::IndexSealed) and
    /// [`Pepper`](super::Request::Pepper).
    Mac([u8; 32]),
    /// To [`SignJwt`](super::Request::SignJwt).
    Jwt(String),
    /// To [`SignCheckpoint`](super::Request::SignCheckpoint): the signed note.
    Checkpoint(String),
    /// Done, and nothing to say.
    Done,
    /// The keeper refuses; the token was not asked, or not believed.
    Refused(Refused),
    /// The token did not answer.
    Unavailable(String),
    /// To [`SignTombstone`](super::Request::SignTombstone) and
    /// [`SignRecoveryFile`](super::Request::SignRecoveryFile): the signed note.
    Tombstone(String),
    /// To [`OpenContact`](super::Request::OpenContact).
    Contact(Address),
    /// To [`SignWebhook`](super::Request::SignWebhook).
    Webhook(SignedWebhook),
    /// To [`Recover`](super::Request::Recover).
    Recovered(Recovered),
}

/// A token that a venue handed out, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Taken {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// When the token expires, milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

/// See [`Reply::Signed`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Signed {
    /// The finished request.
    pub parts: RequestParts,
    /// The real key id, which the venue's answer must not show; empty where the key id is an account's or a user's name.
    pub key_id: String,
    /// The end of the window that was asked of the venue, milliseconds since the Unix epoch.
    pub valid_until_ms: u64,
    /// For a login whose token both sides compute: our part of it, sealed, for [`TakeToken`](super::TakeToken). Empty otherwise.
    pub exchange: Vec<u8>,
}

/// See [`Reply::Login`].
#[derive(Serialize, Deserialize)]
pub struct SignedLogin {
    /// The fields in the venue's own names, the signature last.
    pub fields: Vec<(String, String)>,
    /// The end of the window that was asked of the venue, milliseconds since the Unix epoch.
    pub valid_until_ms: u64,
}

/// What logs in is not shown.
impl std::fmt::Debug for SignedLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedLogin").field("valid_until_ms", &self.valid_until_ms).finish_non_exhaustive()
    }
}

/// See [`Reply::Webhook`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedWebhook {
    /// What was signed as the message's time, seconds since the Unix epoch.
    pub timestamp: u64,
    /// HMAC-SHA256 with each of the secrets, in their order.
    pub macs: Vec<Vec<u8>>,
}

/// See [`Reply::Recovered`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Recovered {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// The blind index of its key id, where it is an owner's secret.
    pub index: Option<[u8; 32]>,
}

/// See [`Reply::Born`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Born {
    /// The envelope's stored form; it has no key id yet.
    pub sealed: Vec<u8>,
    /// The public half: `SubjectPublicKeyInfo`, PEM.
    pub public_pem: String,
    /// The label of the private half, where that is an object of the token.
    pub object: Option<String>,
}

/// See [`Reply::Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Random, new at each start: its counts begin anew.
    pub start: String,
    /// The public halves of the signing keys.
    pub keys: PublicKeys,
    /// The newest validly signed checkpoint that the token holds.
    pub checkpoint: Option<String>,
    /// What this process could not shut, in words; empty when all is shut.
    pub missing: Vec<String>,
}

/// Why the keeper refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// A tenant's own KEK is not taken in.
    #[error("the KEK is not taken in: {0}")]
    Import(String),
    /// The tenant has taken its own KEK away.
    #[error("the tenant has taken this KEK away")]
    Withdrawn,
    /// It is not the KEK that was taken away.
    #[error("it is not the KEK that was taken away")]
    OtherKek,
    /// `hello` was not said, or said twice.
    #[error("hello is the first message, and said once")]
    Hello,
    /// The queue is full.
    #[error("the keeper has too much to do")]
    Busy,
    /// No such operation in the venue's catalogue.
    #[error("no such operation in the venue's catalogue")]
    Uncatalogued,
    /// The parameters do not fit the operation.
    #[error("the parameters do not fit the operation: {0}")]
    Parameters(String),
    /// Beyond the sealed ceiling.
    #[error("the operation is beyond the credential's ceiling")]
    Ceiling,
    /// The sealed binding names another venue, tenant or credential.
    #[error("the sealed version belongs elsewhere")]
    Relabelled,
    /// The deadline has passed, or lies further ahead than any may.
    #[error("the deadline has passed or is too far ahead")]
    Deadline,
    /// The scope is barred.
    #[error("the scope was stopped")]
    Barred,
    /// The intent was recorded before this keeper started.
    #[error("the intent is older than this keeper")]
    Older,
    /// A login asked for by an app, or something asked for by the system that is not for the system.
    #[error("logins are the system's, and the system only probes, logs in and looks for lost orders")]
    System,
    /// The venue has no such stream, or the login to it is not signed for this kind of secret.
    #[error("the login to this stream is not signed")]
    Stream,
    /// The sealed bytes, the wrapped DEK or the KEK row is not what was stored.
    #[error("the sealed bytes do not open")]
    Tampered,
    /// The token or the venue cannot have the key in this mode.
    #[error("the key cannot be held that way: {0}")]
    Mode(String),
    /// The token has no room for another key.
    #[error("the token has no room for another key: {0}")]
    Full(String),
    /// The key is no newborn of the token's, or has its key id already.
    #[error("the key has its key id already")]
    Named,
    /// The secret is not one of its kind.
    #[error("the secret is not usable: {0}")]
    Secret(String),
    /// The login's answer is not what the venue documents, or does not prove that the venue has the same token.
    #[error("the login's answer holds no token that can be used")]
    Token,
    /// A signature that does not bear the virtual key's secret.
    #[error("the signature does not fit")]
    Signature,
    /// A one-time code that is of none of the steps around.
    #[error("the code does not fit")]
    Code,
    /// The head does not extend the one signed last.
    #[error("the head does not extend the one signed last")]
    Inconsistent,
    /// The claims are out of bounds.
    #[error("the claims are out of bounds")]
    Claims,
    /// The token does not vouch for the recovery key, or the key that came along is not its private half.
    #[error("the recovery key is not the one that was set up")]
    Recovery,
    /// The wrap does not open these sealed bytes.
    #[error("the recovery wrap does not open")]
    Wrap,
    /// The root key cannot be made, or is not to be destroyed.
    #[error("not this root key: {0}")]
    Root(String),
}
