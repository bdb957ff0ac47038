//! Binance spot and wallet: `/api` and `/sapi`.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use crate::account::{Accounts, Key};
use crate::book::{Book, Order, Rejected};
use crate::limits::{Excess, Limit, Scope};
use crate::market::{BINANCE, fixed};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::binance_protocol::{self as protocol, OrderType, PROBE};
use crate::venue::binance_weight as weight;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const PLACES: u32 = 8;

/// What every account starts with.
const DEPOSITS: [(&str, u32); 5] = [("BTC", 10), ("ETH", 100), ("BNB", 100), ("SOL", 1_000), ("USDT", 1_000_000)];

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
#[derive(Debug)]
pub(crate) struct BinanceSpot;

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

    fn market(&self, call: &Call<'_>) -> Answer {
        market(call).unwrap_or_else(|refused| refused)
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
        weight::spot()
    }

    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        weight::cost(scope, call)
    }

    fn over_limit(&self, excess: Excess, call: &Call<'_>) -> Answer {
        weight::over_limit(excess, call)
    }
}

fn market(call: &Call<'_>) -> Result<Answer, Answer> {
    let params = &call.params;
    Ok(match call.path {
        "/api/v3/ping" => Answer::ok(&json!({})),
        "/api/v3/time" => Answer::ok(&json!({ "serverTime": call.received.at.ms() })),
        "/api/v3/ticker/price" => protocol::one_or_all(
            protocol::symbol_filter(params)?,
            |symbol| json!({ "symbol": symbol.name, "price": fixed(symbol.price, PLACES) }),
        ),
        "/api/v3/ticker/bookTicker" => {
            protocol::one_or_all(protocol::symbol_filter(params)?, |symbol| protocol::book_ticker(symbol, PLACES))
        }
        "/api/v3/ticker/24hr" => protocol::one_or_all(protocol::symbol_filter(params)?, |symbol| {
            protocol::ticker_24h(symbol, call.received.at.ms(), PLACES)
        }),
        "/api/v3/exchangeInfo" => exchange_info(call),
        _ => protocol::unmodelled(),
    })
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let account = &caller.account;
    match call.endpoint() {
        ("GET", PROBE) => Ok(protocol::api_restrictions(&caller.key)),
        ("GET", "/api/v3/account") => Ok(account.with_book(|book| show_account(book, caller, call))),
        ("POST", "/api/v3/order") => place(call, caller),
        ("POST", "/api/v3/order/test") => protocol::draft(call, &ORDER_TYPES, false).map(|_| Answer::ok(&json!({}))),
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
        ("DELETE", "/api/v3/order") => cancel(call, caller),
        ("DELETE", "/api/v3/openOrders") => cancel_all(call, caller),
        _ => Ok(protocol::unmodelled()),
    }
}

fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let draft = protocol::draft(call, &ORDER_TYPES, false)?;
    let brief = call.params.get("newOrderRespType") == Some("ACK");
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) if brief => Ok(Answer::ok(&json!({
            "symbol": order.draft.symbol.name,
            "orderId": order.id,
            "orderListId": -1,
            "clientOrderId": order.client_order_id(),
            "transactTime": order.updated.ms(),
        }))),
        Ok(order) => Ok(Answer::ok(&View::placed(order))),
        Err(Rejected::DuplicateClientOrderId) => Err(protocol::bad_request(-2010, "Duplicate order sent.")),
        Err(Rejected::NothingToReduce) => Err(protocol::bad_request(-2010, "Order would not reduce.")),
    })
}

fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    let wanted = protocol::wanted(&call.params)?;
    let unknown = || protocol::bad_request(-2011, "Unknown order sent.");
    caller.account.with_book(|book| {
        let id = protocol::find(book, symbol, &wanted).ok_or_else(unknown)?.id;
        book.cancel(id, call.received.at).map(|order| Answer::ok(&View::canceled(order))).ok_or_else(unknown)
    })
}

fn cancel_all(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    caller.account.with_book(|book| {
        let ids = book.cancel_all(Some(symbol), call.received.at);
        if ids.is_empty() {
            return Err(protocol::bad_request(-2011, "Unknown order sent."));
        }
        let canceled: Vec<View<'_>> = ids.into_iter().filter_map(|id| book.by_id(id)).map(View::canceled).collect();
        Ok(Answer::ok(&canceled))
    })
}

fn exchange_info(call: &Call<'_>) -> Answer {
    let symbols: Vec<Value> = BINANCE
        .iter()
        .map(|symbol| {
            json!({
                "symbol": symbol.name, "status": "TRADING",
                "baseAsset": symbol.base, "baseAssetPrecision": PLACES,
                "quoteAsset": symbol.quote, "quotePrecision": PLACES, "quoteAssetPrecision": PLACES,
                "orderTypes": ORDER_TYPES.iter().map(|known| known.name).collect::<Vec<_>>(),
                "icebergAllowed": true, "ocoAllowed": true, "quoteOrderQtyMarketAllowed": true,
                "isSpotTradingAllowed": true, "isMarginTradingAllowed": true,
                "filters": [
                    { "filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000" },
                    { "filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000" },
                ],
                "permissions": ["SPOT", "MARGIN"], "permissionSets": [["SPOT", "MARGIN"]],
            })
        })
        .collect();
    Answer::ok(&json!({
        "timezone": "UTC",
        "serverTime": call.received.at.ms(),
        "rateLimits": [
            { "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000 },
            { "rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100 },
        ],
        "exchangeFilters": [],
        "symbols": symbols,
    }))
}

fn show_account(book: &Book, caller: &Caller, call: &Call<'_>) -> Answer {
    let balances: Vec<Value> = DEPOSITS
        .iter()
        .map(|(asset, deposit)| {
            let change = book.balance_changes.get(asset).copied().unwrap_or_default();
            let free = Decimal::from(*deposit).saturating_add(change);
            json!({ "asset": asset, "free": fixed(free, PLACES), "locked": "0.00000000" })
        })
        .collect();
    Answer::ok(&json!({
        "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
        "canTrade": caller.key.permissions.trade_spot, "canWithdraw": true, "canDeposit": true,
        "brokered": false, "requireSelfTradePrevention": false, "preventSor": false,
        "updateTime": call.received.at.ms(),
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": 354_937_868,
    }))
}

/// An order as spot shows it; which of the optional fields there are depends on the question.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    symbol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    orig_client_order_id: Option<&'a str>,
    order_id: u64,
    order_list_id: i32,
    client_order_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transact_time: Option<u64>,
    price: String,
    orig_qty: String,
    executed_qty: String,
    orig_quote_order_qty: &'static str,
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iceberg_qty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_working: Option<bool>,
    working_time: u64,
    self_trade_prevention_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<Fill>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fill {
    price: String,
    qty: String,
    commission: &'static str,
    commission_asset: &'static str,
    trade_id: u64,
}

impl<'a> View<'a> {
    /// Asked for later.
    fn of(order: &'a Order) -> Self {
        Self {
            stop_price: Some("0.00000000"),
            iceberg_qty: Some("0.00000000"),
            time: Some(order.draft.received.ms()),
            update_time: Some(order.updated.ms()),
            is_working: Some(true),
            ..Self::bare(order)
        }
    }

    /// Just placed.
    fn placed(order: &'a Order) -> Self {
        let fill = || Fill {
            price: fixed(order.average_price(), PLACES),
            qty: fixed(order.executed, PLACES),
            commission: "0.00000000",
            commission_asset: order.draft.symbol.quote,
            trade_id: order.id,
        };
        Self {
            transact_time: Some(order.updated.ms()),
            fills: Some(if order.executed.is_zero() { Vec::new() } else { vec![fill()] }),
            ..Self::bare(order)
        }
    }

    /// Just canceled; the client order id is then the cancellation's own.
    fn canceled(order: &'a Order) -> Self {
        Self {
            orig_client_order_id: Some(order.client_order_id()),
            client_order_id: format!("cancel-{}", order.id),
            transact_time: Some(order.updated.ms()),
            ..Self::bare(order)
        }
    }

    fn bare(order: &'a Order) -> Self {
        let draft = &order.draft;
        Self {
            symbol: draft.symbol.name,
            orig_client_order_id: None,
            order_id: order.id,
            order_list_id: -1,
            client_order_id: order.client_order_id().to_owned(),
            transact_time: None,
            price: fixed(draft.price.unwrap_or_default(), PLACES),
            orig_qty: fixed(draft.quantity, PLACES),
            executed_qty: fixed(order.executed, PLACES),
            orig_quote_order_qty: "0.00000000",
            cummulative_quote_qty: fixed(order.executed_quote, PLACES),
            status: order.status.word(),
            time_in_force: &draft.time_in_force,
            kind: &draft.kind,
            side: protocol::side_word(draft.side),
            stop_price: None,
            iceberg_qty: None,
            time: None,
            update_time: None,
            is_working: None,
            working_time: draft.received.ms(),
            self_trade_prevention_mode: "NONE",
            fills: None,
        }
    }
}
