//! What moves money or keys cannot be asked for: every denied call of the venues, as the name of an operation and inside
//! every parameter, reaches nothing.

use anyhow::{Context as _, Result};
use claviger_e2e::{Call, House, Key, Reply, VENUES};
use serde_json::{Map, Value, json};

/// The venues' own surface; its syntax is described in it.
const CATALOGUE: &str = include_str!("../../../venue-sim/data/catalogue.json");

/// Fewer would mean that the catalogue was not read.
const ENTRIES_MIN: usize = 78;

/// Where Binance takes withdrawals.
const WITHDRAWAL: &str = "/sapi/v1/capital/withdraw/apply";

#[tokio::test(flavor = "multi_thread")]
async fn no_denied_call_can_be_expressed() -> Result<()> {
    let house = House::open().await?;
    let denied = denied()?;
    assert!(denied.len() >= ENTRIES_MIN, "{}", denied.len());
    let mut credentials = Vec::new();
    for venue in VENUES {
        let key = house.sim.knows(Key::of(venue)).await?;
        credentials.push((venue, house.app.enrolled(&key).await?));
    }
    let before = house.sim.all_requests().await?.len();

    for (method, path) in &denied {
        for (venue, credential) in &credentials {
            for name in [format!("{method} {path}"), path.clone(), path.trim_start_matches('/').replace('/', ".")] {
                let call = Call::with(credential, &name);
                is_refused(&house.app.execute(&call).await?, "operation_unknown")
                    .with_context(|| format!("{venue}: operation {name}"))?;
            }
            for body in smuggled(&Call::limit_order(credential, venue).body(), path, house.sim.url()) {
                let (headers, body) = ([("idempotency-key", path.as_str())], body.to_string());
                let reply = send(&house, &headers, body.clone()).await?;
                is_refused(&reply, "params_invalid").with_context(|| format!("{venue}: {body}"))?;
            }
        }
        let subjects = [json!({ "credential": path }), json!({ "venue": path })];
        for mut body in subjects {
            body["operation"] = json!("time");
            let reply = send(&house, &[("idempotency-key", path)], body.to_string()).await?;
            is_refused(&reply, "body_invalid").with_context(|| body.to_string())?;
        }
    }

    assert_eq!(house.sim.all_requests().await?.len(), before, "something reached a venue");
    assert_eq!(house.sim.tripped().await?, 0);
    Ok(())
}

/// A client's own name for an order may hold slashes, at Binance as here: it stays a name.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_for_a_name_is_a_name() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let before = house.sim.requests(&key).await?.len();

    house.app.acked(&Call::limit_order(&credential, "binance").named("binance", WITHDRAWAL)).await?;

    let requests = house.sim.requests(&key).await?;
    let paths: Vec<&str> = requests[before..].iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/api/v3/order"]);
    assert_eq!(house.sim.orders(&key).await?[0].client_order_id.as_deref(), Some(WITHDRAWAL));
    assert_eq!(house.sim.tripped().await?, 0);
    Ok(())
}

/// Without it, a tripwire that never trips would prove nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_does_reach_the_venue_trips_the_wire() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let before = house.sim.requests(&key).await?.len();

    house.sim.withdraw(&key).await?;

    assert_eq!(house.sim.tripped().await?, 1);
    let requests = house.sim.requests(&key).await?;
    let [withdrawal] = &requests[before..] else { anyhow::bail!("not one request: {requests:?}") };
    assert_eq!((withdrawal.path.as_str(), withdrawal.signed_ok), (WITHDRAWAL, Some(true)));
    Ok(())
}

/// An order with the path in each of its parameters in turn, in the spellings that a careless URL would follow, and as
/// the name of a parameter.
fn smuggled(order: &Value, path: &str, venue_url: &str) -> Vec<Value> {
    let params: Vec<(String, String)> =
        order.get("params").and_then(|params| serde_json::from_value(params.clone()).ok()).unwrap_or_default();
    let with = |params: &[(String, String)]| {
        let mut body = order.as_object().cloned().unwrap_or_else(Map::new);
        body.insert("params".to_owned(), json!(params));
        Value::Object(body)
    };
    let spellings = [path.to_owned(), format!("../..{path}"), format!("BTCUSDT?{path}#"), format!("{venue_url}{path}")];
    let mut bodies = Vec::new();
    for index in 0..params.len() {
        for spelling in &spellings {
            let mut params = params.clone();
            if let Some((_, value)) = params.get_mut(index) {
                spelling.clone_into(value);
            }
            bodies.push(with(&params));
        }
    }
    for name in [path, "url", "path", "method", "endpoint"] {
        let mut params = params.clone();
        params.push((name.to_owned(), path.to_owned()));
        bodies.push(with(&params));
    }
    bodies
}

async fn send(house: &House, headers: &[(&str, &str)], body: String) -> Result<Reply> {
    let mut request = hyper::Request::post("/api/v1/executions")
        .header("authorization", format!("Bearer {}", house.app.token))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.app.client().send(request.body(body.into())?).await
}

fn is_refused(reply: &Reply, code: &str) -> Result<()> {
    reply.clone().problem(400, code).map(drop)
}

/// Every denied call as method and path, its patterns expanded.
pub(crate) fn denied() -> Result<Vec<(String, String)>> {
    let catalogue: Value = serde_json::from_str(CATALOGUE)?;
    let venues = catalogue.get("venues").and_then(Value::as_object).context("no venues")?;
    let lists = venues.values().filter_map(|venue| venue.get("deny")?.as_object()).flat_map(Map::values);
    let entries = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    Ok(entries.flat_map(expanded).collect())
}

/// `A|B /x/{a,b}/{id}/* (remark)` is four calls.
fn expanded(entry: &str) -> Vec<(String, String)> {
    if let Some(tree) = entry.strip_prefix("any other ") {
        let tree = tree.split(' ').next().unwrap_or_default();
        return vec![("POST".to_owned(), format!("{tree}/anything"))];
    }
    let mut words = entry.split(' ');
    let (methods, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let paths = alternatives(&path.replace("**", "any/thing").replace('*', "anything"));
    methods.split('|').flat_map(|method| paths.iter().map(move |path| (method.to_owned(), path.clone()))).collect()
}

fn alternatives(path: &str) -> Vec<String> {
    let braces = path.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?)));
    let Some((head, (choices, tail))) = braces else { return vec![path.to_owned()] };
    choices.split(',').flat_map(|choice| alternatives(&format!("{head}{choice}{tail}"))).collect()
}
