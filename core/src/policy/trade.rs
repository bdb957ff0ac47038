//! What a call trades, one by one, as limits judge it.

use std::borrow::Cow;
use std::collections::HashMap;

use claviger_venues::{
    Amend, Order, OrderKind, Product, Reading, Setting, Side, VenueId, asset, market, quote, worth, worth_of_amend,
};
use rust_decimal::Decimal;

use super::Resolved;

/// Reference prices, by symbol as the call spells it.
pub type Prices = HashMap<String, Decimal>;

/// One thing that a call trades, or a setting that makes trades riskier.
#[derive(Clone, Debug)]
pub(super) struct Trade<'a> {
    pub(super) venue: VenueId,
    /// The one name of its market, as far as the call tells it.
    pub(super) market: Option<Cow<'a, str>>,
    /// The asset that its price is in units of, as far as is certain.
    pub(super) quote: Option<&'a str>,
    pub(super) side: Option<Side>,
    pub(super) kind: Option<OrderKind>,
    pub(super) quantity: Option<Decimal>,
    pub(super) leverage: Option<Decimal>,
    pub(super) price: Option<Decimal>,
    pub(super) trigger: Option<Decimal>,
    pub(super) reference: Option<Decimal>,
    /// Whether its reference price was asked for. What is not known because nobody asked yet refuses nothing.
    pub(super) is_price_asked: bool,
    /// The most it can be worth in its quote asset.
    pub(super) worth: Option<Decimal>,
    /// Whether it has a size at all, known or not.
    pub(super) has_size: bool,
    what: What,
}

/// What kind of trade it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// An order that may open a position.
    Opens,
    /// An order that the venue lets only close.
    Reduces,
    /// An order that is tried and not placed.
    Rehearses,
    /// A change of an order. Its side and type stay as they were judged when it was placed.
    Amends,
    /// A position closed at the market.
    Closes,
    /// A change of leverage or mode.
    Sets,
}

impl<'a> Trade<'a> {
    /// All that a call trades. Without `prices`, nobody asked for any yet.
    pub(super) fn all(resolved: &'a Resolved, prices: Option<&Prices>) -> Vec<Self> {
        let venue = resolved.operation().venue;
        let price = |symbol: Option<&str>| prices?.get(symbol?).copied();
        let mut trades = match resolved.reading() {
            Reading::Orders(orders) => orders.iter().map(|o| Self::order(venue, o, price(Some(&o.symbol)))).collect(),
            Reading::Amends(amends) => {
                amends.iter().map(|a| Self::amend(venue, a, price(a.symbol.as_deref()))).collect()
            }
            Reading::Close { symbol, quantity } => {
                vec![Self {
                    market: Some(market(venue, symbol)),
                    quantity: *quantity,
                    ..Self::bare(venue, What::Closes)
                }]
            }
            Reading::Setting(setting) => vec![Self::setting(venue, setting)],
            Reading::Cancels(_) | Reading::CancelAll { .. } | Reading::None => Vec::new(),
        };
        for trade in &mut trades {
            trade.is_price_asked = prices.is_some();
        }
        trades
    }

    fn bare(venue: VenueId, what: What) -> Self {
        Self {
            venue,
            market: None,
            quote: None,
            side: None,
            kind: None,
            quantity: None,
            leverage: None,
            price: None,
            trigger: None,
            reference: None,
            is_price_asked: false,
            worth: None,
            has_size: false,
            what,
        }
    }

    fn order(venue: VenueId, order: &'a Order, reference: Option<Decimal>) -> Self {
        let what = match order {
            Order { dry_run: true, .. } => What::Rehearses,
            Order { reduce_only: true, .. } => What::Reduces,
            _ => What::Opens,
        };
        Self {
            market: Some(market(venue, &order.symbol)),
            quote: quote(venue, &order.symbol, order.product),
            side: Some(order.side),
            kind: Some(order.kind),
            quantity: order.quantity,
            leverage: order.leverage.map(Decimal::from),
            price: order.price,
            trigger: order.stop_price,
            reference,
            worth: worth(venue, order, reference),
            has_size: true,
            ..Self::bare(venue, what)
        }
    }

    fn amend(venue: VenueId, amend: &'a Amend, reference: Option<Decimal>) -> Self {
        let symbol = amend.symbol.as_deref();
        Self {
            market: symbol.map(|symbol| market(venue, symbol)),
            quote: symbol.and_then(|symbol| quote(venue, symbol, amend.product.unwrap_or(Product::Spot))),
            quantity: amend.quantity,
            price: amend.price,
            trigger: amend.stop_price,
            reference,
            worth: worth_of_amend(venue, amend, reference),
            // A change that names neither leaves the order as large as it was.
            has_size: amend.quantity.is_some() || amend.price.is_some(),
            ..Self::bare(venue, What::Amends)
        }
    }

    fn setting(venue: VenueId, setting: &'a Setting) -> Self {
        let market = setting.symbol.as_deref().map(|symbol| market(venue, symbol));
        Self { market, leverage: setting.leverage, ..Self::bare(venue, What::Sets) }
    }

    /// Whether it may open a position or make one riskier.
    pub(super) fn opens(&self) -> bool {
        matches!(self.what, What::Opens | What::Amends | What::Sets)
    }

    /// Whether a budget counts it.
    pub(super) fn counts(&self) -> bool {
        matches!(self.what, What::Opens | What::Amends)
    }

    /// Whether another order could trade with it: it is placed, or changed to another price.
    pub(super) fn rests(&self) -> bool {
        match self.what {
            What::Opens | What::Reduces => true,
            What::Amends => self.price.is_some(),
            What::Rehearses | What::Closes | What::Sets => false,
        }
    }

    /// Whether a price that is too bad could do harm. A position must always be closable, so closing it at the market is
    /// held to nothing.
    pub(super) fn is_priced(&self) -> bool {
        match self.what {
            What::Opens | What::Reduces | What::Rehearses => true,
            What::Amends => self.price.is_some() || self.trigger.is_some(),
            What::Closes | What::Sets => false,
        }
    }

    /// Whether its price is in units of `other`, as far as is certain.
    pub(super) fn quoted_in(&self, other: &str) -> bool {
        self.quote.is_some_and(|quote| asset(quote) == asset(other))
    }

    /// Whether the market has yet to come to the trigger.
    pub(super) fn waits_for(&self, trigger: Decimal, reference: Decimal) -> bool {
        let rises = match (self.side, self.kind) {
            (Some(Side::Buy), Some(OrderKind::Stop | OrderKind::StopLimit))
            | (Some(Side::Sell), Some(OrderKind::TakeProfit | OrderKind::TakeProfitLimit)) => true,
            (Some(Side::Sell), Some(OrderKind::Stop | OrderKind::StopLimit))
            | (Some(Side::Buy), Some(OrderKind::TakeProfit | OrderKind::TakeProfitLimit)) => false,
            (_, Some(OrderKind::Market | OrderKind::Limit | OrderKind::LimitMaker) | None) | (None, Some(_)) => {
                return false;
            }
        };
        if rises { trigger >= reference } else { trigger <= reference }
    }
}

/// The symbols of orders and amends, each once, with their products.
pub(super) fn named(reading: &Reading) -> Vec<(String, Product)> {
    let product = |product: Option<Product>| product.unwrap_or(Product::Spot);
    let mut named: Vec<_> = match reading {
        Reading::Orders(orders) => orders.iter().map(|order| (order.symbol.clone(), order.product)).collect(),
        Reading::Amends(amends) => {
            amends.iter().filter_map(|amend| Some((amend.symbol.clone()?, product(amend.product)))).collect()
        }
        Reading::Cancels(_)
        | Reading::CancelAll { .. }
        | Reading::Close { .. }
        | Reading::Setting(_)
        | Reading::None => Vec::new(),
    };
    named.sort();
    named.dedup();
    named
}
