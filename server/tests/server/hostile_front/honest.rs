//! The control: without it, a keeper that signs nothing at all would pass every other test.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA512};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use claviger_core::store::IntentKind;
use claviger_venues::{Product, RequestParts, SecretKind, VenueId};
use data_encoding::{BASE64, HEXLOWER};

use super::front::{HMAC_SECRET, Home, trade};

#[test]
fn an_hmac_order_is_signed_with_the_secret() {
    let home = Home::new("honest-hmac");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();

    let order = front.order(&credential);
    let parts = front.signed(order);

    assert_eq!(target(&parts), "https://api.binance.com/api/v3/order");
    let (signed, signature) = query(&parts).split_once("&signature=").unwrap();
    let mac = HEXLOWER.decode(signature.as_bytes()).unwrap();
    hmac::verify(&hmac::Key::new(HMAC_SHA256, HMAC_SECRET.as_bytes()), signed.as_bytes(), &mac).unwrap();
    assert!(signed.starts_with("symbol=BTCUSDT&side=BUY&type=LIMIT"), "{signed}");
}

#[test]
fn an_ed25519_order_is_signed_with_the_private_key() {
    let home = Home::new("honest-ed25519");
    let mut front = home.keeper();
    front.hello();
    let pair = Ed25519KeyPair::generate().unwrap();
    let pem = pem(&pair);
    let credential = front.enrolled_at(VenueId::Binance, SecretKind::PrivateKey, trade(Product::Spot), &pem);

    let order = front.order(&credential);
    let parts = front.signed(order);

    let (signed, signature) = query(&parts).split_once("&signature=").unwrap();
    let signature = signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let signature = BASE64.decode(signature.as_bytes()).unwrap();
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key());
    public.verify(signed.as_bytes(), &signature).unwrap();
}

#[test]
fn a_kraken_order_is_signed_with_the_decoded_secret() {
    let home = Home::new("honest-kraken");
    let mut front = home.keeper();
    front.hello();
    let secret = [7; 64];
    let text = BASE64.encode(&secret);
    let credential = front.enrolled_at(VenueId::Kraken, SecretKind::Hmac, trade(Product::Spot), &text);

    let order = front.order(&credential);
    let nonce = order.nonce;
    let parts = front.signed(order);

    let hashed = digest(&SHA256, &[nonce.to_string().as_bytes(), &parts.body].concat());
    let message = [b"/0/private/AddOrder".as_slice(), hashed.as_ref()].concat();
    let header = |name: &str| &parts.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).unwrap().1;
    let mac = BASE64.decode(header("API-Sign").as_bytes()).unwrap();
    hmac::verify(&hmac::Key::new(HMAC_SHA512, &secret), &message, &mac).unwrap();
}

#[test]
fn a_probe_is_signed_for_the_system() {
    let home = Home::new("honest-probe");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();

    let mut probe = front.sign(&credential, "key.permissions", &[]);
    probe.kind = IntentKind::System;
    let parts = front.signed(probe);

    assert_eq!(target(&parts), "https://api.binance.com/sapi/v1/account/apiRestrictions");
}

/// A private key as an owner has it.
fn pem(pair: &Ed25519KeyPair) -> String {
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(der.as_ref()))
}

/// The URL without its query.
fn target(parts: &RequestParts) -> &str {
    parts.url.split_once('?').map_or(&parts.url, |(target, _)| target)
}

fn query(parts: &RequestParts) -> &str {
    parts.url.split_once('?').unwrap().1
}
