//! OKX's closed parameter lists.

mod act;

pub(super) use act::{
    ALGO, ALGO_NAMES, AMEND, AMEND_ALGO, AMENDS, CANCEL_AFTER, CANCEL_ALGOS, CANCELS, CLOSE, LEVERAGE, LEVERAGE_OF,
    MARGIN, MASS_CANCEL, NAMES, ORDER, ORDERS, POSITION_MODE, PRECHECK,
};

use crate::{
    grammar::Grammar::{self, Bool, Decimal, Integer, Name, Names, OneOf, Symbol},
    operation::Param,
};

const TYPES: Grammar = OneOf(&["SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"]);
const MARGINS: Grammar = OneOf(&["cross", "isolated"]);
const TRADE_MODES: Grammar = OneOf(&["cash", "cross", "isolated"]);
const MILLISECONDS: Grammar = Integer { min: 0, max: 9_999_999_999_999 };

const TYPE: Param = Param::required("instType", TYPES);
const ANY_TYPE: Param = Param::optional("instType", TYPES);
const ID: Param = Param::required("instId", Symbol);
const ANY_ID: Param = Param::optional("instId", Symbol);
const IDS: Param = Param::required("instId", Names);
const ANY_IDS: Param = Param::optional("instId", Names);
const UNDERLYING: Param = Param::optional("uly", Name);
const FAMILY_OF: Param = Param::optional("instFamily", Name);
const CURRENCY: Param = Param::optional("ccy", Name);
const ORDER_ID: Param = Param::optional("ordId", Name);
const CLIENT_ID: Param = Param::optional("clOrdId", Name);
const ALGO_ID: Param = Param::optional("algoId", Name);
const ALGO_CLIENT_ID: Param = Param::optional("algoClOrdId", Name);
const ORDER_TYPES: Param = Param::optional("ordType", Names);
const STATE: Param = Param::optional("state", Name);
const MARGIN_MODE: Param = Param::optional("mgnMode", MARGINS);
const PERIOD: Param = Param::optional("period", Name);
const BEGIN: Param = Param::optional("begin", MILLISECONDS);
const END: Param = Param::optional("end", MILLISECONDS);
/// A page begins after or before an order, a bill or a moment, each of which is a number.
const AFTER: Param = Param::optional("after", Name);
const BEFORE: Param = Param::optional("before", Name);
const LIMIT: Param = Param::optional("limit", Integer { min: 1, max: 500 });

pub(super) const STATUS: &[Param] = &[STATE];
pub(super) const INSTRUMENT: &[Param] = &[ID];
pub(super) const INSTRUMENT_TYPE: &[Param] = &[TYPE];
pub(super) const INSTRUMENTS: &[Param] = &[TYPE, UNDERLYING, FAMILY_OF, ANY_ID];
pub(super) const INSTRUMENT_PAGE: &[Param] = &[ID, AFTER, BEFORE, LIMIT];
pub(super) const FAMILY: &[Param] = &[Param::required("instFamily", Name)];
pub(super) const TICK_BANDS: &[Param] = &[TYPE, FAMILY_OF];
pub(super) const CONTRACT_VALUE: &[Param] = &[
    Param::optional("type", OneOf(&["1", "2"])),
    ID,
    Param::required("sz", Decimal),
    Param::optional("px", Decimal),
    Param::optional("unit", OneOf(&["coin", "usds"])),
    Param::optional("opType", OneOf(&["open", "close"])),
];
pub(super) const TICKERS: &[Param] = &[TYPE, UNDERLYING, FAMILY_OF];
pub(super) const INDEX_TICKERS: &[Param] = &[Param::optional("quoteCcy", Name), ANY_ID];
pub(super) const BOOK: &[Param] = &[ID, Param::optional("sz", Integer { min: 1, max: 5_000 })];
pub(super) const RECENT_TRADES: &[Param] = &[ID, LIMIT];
pub(super) const OLD_TRADES: &[Param] = &[ID, Param::optional("type", OneOf(&["1", "2"])), AFTER, BEFORE, LIMIT];
pub(super) const OPTION_TRADES: &[Param] = &[ANY_ID, FAMILY_OF, Param::optional("optType", OneOf(&["C", "P"]))];
pub(super) const CANDLES: &[Param] = &[ID, Param::optional("bar", Name), AFTER, BEFORE, LIMIT];
pub(super) const INDEX: &[Param] = &[Param::required("index", Symbol)];
pub(super) const SPREAD: &[Param] = &[Param::required("sprdId", Name)];
pub(super) const SPREAD_CANDLES: &[Param] =
    &[Param::required("sprdId", Name), Param::optional("bar", Name), AFTER, BEFORE, LIMIT];
pub(super) const SETTLEMENTS: &[Param] = &[Param::required("instFamily", Name), AFTER, BEFORE, LIMIT];
pub(super) const DELIVERIES: &[Param] = &[TYPE, UNDERLYING, FAMILY_OF, AFTER, BEFORE, LIMIT];
pub(super) const OPTION_SUMMARY: &[Param] = &[UNDERLYING, FAMILY_OF, Param::optional("expTime", Name)];
pub(super) const TIERS: &[Param] = &[
    TYPE,
    Param::required("tdMode", MARGINS),
    UNDERLYING,
    Param::optional("instFamily", Names),
    ANY_IDS,
    CURRENCY,
    Param::optional("tier", Name),
];
pub(super) const DISCOUNTS: &[Param] = &[CURRENCY, Param::optional("discountLv", Name)];
pub(super) const INSURANCE: &[Param] =
    &[TYPE, Param::optional("type", Name), UNDERLYING, FAMILY_OF, CURRENCY, AFTER, BEFORE, LIMIT];
pub(super) const STATISTICS: &[Param] = &[Param::required("ccy", Name), BEGIN, END, PERIOD];
pub(super) const TAKERS: &[Param] =
    &[Param::required("ccy", Name), Param::required("instType", OneOf(&["SPOT", "CONTRACTS"])), BEGIN, END, PERIOD];
pub(super) const CONTRACT_STATISTICS: &[Param] =
    &[ID, PERIOD, Param::optional("unit", Integer { min: 0, max: 2 }), BEGIN, END, LIMIT];
pub(super) const OPTION_STATISTICS: &[Param] =
    &[Param::required("ccy", Name), PERIOD, Param::optional("expTime", Name)];

pub(super) const CURRENCIES: &[Param] = &[Param::optional("ccy", Names)];
pub(super) const POSITIONS: &[Param] = &[ANY_TYPE, ANY_IDS, Param::optional("posId", Names)];
pub(super) const POSITIONS_HISTORY: &[Param] = &[
    ANY_TYPE,
    ANY_ID,
    MARGIN_MODE,
    Param::optional("type", Integer { min: 1, max: 5 }),
    Param::optional("posId", Name),
    AFTER,
    BEFORE,
    LIMIT,
];
pub(super) const BILLS: &[Param] = &[
    ANY_TYPE,
    ANY_ID,
    CURRENCY,
    MARGIN_MODE,
    Param::optional("ctType", OneOf(&["linear", "inverse"])),
    Param::optional("type", Name),
    Param::optional("subType", Name),
    AFTER,
    BEFORE,
    BEGIN,
    END,
    LIMIT,
];
pub(super) const LEVERAGE_INFO: &[Param] =
    &[ANY_IDS, Param::optional("ccy", Names), Param::required("mgnMode", MARGINS)];
pub(super) const SIZE_MAX: &[Param] = &[
    IDS,
    Param::required("tdMode", TRADE_MODES),
    CURRENCY,
    Param::optional("px", Decimal),
    Param::optional("leverage", Decimal),
];
pub(super) const AVAILABLE_MAX: &[Param] = &[
    IDS,
    Param::required("tdMode", TRADE_MODES),
    CURRENCY,
    Param::optional("reduceOnly", Bool),
    Param::optional("px", Decimal),
];
pub(super) const FEES: &[Param] = &[TYPE, ANY_ID, UNDERLYING, FAMILY_OF, Param::optional("ruleType", Name)];
pub(super) const REFERENCE: &[Param] = &[ID, ORDER_ID, CLIENT_ID];
pub(super) const OPEN_ORDERS: &[Param] =
    &[ANY_TYPE, UNDERLYING, FAMILY_OF, ANY_ID, ORDER_TYPES, STATE, AFTER, BEFORE, LIMIT];
pub(super) const ORDER_HISTORY: &[Param] = &[
    TYPE,
    UNDERLYING,
    FAMILY_OF,
    ANY_ID,
    ORDER_TYPES,
    STATE,
    Param::optional("category", Name),
    AFTER,
    BEFORE,
    BEGIN,
    END,
    LIMIT,
];
pub(super) const FILLS: &[Param] = &[
    ANY_TYPE,
    UNDERLYING,
    FAMILY_OF,
    ANY_ID,
    ORDER_ID,
    Param::optional("subType", Name),
    AFTER,
    BEFORE,
    BEGIN,
    END,
    LIMIT,
];
pub(super) const ALGO_REFERENCE: &[Param] = &[ALGO_ID, ALGO_CLIENT_ID];
pub(super) const OPEN_ALGOS: &[Param] =
    &[Param::required("ordType", Names), ALGO_ID, ALGO_CLIENT_ID, ANY_TYPE, ANY_ID, AFTER, BEFORE, LIMIT];
pub(super) const ALGO_HISTORY: &[Param] =
    &[Param::required("ordType", Names), STATE, ALGO_ID, ANY_TYPE, ANY_ID, AFTER, BEFORE, BEGIN, END, LIMIT];
