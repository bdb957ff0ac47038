//! MEXC spot's signature: every parameter in the query, the signature last.
//!
//! Source: `mexc.com/api-docs/spot-v3`, *SIGNED endpoint security* (2026-11-21).

use crate::{
    encoding::{Encoding, append},
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable},
};

/// The longest window MEXC accepts.
const WINDOW_MS_MAX: u32 = 60_000;

/// The text to sign: raw query and raw body, both without `signature`, and nothing between them.
///
/// Claviger itself sends no body; with one, a value can slide over the seam and keep the signature.
pub fn string_to_sign(query: &str, body: &str) -> String {
    [query, body].concat()
}

/// Builds one request. The probe names the key that it asks about: its own, and no other.
pub(in super::super) fn signable(draft: &Draft<'_>) -> Signable {
    let mut rendered = Rendered::of(draft.call);
    let query = &mut rendered.query;
    if draft.call.operation().is_probe() {
        append(query, "accessKey", draft.key.key_id);
    }
    append(query, "recvWindow", &draft.at.valid_ms.clamp(1, WINDOW_MS_MAX).to_string());
    append(query, "timestamp", &draft.at.now_ms.to_string());
    let headers = vec![("X-MEXC-APIKEY", draft.key.key_id.to_owned()), ("Content-Type", "application/json".to_owned())];
    Signable {
        scheme: Some(Scheme::HmacSha256),
        to_sign: string_to_sign(&rendered.query, "").into_bytes(),
        request: rendered.unsigned(draft.call, draft.host, headers),
        fills: vec![Fill::signature(Encoding::Hex, Place::Query("signature"))],
    }
}

#[cfg(test)]
mod tests {
    use crate::{Host, Identity, Params, SecretKind, SigningTime, VenueId, check, operation, prepare};

    #[test]
    fn the_probe_asks_about_its_own_key() {
        for venue in [VenueId::Mexc, VenueId::MexcContract] {
            let params = Params::new();
            let call = check(operation(venue, "key.permissions").unwrap(), &params).unwrap();
            let host = Host::parse("https://a.example").unwrap();
            let at = SigningTime { now_ms: 17, valid_ms: 5_000 };
            let signable = prepare(&call, &host, Identity::new("mx0vKey", SecretKind::Hmac), at, 0).unwrap();
            assert_eq!(signable.to_sign(), b"accessKey=mx0vKey&recvWindow=5000&timestamp=17", "{venue}");
        }
    }
}
