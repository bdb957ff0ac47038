//! A key that the token made, and that nobody ever had.

use anyhow::{Context as _, Result};
use claviger_e2e::{Call, House, Key};
use serde_json::json;

const VENUE: &str = "binance-usdm";

/// Has the token make it, and shows what its owner registers at the venue.
pub(super) async fn bear(house: &House) -> Result<((String, Key), String)> {
    let body = json!({
        "mode": "hsm_born", "key_type": "ed25519", "owner": "trader-2", "venue": VENUE,
        "ceiling": { "class": "trade", "products": ["derivatives"] },
    });
    let born = house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.ok()?;
    let (id, state, public_key) = (born.text_at("/id")?, born.text_at("/state")?, born.text_at("/public_key")?);
    let key = house.sim.knows(Key::born(VENUE, "ed25519", &public_key)).await?;
    let shown = public_key.lines().nth(1).context("the public key is no PEM")?;
    Ok(((id.clone(), key), format!("{id} is {state}; its owner registers the public key {shown}")))
}

/// Takes it into use, and has it sign.
pub(super) async fn sign(house: &House, (id, key): &(String, Key)) -> Result<((), String)> {
    let path = format!("/api/v1/credentials/{id}/activate");
    let active =
        house.app.call("POST", &path, Some(&json!({ "key_id": key.key_id }))).await?.ok()?.text_at("/state")?;
    let reply = house.app.acked(&Call::limit_order(id, VENUE)).await?;
    let orders = house.sim.orders(key).await?;
    let order = orders.first().context("the venue has no order")?;
    let status = reply.json().pointer("/venue/body/status").map(super::text).unwrap_or_default();
    let words = format!("{active} as {}; {} {status} as {}", key.hint(), order.symbol, order.order_id);
    Ok(((), format!("{words}, signed inside the token")))
}
