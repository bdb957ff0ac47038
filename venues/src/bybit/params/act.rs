//! What trades, cancels and sets.

use super::{
    ANY_SYMBOL, BASE, Bool, CATEGORY, FILTER, Integer, Name, ORDER_ID, ORDER_LINK_ID, OneOf, SETTLE, SIDES, SYMBOL,
};
use crate::{
    grammar::{
        Grammar::{self, Decimal, Signed},
        List,
    },
    operation::Param,
};

/// Either of these names an order.
pub(in super::super) const ORDER_NAMES: &[&str] = &["orderId", "orderLinkId"];

/// Options are read and cancelled only: what a written option can lose does not stand in the order.
const TRADED: Param = Param::required("category", OneOf(&["spot", "linear", "inverse"]));
const CONTRACTS: Param = Param::required("category", OneOf(&["linear", "inverse"]));
const POSITION: Param = Param::optional("positionIdx", Integer { min: 0, max: 2 }).bare();
const PRICES: Grammar = OneOf(&["LastPrice", "IndexPrice", "MarkPrice"]);
const TRIGGER_BY: Param = Param::optional("triggerBy", PRICES);
/// The longest batch of any category.
const BATCH_MAX: usize = 20;

/// Attached take-profits and stop-losses, implied volatilities, slippage limits and prices taken from the book cannot be
/// read beforehand, nor can a quantity of zero, which closes a whole position.
pub(in super::super) const ORDER: &[Param] = &[
    TRADED,
    SYMBOL,
    Param::optional("isLeverage", Integer { min: 0, max: 1 }).bare(),
    Param::required("side", SIDES),
    Param::required("orderType", OneOf(&["Market", "Limit"])),
    Param::required("qty", Decimal),
    Param::optional("marketUnit", OneOf(&["baseCoin", "quoteCoin"])),
    Param::optional("price", Decimal),
    Param::optional("triggerDirection", Integer { min: 1, max: 2 }).bare(),
    Param::optional("orderFilter", OneOf(&["Order", "StopOrder", "tpslOrder"])),
    Param::optional("triggerPrice", Decimal),
    TRIGGER_BY,
    Param::optional("timeInForce", OneOf(&["GTC", "IOC", "FOK", "PostOnly"])),
    POSITION,
    ORDER_LINK_ID,
    Param::optional("reduceOnly", Bool).bare(),
    Param::optional("closeOnTrigger", Bool).bare(),
    Param::optional("smpType", OneOf(&["None", "CancelMaker", "CancelTaker", "CancelBoth"])),
];
pub(in super::super) const AMEND: &[Param] = &[
    TRADED,
    SYMBOL,
    ORDER_ID,
    ORDER_LINK_ID,
    Param::optional("triggerPrice", Decimal),
    Param::optional("qty", Decimal),
    Param::optional("price", Decimal),
    TRIGGER_BY,
];
pub(in super::super) const CANCEL: &[Param] = &[CATEGORY, SYMBOL, ORDER_ID, ORDER_LINK_ID, FILTER];
pub(in super::super) const CANCEL_ALL: &[Param] =
    &[CATEGORY, ANY_SYMBOL, BASE, SETTLE, FILTER, Param::optional("stopOrderType", OneOf(&["Stop"]))];

const ORDER_LIST: List = List::of(but_category(ORDER), BATCH_MAX);
const AMEND_LIST: List = List::of(but_category(AMEND), BATCH_MAX);
const CANCEL_LIST: List = List::of(&[SYMBOL, ORDER_ID, ORDER_LINK_ID], BATCH_MAX);
pub(in super::super) const ORDERS: &[Param] = &[TRADED, Param::required("request", Grammar::List(&ORDER_LIST))];
pub(in super::super) const AMENDS: &[Param] = &[TRADED, Param::required("request", Grammar::List(&AMEND_LIST))];
pub(in super::super) const CANCELS: &[Param] = &[CATEGORY, Param::required("request", Grammar::List(&CANCEL_LIST))];

pub(in super::super) const SPREAD_CANCEL: &[Param] = &[ORDER_ID, ORDER_LINK_ID];
pub(in super::super) const SPREAD_CANCEL_ALL: &[Param] =
    &[Param::optional("symbol", Grammar::Pair), Param::optional("cancelAll", Bool).bare()];
pub(in super::super) const DISCONNECT: &[Param] = &[
    Param::optional("product", OneOf(&["OPTIONS", "DERIVATIVES", "SPOT"])),
    Param::required("timeWindow", Integer { min: 3, max: 300 }).bare(),
];

/// Stops close at the market; a distance from it, a limit price, and the zero that takes a stop away are not expressible.
pub(in super::super) const STOPS: &[Param] = &[
    CONTRACTS,
    SYMBOL,
    Param::required("tpslMode", OneOf(&["Full", "Partial"])),
    Param::required("positionIdx", Integer { min: 0, max: 2 }).bare(),
    Param::optional("takeProfit", Decimal),
    Param::optional("stopLoss", Decimal),
    Param::optional("tpTriggerBy", PRICES),
    Param::optional("slTriggerBy", PRICES),
    Param::optional("tpSize", Decimal),
    Param::optional("slSize", Decimal),
    Param::optional("tpOrderType", OneOf(&["Market"])),
    Param::optional("slOrderType", OneOf(&["Market"])),
];
const BUY_LEVERAGE: Param = Param::required("buyLeverage", Decimal);
const SELL_LEVERAGE: Param = Param::required("sellLeverage", Decimal);
pub(in super::super) const LEVERAGE: &[Param] = &[CONTRACTS, SYMBOL, BUY_LEVERAGE, SELL_LEVERAGE];
pub(in super::super) const MARGIN_MODE: &[Param] =
    &[Param::required("setMarginMode", OneOf(&["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"]))];
pub(in super::super) const SYMBOL_MARGIN_MODE: &[Param] =
    &[CONTRACTS, SYMBOL, Param::required("tradeMode", Integer { min: 0, max: 1 }).bare(), BUY_LEVERAGE, SELL_LEVERAGE];
pub(in super::super) const POSITION_MODE: &[Param] =
    &[CONTRACTS, ANY_SYMBOL, Param::optional("coin", Name), Param::required("mode", OneOf(&["0", "3"])).bare()];
pub(in super::super) const AUTO_MARGIN: &[Param] =
    &[CONTRACTS, SYMBOL, Param::required("autoAddMargin", Integer { min: 0, max: 1 }).bare(), POSITION];
/// A margin below zero is taken out.
pub(in super::super) const CHANGE_MARGIN: &[Param] = &[CONTRACTS, SYMBOL, Param::required("margin", Signed), POSITION];
pub(in super::super) const HEDGING: &[Param] = &[Param::required("setHedgingMode", OneOf(&["ON", "OFF"]))];

/// The fields of a batch's item: the category stands once, beside the list.
const fn but_category(params: &'static [Param]) -> &'static [Param] {
    match params.split_first() {
        Some((_, rest)) => rest,
        None => params,
    }
}
