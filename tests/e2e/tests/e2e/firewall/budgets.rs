//! Budgets: never exceeded by one order, whoever asks at the same time and whatever crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Result, ensure};
use claviger_e2e::{App, Call, House, Key, until};
use serde_json::{Value, json};

use super::{Desk, app, rule};

const APPS: usize = 64;
const ORDERS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_counts_orders_and_worth_and_leaves_cancels_alone() -> Result<()> {
    let budget = json!({ "orders_per_minute": 3, "notional_per_day": "700", "quote": "USDT" });
    let desk = Desk::open(json!({ "operations": ["trade", "read"], "budget": budget })).await?;

    let first = desk.order("BUY", "30000").named("binance", "first");
    desk.app.acked(&first).await?;
    rule(&desk.app.execute(&desk.order("BUY", "40001")).await?, "budget.notional")?;
    desk.app.acked(&desk.order("BUY", "20000")).await?;
    desk.app.acked(&desk.order("BUY", "10000")).await?;
    rule(&desk.app.execute(&desk.order("BUY", "1000")).await?, "budget.orders")?;
    let cancel = Call::with(&desk.credential, "order.cancel").param("symbol", "BTCUSDT");
    desk.app.acked(&cancel.param("origClientOrderId", "first")).await?;
    desk.app.acked(&Call::with(&desk.credential, "account")).await?;

    // What is spent is spent after a crash, too.
    let Desk { house, credential, app, .. } = desk;
    let house = house.crash().await?;
    let app = App::log_in(&house.home.ready_file(), &app.id, &app.secret).await?;
    let order = Call::with(&credential, "order.place").param("symbol", "BTCUSDT").param("side", "BUY");
    let order = order.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", "0.01");
    rule(&app.execute(&order.param("price", "1000")).await?, "budget.orders")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_apps_never_exceed_a_credentials_budget_though_the_service_is_killed() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let path = format!("/api/v1/tenants/{}/policies", house.tenant);
    let text = format!(
        "[[rule]]\nname = \"daily\"\nper_credential = {{ orders_per_day = {ORDERS}, notional_per_day = \"1000000000\", \
         quote = \"USDT\" }}\n"
    );
    house.operator.post(&path, &json!({ "text": text })).await?.ok()?;
    house
        .operator
        .ask_for("POST", &format!("{path}/1/activate"), &json!({ "reason": "the test says so" }), &[])
        .await?
        .ok()?;
    let mut apps = Vec::new();
    for n in 0..APPS {
        apps.push(Arc::new(app(&house, &format!("bot-{n}"), json!({ "operations": ["trade"] })).await?));
    }

    // The first half of the budget is spent before the kill, in the middle of the crowd.
    let spent = spend(&apps, &credential, ORDERS / 2).await?;
    let house = house.crash().await?;
    let mut again = Vec::new();
    for app in &apps {
        again.push(Arc::new(App::log_in(&house.home.ready_file(), &app.id, &app.secret).await?));
    }
    let more = spend(&again, &credential, usize::MAX).await?;

    let placed = house.sim.orders(&key).await?.len();
    ensure!(placed <= ORDERS, "{placed} orders were placed, and {ORDERS} are allowed");
    let answered = usize::try_from(spent + more)?;
    ensure!(answered <= placed, "{answered} were acknowledged and {placed} placed");
    // Orders that were recorded and never sent are the only ones that are missing.
    ensure!(placed + APPS >= ORDERS, "only {placed} of {ORDERS} orders were placed");
    rule(&again[0].execute(&order(&credential)).await?, "budget.orders")?;
    Ok(())
}

fn order(credential: &str) -> Call {
    let order = Call::with(credential, "order.place").param("symbol", "BTCUSDT").param("side", "BUY");
    order.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", "0.001").param("price", "30000")
}

/// All apps place orders until one is refused for the budget, or so many were acknowledged; says how many were. When so
/// many are, some are still on their way: that is the moment at which the caller kills the service.
async fn spend(apps: &[Arc<App>], credential: &str, enough: usize) -> Result<u64> {
    let (acked, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let work = apps.iter().map(|app| {
        let (acked, over, app) = (Arc::clone(&acked), Arc::clone(&over), Arc::clone(app));
        let order = order(credential);
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let Ok(reply) = app.execute(&order).await else { break };
                match (reply.status, reply.json().get("rule").and_then(Value::as_str)) {
                    (200, _) => acked.fetch_add(1, Ordering::SeqCst),
                    (403, Some("budget.orders")) => break,
                    _ => continue,
                };
            }
        })
    });
    let work: Vec<_> = work.collect();
    until("enough orders", async || {
        let enough = acked.load(Ordering::SeqCst) >= u64::try_from(enough).unwrap_or(u64::MAX);
        ensure!(enough || work.iter().all(tokio::task::JoinHandle::is_finished), "orders are still placed");
        Ok(())
    })
    .await?;
    over.store(true, Ordering::SeqCst);
    if enough == usize::MAX {
        for one in work {
            one.await?;
        }
    }
    Ok(acked.load(Ordering::SeqCst))
}
