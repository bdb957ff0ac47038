//! Binance USD-M futures: `/fapi`, and the wallet's permission probe and coins.
//!
//! Source: USD-M futures documentation, trade and account endpoints, error codes. Stored copies, read 2026-11.

mod account;
mod algo;
mod order;
mod public;
mod view;

use serde_json::json;

use self::view::View;

use crate::account::{Accounts, Key};
use crate::book::{Book, Order};
use crate::limits::{Excess, Limit, Scope};
use crate::market::{self, Symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::binance::wallet;
use crate::venue::binance_protocol::{self as protocol, OrderType, PROBE};
use crate::venue::binance_weight as weight;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const PRICE_PLACES: u32 = 2;
const QUANTITY_PLACES: u32 = 3;
const MONEY_PLACES: u32 = 8;

const ORDER_TYPES: [OrderType; 2] = [
    OrderType { name: "LIMIT", mandatory: &["timeInForce", "quantity", "price"] },
    OrderType { name: "MARKET", mandatory: &["quantity"] },
];

/// Types that have moved to an endpoint of their own.
const CONDITIONAL: [&str; 5] = ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"];

/// Binance USD-M.
#[derive(Debug)]
pub(crate) struct BinanceUsdm;

impl Venue for BinanceUsdm {
    fn id(&self) -> &'static str {
        "binance-usdm"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        protocol::verifier(kind, material)
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header(protocol::KEY_HEADER)
    }

    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        protocol::params(received)
    }

    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        protocol::authenticate(self.id(), accounts, call)
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        protocol::permits(key, call.operation.class, key.permissions.trade_derivatives)
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        market::find(market::BINANCE, name)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        public::answer(call).unwrap_or_else(|refused| refused)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return protocol::moved();
        }
        act(call, caller).unwrap_or_else(|refused| refused)
    }

    fn refuse(&self, refusal: Refusal, call: &Call<'_>) -> Answer {
        protocol::refuse(refusal, call)
    }

    fn limits(&self) -> Vec<Limit> {
        weight::usdm()
    }

    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        weight::cost(scope, call)
    }

    fn over_limit(&self, excess: Excess, call: &Call<'_>) -> Answer {
        weight::over_limit(excess, call)
    }
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let params = &call.params;
    match call.endpoint() {
        ("GET", PROBE) => Ok(protocol::api_restrictions(&caller.key)),
        ("GET", "/sapi/v1/capital/config/getall") => Ok(wallet::answer(call, caller)),
        ("GET", "/fapi/v2/account" | "/fapi/v3/account") => {
            Ok(caller.account.with_book(|book| account::show_account(book, call)))
        }
        ("GET", "/fapi/v2/balance" | "/fapi/v3/balance") => Ok(account::balance(call)),
        ("GET", path @ ("/fapi/v2/positionRisk" | "/fapi/v3/positionRisk")) => {
            let symbol = protocol::symbol_filter(params)?;
            let flat_too = path == "/fapi/v2/positionRisk";
            Ok(caller.account.with_book(|book| Answer::ok(&account::positions(book, symbol, flat_too, call))))
        }
        ("POST", "/fapi/v1/order") => order::place(call, caller),
        ("POST", "/fapi/v1/order/test") => protocol::draft(call, &ORDER_TYPES, true).map(|_| Answer::ok(&json!({}))),
        ("GET", "/fapi/v1/order" | "/fapi/v1/openOrder") => {
            order::on_order(call, caller, -2013, "Order does not exist.", |book, id| book.by_id(id))
        }
        ("DELETE", "/fapi/v1/order") => order::cancel(call, caller),
        ("PUT", "/fapi/v1/order") => order::amend(call, caller),
        ("GET", "/fapi/v1/openOrders") => {
            let symbol = protocol::symbol_filter(params)?;
            Ok(caller
                .account
                .with_book(|book| protocol::list(book.open().filter(|order| is_plain(order)), symbol, View::of)))
        }
        ("GET", "/fapi/v1/allOrders") => {
            let symbol = protocol::symbol(params)?;
            Ok(caller
                .account
                .with_book(|book| protocol::list(book.all().filter(|order| is_plain(order)), Some(symbol), View::of)))
        }
        ("DELETE", "/fapi/v1/allOpenOrders") => order::cancel_all(call, caller, is_plain),
        ("POST", "/fapi/v1/batchOrders") => order::each(call, caller, order::place),
        ("PUT", "/fapi/v1/batchOrders") => order::each(call, caller, order::amend),
        ("DELETE", "/fapi/v1/batchOrders") => order::cancel_listed(call, caller),
        ("POST", "/fapi/v1/countdownCancelAll") => {
            let symbol = protocol::symbol(params)?.name;
            let after_ms = params.get("countdownTime").ok_or_else(|| protocol::missing("countdownTime"))?;
            Ok(Answer::ok(&json!({ "symbol": symbol, "countdownTime": after_ms })))
        }
        ("POST", "/fapi/v1/algoOrder") => algo::place(call, caller),
        ("GET", "/fapi/v1/algoOrder") => algo::one(call, caller),
        ("DELETE", "/fapi/v1/algoOrder") => algo::cancel(call, caller),
        ("GET", "/fapi/v1/openAlgoOrders") => algo::all(call, caller, true),
        ("GET", "/fapi/v1/allAlgoOrders") => algo::all(call, caller, false),
        ("DELETE", "/fapi/v1/algoOpenOrders") => order::cancel_all(call, caller, is_conditional),
        ("GET", "/fapi/v1/userTrades") => {
            let symbol = protocol::symbol(params)?;
            let executed = |book: &Book| {
                protocol::list(book.all().filter(|order| !order.executed.is_zero()), Some(symbol), view::trade)
            };
            Ok(caller.account.with_book(|book| executed(book)))
        }
        _ => account::settings(call),
    }
}

/// Whether an order belongs to the endpoints of conditional ones.
fn is_conditional(order: &Order) -> bool {
    CONDITIONAL.contains(&order.draft.kind.as_str())
}

fn is_plain(order: &Order) -> bool {
    !is_conditional(order)
}
