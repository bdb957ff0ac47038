//! The brokers' logins: what Claviger sends for a token, and what a client that logs in at the gateway shows.

use claviger_venues::{
    Claim, Host, Identity, Inbound, Params, Proof, SecretKind, SigningTime, VenueId, attach, check, claim,
    login_answer, operation, prepare, token, tokens,
};
use serde_json::Value;

use crate::testdata::{Vector, vectors};

fn vector(id: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.id == id).unwrap()
}

#[test]
fn a_login_is_the_documented_one() {
    let tradovate = [
        "pw",
        "Claviger",
        "1.0",
        "1234",
        "f03741b6-f634-48d6-9308-c8fb871150c2",
        "123e4567-e89b-12d3-a456-426614174000",
    ];
    for (id, venue, secret) in [
        ("projectx-login", VenueId::Topstepx, ["px-test-api-key"].as_slice()),
        ("tradovate-login", VenueId::Tradovate, &tradovate),
    ] {
        let vector = vector(id);
        let params = Params::new();
        let call = check(operation(venue, tokens(venue).unwrap().login).unwrap(), &params).unwrap();
        let at = SigningTime { now_ms: 1_735_689_600_000, valid_ms: 5_000 };
        let (origin, _) = vector.expected_url.split_once(vector.path()).unwrap();
        let key = Identity::new(&vector.key, SecretKind::Login);
        let signable = prepare(&call, &Host::parse(origin).unwrap(), key, at, 1).unwrap();
        let parts: Vec<_> = secret.iter().map(|part| part.as_bytes()).collect();
        let built = attach(signable, Proof { signature: &[], parts: &parts });
        assert_eq!(built.url, vector.expected_url);
        // The page shows Tradovate's `cid` as a number, its reference says that it is a text.
        let plain = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap().replace("\"1234\"", "1234");
        let built: Value = serde_json::from_str(&plain(&built.body)).unwrap();
        assert_eq!(built, serde_json::from_str::<Value>(&vector.body).unwrap(), "{id}");

        // A token signs everything but the login, and the login's secret nothing else.
        let refused = prepare(&call, &Host::parse(origin).unwrap(), Identity::new("k", SecretKind::Token), at, 1);
        assert!(refused.is_err());
        let open = operation(venue, "key.permissions").unwrap();
        let refused = prepare(&check(open, &params).unwrap(), &Host::parse(origin).unwrap(), key, at, 1);
        assert!(refused.is_err());
    }
}

#[test]
fn a_client_logs_in_with_its_virtual_token() {
    for (id, venue, shown) in
        [("projectx-login", VenueId::Topstepx, "px-test-api-key"), ("tradovate-login", VenueId::Tradovate, "pw")]
    {
        let vector = vector(id);
        let headers = [("content-type", "application/json")];
        let body = vector.body.as_bytes();
        let inbound = Inbound { method: "POST", path: vector.path(), query: "", headers: &headers, body };
        assert!(matches!(claim(venue, &inbound), Ok(Claim::Login(token)) if token == shown), "{id}");
        let answer = login_answer(venue, "virtual", 1_735_689_600_000).unwrap();
        assert_eq!(token(venue, answer.as_bytes()).unwrap().token, "virtual");
    }
}
