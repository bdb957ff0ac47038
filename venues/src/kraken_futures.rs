//! Kraken Futures: perpetual and dated contracts, with keys of their own.
//!
//! Sources: `docs.kraken.com`, *Futures REST authentication*, *API keys*, the trading and account reference and *Rate
//! limits* (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod permissions;
mod prices;
mod signing;

pub use signing::{endpoint, hash};

use data_encoding::HEXLOWER;

use crate::{
    budget::{Budget, Counts, Per},
    encoding::Encoding,
    inbound::Dialect,
    meaning::Meaning,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    price::Pricing,
    product::Products,
    reading::{ReadError, Reading},
    retrieval::Found,
    secret::{BASE64, SecretKind, SecretRule, is_key_id},
    signing::{Draft, Identity, Scheme, Signable, SigningTime},
    stream::{Stream, StreamLogin},
    venue::Venue,
};

/// Kraken Futures.
pub(crate) struct KrakenFutures;

impl Venue for KrakenFutures {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://futures.kraken.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    /// Key ids are 56 characters of base64; the length is left to Kraken.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"+/=")
    }

    /// Nonces are optional; without one, whoever saw a signed request could send it again for ever.
    fn uses_nonce(&self) -> bool {
        true
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        signing::signable(draft)
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    fn permissions(&self, body: &[u8]) -> Option<KeyFacts> {
        permissions::permissions(body)
    }

    fn bundled(&self) -> Products {
        Products::DERIVATIVES
    }

    fn advice(&self, fault: &Fault) -> String {
        permissions::advice(fault)
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        errors::meaning(status, body)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::Gateway
    }

    /// 500 points in ten seconds; the histories have a pool of their own, from which a call takes little.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Key, Counts::Weight, 500, 10_000)] }
    }

    fn weight(&self, call: &Call<'_>) -> u32 {
        let instructions = || u32::try_from(call.items("batchOrder").len()).unwrap_or(u32::MAX);
        match call.operation().name {
            "order.place" | "order.amend" | "order.cancel" | "leverage.set" | "pnl_currency.set" => 10,
            "orders.cancel_all" | "orders.cancel_after" => 25,
            "orders.place_batch" | "orders.amend_batch" | "orders.cancel_batch" => 9_u32.saturating_add(instructions()),
            "trades" if call.get("lastFillTime").is_some() => 25,
            "account" | "positions" | "orders.open" | "trades" => 2,
            _ => 1,
        }
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS
    }

    /// What is signed is the hash of whatever stands in for the challenge, and a request is signed the same way: only a
    /// UUID, which no request can be, is taken for a challenge.
    fn stream_login(
        &self,
        _stream: &Stream,
        key: Identity<'_>,
        _at: SigningTime,
        challenge: Option<&str>,
    ) -> Option<StreamLogin> {
        let challenge = challenge.filter(|text| is_uuid(text))?;
        Some(StreamLogin {
            scheme: Scheme::HmacSha512,
            to_sign: hash(challenge),
            encoding: Encoding::Base64,
            fields: vec![("api_key", key.key_id.to_owned()), ("original_challenge", challenge.to_owned())],
            signature: "signed_challenge",
        })
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("cliOrdId", ["clv", &HEXLOWER.encode(digest)].concat()))
    }

    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        Some(("order.get", Params::from_iter([("cliOrdIds", call.get("cliOrdId")?)])))
    }

    /// Orders that have ended are listed for some seconds only, so that a list without the order proves nothing.
    fn found(&self, meaning: &Meaning, body: &[u8]) -> Found {
        if *meaning == Meaning::Accepted && order::is_listed(body) { Found::Yes } else { Found::Unclear }
    }

    fn pricing(&self) -> &'static dyn Pricing {
        &prices::Prices
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://futures.kraken.com/trade/settings/api"
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

const SECRETS: &[SecretRule] = &[SecretRule { kind: SecretKind::Hmac, parts: BASE64 }];

/// The feeds take no orders, and what their login signs is good for nothing else.
const STREAMS: &[Stream] = &[Stream {
    name: "feeds",
    kinds: &[SecretKind::Hmac],
    reason: "Kraken Futures knows HMAC keys only",
    challenge: true,
}];

const GUIDE: &[&str] = &[
    "On Kraken Futures, open Settings → API Keys and choose “Create Key”; spot keys do not work here. Make a key for \
     Claviger alone: its nonces only ever grow, so a key that something else uses too stops working in both places.",
    "Set “General API” to “Read Only”; to trade, to “Full Access”.",
    "Untick every right to withdraw or transfer: set “Withdrawal API” to “No Access”.",
    "Enter Claviger's addresses under “IP allowlist” and choose “Create Key”.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, check, operation, stream_login, weight};

    #[test]
    fn only_a_uuid_is_a_challenge() {
        let key = Identity::new("k", SecretKind::Hmac);
        let at = SigningTime { now_ms: 1, valid_ms: 1 };
        let login = |challenge| stream_login(VenueId::KrakenFutures, "feeds", key, at, challenge);
        let uuid = "c100b894-1729-464d-ace1-52dbce11db42";
        assert_eq!(login(Some(uuid)).unwrap().to_sign, hash(uuid));
        for hostile in [
            None,
            Some(""),
            Some("/api/v3/accounts"),
            Some("orderType=mkt&symbol=PF_XBTUSD&side=buy&size=1/api/v3/sendorder"),
            Some("c100b894-1729-464d-ace1-52dbce11db4"),
            Some("c100b894-1729-464d-ace1-52dbce11db42/api/v3/accounts"),
            Some("g100b894-1729-464d-ace1-52dbce11db42"),
            Some("c100b8941729464dace152dbce11db42----"),
        ] {
            assert_eq!(login(hostile), None, "{hostile:?}");
        }
    }

    #[test]
    fn a_batch_weighs_by_its_length() {
        let cancels = r#"[{"order":"cancel","order_id":"a"},{"order":"cancel","order_id":"b"}]"#;
        for (name, pairs, expected) in [
            ("account", [].as_slice(), 2),
            ("ticker.all", &[], 1),
            ("orders.cancel_all", &[], 25),
            ("orders.cancel_batch", &[("batchOrder", cancels)], 11),
        ] {
            let params: Params = pairs.iter().copied().collect();
            let operation = operation(VenueId::KrakenFutures, name).unwrap();
            assert_eq!(weight(&check(operation, &params).unwrap()), expected, "{name}");
        }
    }
}
