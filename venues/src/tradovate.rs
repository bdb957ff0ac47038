//! Tradovate: futures.
//!
//! A login with the user's password and the app's own key hands out a token for some 80 minutes; a renewal extends the
//! session without opening a second one.
//!
//! Sources: `api.tradovate.com`, `partner.tradovate.com` (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod params;

use data_encoding::HEXLOWER;

use crate::{
    budget::{Budget, Counts, Per},
    inbound::Dialect,
    meaning::Meaning,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    product::Products,
    reading::{ReadError, Reading},
    retrieval::Found,
    secret::{SecretForm, SecretKind, SecretPart, SecretRule, TEXT, is_key_id},
    signing::{Draft, Fill, Place, Signable},
    stream::Stream,
    token::{Exchange, TokenAnswer, TokenRule},
    venue::Venue,
};

/// Tradovate.
pub(crate) struct Tradovate;

/// Futures and options on them.
const TRADED: Products = Products::DERIVATIVES;

impl Venue for Tradovate {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://live.tradovateapi.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        const { &[SecretRule { kind: SecretKind::Login, parts: LOGIN }, SecretRule { kind: SecretKind::Token, parts: TEXT }] }
    }

    /// A user's name.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"@._+-")
    }

    fn uses_nonce(&self) -> bool {
        false
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        if draft.key.kind == SecretKind::Token {
            return Signable::bearer(draft);
        }
        let fills = MEMBERS.iter().enumerate().map(|(part, member)| Fill::part(part, Place::Json(member)));
        let mut login = Signable::shown(draft, fills.collect());
        login.add("name", draft.key);
        login
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    /// The answer says who the user is, and nothing of what the app's key may do.
    fn permissions(&self, _body: &[u8]) -> Option<KeyFacts> {
        Some(KeyFacts::unproven(TRADED))
    }

    fn bundled(&self) -> Products {
        Products::NONE
    }

    fn advice(&self, _fault: &Fault) -> String {
        "On Tradovate, Application Settings → API Access → edit the key's permissions, then save.".to_owned()
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        errors::meaning(status, body)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::Gateway
    }

    /// 5000 requests a minute, and no more than that in an hour.
    fn budgets(&self) -> &'static [Budget] {
        const {
            &[
                Budget::new(Per::Key, Counts::Weight, 5_000, 60_000),
                Budget::new(Per::Key, Counts::Weight, 5_000, 3_600_000),
            ]
        }
    }

    fn tokens(&self) -> Option<&'static TokenRule> {
        const {
            Some(&TokenRule {
                login: "session.login",
                renewal: Some("session.renew"),
                opening: &[],
                keep_alive: None,
                exchange: Exchange::Plain,
                life_s: 80 * 60,
            })
        }
    }

    fn token<'b>(&self, body: &'b [u8]) -> Option<TokenAnswer<'b>> {
        errors::token(body)
    }

    fn streams(&self) -> &'static [Stream] {
        const {
            &[
                Stream {
                    name: "user",
                    kinds: &[],
                    reason: "orders can be sent over the same socket",
                    challenge: false,
                },
                Stream {
                    name: "market",
                    kinds: &[],
                    reason: "whoever opens this socket holds a token of the login's",
                    challenge: false,
                },
            ]
        }
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("clOrdId", HEXLOWER.encode(digest)))
    }

    /// Orders are listed without their clients' names for them, and the commands that have these without the order.
    fn lookup(&self, _call: &Call<'_>) -> Option<(&'static str, Params)> {
        None
    }

    fn found(&self, _meaning: &Meaning, _body: &[u8]) -> Found {
        Found::Unclear
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://trader.tradovate.com"
    }
}

/// What a login takes besides the user's name, by its names in the API.
const LOGIN: &[SecretPart] = &[
    SecretPart::new("password", SecretForm::Text),
    SecretPart::new("app_id", SecretForm::Text),
    SecretPart::new("app_version", SecretForm::Text),
    SecretPart::new("cid", SecretForm::Text),
    SecretPart::new("sec", SecretForm::Text),
    SecretPart::new("device_id", SecretForm::Text),
];
/// The same, in the same order, by the venue's names.
const MEMBERS: [&str; 6] = ["password", "appId", "appVersion", "cid", "sec", "deviceId"];

const GUIDE: &[&str] = &[
    "On Tradovate, subscribe to API Access, then open Application Settings → API Access → Generate API Key. A key made in \
     the simulation pages works for simulated accounts too.",
    "Allow “Full access” to Orders and Positions to trade, “View only” to read; “View only” to Accounts, Contracts and \
     Market data.",
    "Untick, or set to “Denied”, everything about users, subscriptions, plug-ins and risk settings.",
    "The login needs the user's own password. Use a user of its own, with two sessions at most: one more ends the oldest.",
    "Enter the user's name as the key id; as the secret its password, the app's id and version, the key's cid and sec, and \
     a device id that you keep: a new device asks for a confirmation.",
];
