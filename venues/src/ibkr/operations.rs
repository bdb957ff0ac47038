//! Interactive Brokers' catalogue. Market data needs the session, too, so there is nothing of class market.
//!
//! Left out: `md/regsnapshot` costs money, `secdef/bond-filters` and the scanner of the archive serve no bot known.

use super::{TRADED, params};
use crate::{
    operation::{
        HostRole,
        Kind::{Amend, Cancel, Place, Setting},
        Method::{self, Delete, Get, Post},
        Operation,
    },
    venue::VenueId,
};

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::Ibkr, name, method, path)
}

pub(super) const CATALOGUE: &[Operation] = &[
    op("session.login", Post, "/v1/api/oauth/live_session_token").takes(params::LOGIN).login(),
    op("session.open", Post, "/v1/api/iserver/auth/ssodh/init").json().login(),
    op("session.keep", Post, "/v1/api/tickle").login(),
    op("key.permissions", Get, "/v1/api/iserver/accounts").probe(HostRole::Main),
    op("ticker", Get, "/v1/api/iserver/marketdata/snapshot").takes(params::SNAPSHOT),
    op("candles", Get, "/v1/api/iserver/marketdata/history").takes(params::HISTORY),
    op("ticker.unsubscribe_all", Get, "/v1/api/iserver/marketdata/unsubscribeall"),
    op("candles.archive", Get, "/v1/api/hmds/history").takes(params::ARCHIVE),
    op("instruments.by_conid", Get, "/v1/api/trsrv/secdef").takes(params::CONIDS),
    op("instruments", Get, "/v1/api/trsrv/all-conids").takes(params::ON_EXCHANGE),
    op("instruments.futures", Get, "/v1/api/trsrv/futures").takes(params::SYMBOLS),
    op("instruments.stocks", Get, "/v1/api/trsrv/stocks").takes(params::SYMBOLS),
    op("instruments.schedule", Get, "/v1/api/trsrv/secdef/schedule").takes(params::SCHEDULE),
    op("instruments.search", Get, "/v1/api/iserver/secdef/search").takes(params::SEARCH),
    op("instruments.strikes", Get, "/v1/api/iserver/secdef/strikes").takes(params::STRIKES),
    op("instruments.definition", Get, "/v1/api/iserver/secdef/info").takes(params::DEFINITION),
    op("instrument.get", Get, "/v1/api/iserver/contract/{conid}/info").takes(params::CONTRACT_NAMED),
    op("instrument.get_with_rules", Get, "/v1/api/iserver/contract/{conid}/info-and-rules")
        .takes(params::CONTRACT_NAMED),
    op("instrument.algos", Get, "/v1/api/iserver/contract/{conid}/algos").takes(params::CONTRACT_NAMED),
    op("instrument.rules", Post, "/v1/api/iserver/contract/rules").json().takes(params::RULES),
    op("scanner.params", Get, "/v1/api/iserver/scanner/params"),
    op("scanner.run", Post, "/v1/api/iserver/scanner/run").json().takes(params::SCAN),
    op("exchange_rate", Get, "/v1/api/iserver/exchangerate").takes(params::RATE),
    op("currency_pairs", Get, "/v1/api/iserver/currency/pairs").takes(params::CURRENCY),
    op("account", Get, "/v1/api/portfolio/accounts"),
    op("account.tree", Get, "/v1/api/portfolio/subaccounts"),
    op("account.meta", Get, "/v1/api/portfolio/{accountId}/meta").takes(params::ACCOUNT),
    op("account.summary", Get, "/v1/api/portfolio/{accountId}/summary").takes(params::ACCOUNT),
    op("balances", Get, "/v1/api/portfolio/{accountId}/ledger").takes(params::ACCOUNT),
    op("account.allocation", Get, "/v1/api/portfolio/{accountId}/allocation").takes(params::ACCOUNT),
    op("positions", Get, "/v1/api/portfolio/{accountId}/positions/{pageId}").takes(params::POSITIONS),
    op("positions.now", Get, "/v1/api/portfolio2/{accountId}/positions").takes(params::ACCOUNT),
    op("positions.invalidate", Post, "/v1/api/portfolio/{accountId}/positions/invalidate").takes(params::ACCOUNT),
    op("account.profit", Get, "/v1/api/iserver/account/pnl/partitioned"),
    op("account.brokerage_summary", Get, "/v1/api/iserver/account/{accountId}/summary").takes(params::ACCOUNT),
    op("account.performance", Post, "/v1/api/pa/performance").json().takes(params::PERFORMANCE),
    op("account.performance_all", Post, "/v1/api/pa/allperiods").json().takes(params::ALL_PERIODS),
    op("account.transactions", Post, "/v1/api/pa/transactions").json().takes(params::TRANSACTIONS),
    op("orders.open", Get, "/v1/api/iserver/account/orders").takes(params::OPEN_ORDERS),
    op("order.get", Get, "/v1/api/iserver/account/order/status/{orderId}").takes(params::ORDER_NAMED),
    op("trades", Get, "/v1/api/iserver/account/trades").takes(params::TRADES),
    op("order.place", Post, "/v1/api/iserver/account/{accountId}/orders")
        .json()
        .takes(params::ORDERS)
        .trade(Place, TRADED),
    op("order.test", Post, "/v1/api/iserver/account/{accountId}/orders/whatif")
        .json()
        .takes(params::ORDERS)
        .trade(Place, TRADED),
    op("order.amend", Post, "/v1/api/iserver/account/{accountId}/order/{orderId}")
        .json()
        .takes(params::MODIFICATION)
        .trade(Amend, TRADED),
    op("order.cancel", Delete, "/v1/api/iserver/account/{accountId}/order/{orderId}")
        .takes(params::CANCEL)
        .trade(Cancel, TRADED),
    // The app sees the question and answers it; nothing here says yes by itself.
    op("order.reply", Post, "/v1/api/iserver/reply/{replyId}").json().takes(params::REPLY).trade(Setting, TRADED),
];
