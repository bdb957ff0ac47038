//! A client that does nothing wrong.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Ask, ClientPair, Setup, now_ms};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::scenes::Scene;
use super::{Desk, good};

/// What Claviger itself puts into a request's head.
const HEADERS: &[&str] = &[
    "accept",
    "api-expires",
    "api-key",
    "api-sign",
    "api-signature",
    "apikey",
    "authent",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "nonce",
    "ok-access-key",
    "ok-access-passphrase",
    "ok-access-sign",
    "ok-access-timestamp",
    "request-time",
    "signature",
    "x-bapi-api-key",
    "x-bapi-recv-window",
    "x-bapi-sign",
    "x-bapi-sign-type",
    "x-bapi-timestamp",
    "x-mbx-apikey",
    "x-mexc-apikey",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_listed_and_cancelled_at_every_venue() -> Result<()> {
    for scene in Scene::all() {
        let desk = Desk::open(scene).await?;
        trades(&desk).await.with_context(|| scene.venue)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_with_keys_of_their_own_trade() -> Result<()> {
    for pair in [ClientPair::ed25519()?, ClientPair::rsa()?] {
        let desk = Desk::furnish(Scene::of("binance"), Setup::default().open().await?, Some(pair)).await?;
        assert_eq!(desk.client.secret, "");
        trades(&desk).await?;
    }
    Ok(())
}

async fn trades(desk: &Desk) -> Result<()> {
    let scene = desk.scene;
    let placed = desk.send(&scene.place("mine1")).await?;
    good(scene, &placed)?;
    let handle = scene.handle(&placed, "mine1")?;
    let listed = desk.send(&scene.open()).await?;
    good(scene, &listed)?;
    assert!(listed.text().contains(&handle), "{}", listed.text());
    good(scene, &desk.send(&scene.balances()).await?)?;
    good(scene, &desk.send(&scene.cancel(&handle)).await?)?;
    let orders = desk.house.sim.orders(&desk.key).await?;
    assert!(orders.iter().all(|order| order.status != "NEW"), "{orders:?}");
    assert_eq!(desk.placed().await?, ["mine1"]);
    assert_eq!(desk.house.sim.tripped().await?, 0);
    Ok(())
}

/// Parameters in another order, escapes in lower case, headers of all kinds, a time of two seconds ago.
#[tokio::test(flavor = "multi_thread")]
async fn the_venue_sees_only_what_claviger_builds() -> Result<()> {
    for scene in Scene::all() {
        let desk = Desk::open(scene).await?;
        let before = desk.house.sim.raw().await?.len();
        let mut shuffled = scene.place("mine2");
        shuffled.params.reverse();
        for (ask, at_ms) in [(scene.open(), now_ms() - 1_900), (shuffled, now_ms() - 2_000)] {
            let mut message = desk.client.arranged(&ask);
            for text in [&mut message.query, &mut message.body] {
                *text = text.replace("=BTC", "=%42%54C").replace("=XBT", "=%58%42T").replace("linear", "l%69near");
            }
            // In JSON there are no such escapes.
            message.body = message.body.replace("l%69near", "line\\u0061r");
            for (name, value) in [("user-agent", "a-client/1"), ("x-client-secret", "tell-nobody"), ("x-trace", "7")] {
                message.set(name, value);
            }
            let message = desk.client.sign_at(message, at_ms)?;

            good(scene, &message.send(desk.door()).await?)?;

            let raw = desk.house.sim.raw().await?;
            let request = raw.last().context("a request")?;
            built_anew(&desk, request, at_ms).with_context(|| request.to_string())?;
        }
        assert_eq!(desk.house.sim.raw().await?.len(), before + 2);
        assert_eq!(desk.placed().await?, ["mine2"]);
    }
    Ok(())
}

/// Nothing of the client's is in it, and its time is its own.
fn built_anew(desk: &Desk, request: &Value, client_ms: u64) -> Result<()> {
    let text = request.to_string();
    let client = if desk.scene.shows_token() { &desk.client.secret } else { &desk.client.key_id };
    for theirs in [client.as_str(), "tell-nobody", "a-client", "x-trace", "%42", "%58", "%69", "u0061"] {
        ensure!(!text.contains(theirs), "it has the client's {theirs}");
    }
    let headers = request["headers"].as_array().context("headers")?;
    let mut dates = Vec::new();
    for header in headers {
        let name = header[0].as_str().unwrap_or_default();
        ensure!(HEADERS.contains(&name), "a header {name}");
        let date = header[1].as_str().and_then(|value| value.parse::<Timestamp>().ok());
        dates.extend(date.and_then(|date| u64::try_from(date.as_millisecond()).ok()));
    }
    let times = text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u64>().ok());
    let times: Vec<u64> = times
        .map(|time| if time > 100_000_000_000_000_000 { time / 1_000_000 } else { time })
        .chain(dates)
        .filter(|time| (client_ms..=now_ms()).contains(time))
        .collect();
    // It says when it ends, or shows a token.
    let timeless = desk.scene.venue == "bitmex" || desk.scene.shows_token();
    ensure!(!times.is_empty() || timeless, "no time");
    ensure!(!times.contains(&client_ms), "the client's time");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_own_key_id_and_the_venues_rates_come_back() -> Result<()> {
    let desk = Desk::open(Scene::of("kraken")).await?;

    let shown = desk.send(&Ask::new("POST", "/0/private/GetApiKeyInfo", &[])).await?;

    good(desk.scene, &shown)?;
    assert!(shown.text().contains(&desk.client.key_id), "{}", shown.text());
    let plain = percent_decode_str(&shown.text()).decode_utf8_lossy().replace('\\', "");
    assert!(!plain.contains(&desk.key.key_id), "{plain}");

    let desk = Desk::open(Scene::of("binance")).await?;
    let account = desk.send(&desk.scene.balances()).await?;
    assert!(!account.header("x-mbx-used-weight-1m").is_empty(), "{:?}", account.headers);
    Ok(())
}

/// Market data needs no key, here as at the venue.
#[tokio::test(flavor = "multi_thread")]
async fn market_data_is_for_everybody_and_nothing_else_is() -> Result<()> {
    let desk = Desk::open(Scene::of("binance")).await?;
    desk.door().get("/gateway/binance/api/v3/time").await?.ok()?;
    let ticker = desk.door().get("/gateway/binance/api/v3/ticker/price?symbol=BTCUSDT").await?.ok()?;
    assert_eq!(ticker.json()["symbol"], "BTCUSDT");
    let nobody = desk.door().get("/gateway/binance/api/v3/account").await?;
    desk.refused(&nobody, super::Says::UnknownKey, "unauthenticated")?;
    // A key id alone is nobody, too.
    let mut message = desk.client.arranged(&desk.scene.balances());
    message.set("x-mbx-apikey", &desk.client.key_id);
    desk.refused(&message.send(desk.door()).await?, super::Says::UnknownKey, "unauthenticated")
}
