//! A policy as it is written: a TOML document of rules, each of which can only refuse.
//!
//! Every rule that is for a request must let it through, so a rule more never lets more through, and the order of rules
//! decides nothing but which of several refusals is named.

use std::collections::HashSet;

use claviger_venues::VenueId;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::hours::Hours;
use super::limits::{Budget, Limits, narrower};
use crate::id::{AppId, CredentialId};
use crate::identity::Network;

/// Rules of one policy at most.
pub const RULES_MAX: usize = 2_000;

/// The longest document, bytes.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// A policy as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Whether a grant that is made needs a second operator.
    pub approve_new_grants: bool,
    /// The rules.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Its name, unique: refusals tell it.
    pub name: String,
    /// The apps that it is for; empty for all.
    pub apps: Vec<AppId>,
    /// The owners whose credentials it is for; empty for all.
    pub owners: Vec<String>,
    /// The credentials that it is for; empty for all.
    pub credentials: Vec<CredentialId>,
    /// The venues that it is for; empty for all.
    pub venues: Vec<VenueId>,
    /// Networks that requests may come from; empty for any.
    pub networks: Vec<Network>,
    /// When requests may be made, UTC; empty for always. What makes positions smaller is never kept waiting.
    pub hours: Vec<Hours>,
    /// Whether an operator must approve each call that places or changes orders.
    pub approval: bool,
    /// Whether an order is refused that could trade with one that another credential of the tenant's placed in the last
    /// minute.
    pub no_self_trade: bool,
    /// What orders must be like.
    pub orders: Limits,
    /// How much each credential may spend.
    pub per_credential: Budget,
    /// How much each app may spend.
    pub per_app: Budget,
}

/// Why a document is no policy. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPolicy(pub String);

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`BadPolicy`] says where and what is wrong.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(BadPolicy(format!("a policy has at most {TEXT_BYTES_MAX} bytes")));
        }
        let document: Self = toml::from_str(text).map_err(|error| BadPolicy(error.to_string().trim().to_owned()))?;
        document.check()?;
        Ok(document)
    }

    fn check(&self) -> Result<(), BadPolicy> {
        if self.rules.len() > RULES_MAX {
            return Err(BadPolicy(format!("a policy has at most {RULES_MAX} rules")));
        }
        let mut names = HashSet::new();
        for rule in &self.rules {
            rule.check().map_err(|why| BadPolicy(format!("rule `{}`: {why}", rule.name)))?;
            if !names.insert(&rule.name) {
                return Err(BadPolicy(format!("two rules are called `{}`", rule.name)));
            }
        }
        Ok(())
    }

    /// Whether it lets nothing through that `other` does not. Rules are compared by name, so this says no rather than
    /// yes where a rule was renamed.
    pub fn within(&self, other: &Self) -> bool {
        let kept = |old: &Rule| self.rules.iter().any(|new| new.name == old.name && new.within(old));
        (self.approve_new_grants || !other.approve_new_grants) && other.rules.iter().all(kept)
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !(1..=64).contains(&self.name.len()) || !self.name.chars().all(plain) {
            return Err("a name is 1 to 64 of a-z A-Z 0-9 . _ -".to_owned());
        }
        self.hours.iter().try_for_each(Hours::check)?;
        check_limits(&self.orders, &[&self.per_credential, &self.per_app])
    }

    /// Whether it refuses whatever `other` refuses.
    fn within(&self, other: &Self) -> bool {
        let wider = narrower(&other.apps, &self.apps)
            && narrower(&other.owners, &self.owners)
            && narrower(&other.credentials, &self.credentials)
            && narrower(&other.venues, &self.venues);
        wider
            && narrower(&self.networks, &other.networks)
            && Hours::all_within(&self.hours, &other.hours)
            && (self.approval || !other.approval)
            && (self.no_self_trade || !other.no_self_trade)
            && self.orders.within(&other.orders)
            && self.per_credential.within(&other.per_credential)
            && self.per_app.within(&other.per_app)
    }
}

/// Checks figures that a rule or a grant gives.
///
/// # Errors
/// What is wrong.
pub fn check_limits(limits: &Limits, budgets: &[&Budget]) -> Result<(), String> {
    if limits.notional_max.is_some() && limits.quote.is_none() {
        return Err("`notional_max` needs `quote`, the asset that worth is told in".to_owned());
    }
    if budgets.iter().any(|budget| budget.counts_worth() && budget.quote.is_none()) {
        return Err(
            "`notional_per_minute` and `notional_per_day` need `quote`, the asset that worth is told in".to_owned()
        );
    }
    let figures = [limits.leverage_max, limits.quantity_max, limits.notional_max].into_iter();
    let figures = figures.chain(budgets.iter().flat_map(|b| [b.notional_per_minute, b.notional_per_day])).flatten();
    if figures.into_iter().any(|figure| figure.is_sign_negative()) {
        return Err("a limit is not negative".to_owned());
    }
    match &limits.collar {
        Some(collar) if collar.percent <= Decimal::ZERO || collar.percent > Decimal::ONE_HUNDRED => {
            Err("`collar.percent` is above 0 and at most 100".to_owned())
        }
        _ => Ok(()),
    }
}
