//! The most that an order can be worth.

use rust_decimal::Decimal;

use super::Unit;
use crate::{
    reading::{Amend, Order, Side},
    venue::VenueId,
};

/// Returns the most that an order can be worth in its quote asset; `None` if that cannot be told.
///
/// A buy with a limit spends that at most. Everything else trades at what the market gives, a sale also above its
/// limit, so it needs `reference`, the price of [`read_ticker`](crate::read_ticker): a triggered order counts at its
/// trigger where that is higher. An amount of the quote asset is the worth itself. Contracts have one only where the
/// symbol tells their size.
///
/// A cap must treat `None` as exceeded. The market may move between the reference and the trade.
pub fn worth(venue: VenueId, order: &Order, reference: Option<Decimal>) -> Option<Decimal> {
    let price = || match (order.side, order.price) {
        (Side::Buy, Some(limit)) => Some(limit),
        (Side::Buy | Side::Sell, limit) => highest(reference, [limit, order.stop_price]),
    };
    match (order.quote_quantity, order.quantity, order.contracts) {
        (Some(quote), None, None) => Some(quote),
        (None, Some(quantity), None) => quantity.checked_mul(price()?),
        (None, None, Some(contracts)) => {
            let unit = venue.rules().pricing().unit(&order.symbol, Some(order.product))?;
            valued(contracts, unit, price)
        }
        _ => None,
    }
}

/// Returns the same for an order as a change leaves it; only if the change names symbol, quantity and price.
///
/// A change does not tell the side, so that the price is taken for a sale's.
pub fn worth_of_amend(venue: VenueId, amend: &Amend, reference: Option<Decimal>) -> Option<Decimal> {
    let (symbol, quantity, limit) = (amend.symbol.as_deref()?, amend.quantity?, amend.price?);
    let price = highest(reference, [Some(limit), amend.stop_price])?;
    valued(quantity, venue.rules().pricing().unit(symbol, amend.product)?, || Some(price))
}

fn valued(amount: Decimal, unit: Unit, price: impl FnOnce() -> Option<Decimal>) -> Option<Decimal> {
    match unit {
        Unit::Quote => Some(amount),
        Unit::Base => amount.checked_mul(price()?),
        Unit::Either => amount.checked_mul(price()?.max(Decimal::ONE)),
    }
}

/// The highest of a reference price, which must be there and positive, and the order's own prices.
fn highest(reference: Option<Decimal>, own: [Option<Decimal>; 2]) -> Option<Decimal> {
    let reference = reference.filter(|price| *price > Decimal::ZERO)?;
    own.into_iter().flatten().chain([reference]).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, check, operation, read};

    fn number(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn reading(venue: VenueId, name: &str, pairs: &[(&str, &str)]) -> crate::Reading {
        let params: Params = pairs.iter().copied().collect();
        read(&check(operation(venue, name).unwrap(), &params).unwrap()).unwrap()
    }

    fn check_worth(venue: VenueId, pairs: &[(&str, &str)], reference: Option<&str>, expected: Option<&str>) {
        let reading = reading(venue, "order.place", pairs);
        let [order] = reading.orders() else { panic!("{reading:?}") };
        assert_eq!(worth(venue, order, reference.map(number)), expected.map(number), "{venue} {pairs:?}");
    }

    #[test]
    fn an_order_counts_at_the_highest_price_it_can_get() {
        let spot = |side, pairs: &[(&'static str, &'static str)], reference, expected| {
            let common = [("symbol", "BTCUSDT"), ("side", side), ("quantity", "2")];
            check_worth(VenueId::Binance, &[common.as_slice(), pairs].concat(), reference, expected);
        };
        let limit = [("type", "LIMIT"), ("timeInForce", "GTC"), ("price", "50")];
        spot("BUY", &limit, None, Some("100"));
        spot("BUY", &limit, Some("70"), Some("100"));
        spot("SELL", &limit, Some("70"), Some("140"));
        spot("SELL", &limit, Some("40"), Some("100"));
        spot("SELL", &limit, None, None);
        spot("SELL", &limit, Some("0"), None);
        spot("SELL", &limit, Some("-70"), None);
        for side in ["BUY", "SELL"] {
            spot(side, &[("type", "MARKET")], Some("70"), Some("140"));
            spot(side, &[("type", "MARKET")], None, None);
            let stop = [("type", "STOP_LOSS"), ("stopPrice", "80")];
            spot(side, &stop, Some("70"), Some("160"));
            spot(side, &stop, Some("90"), Some("180"));
            spot(side, &stop, None, None);
        }
        let stop_limit = [("type", "STOP_LOSS_LIMIT"), ("timeInForce", "GTC"), ("price", "50"), ("stopPrice", "80")];
        spot("BUY", &stop_limit, None, Some("100"));
        spot("SELL", &stop_limit, Some("70"), Some("160"));
        let huge = Some("79228162514264337593543950335");
        spot("BUY", &[("type", "MARKET")], huge, None);
    }

    #[test]
    fn amounts_of_the_quote_asset_are_the_worth() {
        let market = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quoteOrderQty", "150")];
        check_worth(VenueId::Binance, &market, None, Some("150"));
        let inverse = [("orderType", "mkt"), ("symbol", "PI_XBTUSD"), ("side", "sell"), ("size", "1000")];
        check_worth(VenueId::KrakenFutures, &inverse, None, Some("1000"));
        let inverse =
            [("category", "inverse"), ("symbol", "BTCUSD"), ("side", "Sell"), ("orderType", "Market"), ("qty", "1000")];
        check_worth(VenueId::Bybit, &inverse, None, Some("1000"));
    }

    #[test]
    fn contracts_have_a_worth_only_where_the_symbol_tells_it() {
        let bitmex = |symbol| [("symbol", symbol), ("side", "Sell"), ("ordType", "Market"), ("orderQty", "1000")];
        check_worth(VenueId::Bitmex, &bitmex("XBTUSD"), None, Some("1000"));
        check_worth(VenueId::Bitmex, &bitmex("XBTUSDT"), Some("65000"), None);
        check_worth(VenueId::Bitmex, &bitmex("ETHUSD"), Some("3200"), None);
        let swap =
            [("instId", "BTC-USDT-SWAP"), ("tdMode", "cross"), ("side", "buy"), ("ordType", "market"), ("sz", "1")];
        check_worth(VenueId::Okx, &swap, Some("65000"), None);
        let other = [("orderType", "mkt"), ("symbol", "PV_XRPXBT"), ("side", "sell"), ("size", "1000")];
        check_worth(VenueId::KrakenFutures, &other, Some("1"), None);
    }

    #[test]
    fn a_change_counts_as_a_sale_and_must_say_everything() {
        let amended = |venue, pairs: &[(&str, &str)], reference: Option<&str>| {
            let crate::Reading::Amends(amends) = reading(venue, "order.amend", pairs) else { panic!("{pairs:?}") };
            let [amend] = amends.as_slice() else { panic!("{pairs:?}") };
            worth_of_amend(venue, amend, reference.map(number)).map(|worth| worth.normalize().to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        let usdm = [("symbol", "BTCUSDT"), ("side", "BUY"), ("orderId", "7"), ("quantity", "2"), ("price", "50")];
        assert_eq!(amended(VenueId::BinanceUsdm, &usdm, Some("70")), some("140"));
        assert_eq!(amended(VenueId::BinanceUsdm, &usdm, Some("40")), some("100"));
        assert_eq!(amended(VenueId::BinanceUsdm, &usdm, None), None);

        let bybit = |category, symbol, rest: &[(&'static str, &'static str)]| {
            let common = [("category", category), ("symbol", symbol), ("orderId", "7")];
            amended(VenueId::Bybit, &[common.as_slice(), rest].concat(), Some("0.5"))
        };
        let (quantity, price) = (("qty", "100"), ("price", "0.4"));
        assert_eq!(bybit("linear", "XRPUSDT", &[quantity, price]), some("50"));
        assert_eq!(bybit("linear", "XRPUSDT", &[quantity, price, ("triggerPrice", "0.6")]), some("60"));
        assert_eq!(bybit("inverse", "XRPUSD", &[quantity, price]), some("100"));
        // The order may be a market buy by value.
        assert_eq!(bybit("spot", "XRPUSDT", &[quantity, price]), some("100"));
        assert_eq!(bybit("linear", "XRPUSDT", &[quantity]), None);
        assert_eq!(bybit("linear", "XRPUSDT", &[price]), None);

        let pair = [("instId", "BTC-USDT"), ("ordId", "7"), ("newSz", "2"), ("newPx", "50")];
        assert_eq!(amended(VenueId::Okx, &pair, Some("70")), some("140"));
        let swap = [("instId", "BTC-USDT-SWAP"), ("ordId", "7"), ("newSz", "2"), ("newPx", "50")];
        assert_eq!(amended(VenueId::Okx, &swap, Some("70")), None);
        let nameless = [("orderId", "a-b"), ("size", "2"), ("limitPrice", "50")];
        assert_eq!(amended(VenueId::KrakenFutures, &nameless, Some("70")), None);
    }
}
