//! Kraken Futures' login to its feeds, against what a request signs.

use claviger_venues::{
    Host, Identity, Params, SecretKind, SigningTime, VenueId, check, kraken_futures::hash, operation, prepare,
    stream_login,
};

const AT: SigningTime = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 5_000 };

/// The login and a request are signed alike, so a challenge must be none that a request could be.
#[test]
fn what_a_request_signs_is_no_challenge() {
    let key = Identity::new("k", SecretKind::Hmac);
    let params = Params::new();
    let call = check(operation(VenueId::KrakenFutures, "orders.cancel_all").unwrap(), &params).unwrap();
    let request = prepare(&call, &Host::parse("https://a.example").unwrap(), key, AT, 7).unwrap();
    let text = "7/api/v3/cancelallorders";
    assert_eq!(request.to_sign(), hash(text));
    assert_eq!(stream_login(VenueId::KrakenFutures, "feeds", key, AT, Some(text)), None);
}
