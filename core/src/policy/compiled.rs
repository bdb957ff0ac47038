//! A policy as it decides: its rules, found by what they are for.

use std::collections::HashMap;
use std::hash::Hash;
use std::iter;
use std::net::IpAddr;

use claviger_venues::{Side, VenueId};
use rust_decimal::Decimal;

use super::Denied;
use super::bounds::{Bounds, Named, Names};
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
    /// Its rules, ready to judge, in its order.
    ready: Vec<Ready>,
    names: Names,
    /// Rules by place: of certain credentials, else of certain apps, else all the rest.
    of_credential: HashMap<CredentialId, Vec<usize>>,
    of_app: HashMap<AppId, Vec<usize>>,
    others: Vec<usize>,
}

/// A rule, as far as every request must look at it.
#[derive(Debug)]
struct Ready {
    /// Where the rule is in the document.
    place: usize,
    /// Whether it is for some requests only.
    is_aimed: bool,
    /// Whether it says more than what orders must be like.
    says_more: bool,
    wants_price: bool,
    bounds: Bounds,
}

impl Ready {
    fn of(rule: &Rule, place: usize, names: &mut Names) -> Self {
        let budgets = [&rule.per_app, &rule.per_credential];
        let all = rule.apps.is_empty() && rule.credentials.is_empty() && rule.owners.is_empty();
        let anywhere = rule.networks.is_empty() && rule.hours.is_empty();
        let free = !rule.approval && !rule.no_self_trade && budgets.iter().all(|budget| budget.limits_nothing());
        Self {
            place,
            is_aimed: !all || !rule.venues.is_empty(),
            says_more: !anywhere || !free,
            wants_price: rule.orders.wants_price() || budgets.iter().any(|budget| budget.counts_worth()),
            bounds: Bounds::of(&rule.orders, names),
        }
    }
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
            policy.ready.push(Ready::of(rule, place, &mut policy.names));
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
    fn applying(&self, subject: Subject<'_>, venue: VenueId) -> impl Iterator<Item = &Ready> {
        let of_credential = subject.credential.and_then(|id| self.of_credential.get(&id));
        let filed = [of_credential, self.of_app.get(&subject.app), Some(&self.others)];
        let places = merged(filed.map(|places| places.map(Vec::as_slice).unwrap_or_default()));
        let ready = places.filter_map(|place| self.ready.get(place));
        ready.filter(move |ready| !ready.is_aimed || self.rule(ready).is_some_and(|rule| is_for(rule, subject, venue)))
    }

    /// Whether a reference price is needed to decide.
    pub(super) fn wants_prices(&self, subject: Subject<'_>, venue: VenueId) -> bool {
        self.applying(subject, venue).any(|ready| ready.wants_price)
    }

    /// Lets a request through, or names the first rule that refuses.
    pub(super) fn judge(&self, asked: &Asked<'_>) -> Result<Taken, Denied> {
        let (mut taken, named) = (Taken::default(), self.names.name(asked.trades));
        for ready in self.applying(asked.subject, asked.venue) {
            self.by_rule(ready, asked, &named, &mut taken).map_err(|tag| self.denied(tag, ready))?;
        }
        Ok(taken)
    }

    fn by_rule(
        &self,
        ready: &Ready,
        asked: &Asked<'_>,
        named: &[Named<'_>],
        taken: &mut Taken,
    ) -> Result<(), &'static str> {
        let rule = if ready.says_more { self.rule(ready) } else { None };
        rule.map_or(Ok(()), |rule| by_origin(rule, asked))?;
        named.iter().try_for_each(|named| ready.bounds.judge(&self.names, named))?;
        rule.map_or(Ok(()), |rule| by_budget(rule, asked, taken))
    }

    fn rule(&self, ready: &Ready) -> Option<&Rule> {
        self.document.rules.get(ready.place)
    }

    fn denied(&self, tag: &'static str, ready: &Ready) -> Denied {
        let name = self.rule(ready).map(|rule| rule.name.as_str()).unwrap_or_default();
        Denied::by(tag).of(format!("policy {}: {name}", self.version))
    }
}

/// The places of ascending lists, ascending.
fn merged(mut lists: [&[usize]; 3]) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let lists = lists.iter_mut().filter(|list| !list.is_empty());
        let least = lists.min_by_key(|list| list.first().copied())?;
        let (first, rest) = least.split_first()?;
        *least = rest;
        Some(*first)
    })
}

/// By where and when the request is made.
fn by_origin(rule: &Rule, asked: &Asked<'_>) -> Result<(), &'static str> {
    if !rule.networks.is_empty() && !rule.networks.iter().any(|network| network.contains(asked.address)) {
        return Err("policy.network");
    }
    if asked.effect != Effect::Reduces && !Hours::any_has(&rule.hours, asked.moment) {
        return Err("policy.hours");
    }
    Ok(())
}

/// By what others must say to it, or have done.
fn by_budget(rule: &Rule, asked: &Asked<'_>, taken: &mut Taken) -> Result<(), &'static str> {
    if rule.approval && !asked.approved && asked.trades.iter().any(Trade::counts) {
        return Err("approval.needed");
    }
    if rule.no_self_trade && taken.resting.is_empty() {
        for trade in asked.trades {
            taken.resting.extend(resting(trade)?);
        }
    }
    if asked.effect == Effect::Reduces {
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
