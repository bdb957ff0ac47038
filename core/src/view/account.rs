//! Tenants, apps, grants and logins, as they leave.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::identity::{App, AppUse, Authenticator, Credentials, Evidence, Grant, Login, Passkey, Tenant};
use crate::policy::{Budget, Hours, Limits};

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
    /// When it was last let in, RFC 3339; missing if never. It is stored once a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// What it authenticates with: secrets, keys and certificates, two of each at most.
    pub authenticators: Vec<AuthenticatorView>,
}

impl AppView {
    /// An app and its use.
    pub fn of(row: &App, used: &AppUse) -> Self {
        let view = |one: &Authenticator| AuthenticatorView {
            last_used_at: used.of(one.id).map(timestamp),
            ..AuthenticatorView::from(one)
        };
        Self {
            id: row.id.to_string(),
            tenant: row.tenant.to_string(),
            name: row.name.clone(),
            created_at: timestamp(row.created_ms),
            last_used_at: (used.last_ms > 0).then(|| timestamp(used.last_ms)),
            authenticators: row.authenticators.iter().map(view).collect(),
        }
    }
}

/// One thing that an app authenticates with. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthenticatorView {
    /// `auth_…`; of a key, also the `kid` of its assertions.
    pub id: String,
    /// `secret`, `key` or `certificate`.
    pub kind: String,
    /// Of a key: the `alg` of its assertions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Of a certificate: SHA-256, in base64url, as `x5t#S256` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// When an access token was last given for it or used, RFC 3339; missing if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

impl From<&Authenticator> for AuthenticatorView {
    fn from(row: &Authenticator) -> Self {
        let (alg, thumbprint) = match &row.evidence {
            Evidence::Secret(_) => (None, None),
            Evidence::Key(key) => (Some(key.algorithm.as_str().to_owned()), None),
            Evidence::Certificate(thumbprint) => (None, Some(BASE64URL_NOPAD.encode(thumbprint))),
        };
        Self {
            id: row.id.to_string(),
            kind: row.evidence.kind().to_owned(),
            alg,
            thumbprint,
            created_at: timestamp(row.created_ms),
            last_used_at: None,
        }
    }
}

/// Another secret of an app: shown once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewSecretView {
    /// What it is.
    #[serde(flatten)]
    pub authenticator: AuthenticatorView,
    /// `clv_app_…`. It cannot be shown again.
    pub secret: String,
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
    /// When requests may be made, UTC; empty for always.
    pub hours: Vec<Hours>,
    /// What orders must be like.
    pub orders: Limits,
    /// How much may be spent under it.
    pub budget: Budget,
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
            symbols: row.orders.symbols.iter().cloned().collect(),
            networks: row.networks.iter().map(ToString::to_string).collect(),
            hours: row.hours.clone(),
            orders: row.orders.clone(),
            budget: row.budget.clone(),
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
    /// What was shown for it: `password`, `password+code`, `passkey`, `break-glass`.
    pub kind: String,
    /// Where it was made from.
    pub address: String,
    /// What the device called itself.
    pub device: String,
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
            kind: row.kind.as_str().to_owned(),
            device: row.device.clone(),
            address: row.address.clone(),
            created_at: timestamp(row.created_ms),
            expires_at: timestamp(row.expires_ms),
        }
    }
}

/// A passkey of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyView {
    /// `passkey_…`
    pub id: String,
    /// A name for people.
    pub label: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339; null for never.
    pub used_at: Option<String>,
}

impl From<&Passkey> for PasskeyView {
    fn from(row: &Passkey) -> Self {
        Self {
            id: row.id.to_string(),
            label: row.label.clone(),
            created_at: timestamp(row.created_ms),
            used_at: (row.used_ms > 0).then(|| timestamp(row.used_ms)),
        }
    }
}
