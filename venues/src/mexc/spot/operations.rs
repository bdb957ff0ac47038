//! MEXC spot's catalogue. `apiKeyInfo` changes the key's addresses when it is a POST, so only the GET exists here.

use crate::{
    grammar::{
        Grammar::{self, ClientId, Decimal, Integer, Name, OneOf, Symbol},
        List,
    },
    operation::{
        HostRole,
        Kind::{self, Cancel, CancelAll, Place},
        Method::{self, Delete, Get, Post},
        Operation, Param,
    },
    product::Products,
    venue::VenueId,
};

/// The permission probe, which answers for futures, too.
pub(in super::super) const PROBE_PATH: &str = "/api/v3/apiKeyInfo";

const fn read(name: &'static str, path: &'static str) -> Operation {
    Operation::read(VenueId::Mexc, name, Get, path)
}

const fn market(name: &'static str, path: &'static str) -> Operation {
    read(name, path).market()
}

const fn act(name: &'static str, method: Method, path: &'static str, kind: Kind) -> Operation {
    Operation::read(VenueId::Mexc, name, method, path).trade(kind, Products::SPOT)
}

/// Listen keys are bearer tokens, and have no entry.
pub(super) const CATALOGUE: &[Operation] = &[
    market("ping", "/api/v3/ping"),
    market("time", "/api/v3/time"),
    market("symbols", "/api/v3/defaultSymbols"),
    market("instruments", "/api/v3/exchangeInfo").takes(SYMBOLS),
    market("order_book", "/api/v3/depth").takes(DEPTH),
    market("trades.recent", "/api/v3/trades").takes(DEPTH),
    market("trades.historical", "/api/v3/historicalTrades").takes(DEPTH),
    market("trades.aggregate", "/api/v3/aggTrades").takes(SPAN),
    market("candles", "/api/v3/klines").takes(CANDLES),
    market("price.average", "/api/v3/avgPrice").takes(SYMBOL),
    market("ticker.day", "/api/v3/ticker/24hr").takes(ANY_SYMBOL),
    market("ticker", "/api/v3/ticker/price").takes(ANY_SYMBOL),
    market("ticker.book", "/api/v3/ticker/bookTicker").takes(ANY_SYMBOL),
    market("symbols.offline", "/api/v3/symbol/offline"),
    market("etf", "/api/v3/etf/info").takes(ANY_SYMBOL),
    read("key.permissions", PROBE_PATH).probe(HostRole::Main),
    read("account", "/api/v3/account"),
    read("account.id", "/api/v3/uid"),
    read("account.kyc", "/api/v3/kyc/status"),
    read("account.symbols", "/api/v3/selfSymbols"),
    read("account.fee_discount", "/api/v3/mxDeduct/enable"),
    read("fees", "/api/v3/tradeFee").takes(SYMBOL),
    read("currencies", "/api/v3/capital/config/getall").takes(COIN),
    read("orders.open", "/api/v3/openOrders").takes(ANY_SYMBOL),
    read("orders.history", "/api/v3/allOrders").takes(SPAN),
    read("order.get", "/api/v3/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES),
    read("trades", "/api/v3/myTrades").takes(OWN_TRADES),
    act("order.place", Post, "/api/v3/order", Place).takes(ORDER).one_of(QUANTITIES),
    act("order.test", Post, "/api/v3/order/test", Place).takes(ORDER).one_of(QUANTITIES),
    act("orders.place_batch", Post, "/api/v3/batchOrders", Place).takes(ORDERS),
    act("order.cancel", Delete, "/api/v3/order", Cancel).takes(CANCEL).one_of(ORDER_NAMES),
    act("orders.cancel_all", Delete, "/api/v3/openOrders", CancelAll).takes(SYMBOL),
];

/// What a call counts at MEXC.
pub(super) fn weight(name: &str) -> u32 {
    match name {
        "account" | "orders.history" | "trades" | "instruments" | "currencies" => 10,
        "ticker.day" => 40,
        "fees" => 20,
        "orders.open" => 3,
        "order.get" | "ticker" => 2,
        _ => 1,
    }
}

const ORDER_NAMES: &[&str] = &["orderId", "origClientOrderId"];
const QUANTITIES: &[&str] = &["quantity", "quoteOrderQty"];
const MILLISECONDS: Grammar = Integer { min: 0, max: 9_999_999_999_999 };
const A_SYMBOL: Param = Param::required("symbol", Symbol);
/// Order ids look like `C02__468615423963070464`.
const ORDER_ID: Param = Param::optional("orderId", Name);
const ORIGINAL_ID: Param = Param::optional("origClientOrderId", ClientId);
const NEW_ID: Param = Param::optional("newClientOrderId", ClientId);
const START: Param = Param::optional("startTime", MILLISECONDS);
const END: Param = Param::optional("endTime", MILLISECONDS);
const LIMIT: Param = Param::optional("limit", Integer { min: 1, max: 5_000 });

const SYMBOL: &[Param] = &[A_SYMBOL];
const ANY_SYMBOL: &[Param] = &[Param::optional("symbol", Symbol)];
const SYMBOLS: &[Param] = &[Param::optional("symbol", Symbol), Param::optional("symbols", Grammar::Names)];
const COIN: &[Param] = &[Param::optional("coin", Name)];
const DEPTH: &[Param] = &[A_SYMBOL, LIMIT];
const SPAN: &[Param] = &[A_SYMBOL, START, END, LIMIT];
const OWN_TRADES: &[Param] = &[A_SYMBOL, ORDER_ID, START, END, LIMIT];
const CANDLES: &[Param] = &[
    A_SYMBOL,
    Param::required("interval", OneOf(&["1m", "5m", "15m", "30m", "60m", "4h", "1d", "1W", "1M"])),
    START,
    END,
    LIMIT,
];
const ORDER_REFERENCE: &[Param] = &[A_SYMBOL, ORDER_ID, ORIGINAL_ID];
const CANCEL: &[Param] = &[A_SYMBOL, ORDER_ID, ORIGINAL_ID, NEW_ID];
const ORDER: &[Param] = &[
    A_SYMBOL,
    Param::required("side", OneOf(&["BUY", "SELL"])),
    Param::required("type", OneOf(&["LIMIT", "MARKET", "LIMIT_MAKER", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"])),
    Param::optional("quantity", Decimal),
    Param::optional("quoteOrderQty", Decimal),
    Param::optional("price", Decimal),
    NEW_ID,
    Param::optional("stpMode", OneOf(&["cancel_maker", "cancel_taker", "cancel_both"])),
];
const ORDER_LIST: List = List::of(ORDER, 20);
const ORDERS: &[Param] = &[Param::required("batchOrders", Grammar::List(&ORDER_LIST))];
