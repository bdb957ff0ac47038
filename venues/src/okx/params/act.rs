//! What trades, cancels and sets.

use super::{
    ALGO_CLIENT_ID, ALGO_ID, Bool, CLIENT_ID, CURRENCY, ID, Integer, MARGINS, Name, ORDER_ID, OneOf, REFERENCE, Symbol,
    TRADE_MODES,
};
use crate::{
    grammar::{
        Grammar::{self, Decimal, Signed},
        List,
    },
    operation::Param,
};

/// Either of these names an order.
pub(in super::super) const NAMES: &[&str] = &["ordId", "clOrdId"];
/// Either of these names an order that waits for a trigger.
pub(in super::super) const ALGO_NAMES: &[&str] = &["algoId", "algoClOrdId"];
/// Either of these says what a leverage is for.
pub(in super::super) const LEVERAGE_OF: &[&str] = &["instId", "ccy"];

const POSITION_SIDES: Grammar = OneOf(&["net", "long", "short"]);
const PRICES: Grammar = OneOf(&["last", "index", "mark"]);

const TRADE_MODE: Param = Param::required("tdMode", TRADE_MODES);
const SIDE: Param = Param::required("side", OneOf(&["buy", "sell"]));
const POSITION_SIDE: Param = Param::optional("posSide", POSITION_SIDES);
const TYPE: Param =
    Param::required("ordType", OneOf(&["market", "limit", "post_only", "fok", "ioc", "optimal_limit_ioc"]));
const SIZE: Param = Param::required("sz", Decimal);
const PRICE: Param = Param::optional("px", Decimal);
const REDUCE_ONLY: Param = Param::optional("reduceOnly", Bool).bare();
const SIZE_UNIT: Param = Param::optional("tgtCcy", OneOf(&["base_ccy", "quote_ccy"]));
const MARGIN_MODE: Param = Param::required("mgnMode", MARGINS);

/// Attached take-profits and stop-losses, prices as volatilities, prices that OKX may amend, slippage limits and another
/// currency to pay in cannot be read beforehand.
pub(in super::super) const ORDER: &[Param] = &[
    ID,
    TRADE_MODE,
    CURRENCY,
    CLIENT_ID,
    SIDE,
    POSITION_SIDE,
    TYPE,
    SIZE,
    PRICE,
    REDUCE_ONLY,
    SIZE_UNIT,
    Param::optional("banAmend", Bool).bare(),
    Param::optional("stpMode", OneOf(&["cancel_maker", "cancel_taker", "cancel_both"])),
];
pub(in super::super) const PRECHECK: &[Param] =
    &[ID, TRADE_MODE, SIDE, POSITION_SIDE, TYPE, SIZE, PRICE, REDUCE_ONLY, SIZE_UNIT];

/// Orders that trail, chase, slice themselves or close a fraction cannot be read beforehand. A price of -1 is the
/// market's.
pub(in super::super) const ALGO: &[Param] = &[
    ID,
    TRADE_MODE,
    CURRENCY,
    SIDE,
    POSITION_SIDE,
    Param::required("ordType", OneOf(&["conditional", "oco", "trigger"])),
    SIZE,
    SIZE_UNIT,
    ALGO_CLIENT_ID,
    REDUCE_ONLY,
    Param::optional("cxlOnClosePos", Bool).bare(),
    Param::optional("triggerPx", Decimal),
    Param::optional("orderPx", Signed),
    Param::optional("triggerPxType", PRICES),
    Param::optional("tpTriggerPx", Decimal),
    Param::optional("tpOrdPx", Signed),
    Param::optional("tpTriggerPxType", PRICES),
    Param::optional("slTriggerPx", Decimal),
    Param::optional("slOrdPx", Signed),
    Param::optional("slTriggerPxType", PRICES),
];

const CANCEL_ON_FAIL: Param = Param::optional("cxlOnFail", Bool).bare();
const REQUEST_ID: Param = Param::optional("reqId", Name);
const NEW_SIZE: Param = Param::optional("newSz", Decimal);
pub(in super::super) const AMEND: &[Param] =
    &[ID, CANCEL_ON_FAIL, ORDER_ID, CLIENT_ID, REQUEST_ID, NEW_SIZE, Param::optional("newPx", Decimal)];
/// Neither a price that becomes the market's nor a trigger that is taken away is expressible.
pub(in super::super) const AMEND_ALGO: &[Param] = &[
    ID,
    ALGO_ID,
    ALGO_CLIENT_ID,
    CANCEL_ON_FAIL,
    REQUEST_ID,
    NEW_SIZE,
    Param::optional("newTriggerPx", Decimal),
    Param::optional("newOrdPx", Decimal),
    Param::optional("newTriggerPxType", PRICES),
    Param::optional("newTpTriggerPx", Decimal),
    Param::optional("newTpOrdPx", Decimal),
    Param::optional("newTpTriggerPxType", PRICES),
    Param::optional("newSlTriggerPx", Decimal),
    Param::optional("newSlOrdPx", Decimal),
    Param::optional("newSlTriggerPxType", PRICES),
];

const BATCH_MAX: usize = 20;
const ORDER_LIST: List = List::of(ORDER, BATCH_MAX);
const AMEND_LIST: List = List::of(AMEND, BATCH_MAX);
const CANCEL_LIST: List = List::of(REFERENCE, BATCH_MAX);
const ALGO_LIST: List = List::of(&[ID, ALGO_ID, ALGO_CLIENT_ID], 10);
pub(in super::super) const ORDERS: &[Param] = &[Param::required("orders", Grammar::List(&ORDER_LIST))];
pub(in super::super) const AMENDS: &[Param] = &[Param::required("orders", Grammar::List(&AMEND_LIST))];
pub(in super::super) const CANCELS: &[Param] = &[Param::required("orders", Grammar::List(&CANCEL_LIST))];
pub(in super::super) const CANCEL_ALGOS: &[Param] = &[Param::required("orders", Grammar::List(&ALGO_LIST))];

/// OKX has this call for options alone.
pub(in super::super) const MASS_CANCEL: &[Param] = &[
    Param::required("instType", OneOf(&["OPTION"])),
    Param::required("instFamily", Name),
    Param::optional("lockInterval", Integer { min: 0, max: 10_000 }),
];
/// Seconds until every order is cancelled; zero stops the countdown.
pub(in super::super) const CANCEL_AFTER: &[Param] = &[Param::required("timeOut", Integer { min: 0, max: 120 })];
pub(in super::super) const CLOSE: &[Param] =
    &[ID, POSITION_SIDE, MARGIN_MODE, CURRENCY, Param::optional("autoCxl", Bool).bare(), CLIENT_ID];

pub(in super::super) const LEVERAGE: &[Param] =
    &[Param::optional("instId", Symbol), CURRENCY, Param::required("lever", Decimal), MARGIN_MODE, POSITION_SIDE];
pub(in super::super) const POSITION_MODE: &[Param] =
    &[Param::required("posMode", OneOf(&["long_short_mode", "net_mode"]))];
pub(in super::super) const MARGIN: &[Param] = &[
    ID,
    Param::required("posSide", POSITION_SIDES),
    Param::required("type", OneOf(&["add", "reduce"])),
    Param::required("amt", Decimal),
    CURRENCY,
];
