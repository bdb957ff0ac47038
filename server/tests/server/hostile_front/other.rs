//! The messages that sign nothing for a venue, and are no oracles either: `seal`, `sign_jwt`, `sign_checkpoint`.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use claviger_core::audit::{EntryOutcome, Hash, SignedCheckpoint};
use claviger_core::clock::{Clock as _, SystemClock};
use claviger_core::execution::Origin;
use claviger_core::id::{AppId, AuthenticatorId, TenantId};
use claviger_core::keeper::message::{Claims, Head, Refused, Reply, Request, Seal};
use claviger_core::secret::Plaintext;
use claviger_core::store::Store as _;
use claviger_core::store::redb::RedbStore;
use claviger_venues::{Product, SecretKind, VenueId};
use data_encoding::{BASE64, BASE64URL_NOPAD};

use super::front::{Front, HMAC_SECRET, Home, refusal, trade};

#[test]
fn only_a_usable_secret_is_sealed() {
    let home = Home::new("seal-secrets");
    let mut front = home.keeper();
    front.hello();
    let pem = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let rsa = pem("PRIVATE KEY", &BASE64.encode(rsa.as_ref()));
    let text_secrets = ["", "       ", "1234567", &"x".repeat(8_190)];
    let base64_secrets = ["not base64!", "AAECAwQ", "AAECAwQF", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8-_w=="];
    let not_taken = pem("PRIVATE KEY", "AAAA");
    let pems = [
        HMAC_SECRET,
        &pem("PRIVATE KEY", "AAAA"),
        &pem("PRIVATE KEY", "?"),
        &pem("PUBLIC KEY", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="),
        "-----BEGIN PRIVATE KEY-----\nAAAA",
    ];
    let cases = [
        (VenueId::Binance, SecretKind::Hmac, text_secrets.as_slice()),
        (VenueId::Kraken, SecretKind::Hmac, base64_secrets.as_slice()),
        (VenueId::Binance, SecretKind::PrivateKey, pems.as_slice()),
        (VenueId::Kraken, SecretKind::PrivateKey, &[not_taken.as_str()]),
    ];
    for (venue, kind, secrets) in cases {
        for secret in secrets {
            let seal = front.seal(venue, kind, trade(Product::Spot));
            let refused = refusal(ask_to_seal(&mut front, seal, secret));
            let Refused::Secret(why) = &refused else { panic!("{venue} {secret:?}: {refused:?}") };
            assert!(secret.len() < 7 || !why.contains(*secret), "it quotes the secret: {why}");
        }
    }
    front.enrolled_at(VenueId::Binance, SecretKind::PrivateKey, trade(Product::Spot), &rsa);
    front.enrolled();
}

#[test]
fn a_secret_is_sealed_under_its_own_tenants_genuine_kek() {
    let home = Home::new("seal-keks");
    let mut front = home.keeper();
    front.hello();
    let theirs = front.enrolled();
    let seal = |front: &mut Front| front.seal(VenueId::Binance, SecretKind::Hmac, trade(Product::Spot));

    let mut other = seal(&mut front);
    other.kek = theirs.kek.clone();
    assert_eq!(refusal(ask_to_seal(&mut front, other, HMAC_SECRET)), Refused::Relabelled);
    let mut forged = seal(&mut front);
    forged.kek.blob = theirs.kek.blob;
    assert_eq!(refusal(ask_to_seal(&mut front, forged, HMAC_SECRET)), Refused::Tampered);
    let mut forged = seal(&mut front);
    forged.kek.mac[0] ^= 1;
    assert_eq!(refusal(ask_to_seal(&mut front, forged, HMAC_SECRET)), Refused::Tampered);
    front.enrolled();
}

#[test]
fn access_tokens_have_bounds() {
    let home = Home::new("jwt");
    let mut front = home.keeper();
    let greeting = front.hello();
    let now = SystemClock.unix_ms() / 1_000;
    let life = front.config.tokens.access_seconds;
    let claims = |issued: u64, expires: u64| Claims {
        app: AppId::new(&SystemClock),
        tenant: TenantId::new(&SystemClock),
        issuer: "claviger".to_owned(),
        issued,
        expires,
        authenticator: AuthenticatorId::new(&SystemClock),
        certificate: Some([7; 32]),
    };
    let refused = [
        ("too long a life", claims(now, now + life + 1)),
        ("an endless life", claims(0, u64::MAX)),
        ("issued in an hour", claims(now + 3_600, now + 3_600 + life)),
        ("over before it began", claims(now, now - 1)),
    ];
    for (what, claims) in refused {
        assert_eq!(refusal(front.ask(&Request::SignJwt(claims))), Refused::Claims, "{what}");
    }

    let reply = front.ask(&Request::SignJwt(claims(now, now + life)));

    let Reply::Jwt(token) = reply else { panic!("{reply:?}") };
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, greeting.keys.api);
    key.verify(input.as_bytes(), &signature).unwrap();
}

/// The heads are those of the home's own store, whose first ones `init` has had signed.
#[tokio::test]
async fn only_a_head_that_extends_the_last_one_is_signed() {
    let home = Home::new("heads");
    let mut front = home.keeper();
    let greeting = front.hello();
    let origin = front.config.audit.log.clone();
    let path = home.path().join("claviger.redb");
    let store = RedbStore::open(&path, &origin, Arc::new(SystemClock)).unwrap();
    let signed = SignedCheckpoint::parse_and_verify(greeting.checkpoint.unwrap(), &origin, &greeting.keys.audit);
    let first = signed.unwrap().size;
    let entry = Origin::system(&SystemClock).draft("test", EntryOutcome::Allowed);
    store.append(vec![entry; 5]).await.unwrap();
    let last = store.tree_head().await.unwrap();
    let (middle_root, proof) = store.consistency(first + 2, last.size).await.unwrap();
    let (_, to_middle) = store.consistency(first, first + 2).await.unwrap();
    let head =
        |size: u64, root: Hash, proof: &[Hash]| Head { origin: origin.clone(), size, root, proof: proof.to_vec() };
    let ask = |front: &mut Front, head: Head| front.ask(&Request::SignCheckpoint(Box::new(head)));
    let refuses = |front: &mut Front, what: &str, head: Head| {
        assert_eq!(refusal(ask(front, head)), Refused::Inconsistent, "{what}");
    };

    let elsewhere = Head { origin: "claviger/elsewhere".to_owned(), ..head(first + 2, middle_root, &to_middle) };
    refuses(&mut front, "another log", elsewhere);
    refuses(&mut front, "no proof", head(first + 2, middle_root, &[]));
    refuses(&mut front, "a fork", head(first + 2, Hash::from_bytes([7; 32]), &to_middle));
    refuses(&mut front, "the empty tree", head(0, Hash::of_empty_tree(), &[]));
    let reply = ask(&mut front, head(first + 2, middle_root, &to_middle));
    let Reply::Checkpoint(note) = reply else { panic!("{reply:?}") };
    let checkpoint = SignedCheckpoint::parse_and_verify(note, &origin, &greeting.keys.audit).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (first + 2, middle_root));

    let (older_root, _) = store.consistency(first + 1, first + 2).await.unwrap();
    refuses(&mut front, "a shrunk one", head(first + 1, older_root, &[]));
    refuses(&mut front, "a fork of the same size", head(first + 2, Hash::from_bytes([7; 32]), &[]));
    refuses(&mut front, "a proof from elsewhere", head(last.size, last.root, &to_middle));
    let reply = ask(&mut front, head(last.size, last.root, &proof));
    assert!(matches!(reply, Reply::Checkpoint(_)), "{reply:?}");
}

fn ask_to_seal(front: &mut Front, seal: Seal, secret: &str) -> Reply {
    let secret = Plaintext::copy_of(secret.as_bytes()).unwrap();
    front.ask_with(&Request::Seal(Box::new(seal)), Some(&secret))
}
