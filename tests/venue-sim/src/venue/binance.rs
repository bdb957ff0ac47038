//! Binance spot and wallet: `/api` and `/sapi`.

mod list;
mod order;
mod public;
mod view;
pub(super) mod wallet;

use serde_json::json;

use self::list::Lists;
use self::view::View;

use crate::account::{Accounts, Key};
use crate::book::Book;
use crate::limits::{Excess, Limit, Scope};
use crate::market::{self, Symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::binance_protocol::{self as protocol, OrderType, PROBE};
use crate::venue::binance_weight as weight;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const PLACES: u32 = 8;

const ORDER_TYPES: [OrderType; 7] = [
    OrderType { name: "LIMIT", mandatory: &["timeInForce", "quantity", "price"] },
    OrderType { name: "MARKET", mandatory: &[] },
    OrderType { name: "LIMIT_MAKER", mandatory: &["quantity", "price"] },
    OrderType { name: "STOP_LOSS", mandatory: &["quantity", "stopPrice"] },
    OrderType { name: "STOP_LOSS_LIMIT", mandatory: &["timeInForce", "quantity", "price", "stopPrice"] },
    OrderType { name: "TAKE_PROFIT", mandatory: &["quantity", "stopPrice"] },
    OrderType { name: "TAKE_PROFIT_LIMIT", mandatory: &["timeInForce", "quantity", "price", "stopPrice"] },
];

/// Binance spot.
#[derive(Debug, Default)]
pub(crate) struct BinanceSpot {
    lists: Lists,
}

impl Venue for BinanceSpot {
    fn id(&self) -> &'static str {
        "binance"
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
        protocol::permits(key, call.operation.class, key.permissions.trade_spot)
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
        self.account(call, caller).unwrap_or_else(|refused| refused)
    }

    fn refuse(&self, refusal: Refusal, call: &Call<'_>) -> Answer {
        protocol::refuse(refusal, call)
    }

    fn limits(&self) -> Vec<Limit> {
        weight::spot()
    }

    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        weight::cost(scope, call)
    }

    fn over_limit(&self, excess: Excess, call: &Call<'_>) -> Answer {
        weight::over_limit(excess, call)
    }
}

impl BinanceSpot {
    fn account(&self, call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
        let account = &caller.account;
        match call.endpoint() {
            ("GET", PROBE) => Ok(protocol::api_restrictions(&caller.key)),
            ("GET", "/api/v3/account") => Ok(account.with_book(|book| wallet::show_account(book, caller, call))),
            ("POST", "/api/v3/order" | "/api/v3/sor/order") => order::place(call, caller),
            ("POST", "/api/v3/order/test" | "/api/v3/sor/order/test") => {
                protocol::draft(call, &ORDER_TYPES, false).map(|_| Answer::ok(&json!({})))
            }
            ("GET", "/api/v3/order") => {
                let symbol = protocol::symbol(&call.params)?;
                let wanted = protocol::wanted(&call.params)?;
                account.with_book(|book| {
                    protocol::find(book, symbol, &wanted)
                        .map(|order| Answer::ok(&View::of(order)))
                        .ok_or_else(|| protocol::bad_request(-2013, "Order does not exist."))
                })
            }
            ("GET", "/api/v3/openOrders") => {
                let symbol = protocol::symbol_filter(&call.params)?;
                Ok(account.with_book(|book| protocol::list(book.open(), symbol, View::of)))
            }
            ("GET", "/api/v3/allOrders") => {
                let symbol = protocol::symbol(&call.params)?;
                Ok(account.with_book(|book| protocol::list(book.all(), Some(symbol), View::of)))
            }
            ("DELETE", "/api/v3/order") => order::cancel(call, caller),
            ("DELETE", "/api/v3/openOrders") => order::cancel_all(call, caller),
            ("PUT", "/api/v3/order/amend/keepPriority") => order::amend(call, caller),
            ("POST", "/api/v3/order/cancelReplace") => order::cancel_replace(call, caller),
            ("GET", "/api/v3/orderList") => self.lists.one(call, caller),
            ("GET", "/api/v3/openOrderList") => Ok(self.lists.all(caller, true)),
            ("GET", "/api/v3/allOrderList") => Ok(self.lists.all(caller, false)),
            ("DELETE", "/api/v3/orderList") => self.lists.cancel(call, caller),
            ("POST", "/api/v3/order/oco") => self.lists.place(call, caller),
            ("POST", path) if path.starts_with("/api/v3/orderList/") => self.lists.place(call, caller),
            ("GET", "/api/v3/myTrades") => {
                let symbol = protocol::symbol(&call.params)?;
                let executed = |book: &Book| {
                    protocol::list(book.all().filter(|order| !order.executed.is_zero()), Some(symbol), view::trade)
                };
                Ok(account.with_book(|book| executed(book)))
            }
            ("GET", "/api/v3/account/commission") => {
                let none = json!({ "maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000" });
                let symbol = protocol::symbol(&call.params)?.name;
                Ok(Answer::ok(&json!({
                    "symbol": symbol, "standardCommission": none, "taxCommission": none, "specialCommission": none,
                    "discount": { "enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": "0.75000000" },
                })))
            }
            ("GET", "/api/v3/rateLimit/order") => Ok(Answer::ok(&json!([
                { "rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100, "count": 0 },
                { "rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000, "count": 0 },
            ]))),
            ("GET", "/api/v3/order/amendments" | "/api/v3/myPreventedMatches" | "/api/v3/myAllocations") => {
                Ok(Answer::ok(&json!([])))
            }
            ("GET", "/api/v3/myFilters") => {
                Ok(Answer::ok(&json!({ "exchangeFilters": [], "symbolFilters": [], "assetFilters": [] })))
            }
            (_, path) if path.starts_with("/sapi/") => Ok(wallet::answer(call, caller)),
            _ => Ok(protocol::unmodelled()),
        }
    }
}
