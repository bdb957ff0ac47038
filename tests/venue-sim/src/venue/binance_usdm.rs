//! Binance USD-M futures: `/fapi`, and the wallet's permission probe.
//!
//! Source: USD-M futures documentation, trade and account endpoints, error codes. Stored copies, read 2026-11.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use crate::account::{Accounts, Key};
use crate::book::{Book, Order, Position, Rejected, Status};
use crate::limits::{Excess, Limit, Scope};
use crate::market::{BINANCE, Symbol, fixed};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::binance_protocol::{self as protocol, OrderType, PROBE};
use crate::venue::binance_weight as weight;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const PRICE_PLACES: u32 = 2;
const QUANTITY_PLACES: u32 = 3;
const MONEY_PLACES: u32 = 8;
const DEPOSIT_USDT: u32 = 1_000_000;
const LEVERAGE: u32 = 20;

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
        weight::usdm()
    }

    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        weight::cost(scope, call)
    }

    fn over_limit(&self, excess: Excess, call: &Call<'_>) -> Answer {
        weight::over_limit(excess, call)
    }
}

fn market(call: &Call<'_>) -> Result<Answer, Answer> {
    let one_or_all = |show: &dyn Fn(&Symbol) -> Value| {
        protocol::symbol_filter(&call.params).map(|symbol| protocol::one_or_all(symbol, show))
    };
    let now_ms = call.received.at.ms();
    match call.path {
        "/fapi/v1/ping" => Ok(Answer::ok(&json!({}))),
        "/fapi/v1/time" => Ok(Answer::ok(&json!({ "serverTime": now_ms }))),
        "/fapi/v1/ticker/price" | "/fapi/v2/ticker/price" => one_or_all(&|symbol| {
            let price = fixed(symbol.price, PRICE_PLACES);
            json!({ "symbol": symbol.name, "price": price, "time": now_ms })
        }),
        "/fapi/v1/ticker/bookTicker" => one_or_all(&|symbol| protocol::book_ticker(symbol, PRICE_PLACES)),
        "/fapi/v1/ticker/24hr" => one_or_all(&|symbol| protocol::ticker_24h(symbol, now_ms, PRICE_PLACES)),
        "/fapi/v1/premiumIndex" => one_or_all(&|symbol| {
            let price = fixed(symbol.price, MONEY_PLACES);
            json!({
                "symbol": symbol.name,
                "markPrice": price, "indexPrice": price, "estimatedSettlePrice": price,
                "lastFundingRate": "0.00010000", "interestRate": "0.00010000",
                "nextFundingTime": now_ms.saturating_add(3_600_000), "time": now_ms,
            })
        }),
        "/fapi/v1/exchangeInfo" => Ok(exchange_info(now_ms)),
        _ => Ok(protocol::unmodelled()),
    }
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let params = &call.params;
    let account = &caller.account;
    match call.endpoint() {
        ("GET", PROBE) => Ok(protocol::api_restrictions(&caller.key)),
        ("GET", "/fapi/v2/account" | "/fapi/v3/account") => Ok(account.with_book(|book| show_account(book, call))),
        ("GET", "/fapi/v2/balance" | "/fapi/v3/balance") => Ok(balance(call)),
        ("GET", path @ ("/fapi/v2/positionRisk" | "/fapi/v3/positionRisk")) => {
            let symbol = protocol::symbol_filter(params)?;
            let flat_too = path == "/fapi/v2/positionRisk";
            Ok(account.with_book(|book| Answer::ok(&positions(book, symbol, flat_too, call))))
        }
        ("POST", "/fapi/v1/order") => place(call, caller),
        ("POST", "/fapi/v1/order/test") => protocol::draft(call, &ORDER_TYPES, true).map(|_| Answer::ok(&json!({}))),
        ("GET", "/fapi/v1/order" | "/fapi/v1/openOrder") => {
            on_order(call, caller, -2013, "Order does not exist.", |book, id| book.by_id(id))
        }
        ("DELETE", "/fapi/v1/order") => {
            on_order(call, caller, -2011, "Unknown order sent.", |book, id| book.cancel(id, call.received.at))
        }
        ("PUT", "/fapi/v1/order") => {
            let price = protocol::positive(params, "price")?;
            let quantity = protocol::positive(params, "quantity")?;
            on_order(call, caller, -2013, "Order does not exist.", |book, id| {
                book.amend(id, price, quantity, call.received.at)
            })
        }
        ("GET", "/fapi/v1/openOrders") => {
            let symbol = protocol::symbol_filter(params)?;
            Ok(account.with_book(|book| protocol::list(book.open(), symbol, View::of)))
        }
        ("GET", "/fapi/v1/allOrders") => {
            let symbol = protocol::symbol(params)?;
            Ok(account.with_book(|book| protocol::list(book.all(), Some(symbol), View::of)))
        }
        ("DELETE", "/fapi/v1/allOpenOrders") => {
            let symbol = protocol::symbol(params)?;
            account.with_book(|book| book.cancel_all(Some(symbol), call.received.at));
            Ok(Answer::ok(&json!({
                "code": 200, "msg": "The operation of cancel all open order is done.",
            })))
        }
        ("POST", "/fapi/v1/leverage") => {
            let symbol = protocol::symbol(params)?;
            let leverage = params.get("leverage").and_then(|text| text.parse::<u8>().ok());
            let leverage = leverage.ok_or_else(|| protocol::missing("leverage"))?;
            Ok(Answer::ok(&json!({
                "symbol": symbol.name, "leverage": leverage, "maxNotionalValue": "1000000",
            })))
        }
        ("GET", "/fapi/v1/positionSide/dual") => Ok(Answer::ok(&json!({ "dualSidePosition": false }))),
        _ => Ok(protocol::unmodelled()),
    }
}

fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let params = &call.params;
    if params.get("type").is_some_and(|kind| CONDITIONAL.contains(&kind)) {
        return Err(protocol::bad_request(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        ));
    }
    if params.get("positionSide").is_some_and(|side| side != "BOTH") {
        return Err(protocol::bad_request(-4061, "Order's position side does not match user's setting."));
    }
    let draft = protocol::draft(call, &ORDER_TYPES, true)?;
    let result_wanted = params.get("newOrderRespType") == Some("RESULT");
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) if result_wanted => Ok(Answer::ok(&View::of(order))),
        Ok(order) => Ok(Answer::ok(&View::acknowledged(order))),
        Err(Rejected::DuplicateClientOrderId) => Err(protocol::bad_request(-4116, "ClientOrderId is duplicated.")),
        Err(Rejected::NothingToReduce) => Err(protocol::bad_request(-2022, "ReduceOnly Order is rejected.")),
    })
}

/// Does `act` to the order that the parameters mean and shows it, or refuses.
fn on_order(
    call: &Call<'_>,
    caller: &Caller,
    code: i32,
    msg: &str,
    act: impl for<'a> FnOnce(&'a mut Book, u64) -> Option<&'a Order>,
) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    let wanted = protocol::wanted(&call.params)?;
    caller.account.with_book(|book| {
        let id = protocol::find(book, symbol, &wanted).map(|order| order.id);
        id.and_then(|id| act(book, id))
            .map(|order| Answer::ok(&View::of(order)))
            .ok_or_else(|| protocol::bad_request(code, msg))
    })
}

fn balance(call: &Call<'_>) -> Answer {
    let money = fixed(Decimal::from(DEPOSIT_USDT), MONEY_PLACES);
    Answer::ok(&json!([{
        "accountAlias": "SgsR", "asset": "USDT",
        "balance": money, "crossWalletBalance": money, "crossUnPnl": "0.00000000",
        "availableBalance": money, "maxWithdrawAmount": money,
        "marginAvailable": true, "updateTime": call.received.at.ms(),
    }]))
}

fn show_account(book: &Book, call: &Call<'_>) -> Answer {
    let money = fixed(Decimal::from(DEPOSIT_USDT), MONEY_PLACES);
    Answer::ok(&json!({
        "feeTier": 0, "canTrade": true, "canDeposit": true, "canWithdraw": true,
        "multiAssetsMargin": false, "updateTime": 0,
        "totalWalletBalance": money, "totalMarginBalance": money,
        "totalUnrealizedProfit": "0.00000000", "availableBalance": money, "maxWithdrawAmount": money,
        "assets": [{
            "asset": "USDT", "walletBalance": money, "marginBalance": money,
            "unrealizedProfit": "0.00000000", "availableBalance": money,
            "updateTime": call.received.at.ms(),
        }],
        "positions": positions(book, None, false, call),
    }))
}

/// Version 2 shows flat symbols too, version 3 only what is held.
fn positions(book: &Book, only: Option<&Symbol>, flat_too: bool, call: &Call<'_>) -> Vec<Value> {
    BINANCE
        .iter()
        .filter(|symbol| only.is_none_or(|only| only.name == symbol.name))
        .filter_map(|symbol| match book.positions.get(symbol.name) {
            Some(held) => Some((symbol, *held)),
            None => flat_too.then(|| (symbol, Position::default())),
        })
        .map(|(symbol, held)| show_position(symbol, held, call))
        .collect()
}

fn show_position(symbol: &Symbol, held: Position, call: &Call<'_>) -> Value {
    let notional = held.amount.saturating_mul(symbol.price);
    let margin = notional.abs().checked_div(Decimal::from(LEVERAGE)).unwrap_or_default();
    json!({
        "symbol": symbol.name,
        "positionSide": "BOTH",
        "positionAmt": fixed(held.amount, QUANTITY_PLACES),
        "entryPrice": fixed(held.entry_price, PRICE_PLACES),
        "breakEvenPrice": fixed(held.entry_price, PRICE_PLACES),
        "markPrice": fixed(symbol.price, MONEY_PLACES),
        "unRealizedProfit": "0.00000000",
        "liquidationPrice": "0",
        "notional": fixed(notional, MONEY_PLACES),
        "initialMargin": fixed(margin, MONEY_PLACES),
        "leverage": LEVERAGE.to_string(),
        "marginType": "cross",
        "marginAsset": "USDT",
        "isolatedMargin": "0.00000000",
        "isolatedWallet": "0",
        "isAutoAddMargin": "false",
        "maxNotionalValue": "1000000",
        "adl": 0,
        "updateTime": call.received.at.ms(),
    })
}

fn exchange_info(now_ms: u64) -> Answer {
    let symbols: Vec<Value> = BINANCE
        .iter()
        .map(|symbol| {
            json!({
                "symbol": symbol.name, "pair": symbol.name, "contractType": "PERPETUAL",
                "status": "TRADING", "baseAsset": symbol.base, "quoteAsset": symbol.quote,
                "marginAsset": symbol.quote,
                "pricePrecision": PRICE_PLACES, "quantityPrecision": QUANTITY_PLACES,
                "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
                "filters": [
                    { "filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10" },
                    { "filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001" },
                    { "filterType": "MIN_NOTIONAL", "notional": "5" },
                ],
            })
        })
        .collect();
    Answer::ok(&json!({
        "timezone": "UTC", "serverTime": now_ms, "exchangeFilters": [],
        "rateLimits": [
            { "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400 },
            { "rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200 },
        ],
        "symbols": symbols,
    }))
}

/// An order as USD-M shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    order_id: u64,
    symbol: &'static str,
    status: &'static str,
    client_order_id: &'a str,
    price: String,
    avg_price: String,
    orig_qty: String,
    executed_qty: String,
    cum_qty: String,
    cum_quote: String,
    time_in_force: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    orig_type: &'a str,
    reduce_only: bool,
    close_position: bool,
    side: &'static str,
    position_side: &'static str,
    stop_price: &'static str,
    working_type: &'static str,
    price_protect: bool,
    price_match: &'static str,
    self_trade_prevention_mode: &'static str,
    good_till_date: u64,
    time: u64,
    update_time: u64,
}

impl<'a> View<'a> {
    /// As it is.
    fn of(order: &'a Order) -> Self {
        let draft = &order.draft;
        Self {
            order_id: order.id,
            symbol: draft.symbol.name,
            status: order.status.word(),
            client_order_id: order.client_order_id(),
            price: fixed(draft.price.unwrap_or_default(), PRICE_PLACES),
            avg_price: fixed(order.average_price(), PRICE_PLACES),
            orig_qty: fixed(draft.quantity, QUANTITY_PLACES),
            executed_qty: fixed(order.executed, QUANTITY_PLACES),
            cum_qty: fixed(order.executed, QUANTITY_PLACES),
            cum_quote: fixed(order.executed_quote, PRICE_PLACES),
            time_in_force: &draft.time_in_force,
            kind: &draft.kind,
            orig_type: &draft.kind,
            reduce_only: draft.reduce_only,
            close_position: false,
            side: protocol::side_word(draft.side),
            position_side: "BOTH",
            stop_price: "0.00",
            working_type: "CONTRACT_PRICE",
            price_protect: false,
            price_match: "NONE",
            self_trade_prevention_mode: "EXPIRE_MAKER",
            good_till_date: 0,
            time: draft.received.ms(),
            update_time: order.updated.ms(),
        }
    }

    /// As the venue acknowledges it by default: accepted, and nothing said of fills.
    fn acknowledged(order: &'a Order) -> Self {
        let nothing = || fixed(Decimal::ZERO, QUANTITY_PLACES);
        Self {
            status: Status::New.word(),
            avg_price: fixed(Decimal::ZERO, PRICE_PLACES),
            executed_qty: nothing(),
            cum_qty: nothing(),
            cum_quote: fixed(Decimal::ZERO, PRICE_PLACES),
            ..Self::of(order)
        }
    }
}
