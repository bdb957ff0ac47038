//! What a grant allows.

use serde::{Deserialize, Serialize};

use super::{Credentials, Grant, Network};
use crate::policy::{Budget, Hours, Limits};

/// What a grant allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The credentials.
    pub credentials: Credentials,
    /// Operation names or classes.
    pub operations: Vec<String>,
    /// Networks; empty for any.
    pub networks: Vec<Network>,
    /// When requests may be made, UTC; empty for always.
    pub hours: Vec<Hours>,
    /// What orders must be like.
    pub orders: Limits,
    /// How much may be spent under it.
    pub budget: Budget,
    /// Whether the app may enroll credentials.
    pub enroll: bool,
}

impl Grant {
    /// What it allows.
    pub fn terms(&self) -> Terms {
        Terms {
            credentials: self.credentials.clone(),
            operations: self.operations.clone(),
            networks: self.networks.clone(),
            hours: self.hours.clone(),
            orders: self.orders.clone(),
            budget: self.budget.clone(),
            enroll: self.enroll,
        }
    }

    /// The same grant with other terms.
    #[must_use]
    pub fn with_terms(self, terms: Terms) -> Self {
        let Terms { credentials, operations, networks, hours, orders, budget, enroll } = terms;
        Self { credentials, operations, networks, hours, orders, budget, enroll, ..self }
    }
}
