//! How OKX's trading calls read.

mod algo;

use rust_decimal::Decimal;

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{
        Amend, Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, cancel_all, decimal, expect, flag, owned,
        text,
    },
};

/// The list of a batch.
const BATCH: &str = "orders";

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match (call.operation().kind, call.operation().name) {
        (Kind::Place, "order.place_algo") => Ok(Reading::Orders(algo::orders(params)?)),
        (Kind::Place, name) => Ok(Reading::Orders(each(call, |params| order(params, name == "order.test"))?)),
        (Kind::Amend, "order.amend_algo") => Ok(Reading::Amends(algo::amends(params)?)),
        (Kind::Amend, _) => Ok(Reading::Amends(each(call, amend)?)),
        (Kind::Cancel, _) => Ok(Reading::Cancels(each(call, cancel)?)),
        (Kind::CancelAll, _) => Ok(cancel_all(params, "timeOut")),
        (Kind::Close, _) => Ok(Reading::Close { symbol: text(params, "instId")?.to_owned(), quantity: None }),
        (Kind::Setting, _) => {
            Ok(Reading::Setting(Setting { symbol: owned(params, "instId"), leverage: decimal(params, "lever")? }))
        }
        (Kind::Data | Kind::Probe | Kind::Login, _) => Ok(Reading::None),
    }
}

/// Reads each item of a batch, or else the one act of the call.
fn each<T>(call: &Call<'_>, read: impl Fn(&Params) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
    if call.operation().param(BATCH).is_some() {
        call.items(BATCH).iter().map(read).collect()
    } else {
        Ok(vec![read(call.params())?])
    }
}

fn order(params: &Params, dry_run: bool) -> Result<Order, ReadError> {
    let kind = match text(params, "ordType")? {
        "market" => OrderKind::Market,
        "optimal_limit_ioc" if is_contract(params)? => OrderKind::Market,
        "limit" | "fok" | "ioc" => OrderKind::Limit,
        "post_only" => OrderKind::LimitMaker,
        _ => return Err(ReadError::Contradiction { name: "ordType" }),
    };
    let price = expect(decimal(params, "px")?, kind.has_price(), "px")?;
    Ok(Order { kind, price, client_order_id: owned(params, "clOrdId"), dry_run, ..common(params, kind.has_price())? })
}

/// What an order is whatever triggers it: its kind and its prices are left to the caller.
fn common(params: &Params, is_limit: bool) -> Result<Order, ReadError> {
    let side = side(params)?;
    let product = product(params)?;
    let (quantity, quote_quantity, contracts) = quantities(params, product, is_limit, side)?;
    Ok(Order {
        symbol: text(params, "instId")?.to_owned(),
        side,
        kind: OrderKind::Market,
        quantity,
        quote_quantity,
        contracts,
        price: None,
        stop_price: None,
        reduce_only: reduces(params, product, side)?,
        client_order_id: None,
        product,
        leverage: None,
        dry_run: false,
    })
}

fn side(params: &Params) -> Result<Side, ReadError> {
    match text(params, "side")? {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(ReadError::Unreadable { name: "side" }),
    }
}

/// What an instrument's name tells.
pub(super) struct Shape<'s> {
    /// Whether it is a perpetual or a dated contract (`BTC-USDT-SWAP`, `BTC-USDT-260626`) rather than a pair.
    pub(super) is_contract: bool,
    /// What its prices are in.
    pub(super) quote: &'s str,
}

/// Reads an instrument's name.
///
/// Options are named with a strike and refused: what a written option can lose does not stand in the order.
pub(super) fn shape(symbol: &str) -> Option<Shape<'_>> {
    let parts: Vec<_> = symbol.split('-').collect();
    let is_date = |text: &str| text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
    match *parts.as_slice() {
        [_, quote] if !is_date(quote) => Some(Shape { is_contract: false, quote }),
        [_, quote, end] if end == "SWAP" || is_date(end) => Some(Shape { is_contract: true, quote }),
        _ => None,
    }
}

fn is_contract(params: &Params) -> Result<bool, ReadError> {
    let name = "instId";
    shape(text(params, name)?).map(|shape| shape.is_contract).ok_or(ReadError::Unreadable { name })
}

/// Pairs are spot where the order may not borrow. Accounts with one margin for all currencies trade spot as `cross`, and
/// borrow for it: that reads as margin, too.
fn product(params: &Params) -> Result<Product, ReadError> {
    match (is_contract(params)?, text(params, "tdMode")?) {
        (false, "cash") => Ok(Product::Spot),
        (false, _) => Ok(Product::Margin),
        (true, "cash") => Err(ReadError::Contradiction { name: "tdMode" }),
        (true, _) => Ok(Product::Derivatives),
    }
}

type Quantities = (Option<Decimal>, Option<Decimal>, Option<Decimal>);

/// Reads the size: of contracts their number; of pairs the base, except for market orders by value, which a market buy is
/// unless it says otherwise. On margin OKX heeds what it says or not, as the account is, so there it may say nothing else.
fn quantities(params: &Params, product: Product, is_limit: bool, side: Side) -> Result<Quantities, ReadError> {
    let amount = decimal(params, "sz")?;
    let contradiction = Err(ReadError::Contradiction { name: "tgtCcy" });
    let by_value = match (product, params.get("tgtCcy")) {
        (Product::Derivatives, None) => return Ok((None, None, amount)),
        (Product::Derivatives, Some(_)) => return contradiction,
        (_, None) => !is_limit && side == Side::Buy,
        (_, Some(unit)) => unit == "quote_ccy",
    };
    match (by_value, is_limit, product, side) {
        (true, true, _, _)
        | (true, false, Product::Margin, Side::Sell)
        | (false, false, Product::Margin, Side::Buy) => contradiction,
        (true, false, _, _) => Ok((None, amount, None)),
        (false, _, _, _) => Ok((amount, None, None)),
    }
}

/// Whether the order can only make a position smaller.
///
/// With two positions per contract, one long and one short, a sell of the long and a buy of the short close by
/// definition, and `reduceOnly` is not heeded. With one, those sides are not accepted. On margin, what is left of such an
/// order once the debt is paid is traded on spot: no guarantee.
fn reduces(params: &Params, product: Product, side: Side) -> Result<bool, ReadError> {
    let asked = flag(params, "reduceOnly");
    match (product, params.get("posSide"), side) {
        (Product::Derivatives, Some("long"), Side::Sell) | (Product::Derivatives, Some("short"), Side::Buy) => Ok(true),
        (Product::Derivatives, None | Some("net"), _) => Ok(asked),
        (Product::Spot, _, _) | (Product::Derivatives, Some(_), _) if asked => {
            Err(ReadError::Contradiction { name: "reduceOnly" })
        }
        (Product::Derivatives, Some(_), _) | (_, None | Some("net"), _) => Ok(false),
        (_, Some(_), _) => Err(ReadError::Contradiction { name: "posSide" }),
    }
}

fn amend(params: &Params) -> Result<Amend, ReadError> {
    let (order_id, client_order_id) = named(params, "ordId", "clOrdId")?;
    Ok(Amend {
        order_id,
        client_order_id,
        quantity: decimal(params, "newSz")?,
        price: decimal(params, "newPx")?,
        ..amended(params)?
    })
}

/// Which instrument's order is changed; whether an order of a pair borrows it does not say again.
fn amended(params: &Params) -> Result<Amend, ReadError> {
    let product = is_contract(params)?.then_some(Product::Derivatives);
    Ok(Amend { product, symbol: owned(params, "instId"), ..Amend::default() })
}

fn cancel(params: &Params) -> Result<Cancel, ReadError> {
    let is_algo = ["algoId", "algoClOrdId"].iter().any(|name| params.get(name).is_some());
    let (order_id, client_order_id) =
        if is_algo { named(params, "algoId", "algoClOrdId")? } else { named(params, "ordId", "clOrdId")? };
    Ok(Cancel { symbol: owned(params, "instId"), order_id, client_order_id })
}

/// Reads which order is meant. Of two names OKX would take the first, so items of a batch, too, have exactly one.
fn named(
    params: &Params,
    id: &'static str,
    client_id: &'static str,
) -> Result<(Option<String>, Option<String>), ReadError> {
    match (owned(params, id), owned(params, client_id)) {
        (None, None) => Err(ReadError::Missing { name: id }),
        (Some(_), Some(_)) => Err(ReadError::Contradiction { name: client_id }),
        names => Ok(names),
    }
}

#[cfg(test)]
mod tests;
