//! The parameters of Tradovate's orders.

use crate::{grammar::Grammar, operation::Param};

const ID: Grammar = Grammar::Integer { min: 1, max: u64::MAX };
const CONTRACTS: Grammar = Grammar::Integer { min: 1, max: 100_000 };
const ACTIONS: Grammar = Grammar::OneOf(&["Buy", "Sell"]);
/// What trails, is pegged, or is triggered without a price is not expressible.
const TYPES: Grammar = Grammar::OneOf(&["Market", "Limit", "Stop", "StopLimit"]);
const TIMES_IN_FORCE: Grammar = Grammar::OneOf(&["Day", "FOK", "GTC", "GTD", "IOC"]);

const ACCOUNT_SPEC: Param = Param::optional("accountSpec", Grammar::Name);
const ACCOUNT_ID: Param = Param::required("accountId", ID).bare();
const ACTION: Param = Param::required("action", ACTIONS);
const SYMBOL: Param = Param::required("symbol", Grammar::Symbol);
const QUANTITY: Param = Param::required("orderQty", CONTRACTS).bare();
const TYPE: Param = Param::required("orderType", TYPES);
const PRICE: Param = Param::optional("price", Grammar::Decimal).bare();
const STOP_PRICE: Param = Param::optional("stopPrice", Grammar::Decimal).bare();
const TIME_IN_FORCE: Param = Param::optional("timeInForce", TIMES_IN_FORCE);
const EXPIRE_TIME: Param = Param::optional("expireTime", Grammar::Time);
const MAX_SHOW: Param = Param::optional("maxShow", CONTRACTS).bare();
const TEXT: Param = Param::optional("text", Grammar::Name);
const NAME: Param = Param::optional("clOrdId", Grammar::Name);
const TAG: Param = Param::optional("customTag50", Grammar::Name);
const AUTOMATED: Param = Param::optional("isAutomated", Grammar::Bool).bare();
const ORDER_ID: Param = Param::required("orderId", ID).bare();

pub(super) const ORDER: &[Param] = &[
    ACCOUNT_SPEC,
    ACCOUNT_ID,
    ACTION,
    SYMBOL,
    QUANTITY,
    TYPE,
    PRICE,
    STOP_PRICE,
    TIME_IN_FORCE,
    EXPIRE_TIME,
    MAX_SHOW,
    TEXT,
    NAME,
    TAG,
    AUTOMATED,
];
/// One order and another that is cancelled when the first one fills, of the same contract and size.
pub(super) const OCO: &[Param] = &[
    ACCOUNT_SPEC,
    ACCOUNT_ID,
    ACTION,
    SYMBOL,
    QUANTITY,
    TYPE,
    PRICE,
    STOP_PRICE,
    TIME_IN_FORCE,
    EXPIRE_TIME,
    MAX_SHOW,
    TEXT,
    NAME,
    TAG,
    AUTOMATED,
    Param::required("other.action", ACTIONS),
    Param::required("other.orderType", TYPES),
    Param::optional("other.price", Grammar::Decimal).bare(),
    Param::optional("other.stopPrice", Grammar::Decimal).bare(),
    Param::optional("other.timeInForce", TIMES_IN_FORCE),
    Param::optional("other.expireTime", Grammar::Time),
    Param::optional("other.clOrdId", Grammar::Name),
    Param::optional("other.text", Grammar::Name),
];
/// One order, and up to two that are sent when it fills, of the same contract and size.
pub(super) const OSO: &[Param] = &[
    ACCOUNT_SPEC,
    ACCOUNT_ID,
    ACTION,
    SYMBOL,
    QUANTITY,
    TYPE,
    PRICE,
    STOP_PRICE,
    TIME_IN_FORCE,
    EXPIRE_TIME,
    MAX_SHOW,
    TEXT,
    NAME,
    TAG,
    AUTOMATED,
    Param::required("bracket1.action", ACTIONS),
    Param::required("bracket1.orderType", TYPES),
    Param::optional("bracket1.price", Grammar::Decimal).bare(),
    Param::optional("bracket1.stopPrice", Grammar::Decimal).bare(),
    Param::optional("bracket1.timeInForce", TIMES_IN_FORCE),
    Param::optional("bracket1.expireTime", Grammar::Time),
    Param::optional("bracket1.clOrdId", Grammar::Name),
    Param::optional("bracket1.text", Grammar::Name),
    Param::optional("bracket2.action", ACTIONS),
    Param::optional("bracket2.orderType", TYPES),
    Param::optional("bracket2.price", Grammar::Decimal).bare(),
    Param::optional("bracket2.stopPrice", Grammar::Decimal).bare(),
    Param::optional("bracket2.timeInForce", TIMES_IN_FORCE),
    Param::optional("bracket2.expireTime", Grammar::Time),
    Param::optional("bracket2.clOrdId", Grammar::Name),
    Param::optional("bracket2.text", Grammar::Name),
];
pub(super) const AMENDMENT: &[Param] = &[
    ORDER_ID,
    QUANTITY,
    Param::required("orderType", Grammar::OneOf(&["Limit", "Stop", "StopLimit"])),
    PRICE,
    STOP_PRICE,
    TIME_IN_FORCE,
    EXPIRE_TIME,
    MAX_SHOW,
    TEXT,
    NAME,
    TAG,
    AUTOMATED,
];
pub(super) const CANCEL: &[Param] = &[ORDER_ID, TEXT, NAME, TAG, AUTOMATED];
/// A liquidation by the firm (`admin`) is not the owner's to ask for.
pub(super) const CLOSE: &[Param] = &[
    ACCOUNT_ID,
    Param::required("contractId", ID).bare(),
    Param::required("admin", Grammar::OneOf(&["false"])).bare(),
    TAG,
    AUTOMATED,
];
