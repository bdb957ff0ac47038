//! Interactive Brokers.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use data_encoding::{BASE64, HEXLOWER};
use num_bigint::{BigInt, BigUint};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::client::{Reply, Sim, json_request, now_ns};

const CONSUMER: &str = "TESTCONS1";
const TOKEN: &str = "abcdef0123456789abcd";
const TOKEN_SECRET: &str = "00112233445566778899aabbccddeeff0011223344556677";
/// RFC 2409, second Oakley group: short, so that a test's own arithmetic is quick.
const PRIME: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd\
3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";
const PRIVATE: &str = "1f2e3d4c5b6a79880123456789abcdef0123456789abcdef0123456789abcdef";
const ORDERS: &str = "/iserver/account/U7654321/orders";

/// The smallest client that can speak to this venue.
struct Client {
    sim: Sim,
    owner: KeyPair,
    token: Option<Vec<u8>>,
}

impl Client {
    async fn start(token_life_ms: Option<u64>) -> Self {
        let (sim, owner) = (Sim::start().await, KeyPair::generate(KeySize::Rsa2048).unwrap());
        let registration = json!({
            "venue": "ibkr", "key_id": CONSUMER, "kind": "rsa", "token_life_ms": token_life_ms,
            "public_key": BASE64.encode(owner.public_key().as_der().unwrap().as_ref()),
            "parts": {
                "access_token": TOKEN, "access_token_secret": TOKEN_SECRET, "dh_prime": PRIME, "accounts": "U7654321",
            },
            "permissions": { "read": true, "trade_spot": true },
        });
        sim.control("POST", "/_sim/keys", &registration).await;
        Self { sim, owner, token: None }
    }

    /// A client that may trade at once.
    async fn trader() -> Self {
        let mut client = Self::start(None).await;
        client.agree().await;
        client.call("POST", "/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
        client.call("GET", "/iserver/accounts", Value::Null).await;
        client
    }

    async fn agree(&mut self) -> Value {
        let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap();
        let (prime, private) = (number(PRIME), number(PRIVATE));
        let challenge = BigUint::from(2_u32).modpow(&private, &prime).to_str_radix(16);
        let path = "/oauth/live_session_token";
        let answer = self.send("POST", path, &Value::Null, &nonce(), Some(&challenge)).await.json();
        assert!(answer["diffie_hellman_response"].is_string(), "{answer}");
        let response = number(answer["diffie_hellman_response"].as_str().unwrap());
        let shared = BigInt::from(response.modpow(&private, &prime)).to_signed_bytes_be();
        let sha1 = |key: &[u8], message: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message).as_ref().to_vec()
        };
        let token = sha1(&shared, &HEXLOWER.decode(TOKEN_SECRET.as_bytes()).unwrap());
        let proof = HEXLOWER.encode(&sha1(&token, CONSUMER.as_bytes()));
        assert_eq!(answer["live_session_token_signature"], proof.as_str());
        self.token = Some(token);
        answer
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        self.send(method, path, &body, &nonce(), None).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value, nonce: &str, challenge: Option<&str>) -> Reply {
        let (bare, full) = (path.split('?').next().unwrap(), format!("/ibkr/v1/api{path}"));
        let url = format!("https://api.example/ibkr/v1/api{bare}");
        let timestamp = (now_ns() / 1_000_000_000).to_string();
        let algorithm = if challenge.is_some() { "RSA-SHA256" } else { "HMAC-SHA256" };
        let mut members = vec![
            ("oauth_consumer_key", CONSUMER),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", algorithm),
            ("oauth_timestamp", &timestamp),
            ("oauth_token", TOKEN),
        ];
        if let Some(challenge) = challenge {
            members.insert(0, ("diffie_hellman_challenge", challenge));
        }
        let joined: Vec<String> = members.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!("{method}&{}&{}", encode(&url), encode(&joined.join("&")));
        let signature = if challenge.is_some() {
            self.owner_signature(&format!("{TOKEN_SECRET}{text}"))
        } else {
            let key = hmac::Key::new(hmac::HMAC_SHA256, self.token.as_deref().unwrap_or_default());
            BASE64.encode(hmac::sign(&key, text.as_bytes()).as_ref())
        };
        members.extend([("oauth_signature", signature.as_str()), ("realm", "limited_poa")]);
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value))).collect();
        let header = format!("OAuth {}", members.join(", "));
        let mut request = json_request(method, &full, None, body);
        request.headers_mut().insert("Authorization", header.parse().unwrap());
        request.headers_mut().insert("Host", "api.example".parse().unwrap());
        self.sim.send(request).await.unwrap()
    }

    fn owner_signature(&self, message: &str) -> String {
        let mut signature = vec![0; self.owner.public_modulus_len()];
        self.owner.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        BASE64.encode(&signature)
    }
}

fn encode(text: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

fn nonce() -> String {
    format!("n{}", now_ns())
}

fn order(price: f64, client_id: &str) -> Value {
    json!({ "orders": [{
        "conid": 265_598, "orderType": "LMT", "side": "BUY", "price": price, "quantity": 2, "tif": "GTC",
        "cOID": client_id,
    }] })
}

#[tokio::test]
async fn an_order_rests_is_modified_and_canceled() {
    let client = Client::trader().await;

    let placed = client.call("POST", ORDERS, order(229.5, "mine-1")).await;
    assert_eq!(placed.status, 200, "{}", placed.text);
    let id = placed.json()[0]["order_id"].as_str().unwrap().to_owned();
    let duplicate = client.call("POST", ORDERS, order(229.5, "mine-1")).await;
    assert_eq!(duplicate.status, 400);
    assert!(duplicate.text.contains("already registered"), "{}", duplicate.text);

    let one = format!("/iserver/account/U7654321/order/{id}");
    assert_eq!(client.call("POST", &one, json!({ "price": 228, "quantity": 3 })).await.status, 200);
    let status = client.call("GET", &format!("/iserver/account/order/status/{id}"), Value::Null).await.json();
    assert_eq!((&status["order_status"], &status["limit_price"]), (&json!("Submitted"), &json!("228")));
    let listed = client.call("GET", "/iserver/account/orders?force=true", Value::Null).await.json();
    assert_eq!((&listed["orders"][0]["order_ref"], &listed["orders"][0]["totalSize"]), (&json!("mine-1"), &json!(3)));

    assert_eq!(client.call("DELETE", &one, Value::Null).await.status, 200);
    assert_eq!(client.call("DELETE", &one, Value::Null).await.status, 400);
    let again = client.call("POST", ORDERS, order(229.5, "mine-1")).await;
    assert_eq!(again.status, 400, "a name is used up even when its order is gone");
    let foreign = client.call("POST", "/iserver/account/U1/orders", order(229.5, "mine-2")).await;
    assert_eq!(foreign.status, 403);
}

#[tokio::test]
async fn a_price_far_off_draws_a_question_that_must_be_answered() {
    let client = Client::trader().await;
    let asked = client.call("POST", ORDERS, order(200.0, "far")).await.json();
    let orders = async || client.sim.control("GET", "/_sim/orders", &Value::Null).await["orders"].clone();
    assert!(asked[0]["message"][0].is_string(), "{asked}");
    let question = asked[0]["id"].as_str().unwrap();
    assert_eq!(orders().await, json!([]));

    let reply = format!("/iserver/reply/{question}");
    let confirmed = client.call("POST", &reply, json!({ "confirmed": true })).await.json();
    assert!(confirmed[0]["order_id"].is_string(), "{confirmed}");
    assert_eq!(orders().await[0]["client_order_id"], "far");
    assert_eq!(client.call("POST", &reply, json!({ "confirmed": true })).await.status, 400, "it is answered once");

    let asked = client.call("POST", ORDERS, order(200.0, "far-2")).await.json();
    let reply = format!("/iserver/reply/{}", asked[0]["id"].as_str().unwrap());
    assert_eq!(client.call("POST", &reply, json!({ "confirmed": false })).await.status, 400);
    assert_eq!(orders().await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_position_opens_by_a_fill() {
    let client = Client::trader().await;
    let market = json!({ "orders": [
        { "conid": 265_598, "orderType": "MKT", "side": "SELL", "quantity": 5, "tif": "DAY" },
    ] });

    client.call("POST", ORDERS, market).await;

    let held = client.call("GET", "/portfolio/U7654321/positions/0", Value::Null).await.json();
    assert_eq!((&held[0]["position"], &held[0]["conid"]), (&json!(-5), &json!(265_598)));
    assert_eq!(client.call("GET", "/portfolio/U7654321/positions/1", Value::Null).await.json(), json!([]));
    let trades = client.call("GET", "/iserver/account/trades", Value::Null).await.json();
    assert_eq!((&trades[0]["side"], &trades[0]["size"]), (&json!("S"), &json!(5)));
    let summary = client.call("GET", "/portfolio/U7654321/summary", Value::Null).await.json();
    assert_eq!(summary["netliquidation"]["currency"], "USD");
    let prices = client.call("GET", "/iserver/marketdata/snapshot?conids=265598&fields=31", Value::Null).await.json();
    assert_eq!(prices[0]["31"], "230.00");
}

#[tokio::test]
async fn orders_need_a_token_a_brokerage_session_and_a_look_at_the_accounts() {
    let mut client = Client::start(None).await;
    let place = async |client: &Client| {
        let reply = client.call("POST", ORDERS, order(229.5, "mine-1")).await;
        (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(place(&client).await, (401, "invalid signature".to_owned()));

    let agreed = client.agree().await;
    assert!(agreed["live_session_token_expiration"].as_u64().unwrap() > now_ns() / 1_000_000);
    assert_eq!(client.call("GET", "/portfolio/accounts", Value::Null).await.status, 200, "looking needs no bridge");
    assert_eq!(place(&client).await, (400, "no bridge".to_owned()));
    let tickled = client.call("POST", "/tickle", Value::Null).await.json();
    assert_eq!(tickled["iserver"]["authStatus"]["authenticated"], false);
    let opened = client.call("POST", "/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
    assert_eq!(opened.json()["authenticated"], true);
    assert_eq!(place(&client).await, (400, "Please query /accounts first".to_owned()));
    let accounts = client.call("GET", "/iserver/accounts", Value::Null).await.json();
    assert_eq!(accounts["accounts"][0], "U7654321");
    assert_eq!(place(&client).await.0, 200);

    client.sim.control("DELETE", &format!("/_sim/brokerage/ibkr/{CONSUMER}"), &Value::Null).await;
    assert_eq!(place(&client).await, (400, "no bridge".to_owned()));
    client.sim.control("DELETE", &format!("/_sim/tokens/ibkr/{CONSUMER}"), &Value::Null).await;
    assert_eq!(place(&client).await.0, 401);
}

#[tokio::test]
async fn a_token_lives_as_long_as_registered_and_a_nonce_is_good_once() {
    let mut client = Client::start(Some(0)).await;
    client.agree().await;
    assert_eq!(client.call("GET", "/portfolio/accounts", Value::Null).await.status, 401);

    let client = Client::trader().await;
    for expected in [200, 401] {
        let reply = client.send("GET", "/portfolio/accounts", &Value::Null, "once", None).await;
        assert_eq!(reply.status, expected, "{}", reply.text);
    }
}

#[tokio::test]
async fn session_calls_are_counted_apart_and_management_trips_the_wire() {
    let client = Client::trader().await;
    for path in [
        "/iserver/questions/suppress",
        "/iserver/account",
        "/logout",
        "/fa/model/submit-transfers",
        "/fyi/settings/PF",
        "/oauth/access_token",
    ] {
        client.call("POST", path, json!({})).await;
    }
    client.sim.get("/ibkr/gw/api/v1/external-cash-transfers").await;

    let logins = client.sim.control("GET", "/_sim/logins?venue=ibkr", &Value::Null).await;
    let paths: Vec<&str> =
        logins["logins"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/v1/api/oauth/live_session_token", "/v1/api/iserver/auth/ssodh/init"]);
    let tripwire = client.sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(7), &json!(6)), "{tripwire}");
    for shown in ["raw", "requests", "orders", "tripwire", "logins"] {
        let text = client.sim.get(&format!("/_sim/{shown}")).await.text;
        assert!(!text.contains(TOKEN_SECRET), "{shown}: {text}");
    }
}
