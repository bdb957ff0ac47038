//! A policy as it decides: its rules, found by what they are for.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use claviger_venues::{Side, VenueId};
use rust_decimal::Decimal;

use super::Denied;
use super::document::{Document, Rule};
use super::hours::{Hours, Moment};
use super::trade::Trade;
use crate::credential::Credential;
use crate::id::{AppId, CredentialId};
use crate::store::{Charge, Effect, Resting, Spender};

/// A tenant's policy, ready to decide. Without rules it refuses nothing.
#[derive(Debug, Default)]
pub struct Policy {
    version: u32,
    row_version: u64,
    document: Document,
    /// Rules by place: of certain credentials, else of certain apps, else all the rest.
    of_credential: HashMap<CredentialId, Vec<usize>>,
    of_app: HashMap<AppId, Vec<usize>>,
    others: Vec<usize>,
}

/// Whose request it is.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) app: AppId,
    pub(super) credential: Option<CredentialId>,
    pub(super) owner: Option<&'a str>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(app: AppId, credential: Option<&'a Credential>) -> Self {
        Self { app, credential: credential.map(|row| row.id), owner: credential.map(|row| row.owner.as_str()) }
    }
}

/// What a rule is asked about.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) address: IpAddr,
    pub(super) venue: VenueId,
    pub(super) effect: Effect,
    pub(super) trades: &'a [Trade<'a>],
    pub(super) moment: Option<Moment>,
    /// Whether an operator approved this very request.
    pub(super) approved: bool,
}

/// What a request that is let through spends and leaves at the venue.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) charges: Vec<Charge>,
    pub(super) resting: Vec<Resting>,
}

impl Policy {
    /// Makes a document ready. `row_version` is that of the row which says that it is in force.
    pub fn of(version: u32, row_version: u64, document: Document) -> Self {
        let mut policy = Self { version, row_version, ..Self::default() };
        for (place, rule) in document.rules.iter().enumerate() {
            if !rule.credentials.is_empty() {
                file(&mut policy.of_credential, &rule.credentials, place);
            } else if !rule.apps.is_empty() {
                file(&mut policy.of_app, &rule.apps, place);
            } else {
                policy.others.push(place);
            }
        }
        Self { document, ..policy }
    }

    /// Its version; 0 for none.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The version of the row which says that it is in force; 0 for none.
    pub(crate) fn row_version(&self) -> u64 {
        self.row_version
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The rules for a request, in the document's order.
    fn applying(&self, subject: Subject<'_>, venue: VenueId) -> Vec<&Rule> {
        let filed = |found: Option<&Vec<usize>>| found.cloned().unwrap_or_default();
        let mut places = filed(subject.credential.and_then(|id| self.of_credential.get(&id)));
        places.extend(filed(self.of_app.get(&subject.app)));
        places.extend(&self.others);
        places.sort_unstable();
        let rules = places.into_iter().filter_map(|place| self.document.rules.get(place));
        rules.filter(|rule| is_for(rule, subject, venue)).collect()
    }

    /// Whether a reference price is needed to decide.
    pub(super) fn wants_prices(&self, subject: Subject<'_>, venue: VenueId) -> bool {
        let wants = |rule: &Rule| {
            let budgets = [&rule.per_app, &rule.per_credential];
            rule.orders.wants_price() || budgets.iter().any(|budget| budget.counts_worth())
        };
        self.applying(subject, venue).into_iter().any(wants)
    }

    /// Lets a request through, or names the first rule that refuses.
    pub(super) fn judge(&self, asked: &Asked<'_>) -> Result<Taken, Denied> {
        let mut taken = Taken::default();
        for rule in self.applying(asked.subject, asked.venue) {
            by_rule(rule, asked, &mut taken).map_err(|tag| Denied::by(tag).of(self.named(rule)))?;
        }
        Ok(taken)
    }

    fn named(&self, rule: &Rule) -> String {
        format!("policy {}: {}", self.version, rule.name)
    }
}

fn by_rule(rule: &Rule, asked: &Asked<'_>, taken: &mut Taken) -> Result<(), &'static str> {
    let reduces = asked.effect == Effect::Reduces;
    if !rule.networks.is_empty() && !rule.networks.iter().any(|network| network.contains(asked.address)) {
        return Err("policy.network");
    }
    if !reduces && !Hours::any_has(&rule.hours, asked.moment) {
        return Err("policy.hours");
    }
    asked.trades.iter().try_for_each(|trade| rule.orders.judge(trade))?;
    if rule.approval && !asked.approved && asked.trades.iter().any(Trade::counts) {
        return Err("approval.needed");
    }
    if rule.no_self_trade && taken.resting.is_empty() {
        for trade in asked.trades {
            taken.resting.extend(resting(trade)?);
        }
    }
    if reduces {
        return Ok(());
    }
    rule.per_app.charges(Spender::App(asked.subject.app), asked.trades, &mut taken.charges)?;
    if let Some(credential) = asked.subject.credential {
        let spender = Spender::Credential(credential);
        rule.per_credential.charges(spender, asked.trades, &mut taken.charges)?;
    }
    Ok(())
}

fn file<K: Copy + Eq + Hash>(into: &mut HashMap<K, Vec<usize>>, keys: &[K], place: usize) {
    for key in keys {
        into.entry(*key).or_default().push(place);
    }
}

fn is_for(rule: &Rule, subject: Subject<'_>, venue: VenueId) -> bool {
    let Subject { app, credential, owner } = subject;
    let owned = |owner: &str| rule.owners.iter().any(|one| one == owner);
    (rule.apps.is_empty() || rule.apps.contains(&app))
        && (rule.credentials.is_empty() || credential.is_some_and(|id| rule.credentials.contains(&id)))
        && (rule.owners.is_empty() || owner.is_some_and(owned))
        && (rule.venues.is_empty() || rule.venues.contains(&venue))
}

/// An order as another could trade with it, and a changed one, whose side the call does not tell, as either. What has a
/// price may trade at it or better, what has none at any.
fn resting(trade: &Trade<'_>) -> Result<Vec<Resting>, &'static str> {
    if !trade.rests() {
        return Ok(Vec::new());
    }
    let market = trade.market.as_deref().ok_or("self-trade")?;
    let sides = trade.side.map_or_else(|| vec![Side::Buy, Side::Sell], |side| vec![side]);
    let resting = |side| {
        let any = if side == Side::Buy { Decimal::MAX } else { Decimal::ZERO };
        Resting { market: market.to_owned(), side, price: trade.price.unwrap_or(any) }
    };
    Ok(sides.into_iter().map(resting).collect())
}
