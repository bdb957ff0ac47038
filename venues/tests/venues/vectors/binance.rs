//! Binance's WebSocket frames: how they are signed, and why no login is.

use claviger_venues::{Identity, KeyType, Scheme, SecretKind, SigningTime, VenueId, stream_login, streams};
use data_encoding::HEXLOWER;

use super::sign;
use crate::testdata::vectors;

/// A frame signs its parameters and not its method: whoever is given `apiKey` and `timestamp` signed for one method has
/// them signed for every other that takes no more, over REST as well.
#[test]
fn a_frame_does_not_sign_what_it_is_for() {
    let frames: Vec<_> = vectors().into_iter().filter(|vector| vector.id.starts_with("binance-docs-ws-hmac")).collect();
    assert_eq!(frames.len(), 2);
    for vector in &frames {
        assert!(!vector.string_to_sign.contains(&vector.path));
        let mac = sign(vector, Scheme::HmacSha256, vector.string_to_sign.as_bytes());
        assert_eq!(HEXLOWER.encode(&mac), vector.expected_signature);
    }
}

#[test]
fn no_login_is_signed() {
    let at = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 1_000 };
    let keys = [
        Identity::new("k", SecretKind::Hmac),
        Identity::private_key("k", KeyType::Ed25519),
        Identity::private_key("k", KeyType::Rsa),
    ];
    for venue in [VenueId::Binance, VenueId::BinanceUsdm] {
        for stream in streams(venue) {
            assert!(!stream.reason.is_empty());
            assert!(keys.iter().all(|key| stream_login(venue, stream.name, *key, at, None).is_none()));
        }
    }
}
