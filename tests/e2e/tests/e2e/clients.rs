//! The client libraries that people use, as they are, against the simulator: what each can do when nothing stands
//! between, and that the scenario asks for what must be refused.

use anyhow::Result;
use claviger_e2e::{Clients, Key, Report, Scratch, Sim, Target};
use serde_json::{Value, json};

/// What ccxt and the simulator both know.
const CCXT_VENUES: [&str; 8] =
    ["binance", "binance-usdm", "bybit", "kraken", "kraken-futures", "mexc", "mexc-contract", "okx"];

#[tokio::test]
async fn ccxt_for_python_trades() -> Result<()> {
    for venue in CCXT_VENUES {
        check("ccxt_sync.py", venue, json!({})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn ccxt_for_asyncio_trades() -> Result<()> {
    for venue in CCXT_VENUES {
        check("ccxt_async.py", venue, json!({})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn ccxt_for_node_trades() -> Result<()> {
    for venue in CCXT_VENUES {
        check("ccxt.mjs", venue, json!({})).await?;
    }
    Ok(())
}

/// Signed calls that ccxt makes by itself unless it is told not to.
#[tokio::test]
async fn ccxt_may_load_currencies_and_margin_pairs() -> Result<()> {
    let options = json!({ "options": { "defaultType": "spot", "fetchMarkets": { "types": ["spot"] } } });
    check("ccxt_sync.py", "binance", options).await
}

#[tokio::test]
async fn python_binance_trades() -> Result<()> {
    for venue in ["binance", "binance-usdm"] {
        check("python_binance.py", venue, json!({})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn pybit_trades() -> Result<()> {
    check("pybit_http.py", "bybit", json!({})).await
}

#[tokio::test]
async fn krakenex_trades() -> Result<()> {
    check("krakenex_client.py", "kraken", json!({})).await
}

/// Runs a scenario with a key that may not move money, and looks at both ends of it.
async fn check(script: &str, venue: &str, changes: Value) -> Result<()> {
    let clients = Clients::ready().await?;
    let scratch = Scratch::new()?;
    let sim = Sim::start(scratch.path()).await?;
    let key = sim.knows(Key::of(venue)).await?;

    let report = clients.run(script, &Target::straight(&sim, &key), changes).await?;

    traded(&report)?;
    let asked: Vec<&str> =
        ["withdraw", "transfer"].into_iter().filter(|step| report.steps.contains_key(*step)).collect();
    for step in &asked {
        // At OKX whoever may trade may transfer.
        let as_the_venue_has_it =
            if (venue, *step) == ("okx", "transfer") { report.ok(step).is_ok() } else { report.raised(step).is_ok() };
        assert!(as_the_venue_has_it, "{step}: {report:?}");
    }
    let orders = sim.orders(&key).await?;
    assert_eq!(orders.iter().map(|order| order.status.as_str()).collect::<Vec<_>>(), ["CANCELED"], "{report:?}");
    // Each was a call that the library made and signed.
    assert_eq!(sim.tripped().await?, u64::try_from(asked.len())?, "{report:?}");
    assert!(sim.all_requests().await?.iter().all(|request| request.signed_ok != Some(false)), "{report:?}");
    Ok(())
}

/// The whole of a scenario but what moves money.
pub(crate) fn traded(report: &Report) -> Result<()> {
    assert!(report.ok("markets")?.as_u64() > Some(0), "{report:?}");
    assert!(!report.ok("balance")?.is_null(), "{report:?}");
    assert_eq!(report.ok("listed")?, 1, "{report:?}");
    assert_eq!(report.ok("cancel")?, true, "{report:?}");
    assert_eq!(report.ok("left")?, 0, "{report:?}");
    if report.steps.contains_key("positions") {
        report.ok("positions")?;
    }
    Ok(())
}
