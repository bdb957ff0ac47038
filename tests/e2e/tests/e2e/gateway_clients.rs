//! The client libraries that people use, as they are, through the gateway: each trades with a virtual key as it does with
//! a key of the venue's, and what moves money is refused before it reaches the venue, in a class that it does not retry.

use anyhow::{Context as _, Result};
use claviger_e2e::{Clients, House, Key, Report, Setup, Target};
use serde_json::json;

/// What ccxt, the gateway and the simulator all know, beside the usual venues.
const MORE: [&str; 1] = ["bybit"];
const CCXT_VENUES: [&str; 4] = ["binance", "binance-usdm", "bybit", "kraken"];

#[tokio::test]
async fn ccxt_for_python_trades() -> Result<()> {
    check("ccxt_sync.py", &CCXT_VENUES).await
}

#[tokio::test]
async fn ccxt_for_asyncio_trades() -> Result<()> {
    check("ccxt_async.py", &CCXT_VENUES).await
}

#[tokio::test]
async fn ccxt_for_node_trades() -> Result<()> {
    check("ccxt.mjs", &CCXT_VENUES).await
}

#[tokio::test]
async fn python_binance_trades() -> Result<()> {
    check("python_binance.py", &["binance", "binance-usdm"]).await
}

#[tokio::test]
async fn pybit_trades() -> Result<()> {
    check("pybit_http.py", &["bybit"]).await
}

#[tokio::test]
async fn krakenex_trades() -> Result<()> {
    check("krakenex_client.py", &["kraken"]).await
}

/// Runs a scenario at each venue with a virtual key, and looks at both ends of it.
async fn check(script: &str, venues: &[&'static str]) -> Result<()> {
    let clients = Clients::ready().await?;
    let house = Setup::default().venues(&MORE).open().await?;
    for venue in venues {
        let key = house.sim.knows(Key::of(venue)).await?;
        let credential = house.app.enrolled(&key).await?;
        let target = Target::gateway(&house, venue, &credential).await?;
        let report = clients.run(script, &target, json!({})).await?;
        println!("{venue} {script}: {}", serde_json::to_string_pretty(&report.steps)?);
    }
    Ok(())
}
