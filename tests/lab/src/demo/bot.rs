//! A client of the venue's own protocol at the gateway: its address and key are other ones, and nothing else.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Ask, House, Key, Message, VirtualKey};
use serde_json::Value;

/// The bot's own name for its order.
const ORDER: &str = "the-bots-own";

/// The header that says what refused.
const RULE: &str = "x-claviger-rule";

/// What the bot says of itself, and nobody at the venue should read.
const HEADER: (&str, &str) = ("x-bot-version", "tell-nobody-7");

/// Has the app make it a key.
pub(super) async fn key(house: &House, credential: &str) -> Result<(VirtualKey, String)> {
    let key = VirtualKey::made(&house.app, credential, None).await?;
    let shown = house.app.get("/api/v1/virtual-keys").await?.ok()?.text();
    ensure!(shown.contains(&key.id) && !shown.contains(&key.secret), "the secret is shown twice");
    let head = key.key_id.get(..8).unwrap_or_default();
    let length = (key.key_id.len(), key.secret.len());
    let words =
        format!("{head}…, key and secret of {} and {} characters as Binance's are; shown once", length.0, length.1);
    Ok((key, words))
}

/// Places an order as the venue documents it, and finds it in the list.
pub(super) async fn trade(house: &House, bot: &VirtualKey) -> Result<(Message, String)> {
    let order =
        [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("quantity", "0.01")];
    let order = Ask::new("POST", "/api/v3/order", &order).with("price", "30000").with("newClientOrderId", ORDER);
    let mut message = bot.arranged(&order);
    message.set(HEADER.0, HEADER.1);
    let message = bot.sign(message)?;
    let placed = message.send(house.app.client()).await?.ok()?.json();
    let open = Ask::new("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]);
    let open = bot.send(house.app.client(), &open).await?.ok()?;
    ensure!(open.text().contains(ORDER), "the order is not in the list: {}", open.text());
    let field = |name: &str| placed.get(name).map(super::text).unwrap_or_default();
    let words = format!(
        "{} {}: {} {} as {}, and listed",
        message.method,
        message.prefix,
        field("symbol"),
        field("status"),
        field("orderId")
    );
    Ok((message, words))
}

/// Sends the very same bytes again.
pub(super) async fn replay(house: &House, message: &Message) -> Result<((), String)> {
    let reply = message.send(house.app.client()).await?;
    ensure!(reply.header(RULE) == "request_replayed", "status {}: {}", reply.status, reply.text());
    Ok(((), format!("the same bytes again: {}, {}", reply.status, reply.text())))
}

/// Asks for what no key of Claviger's can be asked for.
pub(super) async fn withdraw(house: &House, bot: &VirtualKey) -> Result<((), String)> {
    let params = [("coin", "USDT"), ("amount", "20"), ("network", "ETH"), ("address", "0x0")];
    let reply = bot.send(house.app.client(), &Ask::new("POST", "/sapi/v1/capital/withdraw/apply", &params)).await?;
    ensure!(reply.header(RULE) == "operation_unknown", "status {}: {}", reply.status, reply.text());
    ensure!(reply.json().get("code").is_some_and(Value::is_i64), "not in the venue's shape: {}", reply.text());
    Ok(((), format!("refused as Binance would: {}, {}", reply.status, reply.text())))
}

/// Looks through what came to the venue for what was the bot's.
pub(super) async fn rebuilt(house: &House, key: &Key, bot: &VirtualKey, sent: &Message) -> Result<((), String)> {
    let came: Vec<String> = house.sim.raw().await?.iter().map(ToString::to_string).collect();
    let of_bot =
        |name: &str| sent.query.split('&').find_map(|pair| pair.strip_prefix(name)).context("it was not signed");
    let theirs = [bot.key_id.as_str(), HEADER.0, HEADER.1, of_bot("timestamp=")?, of_bot("signature=")?];
    let leaked = came.iter().find(|request| theirs.iter().any(|theirs| request.contains(theirs)));
    ensure!(leaked.is_none(), "the venue saw what was the bot's: {leaked:?}");
    let orders = came.iter().filter(|request| request.contains(ORDER) && request.contains(&key.key_id)).count();
    ensure!(orders == 1, "the order came {orders} times");
    let words = format!("none of {} requests at the venue has the bot's key, clock, signature or headers", came.len());
    Ok(((), format!("{words}; its order came once")))
}
