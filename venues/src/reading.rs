//! How a trading call reads: the facts that policy judges, taken from the venue's own parameters.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    operation::Class,
    params::{Call, Params},
    product::{Product, Products},
};

/// What a call is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Places orders: one, or all of a batch.
    Orders(Vec<Order>),
    /// Changes orders that are there.
    Amends(Vec<Amend>),
    /// Cancels orders by name.
    Cancels(Vec<Cancel>),
    /// Cancels every open order.
    CancelAll {
        /// The symbol it is limited to; `None` where the venue cancels across all symbols.
        symbol: Option<String>,
    },
    /// Closes a position, or a part of it, at the market; it can open none.
    Close {
        /// The symbol.
        symbol: String,
        /// How much of it; `None` for all.
        quantity: Option<Decimal>,
    },
    /// Changes how risky the account's positions are.
    Setting(Setting),
    /// Trades nothing: the call is of another class.
    None,
}

impl Reading {
    /// Returns the orders that would be placed.
    pub fn orders(&self) -> &[Order] {
        match self {
            Self::Orders(orders) => orders,
            Self::Amends(_)
            | Self::Cancels(_)
            | Self::CancelAll { .. }
            | Self::Close { .. }
            | Self::Setting(_)
            | Self::None => &[],
        }
    }

    /// Returns the products of the orders that are placed or changed; empty where the call names none.
    pub fn products(&self) -> Products {
        match self {
            Self::Orders(orders) => orders.iter().map(|order| order.product).collect(),
            Self::Amends(amends) => amends.iter().filter_map(|amend| amend.product).collect(),
            Self::Cancels(_) | Self::CancelAll { .. } | Self::Close { .. } | Self::Setting(_) | Self::None => {
                Products::NONE
            }
        }
    }

    /// Returns the symbol of everything that is placed or changed; `None` where the call does not name it. Cancels count
    /// for nothing: nobody could gain by one.
    pub fn symbols(&self) -> Vec<Option<&str>> {
        match self {
            Self::Orders(orders) => orders.iter().map(|order| Some(order.symbol.as_str())).collect(),
            Self::Amends(amends) => amends.iter().map(|amend| amend.symbol.as_deref()).collect(),
            Self::Close { symbol, .. } => vec![Some(symbol)],
            Self::Setting(setting) => vec![setting.symbol.as_deref()],
            Self::Cancels(_) | Self::CancelAll { .. } | Self::None => Vec::new(),
        }
    }
}

/// The change of one order: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amend {
    /// The product, where the call tells it.
    pub product: Option<Product>,
    /// The symbol, where the venue asks for it.
    pub symbol: Option<String>,
    /// The venue's name for the order.
    pub order_id: Option<String>,
    /// The caller's name for the order.
    pub client_order_id: Option<String>,
    /// The new quantity.
    pub quantity: Option<Decimal>,
    /// The new limit price.
    pub price: Option<Decimal>,
    /// The new trigger price.
    pub stop_price: Option<Decimal>,
}

/// A change of leverage, margin or position mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The symbol, where it is for one.
    pub symbol: Option<String>,
    /// The leverage, where that is what changes.
    pub leverage: Option<Decimal>,
}

/// The cancelling of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// The symbol, where the venue asks for it.
    pub symbol: Option<String>,
    /// The venue's name for the order.
    pub order_id: Option<String>,
    /// The caller's name for the order.
    pub client_order_id: Option<String>,
}

/// An order, in the same words for every venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The symbol as given. Venues know aliases for one instrument, so only a list of what is *allowed* is safe to
    /// compare it with.
    pub symbol: String,
    /// Whether it buys or sells.
    pub side: Side,
    /// Its type.
    pub kind: OrderKind,
    /// How much, in the base asset.
    pub quantity: Option<Decimal>,
    /// How much, in the quote asset; never together with `quantity`.
    pub quote_quantity: Option<Decimal>,
    /// How many contracts, where the order does not say what one is worth; never together with the other two.
    pub contracts: Option<Decimal>,
    /// The limit price; present exactly for the kinds that have one.
    pub price: Option<Decimal>,
    /// The price that triggers the order; present exactly for the kinds that have one.
    pub stop_price: Option<Decimal>,
    /// Whether the venue itself guarantees that the order only makes a position smaller.
    pub reduce_only: bool,
    /// The caller's name for the order.
    pub client_order_id: Option<String>,
    /// The product it trades.
    pub product: Product,
    /// The leverage the order itself asks for.
    pub leverage: Option<u32>,
    /// Whether the venue only validates the order and trades nothing.
    pub dry_run: bool,
}

impl Order {
    /// Returns what the order is worth in the quote asset by its own figures.
    ///
    /// For a buy with a limit price this is the most it can spend. For a sell it is only the least it accepts: a limit
    /// far below the market sells at the market, so a cap on sells needs a reference price as well. `None` means that
    /// the order states no price, or that the product is beyond what a decimal holds; a cap must treat both as
    /// exceeded unless it knows better.
    pub fn notional(&self) -> Option<Decimal> {
        match (self.quote_quantity, self.quantity, self.price) {
            (Some(quote), _, _) => Some(quote),
            (None, Some(quantity), Some(price)) => quantity.checked_mul(price),
            (None, _, _) => None,
        }
    }
}

/// The side of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Buys the base asset.
    Buy,
    /// Sells the base asset.
    Sell,
}

/// The type of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderKind {
    /// Trades at once at whatever price.
    Market,
    /// Trades at a price or better.
    Limit,
    /// A limit order that is refused if it would trade at once.
    LimitMaker,
    /// A market order once the price has moved against the position.
    Stop,
    /// A limit order once the price has moved against the position.
    StopLimit,
    /// A market order once the price has moved in favour of the position.
    TakeProfit,
    /// A limit order once the price has moved in favour of the position.
    TakeProfitLimit,
}

impl OrderKind {
    /// Returns the name used in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit => "limit",
            Self::LimitMaker => "limit-maker",
            Self::Stop => "stop",
            Self::StopLimit => "stop-limit",
            Self::TakeProfit => "take-profit",
            Self::TakeProfitLimit => "take-profit-limit",
        }
    }

    /// Whether an order of this kind states a limit price.
    pub const fn has_price(self) -> bool {
        match self {
            Self::Limit | Self::LimitMaker | Self::StopLimit | Self::TakeProfitLimit => true,
            Self::Market | Self::Stop | Self::TakeProfit => false,
        }
    }

    /// Whether an order of this kind waits for a trigger price.
    pub const fn has_trigger(self) -> bool {
        match self {
            Self::Stop | Self::StopLimit | Self::TakeProfit | Self::TakeProfitLimit => true,
            Self::Market | Self::Limit | Self::LimitMaker => false,
        }
    }
}

/// A trading call does not read unambiguously, so nothing can be judged and nothing may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// This kind of order needs the parameter.
    #[error("this kind of order needs the parameter `{name}`")]
    Missing {
        /// The parameter.
        name: &'static str,
    },
    /// The parameter contradicts the rest of the order.
    #[error("parameter `{name}` contradicts the rest of the order")]
    Contradiction {
        /// The parameter.
        name: &'static str,
    },
    /// The value passed its grammar and still does not read.
    #[error("parameter `{name}` cannot be read")]
    Unreadable {
        /// The parameter.
        name: &'static str,
    },
}

/// Reads what a call is about to do.
///
/// # Errors
/// [`ReadError`] if a call of class trade leaves anything open; policy then refuses it.
pub fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let operation = call.operation();
    if operation.class != Class::Trade {
        return Ok(Reading::None);
    }
    operation.venue.rules().read(call)
}

/// Reads a text parameter that the order cannot do without.
pub(crate) fn text<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, ReadError> {
    params.get(name).ok_or(ReadError::Missing { name })
}

/// Reads a text parameter that may be absent.
pub(crate) fn owned(params: &Params, name: &str) -> Option<String> {
    params.get(name).map(str::to_owned)
}

/// Reads an amount that may be absent.
pub(crate) fn decimal(params: &Params, name: &'static str) -> Result<Option<Decimal>, ReadError> {
    let read = |value| Decimal::from_str_exact(value).map_err(|_| ReadError::Unreadable { name });
    params.get(name).map(read).transpose()
}

/// Reads a flag; absent means no.
pub(crate) fn flag(params: &Params, name: &str) -> bool {
    params.get(name) == Some("true")
}

/// Reads a call that cancels every open order, at once or when the time in `timeout` is over.
///
/// A time of zero stops the countdown that was set before. That cancels nothing: it leaves orders in the market that
/// were to go.
pub(crate) fn cancel_all(params: &Params, timeout: &str) -> Reading {
    let symbol = owned(params, "symbol");
    if params.get(timeout) == Some("0") {
        Reading::Setting(Setting { symbol, leverage: None })
    } else {
        Reading::CancelAll { symbol }
    }
}

/// Demands that a price is there exactly if the kind of order has one.
///
/// A price beside a market order would otherwise enter its notional, and the venue might not look at it.
pub(crate) fn expect(price: Option<Decimal>, wanted: bool, name: &'static str) -> Result<Option<Decimal>, ReadError> {
    match (price, wanted) {
        (None, true) => Err(ReadError::Missing { name }),
        (Some(_), false) => Err(ReadError::Contradiction { name }),
        (Some(_), true) | (None, false) => Ok(price),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Grammar, VenueId, check, operation};

    fn order(quantity: Option<&str>, quote: Option<&str>, price: Option<&str>) -> Order {
        let read = |text: Option<&str>| text.map(|text| Decimal::from_str_exact(text).unwrap());
        Order {
            symbol: "BTCUSDT".to_owned(),
            side: Side::Buy,
            kind: OrderKind::Limit,
            quantity: read(quantity),
            quote_quantity: read(quote),
            contracts: None,
            price: read(price),
            stop_price: None,
            reduce_only: false,
            client_order_id: None,
            product: Product::Spot,
            leverage: None,
            dry_run: false,
        }
    }

    #[test]
    fn notional_comes_from_the_orders_own_figures() {
        let notional = |order: Order| order.notional().map(|value| value.to_string());
        assert_eq!(notional(order(Some("0.010"), None, Some("20000.5"))), Some("200.0050".to_owned()));
        assert_eq!(notional(order(None, Some("150"), None)), Some("150".to_owned()));
        assert_eq!(notional(order(Some("1"), None, None)), None);
        let huge = "9999999999999999999999999999";
        assert_eq!(notional(order(Some(huge), None, Some(huge))), None);
    }

    #[test]
    fn stopping_a_countdown_is_no_cancel() {
        let mut venues = Vec::new();
        let countdowns = VenueId::ALL.iter().filter_map(|venue| operation(*venue, "orders.cancel_after"));
        for operation in countdowns {
            let timeout =
                operation.params.iter().find(|param| matches!(param.grammar, Grammar::Integer { .. })).unwrap();
            let symbol = operation.param("symbol").map(|_| "BTCUSDT".to_owned());
            let reading = |time: &str| {
                let symbol = symbol.iter().map(|symbol| ("symbol", symbol.as_str()));
                let params = symbol.chain([(timeout.name, time)]).collect();
                read(&check(operation, &params).unwrap()).unwrap()
            };
            assert_eq!(reading("60"), Reading::CancelAll { symbol: symbol.clone() }, "{}", operation.venue);
            let stopped = Reading::Setting(Setting { symbol: symbol.clone(), leverage: None });
            assert_eq!(reading("0"), stopped, "{}", operation.venue);
            venues.push(operation.venue.as_str());
        }
        assert_eq!(venues, ["binance-usdm", "bitmex", "kraken", "kraken-futures", "okx"]);
    }

    #[test]
    fn names_are_those_of_the_stored_form() {
        for kind in [OrderKind::Market, OrderKind::LimitMaker, OrderKind::TakeProfitLimit] {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.as_str()));
        }
    }
}
