//! TopstepX, and whatever else speaks the ProjectX gateway: futures accounts of proprietary trading firms.
//!
//! A login with the API key hands out a token that lives for a day; every call is a POST that shows it.
//!
//! Source: `gateway.docs.projectx.com` (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;

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
    secret::{SecretKind, SecretRule, TEXT, is_key_id},
    signing::{Draft, Fill, Place, Signable},
    stream::Stream,
    token::{Exchange, TokenAnswer, TokenRule},
    venue::Venue,
};

/// TopstepX.
pub(crate) struct TopstepX;

/// Futures alone.
const TRADED: Products = Products::DERIVATIVES;

impl Venue for TopstepX {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://api.topstepx.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        const { &[SecretRule { kind: SecretKind::Login, parts: TEXT }, SecretRule { kind: SecretKind::Token, parts: TEXT }] }
    }

    /// A user's name, which may be an e-mail address.
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
        let mut login = Signable::shown(draft, vec![Fill::part(0, Place::Json("apiKey"))]);
        login.add("userName", draft.key);
        login
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    /// The list of accounts says which of them trade, and nothing of the key.
    fn permissions(&self, _body: &[u8]) -> Option<KeyFacts> {
        Some(KeyFacts::unproven(TRADED))
    }

    fn bundled(&self) -> Products {
        Products::NONE
    }

    fn advice(&self, _fault: &Fault) -> String {
        "On TopstepX, Settings → API → revoke the key: API keys have no permissions that could be changed.".to_owned()
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        errors::meaning(status, body)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::Gateway
    }

    /// 200 requests a minute. Bars have a limit of their own, 50 in half a minute, which their weight keeps within this.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Key, Counts::Weight, 200, 60_000)] }
    }

    fn weight(&self, call: &Call<'_>) -> u32 {
        if call.operation().name == "candles" { 4 } else { 1 }
    }

    fn tokens(&self) -> Option<&'static TokenRule> {
        const {
            Some(&TokenRule {
                login: "session.login",
                renewal: Some("session.renew"),
                opening: &[],
                keep_alive: None,
                exchange: Exchange::Plain,
                life_s: 24 * 60 * 60,
            })
        }
    }

    fn token<'b>(&self, body: &'b [u8]) -> Option<TokenAnswer<'b>> {
        errors::token(body)
    }

    fn streams(&self) -> &'static [Stream] {
        const {
            &[
                Stream { name: "user", kinds: &[], reason: TOKEN_OPENS_ALL, challenge: false },
                Stream { name: "market", kinds: &[], reason: TOKEN_OPENS_ALL, challenge: false },
            ]
        }
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("customTag", HEXLOWER.encode(digest)))
    }

    /// Orders are searched for by time, not by their tag.
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
        "https://topstepx.com/settings"
    }
}

const TOKEN_OPENS_ALL: &str = "whoever opens this hub holds the token itself, which trades";

const GUIDE: &[&str] = &[
    "On TopstepX, open Settings → API and subscribe to ProjectX API access if the account has none.",
    "Choose “Add API Key” and copy the key; it is shown once.",
    "There are no boxes to Untick: a key trades in every account of the user. It cannot withdraw, for the API has no \
     such call; payouts are asked for on the pages only.",
    "Enter the user's name as the key id and the API key as the secret. Ask the firm whether its rules allow trading from \
     a server.",
];
