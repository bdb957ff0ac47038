//! Limits, ready to judge.
//!
//! A policy may have a thousand rules that are all for one request. So names become numbers when a policy is made ready,
//! a trade's own are looked up once, and what each rule says lies in one row beside the next.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::OnceLock;

use claviger_venues::{OrderKind, Side, VenueId, asset, market};
use rust_decimal::Decimal;

use super::limits::{Collar, Limits};
use super::trade::Trade;

/// The symbols and assets that a set of limits names.
#[derive(Debug)]
pub(super) struct Names {
    symbols: HashMap<String, u32>,
    assets: HashMap<String, u32>,
    /// The symbols of all lists, one list after the other.
    listed: Vec<u32>,
    /// The symbols that name each market of a venue, found out when the first request for that venue comes.
    markets: HashMap<VenueId, OnceLock<HashMap<String, Vec<u32>>>>,
}

/// A trade, and what a set of limits calls what it names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    trade: &'a Trade<'a>,
    /// The symbols of its market.
    symbols: &'a [u32],
    /// The asset that its price is in units of.
    quote: Option<u32>,
}

impl Default for Names {
    fn default() -> Self {
        let markets = VenueId::ALL.iter().map(|venue| (*venue, OnceLock::new())).collect();
        Self { symbols: HashMap::new(), assets: HashMap::new(), listed: Vec::new(), markets }
    }
}

impl Names {
    /// Gives numbers to what trades name.
    pub(super) fn name<'a>(&'a self, trades: &'a [Trade<'a>]) -> Vec<Named<'a>> {
        trades.iter().map(|trade| self.named(trade)).collect()
    }

    fn named<'a>(&'a self, trade: &'a Trade<'a>) -> Named<'a> {
        let symbols = trade.market.as_deref().and_then(|market| self.markets_of(trade.venue)?.get(market));
        let quote = trade.quote.and_then(|quote| self.assets.get(asset(quote)).copied());
        Named { trade, symbols: symbols.map(Vec::as_slice).unwrap_or_default(), quote }
    }

    fn markets_of(&self, venue: VenueId) -> Option<&HashMap<String, Vec<u32>>> {
        let all = || {
            let mut markets: HashMap<String, Vec<u32>> = HashMap::new();
            for (symbol, number) in &self.symbols {
                markets.entry(market(venue, symbol).into_owned()).or_default().push(*number);
            }
            markets
        };
        self.markets.get(&venue).map(|known| known.get_or_init(all))
    }

    fn list(&mut self, symbols: &BTreeSet<String>) -> Range<usize> {
        let from = self.listed.len();
        self.listed.extend(symbols.iter().map(|symbol| number(&mut self.symbols, symbol)));
        from..self.listed.len()
    }

    /// Whether the market of a trade is in a list, under whichever of its names; `None` if the call does not tell it.
    fn lists(&self, list: &Range<usize>, one: &Named<'_>) -> Option<bool> {
        one.trade.market.as_ref()?;
        let listed = self.listed.get(list.clone()).unwrap_or_default();
        Some(listed.iter().any(|symbol| one.symbols.contains(symbol)))
    }
}

fn number(known: &mut HashMap<String, u32>, name: &str) -> u32 {
    let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
    *known.entry(name.to_owned()).or_insert(next)
}

/// [`Limits`], ready to judge.
#[derive(Debug)]
pub(super) struct Bounds {
    symbols: Range<usize>,
    thin: Range<usize>,
    sides: Box<[Side]>,
    types: Box<[OrderKind]>,
    reduce_only: bool,
    leverage_max: Option<Decimal>,
    quantity_max: Option<Decimal>,
    notional_max: Option<Decimal>,
    quote: Option<u32>,
    collar: Option<Collar>,
}

impl Bounds {
    /// Makes limits ready. What they name gets its numbers in `names`.
    pub(super) fn of(limits: &Limits, names: &mut Names) -> Self {
        Self {
            symbols: names.list(&limits.symbols),
            thin: names.list(&limits.thin),
            sides: limits.sides.as_slice().into(),
            types: limits.types.as_slice().into(),
            reduce_only: limits.reduce_only,
            leverage_max: limits.leverage_max,
            quantity_max: limits.quantity_max,
            notional_max: limits.notional_max,
            quote: limits.quote.as_deref().map(|quote| number(&mut names.assets, asset(quote))),
            collar: limits.collar.clone(),
        }
    }

    /// Judges one trade, named by the same `names`.
    ///
    /// # Errors
    /// The tag of the first limit that refuses. What is not known is refused where it is limited.
    pub(super) fn judge(&self, names: &Names, one: &Named<'_>) -> Result<(), &'static str> {
        let trade = one.trade;
        if !self.symbols.is_empty() && names.lists(&self.symbols, one) != Some(true) {
            return Err("order.symbol");
        }
        if !self.thin.is_empty() && names.lists(&self.thin, one) != Some(false) {
            return Err("order.thin");
        }
        if !self.sides.is_empty() && trade.side.is_some_and(|side| !self.sides.contains(&side)) {
            return Err("order.side");
        }
        if !self.types.is_empty() && trade.kind.is_some_and(|kind| !self.types.contains(&kind)) {
            return Err("order.type");
        }
        if self.reduce_only && trade.opens() {
            return Err("order.reduce-only");
        }
        if trade.leverage.is_some_and(|asked| self.leverage_max.is_some_and(|max| asked > max)) {
            return Err("order.leverage");
        }
        self.judge_size(one)?;
        self.collar.as_ref().map_or(Ok(()), |collar| collar.judge(trade))
    }

    fn judge_size(&self, one: &Named<'_>) -> Result<(), &'static str> {
        let trade = one.trade;
        if !trade.has_size {
            return Ok(());
        }
        if let Some(max) = self.quantity_max {
            match trade.quantity {
                Some(quantity) if quantity <= max => {}
                Some(_) => return Err("order.quantity"),
                None => return Err("order.quantity-unknown"),
            }
        }
        if self.quote.is_some() && self.quote != one.quote {
            return Err("order.quote");
        }
        match (self.notional_max, trade.worth) {
            (Some(max), Some(worth)) if worth > max => Err("order.notional"),
            (Some(_), None) if trade.is_price_asked => Err("order.notional-unknown"),
            (Some(_), Some(_) | None) | (None, _) => Ok(()),
        }
    }
}
