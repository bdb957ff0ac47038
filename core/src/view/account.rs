//! Tenants, apps, grants and logins, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::identity::{App, Credentials, Grant, Login, Tenant};
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
