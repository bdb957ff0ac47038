//! The parameters of Interactive Brokers' calls.

use super::CHALLENGE;
use crate::{
    grammar::{Grammar, List},
    operation::{Json, Param},
};

const ID: Grammar = Grammar::Integer { min: 1, max: u64::MAX };
const CONTRACT: Grammar = Grammar::Integer { min: 1, max: 9_999_999_999 };
const SECURITY_TYPES: Grammar = Grammar::OneOf(&["STK", "OPT", "FUT", "FOP", "CASH", "BOND", "IND", "WAR", "CFD"]);
const BAR: Grammar = Grammar::Name;

const THE_ACCOUNT: Param = Param::required("accountId", Grammar::Name);
const ORDER_ID: Param = Param::required("orderId", ID);
const CONID: Param = Param::required("conid", CONTRACT);
const EXCHANGE: Param = Param::optional("exchange", Grammar::Name);
const BAR_SIZE: Param = Param::required("bar", BAR);
const PERIOD: Param = Param::required("period", Grammar::Name);
const OUTSIDE: Param = Param::optional("outsideRth", Grammar::Bool);

pub(super) const LOGIN: &[Param] = &[Param::optional(CHALLENGE, Grammar::Cursor)];

pub(super) const ACCOUNT: &[Param] = &[THE_ACCOUNT];
pub(super) const POSITIONS: &[Param] = &[
    THE_ACCOUNT,
    Param::required("pageId", Grammar::Integer { min: 0, max: 10_000 }),
    Param::optional("sort", Grammar::Name),
    Param::optional("direction", Grammar::OneOf(&["a", "d"])),
    Param::optional("period", Grammar::Name),
];
pub(super) const OPEN_ORDERS: &[Param] = &[
    Param::optional("filters", Grammar::Names),
    Param::optional("force", Grammar::Bool),
    Param::optional("accountId", Grammar::Name),
];
pub(super) const ORDER_NAMED: &[Param] = &[ORDER_ID];
pub(super) const TRADES: &[Param] =
    &[Param::optional("days", Grammar::Integer { min: 1, max: 7 }), Param::optional("accountId", Grammar::Name)];

pub(super) const SNAPSHOT: &[Param] = &[
    Param::required("conids", Grammar::Names),
    Param::optional("fields", Grammar::Names),
    Param::optional("since", ID),
];
pub(super) const HISTORY: &[Param] = &[
    CONID,
    EXCHANGE,
    PERIOD,
    BAR_SIZE,
    Param::optional("startTime", Grammar::Name),
    OUTSIDE,
    Param::optional("source", Grammar::OneOf(&["trades", "midpoint", "bid_ask"])),
];
pub(super) const ARCHIVE: &[Param] = &[
    CONID,
    PERIOD,
    BAR_SIZE,
    Param::optional("barType", Grammar::Name),
    Param::optional("startTime", Grammar::Name),
    Param::optional("direction", Grammar::OneOf(&["1", "-1"])),
    OUTSIDE,
];
pub(super) const CONIDS: &[Param] = &[Param::required("conids", Grammar::Names)];
pub(super) const ON_EXCHANGE: &[Param] =
    &[Param::required("exchange", Grammar::Name), Param::optional("assetClass", Grammar::OneOf(&["STK"]))];
pub(super) const SYMBOLS: &[Param] = &[Param::required("symbols", Grammar::Names), EXCHANGE];
pub(super) const SCHEDULE: &[Param] = &[
    Param::required("assetClass", SECURITY_TYPES),
    Param::required("symbol", Grammar::Name),
    EXCHANGE,
    Param::optional("exchangeFilter", Grammar::Names),
];
pub(super) const SEARCH: &[Param] = &[
    Param::required("symbol", Grammar::Name),
    Param::optional("name", Grammar::Bool),
    Param::optional("secType", SECURITY_TYPES),
];
pub(super) const STRIKES: &[Param] =
    &[CONID, Param::required("sectype", SECURITY_TYPES), Param::required("month", Grammar::Name), EXCHANGE];
pub(super) const DEFINITION: &[Param] = &[
    CONID,
    Param::required("sectype", SECURITY_TYPES),
    Param::optional("month", Grammar::Name),
    EXCHANGE,
    Param::optional("strike", Grammar::Decimal),
    Param::optional("right", Grammar::OneOf(&["C", "P"])),
    Param::optional("issuerId", Grammar::Name),
];
pub(super) const CONTRACT_NAMED: &[Param] = &[CONID];
pub(super) const RULES: &[Param] = &[
    CONID.bare(),
    Param::optional("exchange", Grammar::Name),
    Param::required("isBuy", Grammar::Bool).bare(),
    Param::optional("modifyOrder", Grammar::Bool).bare(),
    Param::optional("orderId", ID).bare(),
];
const SCAN_FILTERS: &List =
    &List::of(&[Param::required("code", Grammar::Name), Param::required("value", Grammar::Decimal).bare()], 20);
pub(super) const SCAN: &[Param] = &[
    Param::required("instrument", Grammar::Name),
    Param::required("type", Grammar::Name),
    Param::required("location", Grammar::Name),
    Param::optional("filter", Grammar::List(SCAN_FILTERS)),
];
pub(super) const RATE: &[Param] =
    &[Param::required("source", Grammar::Symbol), Param::required("target", Grammar::Symbol)];
pub(super) const CURRENCY: &[Param] = &[Param::required("currency", Grammar::Symbol)];

const NAMES: &List = &List::values(Grammar::Name, Json::Text, 50);
const NUMBERS: &List = &List::values(CONTRACT, Json::Bare, 50);
pub(super) const PERFORMANCE: &[Param] =
    &[Param::required("acctIds", Grammar::List(NAMES)), Param::required("period", Grammar::Name)];
pub(super) const ALL_PERIODS: &[Param] = &[Param::required("acctIds", Grammar::List(NAMES))];
pub(super) const TRANSACTIONS: &[Param] = &[
    Param::required("acctIds", Grammar::List(NAMES)),
    Param::required("conids", Grammar::List(NUMBERS)),
    Param::required("currency", Grammar::Symbol),
    Param::optional("days", Grammar::Integer { min: 1, max: 3_650 }).bare(),
];

const ORDER_TYPE: Param = Param::required("orderType", Grammar::OneOf(&["MKT", "LMT", "STP", "STOP_LIMIT"]));
const SIDE: Param = Param::required("side", Grammar::OneOf(&["BUY", "SELL"]));
const QUANTITY: Param = Param::required("quantity", Grammar::Decimal).bare();
const TIME_IN_FORCE: Param = Param::required("tif", Grammar::OneOf(&["DAY", "GTC", "IOC", "OPG"]));
const PRICE: Param = Param::optional("price", Grammar::Decimal).bare();
const AUX_PRICE: Param = Param::optional("auxPrice", Grammar::Decimal).bare();
const OWN_ACCOUNT: Param = Param::optional("acctId", Grammar::Name);
const SECURITY_TYPE: Param = Param::optional("secType", Grammar::Name);
const LISTING: Param = Param::optional("listingExchange", Grammar::Name);
const OUTSIDE_HOURS: Param = Param::optional("outsideRTH", Grammar::Bool).bare();
const TICKER: Param = Param::optional("ticker", Grammar::Name);
const REFERRER: Param = Param::optional("referrer", Grammar::Name);
const MANUAL: Param = Param::optional("manualIndicator", Grammar::Bool).bare();
const OPERATOR: Param = Param::optional("extOperator", Grammar::Name);

/// Trailing orders, algorithms, currency conversions, amounts of cash, and orders that hang together by `parentId` or
/// `isSingleGroup` are not expressible: when, whether, or how much of them trades is not told by the order itself.
const EACH_ORDER: &List = &List::of(
    &[
        OWN_ACCOUNT,
        CONID.bare(),
        SECURITY_TYPE,
        Param::optional("cOID", Grammar::ClientId),
        ORDER_TYPE,
        LISTING,
        OUTSIDE_HOURS,
        PRICE,
        AUX_PRICE,
        SIDE,
        TICKER,
        TIME_IN_FORCE,
        REFERRER,
        QUANTITY,
        MANUAL,
        OPERATOR,
    ],
    20,
);
pub(super) const ORDERS: &[Param] = &[THE_ACCOUNT, Param::required("orders", Grammar::List(EACH_ORDER))];
pub(super) const MODIFICATION: &[Param] = &[
    THE_ACCOUNT,
    ORDER_ID,
    OWN_ACCOUNT,
    CONID.bare(),
    SECURITY_TYPE,
    ORDER_TYPE,
    LISTING,
    OUTSIDE_HOURS,
    PRICE,
    AUX_PRICE,
    SIDE,
    TICKER,
    TIME_IN_FORCE,
    REFERRER,
    QUANTITY,
    MANUAL,
    OPERATOR,
];
pub(super) const CANCEL: &[Param] = &[THE_ACCOUNT, ORDER_ID];
pub(super) const REPLY: &[Param] =
    &[Param::required("replyId", Grammar::Name), Param::required("confirmed", Grammar::Bool).bare()];
