//! An order whose answer was lost: the venue is asked for it, and it is never placed twice.

use anyhow::{Result, ensure};
use claviger_e2e::{Call, House, Key, Reply, Role, Setup, until};
use serde_json::{Value, json};

const VENUES: [&str; 4] = ["binance", "binance-usdm", "bybit", "kraken"];

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_answer_was_cut_is_found_at_every_venue() -> Result<()> {
    let house = Setup::default().venues(&["bybit"]).open().await?;
    for venue in VENUES {
        let Lost { key, order, id, .. } = Lost::by(&house, venue, "cut_mid_answer").await?;

        let found = becomes(&house, &id, "acked").await?;
        let again = house.app.execute(&order).await?.ok()?;

        let answer_to = found.text_at("/venue/answer_to")?;
        assert!(["order.get", "orders.open"].contains(&answer_to.as_str()), "{venue}: {answer_to}");
        assert_eq!((again.status, again.text_at("/id")?), (200, id.clone()), "{venue}");
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(house.sim.orders(&key).await?.len(), 1, "{venue}");
        let outcomes = outcomes_of(&house, &id).await?;
        assert_eq!(outcomes.len(), 2, "{venue}: {outcomes:?}");
        assert_eq!((&outcomes[0]["outcome"], &outcomes[1]["outcome"]), (&json!("unknown"), &json!("acked")));
        assert!(outcomes[1].to_string().contains("found later by"), "{:?}", outcomes[1]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_finds_the_order_at_once() -> Result<()> {
    let house = House::open().await?;
    let Lost { key, order, id, .. } = Lost::by(&house, "binance", "cut_mid_answer").await?;

    let again = until("the retry to find it", async || {
        let again = house.app.execute(&order).await?;
        ensure!(again.status == 200, "{}: {}", again.status, again.text());
        Ok(again)
    })
    .await?;

    assert_eq!((again.text_at("/id")?, again.text_at("/state")?), (id, "acked".to_owned()));
    assert_eq!(house.sim.orders(&key).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_never_arrived_has_failed_once_that_is_certain_and_is_placed_by_the_retry() -> Result<()> {
    let house = Setup::default().venues(&["bybit"]).open().await?;
    let mut lost = Vec::new();
    // At Kraken it takes more than a minute to be certain.
    for venue in VENUES.into_iter().filter(|venue| *venue != "kraken") {
        lost.push((venue, Lost::by(&house, venue, "cut_before").await?));
    }
    for (venue, Lost { order, id, .. }) in &lost {
        let too_early = house.app.execute(order).await?;
        assert_eq!((too_early.status, &too_early.text_at("/id")?), (202, id), "{venue}: {}", too_early.text());
    }
    for (venue, Lost { key, order, id, .. }) in &lost {
        becomes(&house, id, "failed").await?;
        assert!(house.sim.orders(key).await?.is_empty(), "{venue}");

        let placed = house.app.acked(order).await?;
        let again = house.app.execute(order).await?.ok()?;

        assert_ne!(&placed.text_at("/id")?, id, "{venue}");
        assert_eq!(again.text_at("/id")?, placed.text_at("/id")?, "{venue}");
        assert_eq!(house.sim.orders(key).await?.len(), 1, "{venue}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_came_later_does_not_say_that_there_is_no_order() -> Result<()> {
    let house = House::open().await?;
    let Lost { order, id, credential, .. } = Lost::by(&house, "binance", "cut_before").await?;
    let other = house.sim.knows(Key::binance()).await?;
    let rotation = json!({ "key_id": other.key_id, "secret": other.secret });
    house.operator.act_if_unchanged(&house.tenant, &credential, "rotate", &rotation).await?.ok()?;

    // One that was lost later, and whose key stayed, has failed: the time is up for both.
    let control = Lost::by(&house, "binance-usdm", "cut_before").await?;
    becomes(&house, &control.id, "failed").await?;
    let asked = house.sim.requests(&other).await?.len();
    let again = until("the new key to be asked", async || {
        let again = house.app.execute(&order).await?;
        ensure!(house.sim.requests(&other).await?.len() > asked, "nothing was asked yet");
        Ok(again)
    })
    .await?;

    assert_eq!((again.status, again.text_at("/id")?), (202, id), "{}", again.text());
    assert_eq!(house.sim.orders(&other).await?.len(), 0, "nobody knows, so it is not placed again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_on_its_way_when_the_front_was_killed_is_found_afterwards() -> Result<()> {
    let mut house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let order = Call::limit_order(&credential, "binance").once("order-1");
    house.sim.fault(&json!({ "kind": "slow", "key_id": key.key_id, "delay_ms": 30_000, "count": 1 })).await?;
    let House { app, server, sim, .. } = &mut house;

    let killed = async {
        until("the order to be at the venue", async || {
            ensure!(sim.orders(&key).await?.len() == 1, "it is not there");
            Ok(())
        })
        .await?;
        server.replace(Role::Front).await
    };
    let (unanswered, killed) = tokio::join!(app.execute(&order), killed);
    killed?;
    assert!(unanswered.is_err(), "{unanswered:?}");

    let listed = until("the list", async || house.app.get("/api/v1/executions").await?.ok()).await?;
    let id = listed.ids().first().cloned().unwrap_or_default();
    becomes(&house, &id, "acked").await?;
    let again = house.app.execute(&order).await?.ok()?;
    assert_eq!((again.text_at("/id")?, again.text_at("/state")?), (id, "acked".to_owned()));
    assert_eq!(house.sim.orders(&key).await?.len(), 1);
    Ok(())
}

/// An order that nobody knows the outcome of.
pub(crate) struct Lost {
    key: Key,
    credential: String,
    order: Call,
    pub(crate) id: String,
}

impl Lost {
    pub(crate) async fn by(house: &House, venue: &str, fault: &str) -> Result<Self> {
        let key = house.sim.knows(Key::of(venue)).await?;
        let credential = house.app.enrolled(&key).await?;
        let order = Call::limit_order(&credential, venue).once(&format!("order-{venue}"));
        house.sim.fault(&json!({ "kind": fault, "key_id": key.key_id, "count": 1 })).await?;
        let reply = house.app.execute(&order).await?;
        let state = reply.json()["state"].clone();
        ensure!(reply.status == 202 && state == "unknown", "{venue}: {}: {}", reply.status, reply.text());
        Ok(Self { id: reply.text_at("/id")?, key, credential, order })
    }
}

/// Waits until an execution is in that state, by itself.
pub(crate) async fn becomes(house: &House, id: &str, state: &str) -> Result<Reply> {
    until(&format!("{id} to be {state}"), async || {
        let reply = house.app.get(&format!("/api/v1/executions/{id}")).await?.ok()?;
        ensure!(reply.json()["state"] == state, "{}", reply.text());
        Ok(reply)
    })
    .await
}

async fn outcomes_of(house: &House, id: &str) -> Result<Vec<Value>> {
    let entries = house.operator.audit(&house.tenant).await?;
    let about = |entry: &Value| entry["action"] == "execution.outcome" && entry.to_string().contains(id);
    Ok(entries.into_iter().filter(about).collect())
}
