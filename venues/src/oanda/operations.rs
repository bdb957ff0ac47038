//! OANDA's catalogue. Prices need the token, too, so there is nothing of class market.

use super::{TRADED, order::CLIENT_ID};
use crate::{
    grammar::Grammar,
    operation::{
        HostRole,
        Kind::{Amend, Cancel, Close, Place},
        Method::{self, Get, Post, Put},
        Operation, Param,
    },
    venue::VenueId,
};

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::Oanda, name, method, path)
}

pub(super) const CATALOGUE: &[Operation] = &[
    op("key.permissions", Get, "/v3/accounts").probe(HostRole::Main),
    op("instrument.candles", Get, "/v3/instruments/{instrument}/candles").takes(CANDLES),
    op("order_book", Get, "/v3/instruments/{instrument}/orderBook").takes(BOOK),
    op("position_book", Get, "/v3/instruments/{instrument}/positionBook").takes(BOOK),
    op("ticker", Get, "/v3/accounts/{accountID}/pricing").takes(PRICING),
    op("candles", Get, "/v3/accounts/{accountID}/instruments/{instrument}/candles").takes(ACCOUNT_CANDLES),
    op("account", Get, "/v3/accounts/{accountID}").takes(ACCOUNT),
    op("balances", Get, "/v3/accounts/{accountID}/summary").takes(ACCOUNT),
    op("instruments", Get, "/v3/accounts/{accountID}/instruments").takes(INSTRUMENTS),
    op("account.changes", Get, "/v3/accounts/{accountID}/changes").takes(CHANGES),
    op("orders.history", Get, "/v3/accounts/{accountID}/orders").takes(ORDERS),
    op("orders.open", Get, "/v3/accounts/{accountID}/pendingOrders").takes(ACCOUNT),
    op("order.get", Get, "/v3/accounts/{accountID}/orders/{orderSpecifier}").takes(ORDER_NAMED),
    op("trades", Get, "/v3/accounts/{accountID}/trades").takes(TRADES),
    op("trades.open", Get, "/v3/accounts/{accountID}/openTrades").takes(ACCOUNT),
    op("trade.get", Get, "/v3/accounts/{accountID}/trades/{tradeSpecifier}").takes(TRADE_NAMED),
    op("positions", Get, "/v3/accounts/{accountID}/openPositions").takes(ACCOUNT),
    op("positions.history", Get, "/v3/accounts/{accountID}/positions").takes(ACCOUNT),
    op("position.get", Get, "/v3/accounts/{accountID}/positions/{instrument}").takes(POSITION_NAMED),
    op("transactions", Get, "/v3/accounts/{accountID}/transactions").takes(TRANSACTIONS),
    op("transactions.range", Get, "/v3/accounts/{accountID}/transactions/idrange").takes(TRANSACTION_RANGE),
    op("transactions.since", Get, "/v3/accounts/{accountID}/transactions/sinceid").takes(TRANSACTIONS_SINCE),
    op("transaction.get", Get, "/v3/accounts/{accountID}/transactions/{transactionID}").takes(TRANSACTION_NAMED),
    op("order.place", Post, "/v3/accounts/{accountID}/orders").json().takes(ORDER).trade(Place, TRADED),
    op("order.amend", Put, "/v3/accounts/{accountID}/orders/{orderSpecifier}")
        .json()
        .takes(REPLACEMENT)
        .trade(Amend, TRADED),
    op("order.cancel", Put, "/v3/accounts/{accountID}/orders/{orderSpecifier}/cancel")
        .takes(ORDER_NAMED)
        .trade(Cancel, TRADED),
    op("position.close", Put, "/v3/accounts/{accountID}/positions/{instrument}/close")
        .json()
        .takes(CLOSE)
        .trade(Close, TRADED),
];

const ID: Grammar = Grammar::Integer { min: 1, max: u64::MAX };
const COUNT: Grammar = Grammar::Integer { min: 1, max: 5_000 };

const THE_ACCOUNT: Param = Param::required("accountID", Grammar::Account);
const INSTRUMENT: Param = Param::required("instrument", Grammar::Symbol);
const SPECIFIER: Param = Param::required("orderSpecifier", Grammar::OrderSpecifier);

const ACCOUNT: &[Param] = &[THE_ACCOUNT];
const ORDER_NAMED: &[Param] = &[THE_ACCOUNT, SPECIFIER];
const TRADE_NAMED: &[Param] = &[THE_ACCOUNT, Param::required("tradeSpecifier", Grammar::OrderSpecifier)];
const POSITION_NAMED: &[Param] = &[THE_ACCOUNT, INSTRUMENT];
const TRANSACTION_NAMED: &[Param] = &[THE_ACCOUNT, Param::required("transactionID", ID)];

const PRICE: Param = Param::optional("price", Grammar::OneOf(&["M", "B", "A", "MB", "BM", "MA", "BA", "AB", "MBA"]));
const GRANULARITY: Param = Param::optional(
    "granularity",
    Grammar::OneOf(&[
        "S5", "S10", "S15", "S30", "M1", "M2", "M4", "M5", "M10", "M15", "M30", "H1", "H2", "H3", "H4", "H6", "H8",
        "H12", "D", "W", "M",
    ]),
);
const FROM: Param = Param::optional("from", Grammar::Time);
const TO: Param = Param::optional("to", Grammar::Time);

const CANDLES: &[Param] = &[
    INSTRUMENT,
    PRICE,
    GRANULARITY,
    Param::optional("count", COUNT),
    FROM,
    TO,
    Param::optional("smooth", Grammar::Bool),
    Param::optional("includeFirst", Grammar::Bool),
    Param::optional("dailyAlignment", Grammar::Integer { min: 0, max: 23 }),
];
const ACCOUNT_CANDLES: &[Param] = &[
    THE_ACCOUNT,
    INSTRUMENT,
    PRICE,
    GRANULARITY,
    Param::optional("count", COUNT),
    FROM,
    TO,
    Param::optional("smooth", Grammar::Bool),
    Param::optional("includeFirst", Grammar::Bool),
    Param::optional("dailyAlignment", Grammar::Integer { min: 0, max: 23 }),
    Param::optional("units", Grammar::Decimal),
];
const BOOK: &[Param] = &[INSTRUMENT, Param::optional("time", Grammar::Time)];
const PRICING: &[Param] = &[
    THE_ACCOUNT,
    Param::required("instruments", Grammar::Names),
    Param::optional("since", Grammar::Time),
    Param::optional("includeHomeConversions", Grammar::Bool),
];
const INSTRUMENTS: &[Param] = &[THE_ACCOUNT, Param::optional("instruments", Grammar::Names)];
const CHANGES: &[Param] = &[THE_ACCOUNT, Param::required("sinceTransactionID", ID)];
const ORDERS: &[Param] = &[
    THE_ACCOUNT,
    Param::optional("ids", Grammar::Names),
    Param::optional("state", Grammar::OneOf(&["PENDING", "FILLED", "TRIGGERED", "CANCELLED", "ALL"])),
    Param::optional("instrument", Grammar::Symbol),
    Param::optional("count", Grammar::Integer { min: 1, max: 500 }),
    Param::optional("beforeID", ID),
];
const TRADES: &[Param] = &[
    THE_ACCOUNT,
    Param::optional("ids", Grammar::Names),
    Param::optional("state", Grammar::OneOf(&["OPEN", "CLOSED", "CLOSE_WHEN_TRADEABLE", "ALL"])),
    Param::optional("instrument", Grammar::Symbol),
    Param::optional("count", Grammar::Integer { min: 1, max: 500 }),
    Param::optional("beforeID", ID),
];
const TRANSACTIONS: &[Param] = &[
    THE_ACCOUNT,
    FROM,
    TO,
    Param::optional("pageSize", Grammar::Integer { min: 1, max: 1_000 }),
    Param::optional("type", Grammar::Names),
];
const TRANSACTION_RANGE: &[Param] =
    &[THE_ACCOUNT, Param::required("from", ID), Param::required("to", ID), Param::optional("type", Grammar::Names)];
const TRANSACTIONS_SINCE: &[Param] = &[THE_ACCOUNT, Param::required("id", ID), Param::optional("type", Grammar::Names)];

const TYPE: Param = Param::required("order.type", Grammar::OneOf(&["MARKET", "LIMIT", "STOP", "MARKET_IF_TOUCHED"]));
const ORDER_INSTRUMENT: Param = Param::required("order.instrument", Grammar::Symbol);
const UNITS: Param = Param::required("order.units", Grammar::Signed);
const ORDER_PRICE: Param = Param::optional("order.price", Grammar::Decimal);
const PRICE_BOUND: Param = Param::optional("order.priceBound", Grammar::Decimal);
const TIME_IN_FORCE: Param = Param::optional("order.timeInForce", Grammar::OneOf(&["GTC", "GTD", "GFD", "FOK", "IOC"]));
const GTD_TIME: Param = Param::optional("order.gtdTime", Grammar::Time);
const POSITION_FILL: Param =
    Param::optional("order.positionFill", Grammar::OneOf(&["DEFAULT", "OPEN_ONLY", "REDUCE_FIRST", "REDUCE_ONLY"]));
const TRIGGER: Param =
    Param::optional("order.triggerCondition", Grammar::OneOf(&["DEFAULT", "INVERSE", "BID", "ASK", "MID"]));
const NAMED: Param = Param::optional(CLIENT_ID, Grammar::Name);
const TAG: Param = Param::optional("order.clientExtensions.tag", Grammar::Name);

/// What is attached to a fill (`takeProfitOnFill` and its like) and orders that close a trade by its number are not
/// expressible: they trade later, and what they trade is not told here.
const ORDER: &[Param] = &[
    THE_ACCOUNT,
    TYPE,
    ORDER_INSTRUMENT,
    UNITS,
    ORDER_PRICE,
    PRICE_BOUND,
    TIME_IN_FORCE,
    GTD_TIME,
    POSITION_FILL,
    TRIGGER,
    NAMED,
    TAG,
];
/// A replacement is an order in full, in the place of another.
const REPLACEMENT: &[Param] = &[
    THE_ACCOUNT,
    SPECIFIER,
    TYPE,
    ORDER_INSTRUMENT,
    UNITS,
    ORDER_PRICE,
    PRICE_BOUND,
    TIME_IN_FORCE,
    GTD_TIME,
    POSITION_FILL,
    TRIGGER,
    NAMED,
    TAG,
];
/// `ALL` is also what OANDA takes where nothing is said.
const CLOSE: &[Param] = &[
    THE_ACCOUNT,
    INSTRUMENT,
    Param::optional("longUnits", Grammar::OneOf(&["ALL", "NONE"])),
    Param::optional("shortUnits", Grammar::OneOf(&["ALL", "NONE"])),
];
