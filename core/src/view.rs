//! What may leave the process: the API's types. No view holds a secret, so none can be shown.

use std::net::IpAddr;

use claviger_venues::{Ceiling, CeilingClass, KeyType, Product, SecretKind, VenueId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::credential::{BornKey, Credential, Health, State};
use crate::execution::{Released, valid_at_most_until};
use crate::identity::{App, Credentials, Grant, Login, Tenant};
use crate::service::{ReleasedSignature, ShownKey};
use crate::store::{Execution, ExecutionState, OpenIntent, Receipt, Scope};
use crate::virtual_key::{Proof, VirtualKey};

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PageView<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Give this back as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What a credential may be used for at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CeilingView {
    /// `read` or `trade`.
    #[serde(default = "read")]
    pub class: String,
    /// `spot`, `margin`, `derivatives`.
    #[serde(default)]
    pub products: Vec<String>,
}

fn read() -> String {
    class_word(CeilingClass::Read).to_owned()
}

fn class_word(class: CeilingClass) -> &'static str {
    match class {
        CeilingClass::Read => "read",
        CeilingClass::Trade => "trade",
    }
}

impl Default for CeilingView {
    /// Reads only: the default of a ceiling.
    fn default() -> Self {
        Self { class: read(), products: Vec::new() }
    }
}

impl CeilingView {
    /// Reads the words.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn parse(&self) -> Result<Ceiling, String> {
        let class = match self.class.as_str() {
            "read" => CeilingClass::Read,
            "trade" => CeilingClass::Trade,
            _ => return Err("ceiling.class is `read` or `trade`".to_owned()),
        };
        let product = |name: &String| {
            let known = Product::ALL.iter().find(|product| product.as_str() == name).copied();
            known.ok_or_else(|| "ceiling.products lists `spot`, `margin` and `derivatives`".to_owned())
        };
        let products: Vec<Product> = self.products.iter().map(product).collect::<Result<_, _>>()?;
        if class == CeilingClass::Trade && products.is_empty() {
            return Err("a ceiling of class `trade` names its products".to_owned());
        }
        Ok(Ceiling { class, products: products.into_iter().collect() })
    }
}

impl From<Ceiling> for CeilingView {
    fn from(ceiling: Ceiling) -> Self {
        Self {
            class: class_word(ceiling.class).to_owned(),
            products: ceiling.products.iter().map(|product| product.as_str().to_owned()).collect(),
        }
    }
}

/// A credential. Neither the secret nor the whole key id is in it, because nothing that leaves the process has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialView {
    /// `cred_…`
    pub id: String,
    /// `ten_…`
    pub tenant: String,
    /// The tenant's own id of the person it belongs to.
    pub owner: String,
    /// A name for people.
    pub label: String,
    /// The venue.
    pub venue: String,
    /// `hmac` or `private-key`.
    pub kind: String,
    /// `sealed`, `resident` or `hsm_born`.
    #[serde(default)]
    pub mode: String,
    /// What it may be used for at most.
    pub ceiling: CeilingView,
    /// First and last characters of the key id; empty while it is not known.
    pub hint: String,
    /// What may be done with it.
    pub state: State,
    /// What the venue last said.
    pub health: Health,
    /// Whether the venue says that the key works from listed addresses only.
    pub ip_restricted: bool,
    /// The version in use.
    pub version: u32,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub changed_at: String,
    /// RFC 3339.
    pub probed_at: String,
    /// The public half of a key that was made in the token: `SubjectPublicKeyInfo`, PEM. Not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// What its owner does at the venue before it is activated, step by step. Not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guide: Vec<String>,
}

impl CredentialView {
    /// With what its owner needs to register a key that was made in the token.
    #[must_use]
    pub fn with_key(self, venue: VenueId, born: &BornKey) -> Self {
        let guide = if born.pending { register_guide(venue) } else { Vec::new() };
        Self { public_key: Some(born.public_pem.clone()), guide, ..self }
    }
}

fn register_guide(venue: VenueId) -> Vec<String> {
    let at = claviger_venues::manage_url(venue);
    let first = format!("At {at} make an API key of the kind whose public key you give, and paste public_key there.");
    let last = "Give the key id that the venue shows for it to POST .../credentials/{id}/activate.".to_owned();
    let steps = claviger_venues::guide(venue).iter().map(|step| (*step).to_owned());
    std::iter::once(first).chain(steps).chain([last]).collect()
}

impl From<&Credential> for CredentialView {
    fn from(row: &Credential) -> Self {
        Self {
            id: row.id.to_string(),
            tenant: row.tenant.to_string(),
            owner: row.owner.clone(),
            label: row.label.clone(),
            venue: row.venue.to_string(),
            kind: row.kind.as_str().to_owned(),
            mode: row.mode.as_str().to_owned(),
            ceiling: row.ceiling.into(),
            hint: row.hint.clone(),
            state: row.state,
            health: row.health,
            ip_restricted: row.ip_restricted,
            version: row.version,
            created_at: timestamp(row.created_ms),
            changed_at: timestamp(row.changed_ms),
            probed_at: timestamp(row.probed_ms),
            public_key: None,
            guide: Vec::new(),
        }
    }
}

/// The venue of an execution, and what it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VenueView {
    /// The venue.
    pub id: String,
    /// The HTTP status of its answer, for 72 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body of its answer, JSON as it came, or text; for 72 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub body: Option<serde_json::Value>,
    /// The operation that it answers, where the order was found later by asking for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_to: Option<String>,
}

/// Where the audit entry of an execution's intent is; the next checkpoint proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// The log.
    pub origin: String,
    /// The entry's number in it.
    pub seq: u64,
    /// SHA-256 as of RFC 6962 over the entry, hexadecimal.
    pub leaf_hash: String,
}

impl From<&Receipt> for ReceiptView {
    fn from(receipt: &Receipt) -> Self {
        Self { origin: receipt.origin.clone(), seq: receipt.seq, leaf_hash: receipt.leaf_hash.to_string() }
    }
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionView {
    /// `exec_…`
    pub id: String,
    /// How it stands. `unknown` means that it may have reached the venue: the venue is being asked.
    pub state: ExecutionState,
    /// The venue, and what it answered.
    pub venue: VenueView,
    /// The operation.
    pub operation: String,
    /// The credential used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// RFC 3339.
    pub at: String,
    /// Until when the venue takes a released signature, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// Proof of the record.
    pub receipt: ReceiptView,
}

impl From<&Execution> for ExecutionView {
    fn from(row: &Execution) -> Self {
        Self {
            id: row.id.to_string(),
            state: row.state,
            venue: VenueView {
                id: row.scopes.venue.to_string(),
                status: row.answer.as_ref().map(|answer| answer.status),
                body: row.answer.as_ref().map(|answer| body_of(&answer.body)),
                answer_to: row.answer.as_ref().and_then(|answer| answer.question.clone()),
            },
            operation: row.operation.clone(),
            credential: row.scopes.credential.map(|id| id.to_string()),
            at: timestamp(row.at_ms),
            valid_until: row.valid_until_ms.map(timestamp),
            receipt: (&row.receipt).into(),
        }
    }
}

/// A body as JSON if it is JSON, else as text.
#[must_use]
pub fn body_of(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}

/// A signature that was given out instead of being sent: a complete request, or the fields of a stream's login. Whoever has
/// it can use it once until it expires.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignatureView {
    /// The record of it, in state `released`.
    #[serde(flatten)]
    pub execution: ExecutionView,
    /// The request, to be sent as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<SignedRequestView>,
    /// The login's fields in the venue's own names, the signature last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<Vec<(String, String)>>,
}

/// A request that the venue takes as it is. The real key id is in it, because the venue needs that.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedRequestView {
    /// The HTTP method.
    pub method: String,
    /// Host, path and query.
    pub url: String,
    /// Names and values, in the order to send them.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: String,
}

impl From<ReleasedSignature> for SignatureView {
    fn from(released: ReleasedSignature) -> Self {
        match released {
            ReleasedSignature::Request(row, Released { what, .. }) => {
                let request = SignedRequestView {
                    method: what.method.to_string(),
                    url: what.url,
                    headers: what.headers,
                    body: String::from_utf8_lossy(&what.body).into_owned(),
                };
                Self { execution: (&row).into(), request: Some(request), login: None }
            }
            ReleasedSignature::Login(row, Released { what, .. }) => {
                Self { execution: (&row).into(), request: None, login: Some(what) }
            }
        }
    }
}

impl std::fmt::Debug for SignatureView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignatureView").field("execution", &self.execution).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedRequestView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedRequestView(..)")
    }
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    /// `ten_…`
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The newest version of its KEK.
    pub kek_version: u32,
    /// RFC 3339.
    pub created_at: String,
}

impl From<&Tenant> for TenantView {
    fn from(row: &Tenant) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            kek_version: row.kek_version,
            created_at: timestamp(row.created_ms),
        }
    }
}

/// An app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppView {
    /// `app_…`
    pub id: String,
    /// `ten_…`
    pub tenant: String,
    /// A name for people.
    pub name: String,
    /// RFC 3339.
    pub created_at: String,
}

impl From<&App> for AppView {
    fn from(row: &App) -> Self {
        Self {
            id: row.id.to_string(),
            tenant: row.tenant.to_string(),
            name: row.name.clone(),
            created_at: timestamp(row.created_ms),
        }
    }
}

/// A new app, with its secret: shown once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewAppView {
    /// The app.
    #[serde(flatten)]
    pub app: AppView,
    /// `clv_app_…`. It cannot be shown again.
    pub secret: String,
}

/// A venue, and what it asks of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VenueGuideView {
    /// The id, such as `binance`.
    pub id: String,
    /// Whether it is enabled here.
    pub enabled: bool,
    /// What an owner does at the venue to make a key that is accepted, step by step.
    pub guide: Vec<String>,
    /// The page on which the owner edits or deletes the key.
    pub manage_url: String,
    /// The kinds of secret it takes, each with the names of its parts.
    pub kinds: Vec<KindView>,
    /// The types of key pair that the token can make for it.
    pub key_types: Vec<String>,
    /// Whether the venue shows what a key may do.
    pub shows_permissions: bool,
    /// The addresses that requests come from: what owners bind their keys to.
    pub addresses: Vec<String>,
}

/// A kind of secret at a venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindView {
    /// `hmac`, `private-key`, `bearer` or `login`.
    pub kind: String,
    /// The parts that `secret` holds: one is a text, several are an object of texts.
    pub parts: Vec<String>,
}

impl VenueGuideView {
    /// What there is to say about a venue.
    pub fn of(venue: VenueId, enabled: bool, addresses: &[IpAddr]) -> Self {
        let kinds = SecretKind::ALL.iter().copied().filter(|kind| claviger_venues::accepts(venue, *kind));
        let parts = |kind| claviger_venues::secret_parts(venue, kind).unwrap_or_default();
        let kind = |kind: SecretKind| KindView {
            kind: kind.as_str().to_owned(),
            parts: parts(kind).iter().map(|part| part.name.to_owned()).collect(),
        };
        let key_type = |key_type: &KeyType| match key_type {
            KeyType::Ed25519 => "ed25519".to_owned(),
            KeyType::Rsa => "rsa".to_owned(),
        };
        Self {
            id: venue.to_string(),
            enabled,
            guide: claviger_venues::guide(venue).iter().map(|step| (*step).to_owned()).collect(),
            manage_url: claviger_venues::manage_url(venue).to_owned(),
            kinds: kinds.map(kind).collect(),
            key_types: claviger_venues::key_types(venue).iter().map(key_type).collect(),
            shows_permissions: claviger_venues::shows_permissions(venue),
            addresses: addresses.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A virtual key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKeyView {
    /// `vkey_…`
    pub id: String,
    /// `app_…`
    pub app: String,
    /// `cred_…`
    pub credential: String,
    /// The venue whose protocol it speaks.
    pub venue: String,
    /// A name for people.
    pub label: String,
    /// The key id that the client sends; empty where the client shows a token.
    pub key_id: String,
    /// What the client proves: `hmac`, `ed25519`, `rsa` or `bearer`.
    pub proof: String,
    /// Where clients point their base URL: this path on the `api` listener.
    pub base_path: String,
    /// RFC 3339.
    pub created_at: String,
}

impl From<&VirtualKey> for VirtualKeyView {
    fn from(row: &VirtualKey) -> Self {
        let proof = match &row.proof {
            Proof::Hmac(_) => "hmac",
            Proof::PublicKey { key_type: KeyType::Ed25519, .. } => "ed25519",
            Proof::PublicKey { key_type: KeyType::Rsa, .. } => "rsa",
            Proof::Bearer => "bearer",
        };
        Self {
            id: row.id.to_string(),
            app: row.app.to_string(),
            credential: row.credential.to_string(),
            venue: row.venue.to_string(),
            label: row.label.clone(),
            key_id: row.key_id.clone(),
            proof: proof.to_owned(),
            base_path: format!("/gateway/{}", row.venue),
            created_at: timestamp(row.created_ms),
        }
    }
}

/// A new virtual key, with its secret: shown once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewVirtualKeyView {
    /// The virtual key.
    #[serde(flatten)]
    pub key: VirtualKeyView,
    /// What the client signs with, or shows. It cannot be shown again. Absent where the client has its own private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The passphrase, where the venue has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
}

impl From<&ShownKey> for NewVirtualKeyView {
    fn from(shown: &ShownKey) -> Self {
        let text = |secret: &Option<zeroize::Zeroizing<String>>| secret.as_ref().map(|text| text.to_string());
        Self { key: (&shown.row).into(), secret: text(&shown.secret), passphrase: text(&shown.passphrase) }
    }
}

impl std::fmt::Debug for NewVirtualKeyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewVirtualKeyView").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantView {
    /// `grant_…`
    pub id: String,
    /// `app_…`
    pub app: String,
    /// Credentials; empty for all of the tenant's.
    pub credentials: Vec<String>,
    /// Operation names or classes.
    pub operations: Vec<String>,
    /// Symbols; empty for any.
    pub symbols: Vec<String>,
    /// Networks; empty for any.
    pub networks: Vec<String>,
    /// Whether the app may enroll credentials.
    pub enroll: bool,
    /// RFC 3339.
    pub created_at: String,
}

impl From<&Grant> for GrantView {
    fn from(row: &Grant) -> Self {
        Self {
            id: row.id.to_string(),
            app: row.app.to_string(),
            credentials: match &row.credentials {
                Credentials::All => Vec::new(),
                Credentials::These(ids) => ids.iter().map(ToString::to_string).collect(),
            },
            operations: row.operations.clone(),
            symbols: row.symbols.clone(),
            networks: row.networks.iter().map(ToString::to_string).collect(),
            enroll: row.enroll,
            created_at: timestamp(row.created_ms),
        }
    }
}

/// A login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoginView {
    /// `login_…`
    pub id: String,
    /// The operator's name.
    pub operator: String,
    /// Where it was made from.
    pub address: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: String,
}

impl From<&Login> for LoginView {
    fn from(row: &Login) -> Self {
        Self {
            id: row.id.to_string(),
            operator: row.name.clone(),
            address: row.address.clone(),
            created_at: timestamp(row.created_ms),
            expires_at: timestamp(row.expires_ms),
        }
    }
}

/// What a stop did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StopView {
    /// What is stopped, such as `credential cred_…`.
    pub scope: String,
    /// `reduce-only`, `frozen`, `revoked` or `deleted`.
    pub state: String,
    /// Requests that were granted before the stop and have no outcome yet, and signatures that were released and are
    /// still valid. They may still be answered by the venue; none is signed after this answer.
    pub in_flight: Vec<InFlightView>,
    /// What is left to do elsewhere: the key still exists at the venue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_venue: Option<String>,
}

/// A request without an outcome, or a signature that an app may still use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InFlightView {
    /// `exec_…`, if an app asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// RFC 3339.
    pub at: String,
    /// Until when the venue takes a signature that was released or is just being released, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

impl From<&OpenIntent> for InFlightView {
    fn from(open: &OpenIntent) -> Self {
        let last = || valid_at_most_until(open.scopes.venue, open.at_ms);
        let valid_until = open.valid_until_ms.or_else(|| open.release.then(last)).map(timestamp);
        Self { execution: open.execution.map(|id| id.to_string()), at: timestamp(open.at_ms), valid_until }
    }
}

/// A scope in words.
#[must_use]
pub fn scope_words(scope: &Scope) -> (&'static str, String) {
    match scope {
        Scope::All => ("everything", String::new()),
        Scope::Tenant(id) => ("tenant", id.to_string()),
        Scope::Owner(tenant, owner) => ("owner", format!("{tenant}/{owner}")),
        Scope::Venue(venue) => ("venue", venue.to_string()),
        Scope::App(id) => ("app", id.to_string()),
        Scope::Grant(id) => ("grant", id.to_string()),
        Scope::VirtualKey(id) => ("virtual-key", id.to_string()),
        Scope::Credential(id) => ("credential", id.to_string()),
    }
}

/// What the owner still has to do at the venue after a stop that is for good.
#[must_use]
pub fn at_venue(venue: VenueId) -> String {
    format!("the key still exists at {venue}: its owner deletes it at {}", claviger_venues::manage_url(venue))
}

/// How the parts of the service are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadyView {
    /// Whether executions are served.
    pub ready: bool,
    /// Each part: `ok`, or what is wrong and what to do.
    pub parts: std::collections::BTreeMap<String, String>,
    /// What weakens a guarantee without stopping anything.
    pub warnings: Vec<String>,
}
