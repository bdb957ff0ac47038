//! Bybit's WebSocket login.

use claviger_venues::{Identity, KeyType, Scheme, SecretKind, SigningTime, VenueId, stream_login, streams};
use data_encoding::HEXLOWER;

use super::sign;
use crate::testdata::vectors;

/// The signed text names no stream, so whoever is given a login for one that only tells has it for the one that trades.
#[test]
fn a_login_to_one_stream_opens_them_all_and_is_refused() {
    let vector = vectors().into_iter().find(|vector| vector.id == "bybit-ws-auth").unwrap();
    let expires_ms = vector.timestamp.unwrap();
    let login = format!("GET/realtime{expires_ms}");
    assert_eq!(HEXLOWER.encode(&sign(&vector, Scheme::HmacSha256, login.as_bytes())), vector.expected_signature);

    let at = SigningTime { now_ms: expires_ms, valid_ms: 1_000 };
    let keys = [Identity::new(&vector.key, SecretKind::Hmac), Identity::private_key(&vector.key, KeyType::Rsa)];
    for stream in streams(VenueId::Bybit) {
        assert!(!stream.reason.is_empty());
        assert!(keys.iter().all(|key| stream_login(VenueId::Bybit, stream.name, *key, at, None).is_none()));
    }
}
