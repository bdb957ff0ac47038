//! Roles and operators, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::identity::Operator;
use crate::identity::role::Role;

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleView {
    /// Its name.
    pub name: String,
    /// What it allows: `<resource>.<action>`.
    pub permissions: Vec<String>,
    /// Whether it shows only credentials and executions that need a look.
    pub flagged_only: bool,
    /// Whether it is always there, and never changes.
    pub built_in: bool,
}

impl From<&Role> for RoleView {
    fn from(role: &Role) -> Self {
        Self {
            name: role.name.clone(),
            permissions: role.permissions.iter().map(|permission| permission.to_string()).collect(),
            flagged_only: role.flagged_only,
            built_in: Role::built_in(&role.name).is_some(),
        }
    }
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperatorView {
    /// `op_…`
    pub id: String,
    /// Their login name.
    pub name: String,
    /// The name of their role.
    pub role: String,
    /// The tenant that they are bound to; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Whether there is more than a password: one-time codes or a passkey.
    pub second_factor: bool,
    /// RFC 3339; absent for one that `init` made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

impl From<&Operator> for OperatorView {
    fn from(row: &Operator) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            role: row.role.clone(),
            tenant: row.tenant.map(|tenant| tenant.to_string()),
            second_factor: row.factors.has_second(),
            created_at: (row.created_ms != 0).then(|| timestamp(row.created_ms)),
        }
    }
}
