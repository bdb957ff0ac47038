//! A client that holds a virtual key and wants more than it is for: whatever it sends, signed as it should be, the venue
//! sees honest calls only.

mod bend;
mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Ask, Key, Message, Random, Setup, VirtualKey};
use serde_json::{Value, json};

use super::scenes::{BROKERS, SCENES, Scene, ask};
use super::{Desk, good};
use bend::{AFTER, BEFORE, Hand};
use raw::heard;

/// Requests for each venue.
const ATTEMPTS: u64 = 2_000;
/// Clients that make them.
const CLIENTS: u64 = 8;
/// Attempts with one virtual key; wrong signatures are few enough then not to be put off.
const ATTEMPTS_PER_KEY: u64 = 16;

/// What became of the attempts: how many of each bend there were, and the names of orders that were accepted.
#[derive(Debug, Default)]
struct Came {
    bends: BTreeMap<&'static str, u64>,
    rules: BTreeMap<String, u64>,
    named: BTreeSet<String>,
    /// What was accepted with a name that was bent, as it was sent.
    renamed: Vec<String>,
    accepted: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn binance_sees_honest_calls_only() -> Result<()> {
    attacked(Scene::of("binance")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn binance_usdm_sees_honest_calls_only() -> Result<()> {
    attacked(Scene::of("binance-usdm")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn kraken_sees_honest_calls_only() -> Result<()> {
    attacked(Scene::of("kraken")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_venue_sees_honest_calls_only() -> Result<()> {
    for scene in SCENES.iter().filter(|scene| !["binance", "binance-usdm", "kraken"].contains(&scene.venue)) {
        attacked(scene).await.context(scene.venue)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broker_sees_honest_calls_only() -> Result<()> {
    for scene in BROKERS {
        attacked(scene).await.context(scene.venue)?;
    }
    Ok(())
}

/// Without it, a tripwire that never trips would prove nothing. It trips for whoever calls: brokers' clients would have to
/// log in first, and nobody does here.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_calls_past_the_gateway_trip_the_wire() -> Result<()> {
    let venues: Vec<_> = Scene::all().map(|scene| scene.venue).collect();
    let house = Setup::default().venues(&venues).open().await?;
    for (count, scene) in (1_u64..).zip(Scene::all()) {
        if scene.shows_token() {
            let owner = json!({ "venue": scene.venue, "secret": "nobodys", "base_path": format!("/{}", scene.venue) });
            VirtualKey::shown(&owner, None)?.send(house.sim.client(), &ask(scene.denied[0])).await?;
            assert_eq!(house.sim.tripped().await?, count, "{}", scene.venue);
            continue;
        }
        let key = house.sim.knows(Key::of(scene.venue)).await?;
        let base = format!("/{}", scene.venue);
        let owner = json!({ "venue": scene.venue, "key_id": key.key_id, "secret": key.secret, "base_path": base,
            "passphrase": key.parts.get("passphrase") });
        let owner = VirtualKey::shown(&owner, None)?;
        good(scene, &owner.send(house.sim.client(), &scene.balances()).await?)?;
        owner.send(house.sim.client(), &ask(scene.denied[0])).await?;
        assert_eq!(house.sim.tripped().await?, count, "{}", scene.venue);
    }
    Ok(())
}

async fn attacked(scene: &'static Scene) -> Result<()> {
    let desk = Arc::new(Desk::open(scene).await?);
    let before = desk.house.sim.all_requests().await?.len();
    let denied = Arc::new(crate::deny::denied()?);
    let mut random = Random::seeded()?;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (desk, denied, random) = (Arc::clone(&desk), Arc::clone(&denied), random.fork());
        clients.spawn(async move { attack(&desk, client, random, &denied).await });
    }
    let mut came = Came::default();
    while let Some(client) = clients.join_next().await {
        let theirs = client??;
        theirs.bends.into_iter().for_each(|(bend, count)| *came.bends.entry(bend).or_default() += count);
        theirs.rules.into_iter().for_each(|(rule, count)| *came.rules.entry(rule).or_default() += count);
        came.named.extend(theirs.named);
        came.renamed.extend(theirs.renamed);
        came.accepted += theirs.accepted;
    }
    came.named.extend(raw::attacked(&desk).await?);

    assert_eq!(desk.house.sim.tripped().await?, 0, "{came:?}");
    only_honest_orders(&desk, &came).await?;
    for receipt in &desk.house.sim.all_requests().await?[before..] {
        ensure!(receipt.signed_ok != Some(false) && scene.is_honest(&receipt.method, &receipt.path), "{receipt:?}");
    }
    let bends = BEFORE.iter().map(|bend| bend.0).chain(AFTER.iter().map(|bend| bend.0));
    let missed: Vec<_> = bends.filter(|bend| !came.bends.contains_key(bend)).collect();
    ensure!(missed.is_empty() && came.accepted > ATTEMPTS / 40 && came.accepted < ATTEMPTS / 2, "{missed:?} {came:?}");
    let unproven = if scene.shows_token() { "virtual_key_unknown" } else { "signature_wrong" };
    for rule in ["request_unreadable", "operation_unknown", unproven] {
        ensure!(came.rules.contains_key(rule), "no {rule}: {came:?}");
    }
    // The service is well, and so is the client that did nothing.
    good(scene, &desk.send(&scene.place("thelast")).await?)
}

async fn attack(desk: &Desk, client: u64, mut random: Random, denied: &[(String, String)]) -> Result<Came> {
    let mut came = Came::default();
    let mut key = VirtualKey::made(&desk.house.app, &desk.credential, None).await?;
    for count in 1..=ATTEMPTS / CLIENTS {
        if count % ATTEMPTS_PER_KEY == 0 {
            key = VirtualKey::made(&desk.house.app, &desk.credential, None).await?;
        }
        let name = format!("a{client}x{count}");
        let (bend, message) = bent(desk.scene, &key, &mut random, &name, denied)?;
        let heard = heard(&message, desk.door()).await?;
        ensure!(heard.status < 500 || heard.status == 503, "{bend}: {message:?}: {heard:?}");
        *came.bends.entry(bend).or_default() += 1;
        if heard.is_refused() {
            *came.rules.entry(heard.rule).or_default() += 1;
        } else {
            came.accepted += 1;
            let sent = format!("{message:?}");
            if !sent.contains(&name) {
                came.renamed.push(sent);
            }
            came.named.insert(name);
        }
    }
    Ok(came)
}

/// A request that is bent in one way, and by chance in another.
fn bent(
    scene: &'static Scene,
    key: &VirtualKey,
    random: &mut Random,
    name: &str,
    denied: &[(String, String)],
) -> Result<(&'static str, Message)> {
    let plain: Ask = match random.below(8) {
        0 => scene.cancel(scene.any_handle(name)),
        1 => scene.open(),
        2 => scene.balances(),
        _ => scene.place(name),
    };
    let mut hand = Hand { scene, denied, key, random, message: key.arranged(&plain) };
    let last = if hand.random.below(3) == 0 {
        let bend = hand.random.pick(AFTER).context("a bend")?;
        hand.message = key.sign(hand.message)?;
        (bend.1)(&mut hand);
        bend.0
    } else {
        if hand.random.below(4) == 0 {
            let bend = hand.random.pick(BEFORE).context("a bend")?;
            (bend.1)(&mut hand);
        }
        let bend = hand.random.pick(BEFORE).context("a bend")?;
        (bend.1)(&mut hand);
        hand.message = key.sign(hand.message)?;
        bend.0
    };
    Ok((last, hand.message))
}

/// Every order in the book is one that was accepted, and says what an honest client says.
async fn only_honest_orders(desk: &Desk, came: &Came) -> Result<()> {
    let orders = desk.house.sim.orders(&desk.key).await?;
    ensure!(!orders.is_empty(), "not one order: {came:?}");
    for order in orders {
        let name = order.client_order_id.clone().unwrap_or_default();
        // One that an attempt left without a name was named by Claviger.
        let attempted = name.starts_with("raw") || name.starts_with('a') && name.contains('x') && name.len() < 10;
        let accepted = came.named.contains(&name) || came.renamed.iter().any(|sent| sent.contains(&name));
        ensure!(!attempted || accepted, "{order:?} was not accepted");
        for (param, value) in desk.scene.order() {
            let said = said(&order.params, param);
            ensure!(said.as_deref() == Some(value), "{param} is {said:?} in {order:?}");
        }
    }
    Ok(())
}

/// What an order says of a parameter, however deep the venue has it and whether as a text or not.
fn said(params: &Value, param: &str) -> Option<String> {
    let inner = params["order"].as_str().and_then(|order| serde_json::from_str::<Value>(order).ok());
    let said = inner.as_ref().unwrap_or(params).get(param)?;
    Some(said.as_str().map_or_else(|| said.to_string(), str::to_owned))
}
