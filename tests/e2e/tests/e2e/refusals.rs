//! Keys that are refused: the reason, what to do, and nothing stored but the audit entry.

use anyhow::{Result, ensure};
use claviger_e2e::{House, Key, Reply};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_can_do_more_than_it_must_is_refused_with_the_box_to_untick() -> Result<()> {
    let house = House::open().await?;
    let cases = [
        (Key::binance()?.that_may("withdraw"), "withdraw_enabled", "Enable Withdrawals"),
        (Key::binance()?.that_may("transfer"), "transfer_enabled", "Permits Universal Transfer"),
        (Key::binance()?.that_may("trade_derivatives"), "product_not_wanted", "Enable Futures"),
        (Key::binance()?.that_shows(json!({ "enableTeleport": true })), "unknown_permission", "enableTeleport"),
        (Key::binance_usdm()?.that_may("withdraw"), "withdraw_enabled", "Enable Withdrawals"),
        (Key::kraken()?.that_may("withdraw"), "withdraw_enabled", "Withdraw"),
        (Key::binance()?.with_ceiling(json!({ "class": "read" })), "trade_not_wanted", "Enable Spot & Margin Trading"),
    ];
    for (key, code, words) in cases {
        let key = house.sim.knows(Ok(key)).await?;

        let refused = house.app.enroll(&key).await?.problem(422, "key_refused")?;

        let json = refused.json();
        let objections = json["objections"].as_array().cloned().unwrap_or_default();
        let objection = objections.iter().find(|objection| objection["code"] == code);
        let advice = objection.and_then(|objection| objection["advice"].as_str()).unwrap_or_default();
        assert!(advice.contains(words), "{} {code}: {json}", key.venue);
        nothing_is_stored(&house, &refused, &key).await?;
    }
    assert_eq!(house.sim.tripped().await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_lacks_what_its_ceiling_needs_is_refused_with_the_box_to_tick() -> Result<()> {
    let house = House::open().await?;
    let cases = [
        (Key::binance()?.that_may_not("trade_spot"), "trade_missing", "Enable Spot & Margin Trading"),
        (Key::binance_usdm()?.that_may_not("trade_derivatives"), "trade_missing", "Enable Futures"),
    ];
    for (key, code, words) in cases {
        let key = house.sim.knows(Ok(key)).await?;

        let refused = house.app.enroll(&key).await?.problem(422, "key_refused")?;

        let text = refused.text();
        assert!(text.contains(code) && text.contains(words), "{text}");
        nothing_is_stored(&house, &refused, &key).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_work_is_refused() -> Result<()> {
    let house = House::open().await?;
    let (unknown, wrong) = (Key::kraken()?, house.sim.knows(Key::kraken()).await?);
    let wrong = wrong.with_secret(&Key::kraken()?.secret);
    let cases = [
        // Binance has one code for an unknown key, a missing permission and a wrong address.
        (Key::binance()?, ["key_dead", "key_refused"], "Binance"),
        (unknown, ["key_dead", "key_dead"], "kraken"),
        (wrong, ["secret_wrong", "secret_wrong"], "secret"),
    ];
    for (key, codes, words) in cases {
        let refused = house.app.enroll(&key).await?;

        ensure!(refused.status == 400, "{}: {}", refused.status, refused.text());
        assert!(codes.contains(&refused.code().as_str()), "{}", refused.text());
        assert!(refused.text().to_lowercase().contains(&words.to_lowercase()), "{}", refused.text());
        nothing_is_stored(&house, &refused, &key).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_enrolled_once() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let probes = house.sim.requests(&key).await?.len();

    let again = house.app.enroll(&key).await?.problem(409, "already_enrolled")?;

    assert_eq!(house.sim.requests(&key).await?.len(), probes, "a key that is known costs the venue no question");
    assert!(!again.text().contains(&credential), "what is enrolled is not named to whoever asks");
    assert_eq!(house.app.get("/api/v1/credentials").await?.ids(), [credential]);
    let entries = house.operator.audit(&house.tenant).await?;
    assert!(refusals(&entries).count() == 1, "{entries:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_enrollments_of_one_key_at_once_make_one_credential() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;

    let (one, other) = tokio::join!(house.app.enroll(&key), house.app.enroll(&key));

    let mut statuses = [one?.status, other?.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(house.app.get("/api/v1/credentials").await?.ids().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_key_costs_the_venue_nothing() -> Result<()> {
    let house = House::open().await?;
    let before = house.sim.all_requests().await?.len();
    let key = Key::binance()?;
    let with = |field: &str, value: Value| {
        let mut body = key.enrollment();
        body[field] = value;
        body
    };
    let cases = [
        (with("key_id", json!("a b")), 400, "key_id_invalid"),
        (with("kind", json!("telepathy")), 400, "body_invalid"),
        (with("venue", json!("nowhere")), 400, "body_invalid"),
        (with("ceiling", json!({ "class": "withdraw" })), 400, "ceiling_invalid"),
        (with("ceiling", json!({ "class": "trade" })), 400, "ceiling_invalid"),
        (with("owner", json!("")), 400, "owner_missing"),
        (with("label", json!("x".repeat(1000))), 400, "text_invalid"),
        (with("colour", json!("red")), 400, "body_invalid"),
    ];
    for (body, status, code) in cases {
        house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.problem(status, code)?;
    }
    let kraken = Key::kraken()?.with_secret("not base64 !");
    let refused = house.app.enroll(&kraken).await?.problem(400, "secret_unusable")?;
    assert!(!refused.text().contains("not base64 !"), "{}", refused.text());
    assert_eq!(house.sim.all_requests().await?.len(), before);
    assert_eq!(house.app.get("/api/v1/credentials").await?.ids(), [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_cannot_be_asked_is_no_reason_to_store_anything() -> Result<()> {
    let house = House::open().await?;
    for kind in ["status_5xx", "status_429", "bad_json", "cut_mid_answer", "cut_before"] {
        let key = house.sim.knows(Key::binance()).await?;
        house.sim.fault(&json!({ "kind": kind, "key_id": key.key_id })).await?;

        let refused = house.app.enroll(&key).await?;

        assert_eq!((refused.status, refused.code().as_str()), (503, "venue_unavailable"), "{kind}: {}", refused.text());
        nothing_is_stored(&house, &refused, &key).await?;
        house.sim.heal().await?;
        let credential = house.app.enrolled(&key).await?;
        let reason = json!({ "reason": "the next one" });
        house.operator.act_if_unchanged(&house.tenant, &credential, "delete", &reason).await?.ok()?;
    }
    Ok(())
}

/// Only the audit log has grown, and neither it nor the answer repeats the secret or the whole key id.
async fn nothing_is_stored(house: &House, refused: &Reply, key: &Key) -> Result<()> {
    assert_eq!(house.app.get("/api/v1/credentials").await?.ids(), [""; 0], "{}", refused.text());
    assert_eq!(house.neighbour.app.get("/api/v1/credentials").await?.ids().len(), 1);
    let entries = house.operator.audit(&house.tenant).await?;
    assert!(refusals(&entries).next().is_some(), "{entries:?}");
    let (export, _) = house.operator.export().await?;
    for told in [refused.text(), export] {
        assert!(!told.contains(&key.secret) && !told.contains(&key.key_id), "{told}");
    }
    Ok(())
}

/// The refused enrollments among audit entries.
fn refusals(entries: &[Value]) -> impl Iterator<Item = &Value> {
    let refused = |entry: &&Value| {
        entry.get("action").is_some_and(|action| action == "credential.enroll")
            && entry.get("outcome").is_some_and(|outcome| outcome != "allowed")
    };
    entries.iter().filter(refused)
}
