//! Prices over all venues: what is asked for needs no key, whatever is answered reads or does not, and nothing is
//! valued twice.

use claviger_venues::{
    Class, Host, Product, Reading, VenueId, check, quoted_in, read, read_ticker, ticker, unsigned, worth,
    worth_of_amend,
};
use proptest::{prelude::*, sample::select};
use rust_decimal::Decimal;

use crate::{hostile, reach};

/// An instrument of each venue whose prices are public.
const PRICED: &[(VenueId, &str, Product)] = &[
    (VenueId::Binance, "BTCUSDT", Product::Spot),
    (VenueId::BinanceUsdm, "BTCUSDT", Product::Derivatives),
    (VenueId::Bitmex, "XBTUSD", Product::Derivatives),
    (VenueId::Kraken, "XBT/USD", Product::Spot),
    (VenueId::KrakenFutures, "PF_XBTUSD", Product::Derivatives),
    (VenueId::Bybit, "BTCUSDT", Product::Spot),
    (VenueId::Mexc, "BTCUSDT", Product::Spot),
    (VenueId::MexcContract, "BTC_USDT", Product::Derivatives),
    (VenueId::Okx, "BTC-USDT", Product::Spot),
];

/// Answers that tell the price of one of these.
const ANSWERS: &[&str] = &[
    r#"{"symbol":"BTCUSDT","bidPrice":"4.1","askPrice":4.2,"markPrice":"1e-7"}"#,
    r#"{"error":[],"result":{"XXBTZUSD":{"a":["30300.1","1"],"b":["30300.0"],"c":["30303.2"]}}}"#,
    r#"{"result":"success","ticker":{"symbol":"PF_XBTUSD","bid":41974,"ask":41975,"markPrice":1.5E3}}"#,
    r#"{"retCode":0,"result":{"list":[{"symbol":"BTCUSDT","bid1Price":"1","ask1Price":"1","lastPrice":"2"}]}}"#,
    r#"{"success":true,"code":0,"data":{"symbol":"BTC_USDT","bid1":6865,"ask1":6866.5,"fairPrice":6867.4}}"#,
    r#"{"code":"0","data":[{"instId":"BTC-USDT","last":"7","askPx":"10.1","bidPx":"10"}]}"#,
    r#"[{"symbol":"XBTUSD","bidPrice":65000,"askPrice":65000.5,"markPrice":65001.03}]"#,
];

/// Every asset that some symbol may be quoted in, each by one name.
const ASSETS: &[&str] = &[
    "USD", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD1", "USDE", "PYUSD", "RLUSD", "BTC", "ETH", "BNB", "EUR",
    "GBP", "CAD", "AUD", "CHF", "JPY", "TRY", "BRL", "PERP", "DUSD", "SD", "",
];

fn products() -> impl Strategy<Value = Product> {
    select(Product::ALL)
}

fn symbols() -> impl Strategy<Value = String> {
    let made = "(PF_|PI_)?[A-Z0-9]{0,6}[/_-]?(USD|USDT|USDC|FDUSD|PYUSD|BTC|XBT|ZUSD|EUR)?(-SWAP|_[0-9]{6})?";
    prop_oneof![4 => made, 1 => any::<String>()]
}

fn answers() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![hostile::bent(ANSWERS), hostile::bytes()]
}

#[test]
fn every_venue_with_public_prices_has_a_ticker() {
    for (venue, symbol, product) in PRICED.iter().copied() {
        assert!(ticker(venue, symbol, product).is_some(), "{venue}");
    }
    let priced = |venue: &&VenueId| PRICED.iter().any(|(priced, _, _)| priced == *venue);
    for venue in VenueId::ALL.iter().filter(|venue| !priced(venue)).copied() {
        for product in Product::ALL.iter().copied() {
            assert!(ticker(venue, "EUR_USD", product).is_none(), "{venue}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_ticker_is_public_and_fits_its_operation(
        venue in select(VenueId::ALL),
        symbol in symbols(),
        product in products(),
    ) {
        if let Some((operation, params)) = ticker(venue, &symbol, product) {
            prop_assert_eq!((operation.venue, operation.class), (venue, Class::Market));
            prop_assert!(params.iter().any(|(_, value)| value == symbol));
            let call = check(operation, &params).unwrap();
            let request = unsigned(&call, &Host::parse("https://venue.example").unwrap()).unwrap();
            prop_assert!(request.headers.iter().all(|(name, _)| !name.to_ascii_lowercase().contains("key")));
        }
    }

    #[test]
    fn any_answer_is_a_positive_price_or_none(
        (venue, symbol, _) in select(PRICED),
        status in prop_oneof![4 => Just(200), 1 => any::<u16>()],
        body in answers(),
    ) {
        if let Some(price) = read_ticker(venue, symbol, status, &body) {
            prop_assert!(price > Decimal::ZERO && (200..300).contains(&status));
            prop_assert_eq!(read_ticker(venue, "ETHXYZ", status, &body), None);
        }
    }

    #[test]
    fn no_symbol_is_quoted_in_two_assets(venue in select(VenueId::ALL), symbol in symbols(), product in products()) {
        let quotes: Vec<_> = ASSETS.iter().filter(|asset| quoted_in(venue, &symbol, product, asset)).collect();
        prop_assert!(quotes.len() <= 1, "{symbol} in {quotes:?}");
    }

    #[test]
    fn a_worth_is_never_below_what_the_order_says(
        (operation, params) in reach::nearly_fitting(),
        reference in proptest::option::of(0_i64..1_000_000_000),
    ) {
        let Ok(call) = check(operation, &params) else { return Ok(()) };
        let reference = reference.map(|units| Decimal::new(units, 4));
        match read(&call) {
            Ok(Reading::Orders(orders)) => for order in &orders {
                let worth = worth(operation.venue, order, reference);
                if let (Some(worth), Some(notional)) = (worth, order.notional()) {
                    prop_assert!(worth >= notional, "{order:?}");
                }
                if let (Some(worth), Some(quantity), Some(reference), None) =
                    (worth, order.quantity, reference, order.price)
                {
                    prop_assert!(Some(worth) >= quantity.checked_mul(reference), "{order:?}");
                }
            },
            Ok(Reading::Amends(amends)) => for amend in &amends {
                let worth = worth_of_amend(operation.venue, amend, reference);
                prop_assert!(worth.is_none() || (amend.quantity.is_some() && amend.price.is_some()));
            },
            _ => {}
        }
    }
}
