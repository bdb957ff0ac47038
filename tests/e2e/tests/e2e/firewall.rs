//! The signing firewall end to end: what policies, grants and budgets refuse never reaches the venue.

mod budgets;
mod early;
mod policies;

use anyhow::{Context as _, Result};
use claviger_e2e::{App, Call, House, Key, Reply};
use serde_json::{Value, json};

/// An app with one grant on a new credential at Binance.
struct Desk {
    house: House,
    key: Key,
    credential: String,
    app: App,
}

impl Desk {
    async fn open(grant: Value) -> Result<Self> {
        let house = House::open().await?;
        let key = house.sim.knows(Key::binance()).await?;
        let credential = house.app.enrolled(&key).await?;
        let app = app(&house, "bot", grant).await?;
        Ok(Self { house, key, credential, app })
    }

    /// A limit order of 0.01 BTC.
    fn order(&self, side: &str, price: &str) -> Call {
        let order = Call::with(&self.credential, "order.place").param("symbol", "BTCUSDT").param("side", side);
        order.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", "0.01").param("price", price)
    }

    async fn orders(&self) -> Result<usize> {
        Ok(self.house.sim.orders(&self.key).await?.len())
    }
}

/// An app of the tenant `default` with one grant.
async fn app(house: &House, name: &str, grant: Value) -> Result<App> {
    let made = house.operator.post(&format!("/api/v1/tenants/{}/apps", house.tenant), &json!({ "name": name })).await?;
    let made = made.ok()?;
    let (id, secret) = (made.text_at("/id")?, made.text_at("/secret")?);
    house.operator.grant(&house.tenant, &id, &grant).await?;
    App::log_in(&house.home.ready_file(), &id, &secret).await
}

fn rule(reply: &Reply, rule: &str) -> Result<()> {
    let problem = reply.json();
    anyhow::ensure!(reply.status == 403, "{} instead of a refusal: {problem}", reply.status);
    let named = problem.get("rule").and_then(Value::as_str).context("no rule")?;
    anyhow::ensure!(named == rule, "refused by {named} instead of {rule}: {problem}");
    Ok(())
}
