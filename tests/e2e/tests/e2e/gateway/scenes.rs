//! What is asked of each venue. A venue is one entry.

mod brokers;

use anyhow::{Context as _, Result};
use claviger_e2e::{Ask, Reply};
use serde_json::{Value, json};

pub(super) use brokers::BROKERS;

/// A call without the parameters that a test adds.
type Plain = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// A venue, as its clients use it.
pub(super) struct Scene {
    /// Its id.
    pub(super) venue: &'static str,
    /// A limit order that rests.
    place: Plain,
    /// What an order is named with, when it is placed and when it is cancelled; empty where its name stands in the path.
    names: [&'static str; 2],
    /// The JSON pointer of the venue's own name for an order in the answer to it, where that is what cancels; else empty.
    id_at: &'static str,
    /// Cancels an order; `{}` in the path is its name.
    cancel: Plain,
    /// Lists open orders.
    open: Plain,
    /// Reads balances.
    balances: Plain,
    /// What moves money or keys.
    pub(super) denied: &'static [Plain],
    /// What an order says, and what an attacker would rather have it say.
    pub(super) rather: &'static [(&'static str, &'static str)],
    /// What the order trades.
    pub(super) symbol: &'static str,
    /// The JSON pointer of the venue's code.
    pub(super) code_at: &'static str,
    /// Status and code, in JSON, in the order of [`Says`].
    codes: [(u16, &'static str); 6],
    /// Codes that say that all is well.
    well: &'static str,
}

/// Why a client is refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    UnknownKey,
    BadSignature,
    Stale,
    Replayed,
    Denied,
    Malformed,
}

impl Scene {
    pub(super) fn of(venue: &str) -> &'static Self {
        Self::all().find(|scene| scene.venue == venue).expect("a scene")
    }

    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        SCENES.iter().chain(BROKERS)
    }

    /// Whether a client shows a token and signs nothing.
    pub(super) fn shows_token(&self) -> bool {
        BROKERS.iter().any(|scene| scene.venue == self.venue)
    }

    pub(super) fn place(&self, name: &str) -> Ask {
        ask(self.place).with(self.names[0], name)
    }

    pub(super) fn cancel(&self, name: &str) -> Ask {
        let (method, path, params) = self.cancel;
        let cancel = Ask::new(method, &path.replace("{}", name), params);
        if path.contains("{}") { cancel } else { cancel.with(self.names[1], name) }
    }

    /// What cancels an order that was placed under a name.
    pub(super) fn handle(&self, placed: &Reply, name: &str) -> Result<String> {
        if self.id_at.is_empty() {
            return Ok(name.to_owned());
        }
        let id = placed.json().pointer(self.id_at).cloned().with_context(|| format!("no order: {}", placed.text()))?;
        Ok(id.as_str().map_or_else(|| id.to_string(), str::to_owned))
    }

    /// A name that an order could have when it is cancelled.
    pub(super) fn any_handle<'a>(&self, name: &'a str) -> &'a str {
        if self.id_at.is_empty() { name } else { "7" }
    }

    /// Calls that a client may make here; what else the catalogue has is not asked for.
    pub(super) fn is_honest(&self, path: &str) -> bool {
        let calls = [self.place, self.cancel, self.open, self.balances];
        calls.iter().any(|(_, wanted, _)| {
            wanted.split('/').count() == path.split('/').count() && wanted.split('/').zip(path.split('/')).all(fits)
        })
    }

    pub(super) fn open(&self) -> Ask {
        ask(self.open)
    }

    pub(super) fn balances(&self) -> Ask {
        ask(self.balances)
    }

    /// The parameters of an order, but for its name.
    pub(super) fn order(&self) -> &'static [(&'static str, &'static str)] {
        self.place.2
    }

    pub(super) fn said(&self, says: Says) -> (u16, Value) {
        let at = match says {
            Says::UnknownKey => 0,
            Says::BadSignature => 1,
            Says::Stale => 2,
            Says::Replayed => 3,
            Says::Denied => 4,
            Says::Malformed => 5,
        };
        let (status, code) = self.codes[at];
        (status, parsed(code))
    }

    pub(super) fn good_codes(&self) -> [Value; 1] {
        [parsed(self.well)]
    }
}

/// Whether a segment of a path is as wanted. Whose an account is says the venue, so a client may name another one.
fn fits((wanted, given): (&str, &str)) -> bool {
    given == wanted || wanted.contains("{}") || wanted == "U1234567" && given.eq_ignore_ascii_case(wanted)
}

pub(super) fn ask((method, path, params): Plain) -> Ask {
    Ask::new(method, path, params)
}

fn parsed(code: &str) -> Value {
    serde_json::from_str(code).unwrap_or(json!(code))
}

const BINANCE_ORDER: &[(&str, &str)] = &[
    ("symbol", "BTCUSDT"),
    ("side", "BUY"),
    ("type", "LIMIT"),
    ("timeInForce", "GTC"),
    ("quantity", "0.01"),
    ("price", "30000"),
];
const BINANCE_RATHER: &[(&str, &str)] =
    &[("quantity", "7"), ("side", "SELL"), ("symbol", "ETHUSDT"), ("price", "1"), ("type", "MARKET")];
const BINANCE_CODES: [(u16, &str); 6] =
    [(401, "-1002"), (400, "-1022"), (400, "-1021"), (400, "-4116"), (401, "-1002"), (400, "-1100")];

/// Venues whose clients sign.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        venue: "binance",
        place: ("POST", "/api/v3/order", BINANCE_ORDER),
        names: ["newClientOrderId", "origClientOrderId"],
        id_at: "",
        cancel: ("DELETE", "/api/v3/order", &[("symbol", "BTCUSDT")]),
        open: ("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]),
        balances: ("GET", "/api/v3/account", &[]),
        denied: &[
            ("POST", "/sapi/v1/capital/withdraw/apply", &[("coin", "BTC"), ("address", "mine"), ("amount", "1")]),
            ("POST", "/sapi/v1/asset/transfer", &[("type", "MAIN_UMFUTURE"), ("asset", "BTC"), ("amount", "1")]),
        ],
        rather: BINANCE_RATHER,
        symbol: "BTCUSDT",
        code_at: "/code",
        codes: BINANCE_CODES,
        well: "200",
    },
    Scene {
        venue: "binance-usdm",
        place: ("POST", "/fapi/v1/order", BINANCE_ORDER),
        names: ["newClientOrderId", "origClientOrderId"],
        id_at: "",
        cancel: ("DELETE", "/fapi/v1/order", &[("symbol", "BTCUSDT")]),
        open: ("GET", "/fapi/v1/openOrders", &[("symbol", "BTCUSDT")]),
        balances: ("GET", "/fapi/v2/balance", &[]),
        denied: &[
            ("POST", "/sapi/v1/futures/transfer", &[("type", "2"), ("asset", "USDT"), ("amount", "1")]),
            ("POST", "/sapi/v1/capital/withdraw/apply", &[("coin", "BTC"), ("address", "mine"), ("amount", "1")]),
        ],
        rather: BINANCE_RATHER,
        symbol: "BTCUSDT",
        code_at: "/code",
        codes: BINANCE_CODES,
        well: "200",
    },
    Scene {
        venue: "kraken",
        place: (
            "POST",
            "/0/private/AddOrder",
            &[("pair", "XBTUSD"), ("type", "buy"), ("ordertype", "limit"), ("volume", "0.01"), ("price", "30000")],
        ),
        names: ["cl_ord_id", "cl_ord_id"],
        id_at: "",
        cancel: ("POST", "/0/private/CancelOrder", &[]),
        open: ("POST", "/0/private/OpenOrders", &[]),
        balances: ("POST", "/0/private/Balance", &[]),
        denied: &[
            ("POST", "/0/private/Withdraw", &[("asset", "XBT"), ("key", "mine"), ("amount", "1")]),
            ("POST", "/0/private/WalletTransfer", &[("asset", "XBT"), ("to", "Futures Wallet"), ("amount", "1")]),
        ],
        rather: &[("volume", "7"), ("type", "sell"), ("pair", "ETHUSD"), ("price", "1"), ("ordertype", "market")],
        symbol: "XBTUSD",
        code_at: "/error/0",
        codes: [
            (200, "EAPI:Invalid key"),
            (200, "EAPI:Invalid signature"),
            (200, "EAPI:Invalid nonce"),
            (200, "EAPI:Invalid nonce"),
            (200, "EGeneral:Permission denied"),
            (200, "EGeneral:Invalid arguments"),
        ],
        well: "null",
    },
    Scene {
        venue: "bybit",
        place: (
            "POST",
            "/v5/order/create",
            &[
                ("category", "linear"),
                ("symbol", "BTCUSDT"),
                ("side", "Buy"),
                ("orderType", "Limit"),
                ("qty", "0.01"),
                ("price", "30000"),
            ],
        ),
        names: ["orderLinkId", "orderLinkId"],
        id_at: "",
        cancel: ("POST", "/v5/order/cancel", &[("category", "linear"), ("symbol", "BTCUSDT")]),
        open: ("GET", "/v5/order/realtime", &[("category", "linear"), ("symbol", "BTCUSDT")]),
        balances: ("GET", "/v5/account/wallet-balance", &[("accountType", "UNIFIED")]),
        denied: &[
            ("POST", "/v5/asset/withdraw/create", &[("coin", "BTC"), ("address", "mine"), ("amount", "1")]),
            ("POST", "/v5/asset/transfer/inter-transfer", &[("coin", "BTC"), ("amount", "1")]),
        ],
        rather: &[("qty", "7"), ("side", "Sell"), ("symbol", "ETHUSDT"), ("price", "1"), ("orderType", "Market")],
        symbol: "BTCUSDT",
        code_at: "/retCode",
        codes: [(200, "10003"), (200, "10004"), (200, "10002"), (200, "10014"), (200, "10005"), (200, "10001")],
        well: "0",
    },
    Scene {
        venue: "kraken-futures",
        place: (
            "POST",
            "/derivatives/api/v3/sendorder",
            &[
                ("orderType", "lmt"),
                ("symbol", "PF_XBTUSD"),
                ("side", "buy"),
                ("size", "0.01"),
                ("limitPrice", "30000"),
            ],
        ),
        names: ["cliOrdId", "cliOrdId"],
        id_at: "",
        cancel: ("POST", "/derivatives/api/v3/cancelorder", &[]),
        open: ("GET", "/derivatives/api/v3/openorders", &[]),
        balances: ("GET", "/derivatives/api/v3/accounts", &[]),
        denied: &[
            ("POST", "/derivatives/api/v3/withdrawal", &[("currency", "XBT"), ("amount", "1")]),
            (
                "POST",
                "/derivatives/api/v3/transfer",
                &[("fromAccount", "flex"), ("toAccount", "cash"), ("amount", "1")],
            ),
        ],
        rather: &[("size", "7"), ("side", "sell"), ("symbol", "PF_ETHUSD"), ("limitPrice", "1"), ("orderType", "mkt")],
        symbol: "PF_XBTUSD",
        code_at: "/error",
        codes: [
            (200, "authenticationError"),
            (200, "authenticationError"),
            (200, "nonceBelowThreshold"),
            (200, "nonceDuplicate"),
            (200, "authenticationError"),
            (200, "invalidArgument"),
        ],
        well: "null",
    },
    Scene {
        venue: "mexc",
        place: (
            "POST",
            "/api/v3/order",
            &[("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("quantity", "0.01"), ("price", "30000")],
        ),
        names: ["newClientOrderId", "origClientOrderId"],
        id_at: "",
        cancel: ("DELETE", "/api/v3/order", &[("symbol", "BTCUSDT")]),
        open: ("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]),
        balances: ("GET", "/api/v3/account", &[]),
        denied: &[
            ("POST", "/api/v3/capital/withdraw", &[("coin", "BTC"), ("address", "mine"), ("amount", "1")]),
            ("POST", "/api/v3/capital/transfer", &[("asset", "BTC"), ("amount", "1")]),
        ],
        rather: BINANCE_RATHER,
        symbol: "BTCUSDT",
        code_at: "/code",
        codes: [(400, "700001"), (400, "700002"), (400, "700003"), (400, "700004"), (400, "700007"), (400, "700004")],
        well: "200",
    },
    Scene {
        venue: "okx",
        place: (
            "POST",
            "/api/v5/trade/order",
            &[
                ("instId", "BTC-USDT"),
                ("tdMode", "cash"),
                ("side", "buy"),
                ("ordType", "limit"),
                ("sz", "0.01"),
                ("px", "30000"),
            ],
        ),
        names: ["clOrdId", "clOrdId"],
        id_at: "",
        cancel: ("POST", "/api/v5/trade/cancel-order", &[("instId", "BTC-USDT")]),
        open: ("GET", "/api/v5/trade/orders-pending", &[("instId", "BTC-USDT")]),
        balances: ("GET", "/api/v5/account/balance", &[]),
        denied: &[
            ("POST", "/api/v5/asset/withdrawal", &[("ccy", "BTC"), ("toAddr", "mine"), ("amt", "1")]),
            ("POST", "/api/v5/asset/transfer", &[("ccy", "BTC"), ("amt", "1"), ("from", "18"), ("to", "6")]),
        ],
        rather: &[("sz", "7"), ("side", "sell"), ("instId", "ETH-USDT"), ("px", "1"), ("ordType", "market")],
        symbol: "BTC-USDT",
        code_at: "/code",
        codes: [
            (401, "\"50111\""),
            (401, "\"50113\""),
            (401, "\"50102\""),
            (401, "\"50114\""),
            (401, "\"50120\""),
            (400, "\"51000\""),
        ],
        well: "\"0\"",
    },
    Scene {
        venue: "bitmex",
        place: (
            "POST",
            "/api/v1/order",
            &[("symbol", "XBTUSD"), ("side", "Buy"), ("orderQty", "100"), ("ordType", "Limit"), ("price", "30000")],
        ),
        names: ["clOrdID", "clOrdID"],
        id_at: "",
        cancel: ("DELETE", "/api/v1/order", &[]),
        open: ("GET", "/api/v1/order", &[("filter", r#"{"open":true}"#)]),
        balances: ("GET", "/api/v1/user/margin", &[]),
        denied: &[
            ("POST", "/api/v1/user/requestWithdrawal", &[("currency", "XBt"), ("amount", "1"), ("address", "mine")]),
            ("POST", "/api/v1/user/walletTransfer", &[("currency", "XBt"), ("amount", "1"), ("targetAccountId", "2")]),
        ],
        rather: &[("orderQty", "7"), ("side", "Sell"), ("symbol", "ETHUSDT"), ("price", "1"), ("ordType", "Market")],
        symbol: "XBTUSD",
        code_at: "/error/message",
        codes: [
            (401, "Invalid API Key."),
            (401, "Signature not valid."),
            (401, "This request has expired"),
            (401, "This request has expired"),
            (403, "Access Denied"),
            (400, "claviger: request_unreadable: "),
        ],
        well: "null",
    },
    Scene {
        venue: "mexc-contract",
        place: (
            "POST",
            "/api/v1/private/order/create",
            &[
                ("symbol", "BTC_USDT"),
                ("price", "30000"),
                ("vol", "1"),
                ("side", "1"),
                ("type", "1"),
                ("openType", "2"),
            ],
        ),
        names: ["externalOid", "externalOid"],
        id_at: "",
        cancel: ("POST", "/api/v1/private/order/cancel_with_external", &[("symbol", "BTC_USDT")]),
        open: ("GET", "/api/v1/private/order/list/open_orders", &[]),
        balances: ("GET", "/api/v1/private/account/assets", &[]),
        denied: &[
            ("POST", "/api/v3/capital/withdraw", &[("coin", "BTC"), ("address", "mine"), ("amount", "1")]),
            ("POST", "/api/v1/private/market_maker/self_trade/blacklist/add", &[("symbol", "BTC_USDT")]),
        ],
        rather: &[("vol", "7"), ("side", "3"), ("symbol", "ETH_USDT"), ("price", "1"), ("type", "5")],
        symbol: "BTC_USDT",
        code_at: "/code",
        codes: [(200, "401"), (200, "602"), (200, "513"), (200, "603"), (200, "704"), (200, "600")],
        well: "0",
    },
];
