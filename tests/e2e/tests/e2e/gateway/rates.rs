//! The venue's limits: kept, whatever clients ask for, and cancels first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use claviger_e2e::{Ask, House, Setup, VirtualKey, until, until_in_task};

use super::scenes::Scene;
use super::{Desk, good};

/// More than the venue takes of one key within ten seconds.
const ORDERS: u64 = 130;

/// What a client is told when the budget is used up: wait, in Binance's words.
const TOO_MANY: (u16, i64, &str) = (429, -1003, "rate.budget");

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_orders_never_meets_too_many_and_a_cancel_goes_first() -> Result<()> {
    let desk = Arc::new(limited().await?);
    good(desk.scene, &desk.send(&desk.scene.place("resting")).await?)?;
    let (placed, waited) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut keys = Vec::new();
    for _ in 0..ORDERS {
        keys.push(VirtualKey::made(&desk.house.app, &desk.credential, None).await?);
    }
    let mut burst = tokio::task::JoinSet::new();
    for (order, key) in keys.into_iter().enumerate() {
        let (desk, placed, waited) = (Arc::clone(&desk), Arc::clone(&placed), Arc::clone(&waited));
        burst.spawn(async move {
            let ask = desk.scene.place(&format!("burst-{order}"));
            until_in_task("the order to be taken", || taken(&desk, &key, &ask, &waited)).await?;
            placed.fetch_add(1, Ordering::Relaxed);
            anyhow::Ok(())
        });
    }
    until("orders to wait", async || {
        ensure!(waited.load(Ordering::Relaxed) > 0, "none waits");
        Ok(())
    })
    .await?;

    let cancelled = desk.send(&desk.scene.cancel("resting")).await?;

    let placed_before = placed.load(Ordering::Relaxed);
    good(desk.scene, &cancelled)?;
    ensure!(placed_before + 20 < ORDERS, "the cancel came after {placed_before} of {ORDERS} orders");
    while let Some(order) = burst.join_next().await {
        order??;
    }
    assert_eq!(desk.house.sim.refused("binance").await?, 0);
    assert_eq!(u64::try_from(desk.placed().await?.len())?, ORDERS + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_reads_leave_room_for_cancels() -> Result<()> {
    let desk = limited().await?;
    good(desk.scene, &desk.send(&desk.scene.place("resting")).await?)?;
    let heavy = Ask::new("GET", "/api/v3/allOrders", &[("symbol", "BTCUSDT")]);
    while !is_too_many(&desk.send(&heavy).await?) {}
    // What weighs less still finds room, until nothing does.
    while !is_too_many(&desk.send(&desk.scene.open()).await?) {}

    good(desk.scene, &desk.send(&desk.scene.cancel("resting")).await?)?;

    assert_eq!(desk.house.sim.refused("binance").await?, 0);
    Ok(())
}

/// The address is everybody's: who asks without a key leaves room for those who trade.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_do_not_use_up_what_clients_trade_with() -> Result<()> {
    let desk = limited().await?;
    let market = || desk.door().get("/gateway/binance/api/v3/exchangeInfo");
    let first = market().await?;
    ensure!(first.status == 200, "market data is for everybody: {}", first.text());
    while !is_too_many(&market().await?) {}

    good(desk.scene, &desk.send(&desk.scene.place("mine")).await?)?;
    good(desk.scene, &desk.send(&desk.scene.balances()).await?)?;

    assert_eq!(desk.house.sim.refused("binance").await?, 0);
    Ok(())
}

/// A desk at Binance that keeps the venue's limits, which the venue enforces.
async fn limited() -> Result<Desk> {
    let house: House = Setup::default().config("venues.binance.rate_limits", true).open().await?;
    house.sim.is_strict("binance").await?;
    Desk::furnish(Scene::of("binance"), house, None).await
}

/// Places an order, unless it has to wait.
async fn taken(desk: &Desk, key: &VirtualKey, ask: &Ask, waited: &AtomicU64) -> Result<()> {
    let reply = key.send(desk.door(), ask).await?;
    if is_too_many(&reply) {
        waited.fetch_add(1, Ordering::Relaxed);
    }
    good(desk.scene, &reply)
}

fn is_too_many(reply: &claviger_e2e::Reply) -> bool {
    let (status, code, rule) = TOO_MANY;
    let waits = reply.header("retry-after").parse::<u64>().is_ok();
    reply.status == status && reply.json()["code"] == code && reply.header("x-claviger-rule") == rule && waits
}
