//! The client libraries that people use, as they are, through the gateway: each trades with a virtual key as it does with
//! a key of the venue's, and what moves money is refused before it reaches the venue, in a class that nobody tries again.
//! ccxt finds the gateway by the addresses that its page lists.

use anyhow::{Context as _, Result};
use claviger_e2e::{Clients, House, Key, Page, Report, Setup, Target};
use serde_json::{Value, json};

use crate::clients::traded;

/// The venues that ccxt, the gateway and the simulator all know, and what ccxt raises there when the gateway refuses.
/// MEXC's contracts are another venue with another key, hence another instance of the same class; there ccxt has no call
/// that moves money.
const CCXT: [(&str, &str); 8] = [
    ("binance", "AuthenticationError"),
    ("binance-usdm", "AuthenticationError"),
    ("bybit", "PermissionDenied"),
    ("kraken", "PermissionDenied"),
    ("kraken-futures", "AuthenticationError"),
    ("mexc", "AuthenticationError"),
    ("mexc-contract", "PermissionDenied"),
    ("okx", "ExchangeError"),
];

/// What a program tries again by itself has one of these among its ancestors, in Python and in JavaScript.
const TRIED_AGAIN: [&str; 2] = ["OperationFailed", "NetworkError"];

#[tokio::test]
async fn ccxt_for_python_trades() -> Result<()> {
    check("ccxt_sync.py", &CCXT).await
}

#[tokio::test]
async fn ccxt_for_asyncio_trades() -> Result<()> {
    check("ccxt_async.py", &CCXT).await
}

#[tokio::test]
async fn ccxt_for_node_trades() -> Result<()> {
    check("ccxt.mjs", &CCXT).await
}

#[tokio::test]
async fn python_binance_trades() -> Result<()> {
    let raises = "BinanceAPIException";
    check("python_binance.py", &[("binance", raises), ("binance-usdm", raises)]).await
}

#[tokio::test]
async fn pybit_trades() -> Result<()> {
    check("pybit_http.py", &[("bybit", "InvalidRequestError")]).await
}

#[tokio::test]
async fn krakenex_trades() -> Result<()> {
    check("krakenex_client.py", &[("kraken", "KrakenError")]).await
}

/// Signed calls that ccxt makes by itself at Binance unless it is told not to; elsewhere it always makes them.
#[tokio::test]
async fn ccxt_may_load_currencies_and_margin_pairs() -> Result<()> {
    let (clients, house) = opened().await?;
    let (_, target) = enrolled(&house, "binance").await?;
    let options = json!({ "defaultType": "spot", "fetchMarkets": { "types": ["spot"] } });
    let changes = json!({ "urls": addresses("binance")?, "options": options });

    let report = clients.run("ccxt_sync.py", &target, changes).await?;

    traded(&report)
}

/// The configurations on the page, merged as freqtrade merges them, with what it adds in futures mode.
#[tokio::test]
async fn ccxt_trades_as_freqtrade_configures_it() -> Result<()> {
    let (clients, house) = opened().await?;
    let page = Page::read("freqtrade.md")?;
    let modes = [("binance", json!({})), ("binance-usdm", json!({ "defaultType": "swap" }))];
    assert_eq!(page.blocks("json").count(), modes.len());
    for (configuration, (venue, options)) in page.blocks("json").zip(modes) {
        let (_, target) = enrolled(&house, venue).await?;
        let changes = json!({ "configuration": configuration, "options": options });
        let report = clients.run("ccxt_freqtrade.py", &target, changes).await?;
        traded(&report).context(venue)?;
        assert!(report.ok("markets_async")?.as_u64() > Some(0), "{report:?}");
        assert!(!report.ok("balance_async")?.is_null(), "{report:?}");
    }
    Ok(())
}

/// The bot in the README, but for where the server is.
#[tokio::test]
async fn the_readmes_bot_places_its_order() -> Result<()> {
    let (clients, house) = opened().await?;
    let (key, target) = enrolled(&house, "binance").await?;
    let server = target.base.trim_end_matches("/gateway");
    let page = Page::read("../../README.md")?;
    let bot = page.block("python")?.replace("https://localhost:8443", server);
    let bot = bot.replace("claviger-home/tls/ca.pem", &target.ca_file.to_string_lossy());

    clients.example(&bot, "python", &target).await?;

    assert_eq!(house.sim.orders(&key).await?.len(), 1);
    Ok(())
}

/// What stands on the pages is what happens.
#[tokio::test]
async fn the_programs_on_the_pages_print_what_the_pages_say() -> Result<()> {
    let (clients, house) = opened().await?;
    let pages = [
        ("ccxt-python.md", "python", "binance"),
        ("ccxt-javascript.md", "javascript", "okx"),
        ("python-binance.md", "python", "binance"),
        ("pybit.md", "python", "bybit"),
        ("krakenex.md", "python", "kraken"),
        ("curl.md", "sh", "binance"),
    ];
    for (name, language, venue) in pages {
        let (_, target) = enrolled(&house, venue).await?;
        let page = Page::read(name)?;
        let printed = clients.example(page.block(language)?, language, &target).await.context(name)?;
        assert_eq!(printed, page.block("text")?, "{name}");
    }
    let mut run: Vec<&str> = pages.iter().map(|(name, ..)| *name).chain(["freqtrade.md"]).collect();
    run.sort_unstable();
    let mut names = Page::names()?;
    names.sort_unstable();
    assert_eq!(names, run, "a page whose program nobody runs");
    assert_eq!(house.sim.tripped().await?, 0);
    Ok(())
}

/// Runs a scenario at each venue with a virtual key, and looks at both ends of it.
async fn check(script: &str, venues: &[(&'static str, &str)]) -> Result<()> {
    let (clients, house) = opened().await?;
    for (venue, raises) in venues {
        let (key, target) = enrolled(&house, venue).await?;
        let changes = if script.starts_with("ccxt") { json!({ "urls": addresses(venue)? }) } else { json!({}) };

        let report = clients.run(script, &target, changes).await?;

        traded(&report).context(*venue)?;
        refused(&report, raises);
        let orders = house.sim.orders(&key).await?;
        assert_eq!(orders.iter().map(|order| order.status.as_str()).collect::<Vec<_>>(), ["CANCELED"], "{report:?}");
    }
    assert_eq!(house.sim.tripped().await?, 0);
    assert!(house.sim.all_requests().await?.iter().all(|request| request.signed_ok != Some(false)));
    Ok(())
}

/// What moves money was refused, for the reason and in the class expected.
fn refused(report: &Report, raises: &str) {
    for step in ["withdraw", "transfer"].into_iter().filter(|step| report.steps.contains_key(*step)) {
        let said = &report.steps[step];
        assert_eq!(said["raised"], raises, "{step}: {report:?}");
        let ancestors = said["ancestors"].as_array().unwrap();
        assert!(!ancestors.iter().any(|name| TRIED_AGAIN.iter().any(|again| name == again)), "{step}: {report:?}");
    }
}

async fn opened() -> Result<(Clients, House)> {
    let clients = Clients::ready().await?;
    let more: Vec<_> =
        CCXT.iter().map(|(venue, _)| *venue).filter(|venue| !claviger_e2e::VENUES.contains(venue)).collect();
    Ok((clients, Setup::default().venues(&more).open().await?))
}

/// A new key of the venue's, and the way to it.
async fn enrolled(house: &House, venue: &'static str) -> Result<(Key, Target)> {
    let key = house.sim.knows(Key::of(venue)).await?;
    let credential = house.app.enrolled(&key).await?;
    Ok((key, Target::gateway(house, venue, &credential).await?))
}

/// The addresses on the page of the ccxt class that speaks to the venue.
fn addresses(venue: &str) -> Result<Value> {
    let page = Page::read("ccxt-python.md")?;
    let classes: Value = serde_json::from_str(page.block("json")?)?;
    let class = if venue.starts_with("mexc") { "mexc".to_owned() } else { venue.replace('-', "") };
    Ok(classes.get(&class).with_context(|| format!("the page lists no addresses of {class}"))?.clone())
}
