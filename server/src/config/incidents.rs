//! Incidents.

use serde::{Deserialize, Serialize};

/// Incidents.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Incidents {
    /// Tenants that fall under DORA, by id or name: their incidents have its clocks too.
    pub dora_tenants: Vec<String>,
}
