//! Signatures that an app sends itself: short, recorded, listed by a revoke, and only where the venue lets them expire.

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA512};
use claviger_core::audit::timestamp;
use claviger_e2e::{Call, House, Key, Setup, now_ms, until};
use data_encoding::BASE64;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_released_request_is_taken_by_the_venue_and_was_not_sent_before() -> Result<()> {
    let house = House::open().await?;
    let (key, credential) = signing_for(&house, "binance").await?;
    let order = Call::limit_order(&credential, "binance");

    let before_ms = now_ms();
    let signed = house.app.sign(&order.body(), "once").await?.ok()?;

    let view = signed.json();
    assert_eq!((&view["state"], &view["operation"]), (&json!("released"), &json!("order.place")));
    assert!(house.sim.orders(&key).await?.is_empty(), "it was not sent");
    let url = signed.text_at("/request/url")?;
    let window = url.split(['?', '&']).find_map(|pair| pair.strip_prefix("recvWindow="));
    assert_eq!(window, Some("5000"), "{url}");
    let until = signed.text_at("/valid_until")?;
    assert!((timestamp(before_ms + 5_000)..=timestamp(now_ms() + 5_000)).contains(&until), "{until}");
    assert!(view["request"]["headers"].to_string().contains(&key.key_id), "the venue needs it");

    let taken = house.sim.given(&view["request"]).await?.ok()?;
    let orders = house.sim.orders(&key).await?;
    assert_eq!(orders.len(), 1, "{}", taken.text());
    assert!(orders[0].client_order_id.as_deref().is_some_and(|name| name.starts_with("clv")));

    house.app.sign(&order.body(), "once").await?.problem(409, "signature_given_out")?;
    let id = signed.text_at("/id")?;
    let shown = house.app.get(&format!("/api/v1/executions/{id}")).await?.ok()?;
    assert_eq!((shown.text_at("/state")?.as_str(), shown.json().get("request")), ("released", None));
    let entries = house.operator.audit(&house.tenant).await?;
    let of_it: Vec<_> = entries.iter().filter(|entry| entry.to_string().contains(&id)).collect();
    let actions: Vec<_> = of_it.iter().map(|entry| (&entry["action"], &entry["outcome"])).collect();
    assert!(actions.contains(&(&json!("signature.intent"), &json!("allowed"))), "{actions:?}");
    assert!(actions.contains(&(&json!("signature.outcome"), &json!("released"))), "{actions:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_request_is_refused_by_the_venue_after_its_end() -> Result<()> {
    let house = House::open().await?;
    let (_, credential) = signing_for(&house, "binance").await?;

    let signed = house.app.sign(&Call::with(&credential, "account").body(), "once").await?.ok()?;
    let request = signed.json()["request"].clone();
    house.sim.given(&request).await?.ok()?;

    let refused = until("the venue to refuse it", async || {
        let reply = house.sim.given(&request).await?;
        ensure!(reply.status == 400, "it was taken");
        Ok(reply)
    })
    .await?;
    assert_eq!(refused.json()["code"], -1021, "{}", refused.text());
    assert!(timestamp(now_ms()) >= signed.text_at("/valid_until")?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_lists_what_was_released_and_is_still_valid() -> Result<()> {
    let house = House::open().await?;
    let (_, credential) = signing_for(&house, "binance").await?;
    let read = Call::with(&credential, "account").body();
    let signed = house.app.sign(&read, "once").await?.ok()?;

    let revoked = house.operator.act(&house.tenant, &credential, "revoke").await?.ok()?;

    let (id, until) = (signed.text_at("/id")?, signed.text_at("/valid_until")?);
    let in_flight = revoked.json()["in_flight"].clone();
    let listed = in_flight.as_array().context("no list")?.iter().find(|row| row["execution"] == id.as_str());
    assert_eq!(listed.map(|row| &row["valid_until"]), Some(&json!(until)), "{in_flight}");
    let refused = house.app.sign(&read, "twice").await?.problem(403, "policy_denied")?;
    assert_eq!(refused.json()["rule"], "state.revoked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_or_does_not_expire_is_not_released() -> Result<()> {
    let house = House::open().await?;
    let binance = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let order = Call::limit_order(&binance, "binance").body();
    let rule = async |body: &Value| {
        let refused = house.app.sign(body, "once").await?.problem(403, "policy_denied")?;
        refused.text_at("/rule")
    };
    assert_eq!(rule(&order).await?, "grant.signatures");

    let (_, kraken) = signing_for(&house, "kraken").await?;
    assert_eq!(rule(&Call::limit_order(&kraken, "kraken").body()).await?, "signatures.validity");
    assert_eq!(rule(&json!({ "credential": kraken, "stream": "private" })).await?, "signatures.stream");
    assert_eq!(rule(&json!({ "credential": binance, "stream": "user-data" })).await?, "signatures.stream");
    let market = Call::with(&binance, "ticker").param("symbol", "BTCUSDT").body();
    house.app.sign(&market, "once").await?.problem(400, "not_signed")?;
    let both = json!({ "credential": binance, "stream": "user-data", "operation": "account" });
    house.app.sign(&both, "once").await?.problem(400, "signature_invalid")?;
    let nowhere = json!({ "credential": binance, "stream": "nowhere" });
    house.app.sign(&nowhere, "once").await?.problem(400, "stream_unknown")?;
    house.app.sign(&order, "granted").await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streams_login_is_signed_where_the_stream_takes_no_orders() -> Result<()> {
    let house = Setup::default().venues(&["kraken-futures"]).open().await?;
    let (key, credential) = signing_for(&house, "kraken-futures").await?;
    let challenge = "226aee50-88fc-4618-a42a-34f7709570b2";
    let login =
        |challenge: Option<&str>| json!({ "credential": credential, "stream": "feeds", "challenge": challenge });

    let signed = house.app.sign(&login(Some(challenge)), "once").await?.ok()?;

    let view = signed.json();
    assert_eq!((&view["state"], &view["operation"]), (&json!("released"), &json!("stream.feeds")));
    let mac =
        hmac::sign(&hmac::Key::new(HMAC_SHA512, key.secret_bytes()), digest(&SHA256, challenge.as_bytes()).as_ref());
    let expected = json!([
        ["api_key", key.key_id],
        ["original_challenge", challenge],
        ["signed_challenge", BASE64.encode(mac.as_ref())]
    ]);
    assert_eq!(view["login"], expected);
    assert!(house.sim.requests(&key).await?.iter().all(|request| request.path.contains("check")), "only the probe");
    house.app.sign(&login(None), "two").await?.problem(400, "challenge_invalid")?;
    // What is no challenge of the venue's could be a request.
    let request = house.app.sign(&login(Some("postData1/derivatives")), "three").await?;
    assert_eq!(request.status, 400, "{}", request.text());
    Ok(())
}

/// A credential of the venue, and a grant that lets its signatures out.
async fn signing_for(house: &House, venue: &str) -> Result<(Key, String)> {
    let key = house.sim.knows(Key::of(venue)).await?;
    let credential = house.app.enrolled(&key).await?;
    let grant = json!({ "operations": ["read", "trade", "signatures"] });
    house.operator.grant(&house.tenant, &house.app.id, &grant).await?;
    Ok((key, credential))
}
