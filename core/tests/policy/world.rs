//! A small world by chance: apps, credentials, grants, a policy, prices, and what is asked for.

use std::net::IpAddr;

use claviger_core::credential::{Credential, Health, State, Upkeep};
use claviger_core::envelope::Mode;
use claviger_core::id::{AppId, CredentialId, GrantId, TenantId};
use claviger_core::identity::{AppPrincipal, Credentials, Grant, Network};
use claviger_core::policy::{Budget, Collar, Day, Document, Hours, Limits, Prices, Resolved, Rule};
use claviger_venues::{Ceiling, CeilingClass, OrderKind, Params, Product, SecretKind, Side, VenueId};
use rust_decimal::Decimal;

use super::dice::Dice;

const TENANT: TenantId = TenantId::MIN;
const SYMBOLS: &[&str] = &["BTCUSDT", "ETHUSDT", "ETHBTC", "DOGEUSDT"];
const OPERATIONS: &[&str] = &["market", "read", "trade", "trade", "order.place", "order.cancel", "leverage.set"];

pub(crate) struct World {
    pub(crate) credentials: Vec<Credential>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) policy: Document,
    pub(crate) prices: Prices,
    pub(crate) now_ms: u64,
}

impl World {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let credentials: Vec<_> = (0..4).map(|n| credential(n, dice)).collect();
        let grants = (0..4 + dice.roll(12)).map(|n| grant(n as u8, dice)).collect();
        let rules = (0..dice.roll(5)).map(|n| rule(n, dice)).collect();
        let mut prices = Prices::new();
        for symbol in SYMBOLS {
            if !dice.one_in(3) {
                prices.insert((*symbol).to_owned(), Decimal::from(90 + dice.roll(21)));
            }
        }
        let now_ms = 1_785_312_000_000 + dice.roll(7 * 86_400_000);
        Self { credentials, grants, policy: Document { rules, ..Document::default() }, prices, now_ms }
    }

    /// Time goes on, and sometimes prices do.
    pub(crate) fn turn(&mut self, dice: &mut Dice) {
        self.now_ms += match dice.roll(20) {
            0 => dice.roll(7_200_000),
            1..4 => dice.roll(60_000),
            _ => dice.roll(1_500),
        };
        if dice.one_in(60) {
            let symbol = (*dice.pick(SYMBOLS)).to_owned();
            self.prices.insert(symbol, Decimal::from(90 + dice.roll(21)));
        }
    }
}

pub(crate) fn principal(dice: &mut Dice) -> AppPrincipal {
    let address: IpAddr = dice.pick(&["192.0.2.7", "198.51.100.9", "2001:db8::7"]).parse().unwrap();
    AppPrincipal { app: app(dice), tenant: TENANT, address, virtual_key: None }
}

fn app(dice: &mut Dice) -> AppId {
    AppId::from_bytes([1 + dice.roll(3) as u8; 16])
}

fn credential(n: u8, dice: &mut Dice) -> Credential {
    let all = [Product::Spot, Product::Margin, Product::Derivatives];
    let products = if dice.one_in(6) { dice.some(&all) } else { all.to_vec() }.into_iter().collect();
    let class = if dice.one_in(12) { CeilingClass::Read } else { CeilingClass::Trade };
    Credential {
        id: CredentialId::from_bytes([10 + n; 16]),
        tenant: TENANT,
        owner: format!("owner-{}", n % 2),
        label: String::new(),
        venue: if n == 3 { VenueId::BinanceUsdm } else { VenueId::Binance },
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class, products },
        hint: String::new(),
        index: [0; 32],
        state: State::Active,
        health: Health::Ok,
        ip_restricted: true,
        version: 1,
        epoch: 1,
        created_ms: 0,
        changed_ms: 0,
        probed_ms: 0,
        upkeep: Upkeep::default(),
    }
}

fn grant(n: u8, dice: &mut Dice) -> Grant {
    let some = (0..4).filter(|_| dice.one_in(2)).map(|n| CredentialId::from_bytes([10 + n; 16])).collect();
    Grant {
        id: GrantId::from_bytes([50 + n; 16]),
        tenant: if dice.one_in(12) { TenantId::MAX } else { TENANT },
        app: app(dice),
        credentials: if dice.one_in(2) { Credentials::All } else { Credentials::These(some) },
        operations: (0..=dice.roll(3)).map(|_| (*dice.pick(OPERATIONS)).to_owned()).collect(),
        networks: networks(dice),
        hours: hours(dice),
        orders: if dice.one_in(3) { limits(dice) } else { Limits::default() },
        budget: if dice.one_in(3) { budget(dice) } else { Budget::default() },
        enroll: false,
        created_ms: 0,
    }
}

fn rule(n: u64, dice: &mut Dice) -> Rule {
    Rule {
        name: format!("rule-{n}"),
        apps: (0..dice.roll(3)).map(|_| app(dice)).collect(),
        owners: dice.maybe(5, |dice| format!("owner-{}", dice.roll(2))).into_iter().collect(),
        credentials: (0..dice.roll(3)).map(|_| CredentialId::from_bytes([10 + dice.roll(4) as u8; 16])).collect(),
        venues: dice.maybe(5, |dice| *dice.pick(&[VenueId::Binance, VenueId::BinanceUsdm])).into_iter().collect(),
        networks: networks(dice),
        hours: hours(dice),
        approval: dice.one_in(25),
        no_self_trade: dice.one_in(4),
        orders: limits(dice),
        per_credential: if dice.one_in(2) { budget(dice) } else { Budget::default() },
        per_app: if dice.one_in(2) { budget(dice) } else { Budget::default() },
    }
}

fn networks(dice: &mut Dice) -> Vec<Network> {
    let network = |dice: &mut Dice| dice.pick(&["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"]).parse().unwrap();
    dice.maybe(8, network).into_iter().collect()
}

fn hours(dice: &mut Dice) -> Vec<Hours> {
    let span = |dice: &mut Dice| {
        let from = dice.roll(20);
        let until = from + 1 + dice.roll(24 - from);
        let days = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
        let minute = if until == 24 { 0 } else { dice.roll(60) };
        Hours { days: dice.some(&days), from: format!("{from:02}:00"), until: format!("{until:02}:{minute:02}") }
    };
    if dice.one_in(6) { (0..=dice.roll(2)).map(|_| span(dice)).collect() } else { Vec::new() }
}

fn limits(dice: &mut Dice) -> Limits {
    let quote = |dice: &mut Dice| (*dice.pick(&["USDT", "USDT", "BTC"])).to_owned();
    let notional_max = dice.maybe(4, |dice| Decimal::from(50 + dice.roll(600)));
    let quote = if notional_max.is_some() { Some(quote(dice)) } else { dice.maybe(12, quote) };
    let names = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect();
    Limits {
        symbols: if dice.one_in(6) { names(dice.some(SYMBOLS)) } else { names(Vec::new()) },
        thin: if dice.one_in(8) { names(dice.some(&SYMBOLS[2..])) } else { names(Vec::new()) },
        sides: dice.maybe(10, |dice| *dice.pick(&[Side::Buy, Side::Sell])).into_iter().collect(),
        types: if dice.one_in(10) {
            dice.some(&[OrderKind::Limit, OrderKind::Market, OrderKind::StopLimit])
        } else {
            Vec::new()
        },
        reduce_only: dice.one_in(25),
        leverage_max: dice.maybe(6, |dice| Decimal::from(1 + dice.roll(20))),
        quantity_max: dice.maybe(9, |dice| Decimal::from(1 + dice.roll(6))),
        notional_max,
        quote,
        collar: dice
            .maybe(4, |dice| Collar { percent: Decimal::from(1 + dice.roll(12)), market_orders: dice.one_in(2) }),
    }
}

fn budget(dice: &mut Dice) -> Budget {
    Budget {
        requests_per_minute: dice.maybe(3, |dice| 1 + dice.roll(30) as u32),
        orders_per_minute: dice.maybe(3, |dice| 1 + dice.roll(12) as u32),
        orders_per_day: dice.maybe(4, |dice| 5 + dice.roll(60) as u32),
        notional_per_minute: dice.maybe(5, |dice| Decimal::from(100 + dice.roll(2_000))),
        notional_per_day: dice.maybe(5, |dice| Decimal::from(500 + dice.roll(9_000))),
        quote: Some("USDT".to_owned()),
    }
}

/// What an app asks for at a venue.
pub(crate) fn call(venue: VenueId, dice: &mut Dice) -> Resolved {
    loop {
        let (name, params) = drawn(venue, dice);
        if let Ok(resolved) = Resolved::new(venue, name, params.into_iter().collect::<Params>()) {
            return resolved;
        }
    }
}

fn drawn(venue: VenueId, dice: &mut Dice) -> (&'static str, Vec<(&'static str, String)>) {
    let symbol = (*dice.pick(SYMBOLS)).to_owned();
    match dice.roll(12) {
        0 => ("order.cancel", vec![("symbol", symbol), ("orderId", "1".to_owned())]),
        1 => ("open_orders", vec![("symbol", symbol)]),
        2 if venue == VenueId::BinanceUsdm => {
            ("leverage.set", vec![("symbol", symbol), ("leverage", (1 + dice.roll(25)).to_string())])
        }
        3 if venue == VenueId::BinanceUsdm => {
            let price = (85 + dice.roll(31)).to_string();
            let side = (*dice.pick(&["BUY", "SELL"])).to_owned();
            let quantity = (1 + dice.roll(6)).to_string();
            let order = vec![("symbol", symbol), ("orderId", "1".to_owned()), ("side", side)];
            ("order.amend", [order, vec![("quantity", quantity), ("price", price)]].concat())
        }
        _ => ("order.place", order(symbol, venue, dice)),
    }
}

fn order(symbol: String, venue: VenueId, dice: &mut Dice) -> Vec<(&'static str, String)> {
    let side = (*dice.pick(&["BUY", "SELL"])).to_owned();
    let (price, trigger) = ((85 + dice.roll(31)).to_string(), (85 + dice.roll(31)).to_string());
    let quantity = ("quantity", format!("{}.{}", dice.roll(7), 1 + dice.roll(9)));
    let mut params = vec![("symbol", symbol), ("side", side)];
    let kind = dice.roll(8);
    match kind {
        0 => params.extend([("type", "MARKET".to_owned()), quantity]),
        1 if venue == VenueId::Binance => {
            params.extend([("type", "MARKET".to_owned()), ("quoteOrderQty", (10 + dice.roll(500)).to_string())]);
        }
        2 | 3 => {
            let kinds = if venue == VenueId::Binance {
                ["STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]
            } else {
                ["STOP", "TAKE_PROFIT"]
            };
            let kind = kinds[usize::from(kind == 3)].to_owned();
            params.extend([("type", kind), ("timeInForce", "GTC".to_owned()), quantity]);
            params.extend([("price", price), ("stopPrice", trigger)]);
        }
        _ => {
            params.extend([
                ("type", "LIMIT".to_owned()),
                ("timeInForce", "GTC".to_owned()),
                quantity,
                ("price", price),
            ]);
        }
    }
    if venue == VenueId::BinanceUsdm && dice.one_in(4) {
        params.push(("reduceOnly", "true".to_owned()));
    }
    params
}
