//! Credentials, as they leave.

use claviger_venues::{Ceiling, CeilingClass, Product, VenueId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::credential::{BornKey, Credential, Health, Powers, Reenroll, State};
use crate::service::SeenCredential;

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
    /// When the venue last answered about the key, RFC 3339.
    pub probed_at: String,
    /// When something was last signed with it, RFC 3339; after a restart, as it was known when the venue last answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// When the key is not to be used any more, RFC 3339: by its owner's wish or as the venue says, what comes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether a new key is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reenroll: Option<Reenroll>,
    /// What the venue last said that the key may do, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub powers: Vec<String>,
    /// The version of the tenant's KEK that this version is sealed under. Not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kek_version: Option<u32>,
    /// What is left to do elsewhere after a rotation: the old key still exists at the venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_venue: Option<String>,
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
            last_used_at: None,
            expires_at: row.expires_ms().map(timestamp),
            reenroll: row.upkeep.reenroll,
            powers: row.upkeep.powers.as_ref().map(Powers::words).unwrap_or_default(),
            kek_version: None,
            at_venue: None,
            public_key: None,
            guide: Vec::new(),
        }
    }
}

impl From<&SeenCredential> for CredentialView {
    fn from(seen: &SeenCredential) -> Self {
        Self { last_used_at: seen.used_ms.map(timestamp), ..Self::from(&seen.row) }
    }
}
