//! `BitMEX`' WebSocket login.

use claviger_venues::{Identity, Scheme, SecretKind, SigningTime, VenueId, stream_login};
use data_encoding::HEXLOWER;

use super::sign;
use crate::testdata::vectors;

#[test]
fn the_streams_login_is_reproduced() {
    let vector = vectors().into_iter().find(|vector| vector.id == "bitmex-ws-auth").unwrap();
    let at = SigningTime { now_ms: vector.timestamp.unwrap() * 1_000, valid_ms: 0 };
    let key = Identity::new(&vector.key, SecretKind::Hmac);
    let login = stream_login(VenueId::Bitmex, "realtime", key, at, None).unwrap();
    assert_eq!(HEXLOWER.encode(&sign(&vector, Scheme::HmacSha256, &login.to_sign)), vector.expected_signature);
    assert_eq!(login.fields[1], ("api-expires", vector.timestamp.unwrap().to_string()));
}
