//! OAuth 1.0a as an independent client signs it: the login and the calls, to the byte.

use claviger_venues::{
    Host, Identity, Params, Proof, Scheme, SecretKind, SigningTime, VenueId, attach, check, ibkr::base_string,
    operation, prepare,
};

use super::sign::sign;
use crate::testdata::{Vector, vectors};

fn vector(id: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.id == id).unwrap()
}

/// The members of the header as documentation shows it, without realm and signature.
fn members(header: &str) -> Vec<(&str, &str)> {
    let members = header.strip_prefix("OAuth ").unwrap().split(", ");
    let members = members.map(|member| member.split_once('=').unwrap());
    let members = members.filter(|(name, _)| !["realm", "oauth_signature"].contains(name));
    members.map(|(name, value)| (name, value.trim_matches('"'))).collect()
}

#[test]
fn base_strings_and_signatures_are_an_independent_clients() {
    for vector in vectors() {
        let Some(header) = vector.expected_headers.get("Authorization").filter(|_| vector.venue == "ibkr") else {
            continue;
        };
        let base = base_string(&vector.method, &vector.expected_url, &members(header));
        // Before a login's stands the access token's secret.
        let (secret, wanted) = vector.string_to_sign.split_at(vector.string_to_sign.find(&vector.method).unwrap());
        assert_eq!(base, wanted, "{}", vector.id);
        let scheme = if secret.is_empty() { Scheme::HmacSha256 } else { Scheme::RsaSha256 };
        let signature = sign(&vector, scheme, vector.string_to_sign.as_bytes());
        let written = claviger_venues::encoding::Encoding::Base64Percent.encode(&signature);
        assert_eq!(written, vector.expected_signature, "{}", vector.id);
    }
}

#[test]
fn a_request_has_the_header_that_documentation_shows() {
    for (id, name, kind, params) in [
        ("ibkr-lst-request", "session.login", SecretKind::Login, vec![("diffie_hellman_challenge", "")]),
        ("ibkr-hmac-get-accounts", "account", SecretKind::Token, vec![]),
        (
            "ibkr-hmac-delete-order",
            "order.cancel",
            SecretKind::Token,
            vec![("accountId", "U1234567"), ("orderId", "987654")],
        ),
    ] {
        let vector = vector(id);
        let challenge = vector_challenge();
        let given = params.into_iter().map(|(name, value)| (name, if value.is_empty() { &challenge } else { value }));
        let params: Params = given.collect();
        let call = check(operation(VenueId::Ibkr, name).unwrap(), &params).unwrap();
        let key = Identity { access_token: "abcdef0123456789abcd", ..Identity::new(&vector.key, kind) };
        let at = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 5_000 };
        let host = Host::parse("https://api.ibkr.com").unwrap();
        let signable = prepare(&call, &host, key, at, 77).unwrap();
        let to_sign = String::from_utf8(signable.to_sign().to_vec()).unwrap();
        assert!(vector.string_to_sign.ends_with(&to_sign.replace("nonce%3D77", "nonce%3DNonce0123456789A")), "{id}");
        let built = attach(signable, Proof { signature: b"sig", parts: &[] });
        assert_eq!((built.url.as_str(), built.body.len()), (vector.expected_url.as_str(), 0));
        let sent = built.headers.iter().find(|(name, _)| name == "Authorization").unwrap().1.clone();
        let sent = sent.replace("\"77\"", "\"Nonce0123456789A\"").replace("c2ln", &vector.expected_signature);
        assert_eq!(Some(&sent), vector.expected_headers.get("Authorization"), "{id}");
    }
}

fn vector_challenge() -> String {
    vector("ibkr-dh-challenge").expected_signature
}
