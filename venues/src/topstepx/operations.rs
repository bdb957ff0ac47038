//! The catalogue of the ProjectX gateway. All but the ping needs the token.

use super::TRADED;
use crate::{
    grammar::Grammar,
    operation::{
        HostRole,
        Kind::{Amend, Cancel, Close, Place},
        Method::Post,
        Operation, Param,
    },
    venue::VenueId,
};

const fn op(name: &'static str, path: &'static str) -> Operation {
    Operation::read(VenueId::Topstepx, name, Post, path).json()
}

pub(super) const CATALOGUE: &[Operation] = &[
    op("session.login", "/api/Auth/loginKey").login(),
    op("session.renew", "/api/Auth/validate").login(),
    op("time", "/api/Status/ping").market(),
    op("key.permissions", "/api/Account/search").takes(ACCOUNTS).probe(HostRole::Main),
    op("instruments", "/api/Contract/available").takes(AVAILABLE),
    op("instruments.search", "/api/Contract/search").takes(SEARCH),
    op("instrument.get", "/api/Contract/searchById").takes(CONTRACT),
    op("candles", "/api/History/retrieveBars").takes(BARS),
    op("orders.open", "/api/Order/searchOpen").takes(ACCOUNT),
    op("orders.history", "/api/Order/search").takes(SPAN),
    op("positions", "/api/Position/searchOpen").takes(ACCOUNT),
    op("trades", "/api/Trade/search").takes(SPAN),
    op("order.place", "/api/Order/place").takes(ORDER).trade(Place, TRADED),
    op("order.amend", "/api/Order/modify").takes(AMENDMENT).trade(Amend, TRADED),
    op("order.cancel", "/api/Order/cancel").takes(CANCEL).trade(Cancel, TRADED),
    op("position.close", "/api/Position/closeContract").takes(CLOSE).trade(Close, TRADED),
    op("position.reduce", "/api/Position/partialCloseContract").takes(REDUCE).trade(Close, TRADED),
];

const ID: Grammar = Grammar::Integer { min: 1, max: u64::MAX };
const SIZE: Grammar = Grammar::Integer { min: 1, max: 100_000 };

const ACCOUNT_ID: Param = Param::required("accountId", ID).bare();
const CONTRACT_ID: Param = Param::required("contractId", Grammar::Name);
const ORDER_ID: Param = Param::required("orderId", ID).bare();
const LIMIT_PRICE: Param = Param::optional("limitPrice", Grammar::Decimal).bare();
const STOP_PRICE: Param = Param::optional("stopPrice", Grammar::Decimal).bare();
const LIVE: Param = Param::required("live", Grammar::Bool).bare();

const ACCOUNTS: &[Param] = &[Param::optional("onlyActiveAccounts", Grammar::Bool).bare()];
const ACCOUNT: &[Param] = &[ACCOUNT_ID];
const AVAILABLE: &[Param] = &[LIVE];
const SEARCH: &[Param] = &[LIVE, Param::optional("searchText", Grammar::Name)];
const CONTRACT: &[Param] = &[CONTRACT_ID];
const BARS: &[Param] = &[
    CONTRACT_ID,
    LIVE,
    Param::required("startTime", Grammar::Time),
    Param::required("endTime", Grammar::Time),
    Param::required("unit", Grammar::Integer { min: 1, max: 6 }).bare(),
    Param::required("unitNumber", Grammar::Integer { min: 1, max: 10_000 }).bare(),
    Param::required("limit", Grammar::Integer { min: 1, max: 20_000 }).bare(),
    Param::required("includePartialBar", Grammar::Bool).bare(),
];
const SPAN: &[Param] =
    &[ACCOUNT_ID, Param::required("startTimestamp", Grammar::Time), Param::optional("endTimestamp", Grammar::Time)];

/// Trailing stops, brackets, orders that join the book and linked orders are not expressible: at what price they trade,
/// or that they trade at all, is not told beforehand.
const ORDER: &[Param] = &[
    ACCOUNT_ID,
    CONTRACT_ID,
    Param::required("type", Grammar::OneOf(&["1", "2", "3", "4"])).bare(),
    Param::required("side", Grammar::OneOf(&["0", "1"])).bare(),
    Param::required("size", SIZE).bare(),
    LIMIT_PRICE,
    STOP_PRICE,
    Param::optional("customTag", Grammar::Name),
];
const AMENDMENT: &[Param] = &[ACCOUNT_ID, ORDER_ID, Param::optional("size", SIZE).bare(), LIMIT_PRICE, STOP_PRICE];
const CANCEL: &[Param] = &[ACCOUNT_ID, ORDER_ID];
const CLOSE: &[Param] = &[ACCOUNT_ID, CONTRACT_ID];
const REDUCE: &[Param] = &[ACCOUNT_ID, CONTRACT_ID, Param::required("size", SIZE).bare()];
