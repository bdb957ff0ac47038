//! Virtual keys, as they leave.

use claviger_venues::KeyType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::service::ShownKey;
use crate::virtual_key::{Proof, VirtualKey};

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
