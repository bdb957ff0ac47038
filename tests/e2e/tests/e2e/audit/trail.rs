//! Every request of somebody who was authenticated is in the log, once: what it did, what it read, or that it was refused.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use claviger_e2e::{Client, House, Key, Operator, Reply};
use serde_json::{Value, json};

/// Routes that authenticate nobody: what is public, and what makes an access token or a login.
const OF_STRANGERS: [(&str, &str); 9] = [
    ("POST", "/api/v1/token"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/login/browser"),
    ("POST", "/api/v1/login/browser/poll"),
    ("POST", "/api/v1/factors"),
    ("GET", "/api/v1/venues"),
    ("GET", "/openapi.json"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
];

/// The gateway is signed with virtual keys; its own tests look for its entries.
const GATEWAY: &str = "/gateway/";

#[tokio::test(flavor = "multi_thread")]
async fn every_authenticated_request_leaves_its_entry_on_every_route() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let execution = house.app.acked(&claviger_e2e::Call::limit_order(&credential, "binance")).await?.text_at("/id")?;
    let (mut walked, mut plans) = (BTreeMap::new(), 0);
    for Route { method, path, listener, is_planned } in routes(&house).await? {
        let (client, bearer) = match listener.as_str() {
            "api" => (house.app.client(), house.app.token.as_str()),
            "admin" => (house.operator.client(), house.operator.bearer.as_str()),
            // The page for browsers: nobody is authenticated there.
            "page" => continue,
            other => anyhow::bail!("{path} is of {other}"),
        };
        for id in ["nothing-of-this-name", &credential, &execution, &house.app.id] {
            let filled = filled(&path, &house.tenant, id);
            // An app that is revoked calls no more, and a login that is ended neither: their own routes come last.
            for query in if is_planned { ["?dry_run=true", ""].as_slice() } else { &[""] } {
                let asked = format!("{filled}{query}");
                let reply = ask(client, &method, &asked, bearer).await?;
                plans += usize::from(reply.status < 300 && !query.is_empty());
                walked.insert(reply.header("x-request-id").to_owned(), (method.clone(), asked, reply.status));
            }
            if !path.contains("id}") {
                break;
            }
        }
    }
    assert!(walked.len() > 60 && plans > 5, "{} requests, {plans} plans", walked.len());

    let operator = Operator::log_in(&house.home.ready_file(), claviger_e2e::OPERATOR, claviger_e2e::PASSWORD).await?;
    let log = operator.get("/api/v1/audit?limit=10000").await?.ok()?.json();
    let entries = log["data"].as_array().context("no data")?;
    assert!(log["next_cursor"].is_null());
    let mut reads = 0;
    for (request, (method, path, status)) in &walked {
        let own: Vec<&Value> = entries.iter().filter(|entry| entry["request_id"] == request.as_str()).collect();
        let what = format!("{method} {path}, status {status}: {own:?}");
        assert_ne!(*status, 401, "{what}: it was not authenticated");
        assert!(!own.is_empty(), "{what}");
        for entry in &own {
            let filled = |name: &str| entry[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(["user_id", "action", "resource_type", "at"].into_iter().all(filled), "{what}");
            assert_eq!(entry["ip_address"], "127.0.0.1", "{what}");
            assert!(entry["resource_id"].is_string() && entry["outcome"].is_string(), "{what}");
            assert!(entry["rule"].is_string() && entry["tenant_seq"].is_u64(), "{what}");
        }
        let of = |action: &str| own.iter().filter(|entry| entry["action"] == action).count();
        let read =
            own.iter().filter(|entry| entry["action"].as_str().unwrap().split('.').next_back() == Some("read")).count();
        // Refused, it is there once, whichever way; a read is one entry; an act has its own, none of them twice.
        assert!(of("request.refuse") == 0 || own.len() == 1, "{what}");
        assert!(*status < 400 || own.iter().any(|entry| entry["outcome"] != "allowed"), "{what}");
        assert!(*status >= 400 || of("request.refuse") == 0, "{what}");
        assert!(method != "GET" || own.len() == 1, "{what}");
        reads += read;
    }
    assert!(reads > 15, "{reads} reads");
    Ok(())
}

struct Route {
    method: String,
    path: String,
    listener: String,
    /// Whether it says with `?dry_run=true` what it would do.
    is_planned: bool,
}

/// Every route that authenticates its callers. What ends a login or revokes an app is last.
async fn routes(house: &House) -> Result<Vec<Route>> {
    let document = house.app.client().get("/openapi.json").await?.ok()?.json();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().context("no paths")? {
        for (method, operation) in methods.as_object().context("no methods")? {
            let method = method.to_uppercase();
            if OF_STRANGERS.contains(&(method.as_str(), path.as_str())) || path.starts_with(GATEWAY) {
                continue;
            }
            let listener = operation["tags"][0].as_str().context("no tag")?.to_owned();
            let is_planned =
                operation["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["name"] == "dry_run"));
            routes.push(Route { method, path: path.clone(), listener, is_planned });
        }
    }
    assert!(routes.len() > 45, "{} routes", routes.len());
    let ends = |Route { method, path, .. }: &Route| {
        (
            path == "/api/v1/login",
            path.contains("login") && method != "GET",
            path.contains("/revoke") || method == "DELETE",
            path.contains("stops"),
        )
    };
    routes.sort_by_key(ends);
    Ok(routes)
}

/// A path with its variable parts filled in.
fn filled(path: &str, tenant: &str, id: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    for part in &mut parts {
        *part = match *part {
            "{t}" => tenant,
            part if part.starts_with('{') => id,
            part => part,
        };
    }
    parts.join("/")
}

/// With a body that says as little as a body can, where there may be one.
async fn ask(client: &Client, method: &str, path: &str, bearer: &str) -> Result<Reply> {
    let body = json!({});
    // No stream of events goes on after that, so each answer has an end.
    let headers = [("last-event-id", "none")];
    client.call_with(method, path, Some(bearer), (method != "GET").then_some(&body), &headers).await
}
