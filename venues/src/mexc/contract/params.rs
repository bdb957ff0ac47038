//! MEXC futures' closed parameter lists. Queries name things with underscores, bodies in camel case.

use crate::{
    grammar::{
        Grammar::{self, Bool, ClientId, Decimal, Integer, Name, Names, OneOf, Symbol},
        List,
    },
    operation::{Json, Param},
};

const MILLISECONDS: Grammar = Integer { min: 0, max: 9_999_999_999_999 };
const ID: Grammar = Integer { min: 1, max: i64::MAX.unsigned_abs() };
const BATCH_MAX: usize = 50;

const A_SYMBOL: Param = Param::required("symbol", Symbol);
const ANY_SYMBOL: Param = Param::optional("symbol", Symbol);
const PAGE: Param = Param::optional("page_num", Integer { min: 1, max: 1_000_000 });
const PAGE_SIZE: Param = Param::optional("page_size", Integer { min: 1, max: 1_000 });
const START: Param = Param::optional("start_time", MILLISECONDS);
const END: Param = Param::optional("end_time", MILLISECONDS);

pub(super) const SYMBOL: &[Param] = &[A_SYMBOL];
pub(super) const MAYBE_SYMBOL: &[Param] = &[ANY_SYMBOL];
/// As [`MAYBE_SYMBOL`], for what cancels all of a kind.
pub(super) const TRIGGERS: &[Param] = MAYBE_SYMBOL;
pub(super) const DEPTH: &[Param] = &[A_SYMBOL, Param::optional("limit", Integer { min: 1, max: 1_000 })];
pub(super) const CHANGES: &[Param] = &[A_SYMBOL, Param::required("limit", Integer { min: 1, max: 1_000 })];
const SECONDS: Grammar = Integer { min: 0, max: 9_999_999_999 };
pub(super) const CANDLES: &[Param] = &[
    A_SYMBOL,
    Param::optional(
        "interval",
        OneOf(&["Min1", "Min5", "Min15", "Min30", "Min60", "Hour4", "Hour8", "Day1", "Week1", "Month1"]),
    ),
    Param::optional("start", SECONDS),
    Param::optional("end", SECONDS),
];
pub(super) const ASSET: &[Param] = &[Param::required("currency", Name)];
pub(super) const CURRENT_POSITIONS: &[Param] = &[ANY_SYMBOL, Param::optional("positionId", ID)];
pub(super) const PAST_POSITIONS: &[Param] =
    &[ANY_SYMBOL, Param::optional("type", Integer { min: 1, max: 2 }), START, END, PAGE, PAGE_SIZE];
pub(super) const PAYMENTS: &[Param] = &[ANY_SYMBOL, Param::optional("position_id", ID), START, END, PAGE, PAGE_SIZE];
pub(super) const PAGES: &[Param] = &[ANY_SYMBOL, PAGE, PAGE_SIZE];
pub(super) const SYMBOL_PAGES: &[Param] = &[A_SYMBOL, PAGE, PAGE_SIZE];
pub(super) const HISTORY: &[Param] = &[
    ANY_SYMBOL,
    Param::optional("states", Names),
    Param::optional("category", Integer { min: 1, max: 4 }),
    START,
    END,
    Param::optional("side", Integer { min: 1, max: 4 }),
    PAGE,
    PAGE_SIZE,
];
pub(super) const TRADES: &[Param] = &[A_SYMBOL, START, END, PAGE, PAGE_SIZE];
pub(super) const NUMBER: &[Param] = &[Param::required("order_id", ID)];
pub(super) const NUMBERS: &[Param] = &[Param::required("order_ids", Names)];
pub(super) const NAMED: &[Param] = &[A_SYMBOL, Param::required("external_oid", Name)];
pub(super) const STOPS: &[Param] = &[
    ANY_SYMBOL,
    Param::optional("is_finished", Integer { min: 0, max: 1 }),
    Param::optional("state", Integer { min: 1, max: 5 }),
    Param::optional("type", Integer { min: 1, max: 2 }),
    START,
    END,
    PAGE,
    PAGE_SIZE,
];

const PRICE: Param = Param::optional("price", Decimal).bare();
const VOLUME: Param = Param::required("vol", Decimal).bare();
const LEVER: Param = Param::optional("leverage", Integer { min: 1, max: 1_000 }).bare();
const SIDE: Param = Param::required("side", Integer { min: 1, max: 4 }).bare();
const OPEN_TYPE: Param = Param::required("openType", Integer { min: 1, max: 2 }).bare();
const MODE: Param = Param::optional("positionMode", Integer { min: 1, max: 2 }).bare();
const REDUCE_ONLY: Param = Param::optional("reduceOnly", Bool).bare();
const ORDER_ID: Param = Param::required("orderId", ID).bare();
const EXTERNAL_ID: Param = Param::required("externalOid", ClientId);
const TRIGGER_TYPE: Param = Param::required("triggerType", Integer { min: 1, max: 2 }).bare();
const TRIGGER_PRICE: Param = Param::required("triggerPrice", Decimal).bare();
const CYCLE: Param = Param::required("executeCycle", Integer { min: 1, max: 3 }).bare();
const TREND: Param = Param::required("trend", Integer { min: 1, max: 3 }).bare();

/// Attached stops and prices taken from the book cannot be read beforehand.
pub(super) const ORDER: &[Param] = &[
    A_SYMBOL,
    PRICE,
    VOLUME,
    LEVER,
    SIDE,
    Param::required("type", Integer { min: 1, max: 6 }).bare(),
    OPEN_TYPE,
    Param::optional("positionId", ID).bare(),
    Param::optional("externalOid", ClientId),
    MODE,
    REDUCE_ONLY,
    Param::optional("stpMode", Integer { min: 0, max: 3 }).bare(),
];
const ORDER_LIST: List = List::of(ORDER, BATCH_MAX);
pub(super) const ORDERS: &[Param] = &[Param::required("orders", Grammar::List(&ORDER_LIST))];
const ID_LIST: List = List::values(ID, Json::Bare, BATCH_MAX);
pub(super) const CANCEL: &[Param] = &[Param::required("orderIds", Grammar::List(&ID_LIST))];
pub(super) const CANCEL_NAMED: &[Param] = &[A_SYMBOL, EXTERNAL_ID];
const NAME_LIST: List = List::of(CANCEL_NAMED, BATCH_MAX);
pub(super) const NAMES: &[Param] = &[Param::required("orders", Grammar::List(&NAME_LIST))];
pub(super) const CHANGE: &[Param] = &[ORDER_ID, Param::required("price", Decimal).bare(), VOLUME];

pub(super) const TRIGGER: &[Param] = &[
    A_SYMBOL,
    PRICE,
    VOLUME,
    LEVER,
    SIDE,
    OPEN_TYPE,
    TRIGGER_PRICE,
    TRIGGER_TYPE,
    CYCLE,
    Param::required("orderType", Integer { min: 1, max: 5 }).bare(),
    TREND,
    MODE,
    REDUCE_ONLY,
    // What kind of order it is in the words of `orderType`: ccxt says it twice, MEXC looks at that one.
    Param::optional("type", Integer { min: 1, max: 6 }).bare(),
];
/// What has been changed is a limit order: a change into a market order would not show.
pub(super) const CHANGE_TRIGGER: &[Param] = &[
    A_SYMBOL,
    ORDER_ID,
    Param::required("price", Decimal).bare(),
    Param::required("orderType", OneOf(&["1"])).bare(),
    TRIGGER_TYPE,
    TRIGGER_PRICE,
    CYCLE,
    TREND,
];
const TRIGGER_LIST: List = List::of(&[A_SYMBOL, ORDER_ID], BATCH_MAX);
pub(super) const CANCEL_TRIGGERS: &[Param] = &[Param::required("orders", Grammar::List(&TRIGGER_LIST))];
const STOP_LIST: List = List::of(&[Param::required("stopPlanOrderId", ID).bare()], BATCH_MAX);
pub(super) const CANCEL_STOPS: &[Param] = &[Param::required("orders", Grammar::List(&STOP_LIST))];
pub(super) const CANCEL_TRACK: &[Param] = &[ANY_SYMBOL, Param::required("trackOrderId", ID).bare()];

pub(super) const LEVERAGE: &[Param] = &[
    A_SYMBOL,
    Param::required("leverage", Integer { min: 1, max: 1_000 }).bare(),
    OPEN_TYPE,
    Param::required("positionType", Integer { min: 1, max: 2 }).bare(),
];
pub(super) const POSITION_MODE: &[Param] = &[Param::required("positionMode", Integer { min: 1, max: 2 }).bare()];
