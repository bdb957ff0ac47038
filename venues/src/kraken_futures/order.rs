//! How Kraken Futures' orders and cancels read.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{
        Amend, Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, cancel_all, decimal, expect, flag, owned,
        text,
    },
};

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(each(call, order)?)),
        Kind::Amend => Ok(Reading::Amends(each(call, amend)?)),
        Kind::Cancel => Ok(Reading::Cancels(each(call, cancel)?)),
        Kind::CancelAll => Ok(cancel_all(params, "timeout")),
        Kind::Setting => {
            Ok(Reading::Setting(Setting { symbol: owned(params, "symbol"), leverage: decimal(params, "maxLeverage")? }))
        }
        Kind::Close => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// Reads every instruction of a batch, or the call itself.
fn each<T>(call: &Call<'_>, read: impl Fn(&Params) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
    let items = call.items("batchOrder");
    if items.is_empty() { Ok(vec![read(call.params())?]) } else { items.iter().map(read).collect() }
}

fn order(params: &Params) -> Result<Order, ReadError> {
    let symbol = text(params, "symbol")?;
    let kind = kind(params)?;
    let (quantity, quote_quantity, contracts) = quantities(symbol, decimal(params, "size")?);
    Ok(Order {
        symbol: symbol.to_owned(),
        side: match text(params, "side")? {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            _ => return Err(ReadError::Unreadable { name: "side" }),
        },
        kind,
        quantity,
        quote_quantity,
        contracts,
        price: expect(decimal(params, "limitPrice")?, kind.has_price(), "limitPrice")?,
        stop_price: expect(decimal(params, "stopPrice")?, kind.has_trigger(), "stopPrice")?,
        reduce_only: flag(params, "reduceOnly"),
        client_order_id: owned(params, "cliOrdId"),
        product: Product::Derivatives,
        leverage: None,
        dry_run: false,
    })
}

/// A stop is a limit order exactly if it has a limit.
fn kind(params: &Params) -> Result<OrderKind, ReadError> {
    let limited = params.get("limitPrice").is_some();
    match text(params, "orderType")? {
        "mkt" => Ok(OrderKind::Market),
        "lmt" | "ioc" | "fok" => Ok(OrderKind::Limit),
        "post" => Ok(OrderKind::LimitMaker),
        "stp" if limited => Ok(OrderKind::StopLimit),
        "stp" => Ok(OrderKind::Stop),
        "take_profit" if limited => Ok(OrderKind::TakeProfitLimit),
        "take_profit" => Ok(OrderKind::TakeProfit),
        _ => Err(ReadError::Unreadable { name: "orderType" }),
    }
}

/// Linear contracts count in the base asset, inverse ones in dollars; what others count in only Kraken knows.
fn quantities(symbol: &str, size: Option<Decimal>) -> (Option<Decimal>, Option<Decimal>, Option<Decimal>) {
    match symbol.split('_').next() {
        Some("PF" | "FF") => (size, None, None),
        Some("PI" | "FI") => (None, size, None),
        _ => (None, None, size),
    }
}

fn amend(params: &Params) -> Result<Amend, ReadError> {
    let (order_id, client_order_id) = names(params)?;
    Ok(Amend {
        product: Some(Product::Derivatives),
        symbol: None,
        order_id,
        client_order_id,
        quantity: decimal(params, "size")?,
        price: decimal(params, "limitPrice")?,
        stop_price: decimal(params, "stopPrice")?,
    })
}

fn cancel(params: &Params) -> Result<Cancel, ReadError> {
    let (order_id, client_order_id) = names(params)?;
    Ok(Cancel { symbol: None, order_id, client_order_id })
}

/// The one name of an order, which a single amend spells in its own way.
fn names(params: &Params) -> Result<(Option<String>, Option<String>), ReadError> {
    let order_id = owned(params, "order_id").or_else(|| owned(params, "orderId"));
    match (order_id, owned(params, "cliOrdId")) {
        (None, None) => Err(ReadError::Missing { name: "order_id" }),
        (Some(_), Some(_)) => Err(ReadError::Contradiction { name: "cliOrdId" }),
        names => Ok(names),
    }
}

/// Whether an accepted answer lists an order.
pub(super) fn is_listed(body: &[u8]) -> bool {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let orders = answer.as_ref().and_then(|answer| answer.get("orders")).and_then(Value::as_array);
    orders.is_some_and(|orders| !orders.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, check, found, operation, retrieval::Found};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(VenueId::KrakenFutures, name).unwrap(), &params).unwrap())
    }

    fn place(symbol: &str, kind: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("orderType", kind), ("symbol", symbol), ("side", "sell"), ("size", "2")];
        let reading = read("order.place", &[common.as_slice(), pairs].concat())?;
        let [order] = reading.orders() else { panic!("{reading:?}") };
        Ok(order.clone())
    }

    #[test]
    fn each_family_counts_in_its_own_unit() {
        let two = Some(Decimal::TWO);
        for (symbol, expected) in [
            ("PF_XBTUSD", (two, None, None)),
            ("FF_XBTUSD_261225", (two, None, None)),
            ("PI_XBTUSD", (None, two, None)),
            ("FI_XBTUSD_261225", (None, two, None)),
            ("PV_XRPXBT", (None, None, two)),
            ("PFX", (None, None, two)),
        ] {
            let order = place(symbol, "mkt", &[]).unwrap();
            assert_eq!((order.quantity, order.quote_quantity, order.contracts), expected, "{symbol}");
        }
    }

    #[test]
    fn prices_belong_to_the_kinds_that_have_them() {
        use ReadError::{Contradiction, Missing};
        let (limit, stop) = (("limitPrice", "5"), ("stopPrice", "6"));
        for (kind, pairs, expected) in [
            ("mkt", [].as_slice(), Ok(OrderKind::Market)),
            ("mkt", &[limit], Err(Contradiction { name: "limitPrice" })),
            ("lmt", &[limit], Ok(OrderKind::Limit)),
            ("lmt", &[], Err(Missing { name: "limitPrice" })),
            ("ioc", &[limit], Ok(OrderKind::Limit)),
            ("post", &[limit], Ok(OrderKind::LimitMaker)),
            ("lmt", &[limit, stop], Err(Contradiction { name: "stopPrice" })),
            ("stp", &[stop], Ok(OrderKind::Stop)),
            ("stp", &[stop, limit], Ok(OrderKind::StopLimit)),
            ("stp", &[limit], Err(Missing { name: "stopPrice" })),
            ("take_profit", &[stop], Ok(OrderKind::TakeProfit)),
            ("take_profit", &[stop, limit], Ok(OrderKind::TakeProfitLimit)),
        ] {
            assert_eq!(place("PF_XBTUSD", kind, pairs).map(|order| order.kind), expected, "{kind} {pairs:?}");
        }
    }

    #[test]
    fn batches_read_as_what_is_in_them() {
        let sends = r#"[{"order":"send","order_tag":"1","orderType":"lmt","symbol":"PF_XBTUSD","side":"buy","size":1,
            "limitPrice":2,"cliOrdId":"a"},{"order":"send","order_tag":"2","orderType":"mkt","symbol":"PF_ETHUSD",
            "side":"sell","size":3,"reduceOnly":true}]"#;
        let reading = read("orders.place_batch", &[("batchOrder", sends)]).unwrap();
        let rows: Vec<_> =
            reading.orders().iter().map(|order| (order.symbol.as_str(), order.kind, order.reduce_only)).collect();
        assert_eq!(rows, [("PF_XBTUSD", OrderKind::Limit, false), ("PF_ETHUSD", OrderKind::Market, true)]);

        let cancels = r#"[{"order":"cancel","order_id":"x"},{"order":"cancel","cliOrdId":"a"}]"#;
        let named = |order_id: Option<&str>, client: Option<&str>| Cancel {
            symbol: None,
            order_id: order_id.map(str::to_owned),
            client_order_id: client.map(str::to_owned),
        };
        let reading = read("orders.cancel_batch", &[("batchOrder", cancels)]);
        assert_eq!(reading, Ok(Reading::Cancels(vec![named(Some("x"), None), named(None, Some("a"))])));
        let nameless = read("orders.cancel_batch", &[("batchOrder", r#"[{"order":"cancel"}]"#)]);
        assert_eq!(nameless, Err(ReadError::Missing { name: "order_id" }));

        let edits = r#"[{"order":"edit","order_id":"x","size":1}]"#;
        let Ok(Reading::Amends(amends)) = read("orders.amend_batch", &[("batchOrder", edits)]) else { panic!() };
        assert_eq!((amends[0].order_id.as_deref(), amends[0].quantity), (Some("x"), Some(Decimal::ONE)));
    }

    #[test]
    fn changes_cancels_and_settings() {
        let Ok(Reading::Amends(amends)) = read("order.amend", &[("orderId", "x"), ("limitPrice", "2")]) else {
            panic!()
        };
        assert_eq!((amends[0].order_id.as_deref(), amends[0].price), (Some("x"), Some(Decimal::TWO)));
        let Ok(Reading::Cancels(cancels)) = read("order.cancel", &[("cliOrdId", "a")]) else { panic!() };
        assert_eq!(cancels[0].client_order_id.as_deref(), Some("a"));
        assert_eq!(read("orders.cancel_all", &[]), Ok(Reading::CancelAll { symbol: None }));
        let setting = Setting { symbol: Some("PF_XBTUSD".to_owned()), leverage: Some(Decimal::from(5)) };
        let read_as = read("leverage.set", &[("symbol", "PF_XBTUSD"), ("maxLeverage", "5")]);
        assert_eq!(read_as, Ok(Reading::Setting(setting)));
    }

    #[test]
    fn a_list_without_the_order_proves_nothing() {
        let found = |body: &str| found(VenueId::KrakenFutures, 200, body.as_bytes());
        assert_eq!(found(r#"{"result":"success","orders":[{"order":{}}]}"#), Found::Yes);
        for body in [r#"{"result":"success","orders":[]}"#, r#"{"result":"success"}"#, "{}", ""] {
            assert_eq!(found(body), Found::Unclear, "{body}");
        }
    }
}
