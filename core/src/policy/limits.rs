//! What orders must be like: the same words in a policy's rules and in grants.

use std::collections::BTreeSet;

use claviger_venues::{OrderKind, Side};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::trade::Trade;
use crate::store::{Charge, Spender, Unit, Window};

/// What every order must be like; what is absent limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Symbols that may be traded, under any of the venue's names of the market; empty for any.
    pub symbols: BTreeSet<String>,
    /// Symbols that may not be traded: markets so thin that a trade moves them.
    pub thin: BTreeSet<String>,
    /// Sides; empty for both.
    #[schema(value_type = Vec<String>)]
    pub sides: Vec<Side>,
    /// Types of orders; empty for any.
    #[schema(value_type = Vec<String>)]
    pub types: Vec<OrderKind>,
    /// Whether orders may only make positions smaller.
    pub reduce_only: bool,
    /// The highest leverage that a call may ask for.
    #[schema(value_type = Option<String>)]
    pub leverage_max: Option<Decimal>,
    /// The largest quantity of one order, in the base asset.
    #[schema(value_type = Option<String>)]
    pub quantity_max: Option<Decimal>,
    /// The most that one order may be worth, in `quote`.
    #[schema(value_type = Option<String>)]
    pub notional_max: Option<Decimal>,
    /// The asset that prices must be in; needed wherever something is limited by worth.
    pub quote: Option<String>,
    /// How far prices may be from the market.
    pub collar: Option<Collar>,
}

/// How much worse than the market a price may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Collar {
    /// Per cent of the reference price, which is the venue's public one; above 0, at most 100.
    #[schema(value_type = String)]
    pub percent: Decimal,
    /// Whether orders without a price of their own may be placed at all: nothing holds them to the collar.
    #[serde(default)]
    pub market_orders: bool,
}

impl Limits {
    /// Whether a reference price is needed to judge by it.
    pub(super) fn wants_price(&self) -> bool {
        self.collar.is_some() || self.notional_max.is_some()
    }

    /// Whether everything that it lets through is let through by `other` too, as far as their figures tell.
    pub fn within(&self, other: &Self) -> bool {
        let lists = (other.symbols.is_empty() || (!self.symbols.is_empty() && self.symbols.is_subset(&other.symbols)))
            && other.thin.is_subset(&self.thin)
            && narrower(&self.sides, &other.sides)
            && narrower(&self.types, &other.types);
        let figures = below(self.leverage_max, other.leverage_max)
            && below(self.quantity_max, other.quantity_max)
            && below(self.notional_max, other.notional_max);
        let quote = other.quote.is_none() || self.quote == other.quote;
        let collar =
            other.collar.as_ref().is_none_or(|other| self.collar.as_ref().is_some_and(|own| own.within(other)));
        lists && figures && quote && collar && (self.reduce_only || !other.reduce_only)
    }
}

impl Collar {
    /// Judges one trade.
    ///
    /// # Errors
    /// The tag of what refuses it.
    pub(super) fn judge(&self, trade: &Trade<'_>) -> Result<(), &'static str> {
        if !trade.is_priced() {
            return Ok(());
        }
        let Some(price) = trade.price else {
            return if self.market_orders { Ok(()) } else { Err("collar.market") };
        };
        let Some(reference) = trade.reference else {
            return if trade.is_price_asked { Err("collar.no-price") } else { Ok(()) };
        };
        let from = match trade.trigger {
            // It rests until the market is at its trigger, if the market is not there already.
            Some(trigger) if trade.waits_for(trigger, reference) => trigger,
            Some(_) => return Err("collar.trigger"),
            None => reference,
        };
        let tolerance = from.checked_mul(self.percent).and_then(|parts| parts.checked_div(Decimal::ONE_HUNDRED));
        let around = tolerance.and_then(|tolerance| Some(from.checked_sub(tolerance)?..=from.checked_add(tolerance)?));
        let around = around.ok_or("collar.price")?;
        let fits = match trade.side {
            Some(Side::Buy) => price <= *around.end(),
            Some(Side::Sell) => price >= *around.start(),
            None => around.contains(&price),
        };
        if fits { Ok(()) } else { Err("collar.price") }
    }

    fn within(&self, other: &Self) -> bool {
        self.percent <= other.percent && (other.market_orders || !self.market_orders)
    }
}

/// How much there may be in any minute and any day; what is absent limits nothing. Cancels and orders that only make
/// positions smaller are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Requests to venues in any minute, reads among them.
    pub requests_per_minute: Option<u32>,
    /// Orders placed or changed in any minute.
    pub orders_per_minute: Option<u32>,
    /// Orders placed or changed in any 24 hours.
    pub orders_per_day: Option<u32>,
    /// What they are worth in any minute, in `quote`.
    #[schema(value_type = Option<String>)]
    pub notional_per_minute: Option<Decimal>,
    /// What they are worth in any 24 hours, in `quote`.
    #[schema(value_type = Option<String>)]
    pub notional_per_day: Option<Decimal>,
    /// The asset that worth is counted in; needed where worth is limited.
    pub quote: Option<String>,
}

impl Budget {
    /// What a call with these trades takes from it.
    ///
    /// # Errors
    /// A tag where worth is limited and not known.
    pub(super) fn charges(
        &self,
        spender: Spender,
        trades: &[Trade<'_>],
        charges: &mut Vec<Charge>,
    ) -> Result<(), &'static str> {
        if self.limits_nothing() {
            return Ok(());
        }
        let mut charge = |unit: Unit, window, amount, most: Option<Decimal>| {
            let Some(most) = most else { return };
            let same = |old: &&mut Charge| old.spender == spender && old.unit == unit && old.window == window;
            // Several rules may limit the same thing: it is spent once, and the tightest of them holds.
            match charges.iter_mut().find(same) {
                Some(old) => old.most = old.most.min(most),
                None => charges.push(Charge { spender, unit, window, amount, most }),
            }
        };
        charge(Unit::Requests, Window::Minute, Decimal::ONE, self.requests_per_minute.map(Decimal::from));
        let counted = || trades.iter().filter(|trade| trade.counts());
        let orders = Decimal::from(counted().count());
        if orders.is_zero() {
            return Ok(());
        }
        charge(Unit::Orders, Window::Minute, orders, self.orders_per_minute.map(Decimal::from));
        charge(Unit::Orders, Window::Day, orders, self.orders_per_day.map(Decimal::from));
        if let (true, Some(quote)) = (self.counts_worth(), &self.quote) {
            let mut worth = Decimal::ZERO;
            for trade in counted() {
                if !trade.quoted_in(quote) {
                    return Err("order.quote");
                }
                match trade.worth.and_then(|one| worth.checked_add(one)) {
                    Some(sum) => worth = sum,
                    None if trade.is_price_asked => return Err("order.notional-unknown"),
                    None => return Ok(()),
                }
            }
            let unit = || Unit::Notional(quote.clone());
            charge(unit(), Window::Minute, worth, self.notional_per_minute);
            charge(unit(), Window::Day, worth, self.notional_per_day);
        }
        Ok(())
    }

    /// Whether there is nothing in it, as in most rules.
    pub(super) fn limits_nothing(&self) -> bool {
        self.requests_per_minute.is_none()
            && self.orders_per_minute.is_none()
            && self.orders_per_day.is_none()
            && !self.counts_worth()
    }

    /// Whether it counts what orders are worth.
    pub(super) fn counts_worth(&self) -> bool {
        self.notional_per_minute.is_some() || self.notional_per_day.is_some()
    }

    /// Whether it leaves at most what `other` leaves.
    pub fn within(&self, other: &Self) -> bool {
        below(self.requests_per_minute, other.requests_per_minute)
            && below(self.orders_per_minute, other.orders_per_minute)
            && below(self.orders_per_day, other.orders_per_day)
            && below(self.notional_per_minute, other.notional_per_minute)
            && below(self.notional_per_day, other.notional_per_day)
            && (!other.counts_worth() || self.quote == other.quote)
    }
}

/// Whether a most that may be absent is no more than another.
fn below<T: PartialOrd>(own: Option<T>, other: Option<T>) -> bool {
    match (own, other) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(other)) => own <= other,
    }
}

/// Whether a list, where empty means all, lists nothing that another does not.
pub(super) fn narrower<T: PartialEq>(own: &[T], other: &[T]) -> bool {
    other.is_empty() || (!own.is_empty() && own.iter().all(|one| other.contains(one)))
}
