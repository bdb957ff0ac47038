//! MEXC futures' WebSocket login.

use claviger_venues::{
    Host, Identity, Params, Scheme, SecretKind, SigningTime, VenueId, check, operation, prepare, stream_login, streams,
};
use data_encoding::HEXLOWER;

use super::sign;
use crate::testdata::vectors;

/// What a login signs is what a call without parameters signs, so whoever is given the one has the other.
#[test]
fn a_login_would_pass_for_a_call_and_is_refused() {
    let vector = vectors().into_iter().find(|vector| vector.id == "mexc-contract-ws-login").unwrap();
    let venue = VenueId::MexcContract;
    let at = SigningTime { now_ms: vector.timestamp.unwrap(), valid_ms: 1_000 };
    let key = Identity::new(&vector.key, SecretKind::Hmac);
    let params = Params::new();
    let call = check(operation(venue, "balances").unwrap(), &params).unwrap();
    let signable = prepare(&call, &Host::parse("https://a.example").unwrap(), key, at, 0).unwrap();
    let signature = sign(&vector, Scheme::HmacSha256, signable.to_sign());
    assert_eq!(HEXLOWER.encode(&signature), vector.expected_signature);

    for venue in [VenueId::Mexc, venue] {
        assert!(!streams(venue).is_empty());
        for stream in streams(venue) {
            assert!(!stream.reason.is_empty() && stream_login(venue, stream.name, key, at, None).is_none());
        }
    }
}
