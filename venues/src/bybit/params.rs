//! Bybit's closed parameter lists.

mod act;

pub(super) use act::{
    AMEND, AMENDS, AUTO_MARGIN, CANCEL, CANCEL_ALL, CANCELS, CHANGE_MARGIN, DISCONNECT, HEDGING, LEVERAGE, MARGIN_MODE,
    ORDER, ORDER_NAMES, ORDERS, POSITION_MODE, SPREAD_CANCEL, SPREAD_CANCEL_ALL, STOPS, SYMBOL_MARGIN_MODE,
};

use crate::{
    grammar::Grammar::{self, Bool, Cursor, Integer, Name, Names, OneOf, Pair, Symbol},
    operation::Param,
};

const CATEGORIES: Grammar = OneOf(&["spot", "linear", "inverse", "option"]);
const SIDES: Grammar = OneOf(&["Buy", "Sell"]);
const MILLISECONDS: Grammar = Integer { min: 0, max: 9_999_999_999_999 };
const FILTERS: Grammar =
    OneOf(&["Order", "StopOrder", "tpslOrder", "OcoOrder", "BidirectionalTpslOrder", "PartialTakeProfit"]);

const CATEGORY: Param = Param::required("category", CATEGORIES);
const SYMBOL: Param = Param::required("symbol", Symbol);
const ANY_SYMBOL: Param = Param::optional("symbol", Symbol);
const BASE: Param = Param::optional("baseCoin", Name);
const SETTLE: Param = Param::optional("settleCoin", Name);
const ORDER_ID: Param = Param::optional("orderId", Name);
const ORDER_LINK_ID: Param = Param::optional("orderLinkId", Grammar::ClientId);
const FILTER: Param = Param::optional("orderFilter", FILTERS);
const START: Param = Param::optional("startTime", MILLISECONDS);
const END: Param = Param::optional("endTime", MILLISECONDS);
const EXPIRY: Param = Param::optional("expDate", Name);
const LIMIT: Param = Param::optional("limit", Integer { min: 1, max: 1_000 });
const CURSOR: Param = Param::optional("cursor", Cursor);
const ANY_CURRENCY: Param = Param::optional("currency", Name);
const ACCOUNT_TYPE: Param = Param::required("accountType", Name);
const BONUS: Param = Param::optional("withBonus", Integer { min: 0, max: 1 });

pub(super) const NEWS: &[Param] = &[Param::optional("id", Name), Param::optional("state", Name)];
pub(super) const ANNOUNCEMENTS: &[Param] = &[
    Param::required("locale", Name),
    Param::optional("type", Name),
    Param::optional("tag", Name),
    Param::optional("page", Integer { min: 1, max: 10_000 }),
    LIMIT,
];
pub(super) const INSTRUMENTS: &[Param] = &[
    CATEGORY,
    ANY_SYMBOL,
    Param::optional("symbolType", Name),
    Param::optional("status", Name),
    BASE,
    SETTLE,
    LIMIT,
    CURSOR,
];
pub(super) const TICKERS: &[Param] = &[CATEGORY, ANY_SYMBOL, BASE, EXPIRY];
pub(super) const ORDER_BOOK: &[Param] = &[CATEGORY, SYMBOL, LIMIT];
pub(super) const TRADES: &[Param] =
    &[CATEGORY, ANY_SYMBOL, BASE, Param::optional("optionType", OneOf(&["Call", "Put"])), LIMIT];
pub(super) const CANDLES: &[Param] = &[
    Param::optional("category", CATEGORIES),
    SYMBOL,
    Param::required("interval", OneOf(&["1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"])),
    Param::optional("start", MILLISECONDS),
    Param::optional("end", MILLISECONDS),
    LIMIT,
];
pub(super) const FUNDING: &[Param] = &[CATEGORY, SYMBOL, START, END, LIMIT];
pub(super) const OPEN_INTEREST: &[Param] =
    &[CATEGORY, SYMBOL, Param::required("intervalTime", Name), START, END, LIMIT, CURSOR];
pub(super) const VOLATILITY: &[Param] = &[
    CATEGORY,
    BASE,
    Param::optional("quoteCoin", Name),
    Param::optional("period", Integer { min: 1, max: 1_000 }),
    START,
    END,
];
pub(super) const COIN: &[Param] = &[Param::optional("coin", Name)];
pub(super) const RISK_LIMITS: &[Param] = &[CATEGORY, ANY_SYMBOL, CURSOR];
pub(super) const DELIVERY_PRICES: &[Param] = &[CATEGORY, ANY_SYMBOL, BASE, SETTLE, LIMIT, CURSOR];
pub(super) const NEW_DELIVERY_PRICES: &[Param] = &[CATEGORY, Param::required("baseCoin", Name), SETTLE];
pub(super) const RATIO: &[Param] = &[CATEGORY, SYMBOL, Param::required("period", Name), START, END, LIMIT, CURSOR];
pub(super) const INDEX: &[Param] = &[Param::required("indexName", Name)];
pub(super) const PRICE_INSTRUMENT: &[Param] = &[Param::optional("category", CATEGORIES), SYMBOL];
pub(super) const ADL: &[Param] = &[ANY_SYMBOL];
pub(super) const FEE_GROUPS: &[Param] = &[Param::required("productType", Name), Param::optional("groupId", Name)];
/// Spreads are named by their two legs, such as `SOLUSDT_SOL/USDT`.
pub(super) const SPREADS: &[Param] = &[Param::optional("symbol", Pair), BASE, LIMIT, CURSOR];
pub(super) const SPREAD: &[Param] = &[Param::required("symbol", Pair)];
pub(super) const SPREAD_BOOK: &[Param] = &[Param::required("symbol", Pair), LIMIT];

pub(super) const WALLET: &[Param] = &[ACCOUNT_TYPE, Param::optional("coin", Names)];
pub(super) const BALANCES: &[Param] = &[ACCOUNT_TYPE, Param::optional("coin", Names), BONUS];
pub(super) const COIN_BALANCE: &[Param] = &[ACCOUNT_TYPE, Param::required("coin", Name), BONUS];
pub(super) const FEES: &[Param] = &[CATEGORY, ANY_SYMBOL, BASE];
pub(super) const CURRENCY: &[Param] = &[ANY_CURRENCY];
pub(super) const LOG: &[Param] = &[
    Param::optional("accountType", Name),
    Param::optional("category", CATEGORIES),
    ANY_CURRENCY,
    BASE,
    Param::optional("type", Name),
    Param::optional("transSubType", Name),
    START,
    END,
    LIMIT,
    CURSOR,
];
pub(super) const INTEREST: &[Param] = &[ANY_CURRENCY, START, END, LIMIT, CURSOR];
pub(super) const BASE_COIN: &[Param] = &[Param::required("baseCoin", Name)];
pub(super) const DELIVERIES: &[Param] = &[CATEGORY, ANY_SYMBOL, START, END, EXPIRY, LIMIT, CURSOR];
pub(super) const SETTLEMENTS: &[Param] = &[CATEGORY, ANY_SYMBOL, START, END, LIMIT, CURSOR];
pub(super) const OPEN_ORDERS: &[Param] = &[
    CATEGORY,
    ANY_SYMBOL,
    BASE,
    SETTLE,
    ORDER_ID,
    ORDER_LINK_ID,
    Param::optional("openOnly", Integer { min: 0, max: 2 }),
    FILTER,
    LIMIT,
    CURSOR,
];
pub(super) const ORDER_HISTORY: &[Param] = &[
    CATEGORY,
    ANY_SYMBOL,
    BASE,
    SETTLE,
    ORDER_ID,
    ORDER_LINK_ID,
    FILTER,
    Param::optional("orderStatus", Name),
    START,
    END,
    LIMIT,
    CURSOR,
];
pub(super) const ORDER_CAPACITY: &[Param] =
    &[Param::required("category", OneOf(&["spot"])), SYMBOL, Param::required("side", SIDES)];
pub(super) const EXECUTIONS: &[Param] = &[
    CATEGORY,
    ANY_SYMBOL,
    ORDER_ID,
    ORDER_LINK_ID,
    BASE,
    START,
    END,
    Param::optional("execType", Name),
    LIMIT,
    CURSOR,
];
pub(super) const POSITIONS: &[Param] = &[CATEGORY, ANY_SYMBOL, BASE, SETTLE, LIMIT, CURSOR];
pub(super) const CLOSED_PNL: &[Param] = &[CATEGORY, ANY_SYMBOL, START, END, LIMIT, CURSOR];
pub(super) const CLOSED: &[Param] = CLOSED_PNL;
pub(super) const SYMBOL_OR_COIN: &[Param] = &[Param::optional("category", CATEGORIES), ANY_SYMBOL, SETTLE];
pub(super) const TIERS: &[Param] = &[Param::optional("vipLevel", Name), ANY_CURRENCY];
pub(super) const COLLATERAL: &[Param] = &[ANY_CURRENCY];
pub(super) const RATES: &[Param] = &[Param::required("currency", Name), Param::optional("vipLevel", Name), START, END];
