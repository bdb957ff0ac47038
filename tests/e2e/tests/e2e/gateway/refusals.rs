//! Refusals in the venue's own words: what a client is told, and what the audit log keeps of it.

use anyhow::{Context as _, Result};
use claviger_e2e::{Ask, Message, VirtualKey, now_ms};
use serde_json::json;

use super::scenes::{BROKERS, SCENES, Says, Scene, ask};
use super::{Desk, good};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_proven_is_refused_in_the_venues_words() -> Result<()> {
    for scene in SCENES {
        let desk = Desk::open(scene).await?;
        let (client, another) = (&desk.client, VirtualKey::made(&desk.house.app, &desk.credential, None).await?);
        let place = || scene.place("never");
        let wrong_secret = client.with_secret(&another.secret).signed(&place())?;
        let mut unknown = client.with_secret(&another.secret);
        unknown.key_id = unknown.key_id.chars().rev().collect();
        let unknown = unknown.signed(&place())?;
        let at = |ms: i64| client.sign_at(client.arranged(&place()), now_ms().saturating_add_signed(ms));
        let mut changed = client.signed(&place())?;
        for text in [&mut changed.query, &mut changed.body] {
            *text = text.replace("30000", "30001");
        }
        let cases: [(&str, Message, Says, &str); 5] = [
            ("another secret", wrong_secret, Says::BadSignature, "signature_wrong"),
            ("a changed byte", changed, Says::BadSignature, "signature_wrong"),
            ("an unknown key", unknown, Says::UnknownKey, "virtual_key_unknown"),
            ("a minute ago", at(-61_000)?, Says::Stale, "client_clock"),
            ("in a moment", at(30_000)?, Says::Stale, "client_clock"),
        ];
        for (what, message, says, rule) in cases {
            desk.refused(&message.send(desk.door()).await?, says, rule).context(what)?;
        }
        nothing_came_of_it(&desk).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_gave_out_is_refused_in_the_brokers_words() -> Result<()> {
    for scene in BROKERS {
        let desk = Desk::open(scene).await?;
        let reversed: String = desk.client.secret.chars().rev().collect();
        for token in [&reversed, &desk.house.app.token, &desk.client.secret.to_lowercase()] {
            let reply = desk.client.with_secret(token).send(desk.door(), &scene.place("never")).await?;
            desk.refused(&reply, Says::UnknownKey, "virtual_key_unknown")?;
        }
        let unproven = desk.client.arranged(&scene.place("never")).send(desk.door()).await?;
        desk.refused(&unproven, Says::UnknownKey, "unauthenticated")?;
        nothing_came_of_it(&desk).await?;
    }
    Ok(())
}

/// The operator's key at one venue is nobody's at another, and nobody's as an app's credentials either.
#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_is_good_at_its_own_venue_only() -> Result<()> {
    let desk = Desk::open(Scene::of("binance")).await?;
    let usdm = Scene::of("binance-usdm");
    let mut message = desk.client.arranged(&usdm.place("elsewhere"));
    message.prefix = message.prefix.replace("/binance", "/binance-usdm");
    let message = desk.client.sign(message)?;
    desk.refused(&message.send(desk.door()).await?, Says::UnknownKey, "virtual_key_unknown")?;
    nothing_came_of_it(&desk).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_carried_out_once() -> Result<()> {
    for scene in SCENES {
        let desk = Desk::open(scene).await?;
        let message = desk.client.signed(&scene.place("once"))?;
        let at_once = async || message.send(desk.door()).await;
        let replies = tokio::join!(at_once(), at_once(), at_once(), at_once(), at_once(), at_once());
        let replies = [replies.0?, replies.1?, replies.2?, replies.3?, replies.4?, replies.5?];
        assert_eq!(replies.iter().filter(|reply| good(scene, reply).is_ok()).count(), 1, "{replies:?}");
        desk.refused(&message.send(desk.door()).await?, Says::Replayed, "request_replayed")?;
        let read = desk.client.signed(&scene.balances())?;
        good(scene, &read.send(desk.door()).await?)?;
        desk.refused(&read.send(desk.door()).await?, Says::Replayed, "request_replayed")?;
        audited(&desk, "request_replayed").await?;

        let Desk { house, scene, key, credential, client } = desk;
        let house = house.crash().await?;
        let desk = Desk { house, scene, key, credential, client };
        desk.door().hang_up();
        desk.refused(&message.send(desk.door()).await?, Says::Replayed, "request_replayed")?;
        desk.refused(&read.send(desk.door()).await?, Says::Replayed, "request_replayed")?;
        assert_eq!(desk.placed().await?, ["once"]);
    }
    Ok(())
}

/// Binance's signatures cover neither method nor path: several reads may bear the same one, and no trade one of theirs.
#[tokio::test]
async fn a_signature_of_reads_trades_nothing() -> Result<()> {
    let desk = Desk::open(Scene::of("binance")).await?;
    desk.send(&desk.scene.place("stays")).await?.ok()?;
    let read = desk.client.signed(&Ask::new("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]))?;
    let elsewhere = |method: &str, path: &str| Message { method: method.into(), path: path.into(), ..read.clone() };
    let (history, cancel) = (elsewhere("GET", "/api/v3/allOrders"), elsewhere("DELETE", "/api/v3/openOrders"));

    good(desk.scene, &read.send(desk.door()).await?)?;
    good(desk.scene, &history.send(desk.door()).await?)?;

    desk.refused(&history.send(desk.door()).await?, Says::Replayed, "request_replayed")?;
    desk.refused(&cancel.send(desk.door()).await?, Says::Replayed, "idempotency_key_reused")?;
    let orders = desk.house.sim.orders(&desk.key).await?;
    assert!(orders.iter().all(|order| order.status == "NEW"), "{orders:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_grant_allows_is_denied_by_name() -> Result<()> {
    for scene in Scene::all() {
        let desk = Desk::open(scene).await?;
        let (house, credential) = (&desk.house, &desk.credential);
        let grants = [
            (json!({ "operations": ["read"], "credentials": [credential] }), "grant.operation"),
            (json!({ "operations": ["trade"], "symbols": ["NOTHING"] }), "grant.symbol"),
            (json!({ "operations": ["trade"], "networks": ["10.0.0.0/8"] }), "grant.network"),
        ];
        for (grant, rule) in grants {
            let client = limited(&desk, &grant).await?;
            let reply = client.send(desk.door(), &scene.place("denied")).await?;
            desk.refused(&reply, Says::Denied, rule)?;
            // Who would have to sign is refused from elsewhere before anything is proven, and leaves no entry.
            if rule != "grant.network" || scene.shows_token() {
                audited(&desk, rule).await?;
            }
        }
        let allowed = json!({ "operations": ["trade"], "symbols": [scene.symbol], "networks": ["127.0.0.0/8"] });
        let client = limited(&desk, &allowed).await?;
        let allowed = client.send(desk.door(), &scene.place("allowed")).await?;
        good(scene, &allowed)?;

        house.operator.act(&house.tenant, credential, "reduce-only").await?.ok()?;
        desk.refused(&desk.send(&scene.place("denied")).await?, Says::Denied, "state.reduce-only")?;
        good(scene, &desk.send(&scene.cancel(&scene.handle(&allowed, "allowed")?)).await?)?;
        house.operator.act(&house.tenant, credential, "freeze").await?.ok()?;
        desk.refused(&desk.send(&scene.balances()).await?, Says::Denied, "state.frozen")?;
        audited(&desk, "state.frozen").await?;
        assert_eq!(desk.placed().await?, ["allowed"]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn money_does_not_move_and_what_is_malformed_is_not_guessed_at() -> Result<()> {
    for scene in Scene::all() {
        let desk = Desk::open(scene).await?;
        for call in scene.denied {
            desk.refused(&desk.send(&ask(*call)).await?, Says::Denied, "operation_unknown")?;
        }
        audited(&desk, "operation_unknown").await?;
        let cases = [
            ("a parameter twice", scene.place("never").with(scene.order()[0].0, scene.order()[0].1)),
            ("an unknown one", scene.place("never").with("to", "me")),
            ("a bad value", scene.place("a name with spaces")),
            ("none", Ask { params: Vec::new(), ..scene.place("") }),
        ];
        for (what, ask) in cases {
            let reply = desk.send(&ask).await?;
            desk.refused(&reply, Says::Malformed, "request_unreadable").context(what)?;
        }
        audited(&desk, "request_unreadable").await?;
        nothing_came_of_it(&desk).await?;
    }
    Ok(())
}

/// Somebody who guesses at a key does not keep its owner out.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_few_and_correct_signatures_go_on_elsewhere() -> Result<()> {
    let desk = Desk::open(Scene::of("kraken")).await?;
    let another = VirtualKey::made(&desk.house.app, &desk.credential, None).await?;
    let guessing = desk.client.with_secret(&another.secret);
    let mut rules = Vec::new();
    for _ in 0..30 {
        let reply = guessing.send(desk.door(), &desk.scene.balances()).await?;
        let rule = reply.header("x-claviger-rule").to_owned();
        desk.refused(&reply, Says::BadSignature, &rule)?;
        rules.push(rule);
    }
    assert_eq!(rules.iter().filter(|rule| *rule == "signature_wrong").count(), 20, "{rules:?}");
    assert_eq!(rules.iter().filter(|rule| *rule == "signature_throttled").count(), 10, "{rules:?}");
    good(desk.scene, &another.send(desk.door(), &desk.scene.balances()).await?)
}

/// A virtual key of an app that has only this grant.
async fn limited(desk: &Desk, grant: &serde_json::Value) -> Result<VirtualKey> {
    let (house, operator) = (&desk.house, &desk.house.operator);
    let name = json!({ "name": format!("app-{}", now_ms()) });
    let app = operator.post(&format!("/api/v1/tenants/{}/apps", house.tenant), &name).await?.ok()?.text_at("/id")?;
    operator.grant(&house.tenant, &app, grant).await?;
    let body = json!({ "app": app, "credential": desk.credential, "label": "limited" });
    let made = operator.post(&format!("/api/v1/tenants/{}/virtual-keys", house.tenant), &body).await?.ok()?;
    VirtualKey::shown(&made.json(), None)
}

/// The newest denial in the log is by this rule.
async fn audited(desk: &Desk, rule: &str) -> Result<()> {
    let entries = desk.house.operator.audit(&desk.house.tenant).await?;
    let denials: Vec<_> = entries.iter().filter(|entry| entry["action"] == "execution.deny").collect();
    let last = denials.iter().max_by_key(|entry| entry["seq"].as_u64()).context("no denial")?;
    assert_eq!(last["rule"], rule, "{last}");
    assert_eq!(last["tenant"], desk.house.tenant, "{last}");
    Ok(())
}

async fn nothing_came_of_it(desk: &Desk) -> Result<()> {
    assert_eq!(desk.placed().await?, [""; 0]);
    assert_eq!(desk.house.sim.tripped().await?, 0);
    good(desk.scene, &desk.send(&desk.scene.balances()).await?)
}
