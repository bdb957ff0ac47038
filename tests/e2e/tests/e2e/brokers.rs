//! Brokers: a token that is shown, and logins that hand one out. What signs is fetched, renewed and replaced by Claviger,
//! and nobody else ever has it.

mod broker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{App, Call, House, Needle, Reply, Setup, search_files, until};
use serde_json::{Value, json};

pub(crate) use broker::Broker;

const BROKERS: [&str; 4] = ["oanda", "ibkr", "tradovate", "topstepx"];

/// Beginning of every JWT of the simulated TopstepX, and of none of Claviger's own.
const JWT_HEAD: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

async fn house() -> Result<House> {
    Setup::default().venues(&BROKERS).open().await
}

/// A call with parameters given as pairs.
fn call(credential: &str, operation: &str, params: &[(&str, &str)]) -> Call {
    params.iter().fold(Call::with(credential, operation), |call, (name, value)| call.param(name, value))
}

/// An order that rests, and what cancels the one with that id.
fn order(venue: &str, credential: &str) -> Call {
    let place = |params: &[(&str, &str)]| call(credential, "order.place", params);
    match venue {
        "oanda" => place(&[
            ("accountID", "101-001-1234567-001"),
            ("order.type", "LIMIT"),
            ("order.instrument", "EUR_USD"),
            ("order.units", "-100"),
            ("order.price", "1.2"),
        ]),
        "ibkr" => place(&[
            ("accountId", "U1234567"),
            ("orders", r#"[{"conid":265598,"orderType":"LMT","price":230,"side":"BUY","quantity":1,"tif":"GTC"}]"#),
        ]),
        "tradovate" => place(&[
            ("accountId", "1234567"),
            ("action", "Buy"),
            ("symbol", "MNQZ6"),
            ("orderQty", "1"),
            ("orderType", "Limit"),
            ("price", "24000"),
            ("isAutomated", "true"),
        ]),
        _ => place(&[
            ("accountId", "465"),
            ("contractId", "CON.F.US.MNQ.Z26"),
            ("type", "1"),
            ("side", "0"),
            ("size", "1"),
            ("limitPrice", "24000"),
        ]),
    }
}

fn cancel(venue: &str, credential: &str, id: &str) -> Call {
    let cancel = |params: &[(&str, &str)]| call(credential, "order.cancel", params);
    match venue {
        "oanda" => cancel(&[("accountID", "101-001-1234567-001"), ("orderSpecifier", id)]),
        "ibkr" => cancel(&[("accountId", "U1234567"), ("orderId", id)]),
        "tradovate" => cancel(&[("orderId", id)]),
        _ => cancel(&[("accountId", "465"), ("orderId", id)]),
    }
}

fn positions(venue: &str, credential: &str) -> Call {
    let params: &[(&str, &str)] = match venue {
        "oanda" => &[("accountID", "101-001-1234567-001")],
        "ibkr" => &[("accountId", "U1234567"), ("pageId", "0")],
        "tradovate" => &[],
        _ => &[("accountId", "465")],
    };
    call(credential, "positions", params)
}

/// The venue's name for the order that an answer tells of.
fn order_id(reply: &Reply) -> Result<String> {
    let body = &reply.json()["venue"]["body"];
    let places = ["/orderCreateTransaction/id", "/0/order_id", "/orderId"];
    let id = places.iter().find_map(|place| body.pointer(place)).with_context(|| format!("no order: {body}"))?;
    Ok(id.as_str().map_or_else(|| id.to_string(), str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broker_reads_trades_and_cancels() -> Result<()> {
    let house = house().await?;
    let mut needles = vec![Needle::new("a token of TopstepX", JWT_HEAD.as_bytes())];
    let mut answers = String::new();
    for venue in BROKERS {
        let broker = Broker::of(venue)?;
        let credential = broker.enrolled(&house).await?;
        house.app.acked(&positions(venue, &credential)).await?;
        let placed = house.app.acked(&order(venue, &credential)).await?;
        let cancelled = house.app.acked(&cancel(venue, &credential, &order_id(&placed)?)).await?;
        answers.extend([placed.text(), cancelled.text()]);
        if broker.kind == "login" {
            assert_eq!(broker.logins(&house, broker.login_path()).await?, 1, "{venue}");
            let refused = house.app.execute(&call(&credential, "session.login", &[])).await?;
            let rule = refused.json()["rule"].clone();
            assert_eq!((refused.status, rule), (403, json!("system.only")), "{venue}");
        }
        let whole = [broker.secret.clone()];
        let texts = broker.secret.as_object().map_or_else(|| whole.to_vec(), |parts| parts.values().cloned().collect());
        for text in texts.iter().filter_map(Value::as_str).filter(|text| text.len() > 15) {
            needles.push(Needle::new(venue, text.as_bytes()));
        }
    }
    assert_eq!(house.sim.tripped().await?, 0);

    assert_eq!(search_files(house.home.path(), &needles)?.found, []);
    let log = house.server.log()?;
    for needle in &needles {
        assert_eq!(needle.found_in(log.as_bytes(), "log"), []);
        assert_eq!(needle.found_in(answers.as_bytes(), "answers"), []);
    }
    let entries = house.operator.audit(&house.tenant).await?;
    let logins = entries.iter().filter(|entry| entry["action"] == "login.intent");
    // Three logins, and at Interactive Brokers the opening of the brokerage session.
    assert_eq!(logins.count(), 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_is_replaced_once() -> Result<()> {
    let house = house().await?;
    for venue in ["ibkr", "tradovate", "topstepx"] {
        let broker = Broker::of(venue)?;
        let credential = broker.enrolled(&house).await?;
        house.app.acked(&positions(venue, &credential)).await?;
        broker.end_tokens(&house).await?;
        let calls = positions(venue, &credential);
        let (one, other) = tokio::join!(house.app.acked(&calls), house.app.acked(&calls));
        one.and(other).context(venue)?;
        assert_eq!(broker.logins(&house, broker.login_path()).await?, 2, "{venue}");
    }

    // A key that the venue has forgotten is not asked for again and again.
    let broker = Broker::topstepx();
    let credential = house.app.get("/api/v1/credentials").await?.json()["data"].clone();
    let credential = credential.as_array().context("no list")?.iter().find(|row| row["venue"] == "topstepx").cloned();
    let credential = credential.context("not enrolled")?["id"].as_str().context("no id")?.to_owned();
    house.sim.client().call("DELETE", "/_sim/keys/topstepx/trader%40example.com", None, None).await?.ok()?;
    for _ in 0..5 {
        let reply = house.app.execute(&positions(broker.venue, &credential)).await?;
        ensure!(reply.status >= 400, "{}", reply.text());
    }
    let tried = house.sim.client().call("GET", "/_sim/logins?limit=10000&venue=topstepx", None, None).await?.json();
    let failed = tried["logins"].as_array().context("no logins")?.iter().filter(|login| login["accepted"] == false);
    assert_eq!(failed.count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_the_venue_reaches_the_app_and_its_answer_the_venue() -> Result<()> {
    let house = house().await?;
    let credential = Broker::ibkr()?.enrolled(&house).await?;
    // An answer to a question is granted by its own name only.
    let grant = json!({ "operations": ["order.reply"], "credentials": [credential] });
    house.operator.grant(&house.tenant, &house.app.id, &grant).await?;
    let far = r#"[{"conid":265598,"orderType":"LMT","price":100,"side":"BUY","quantity":1,"tif":"GTC"}]"#;
    let asked = call(&credential, "order.place", &[("accountId", "U1234567"), ("orders", far)]);
    let asked = house.app.acked(&asked).await?.json();
    let id = asked["venue"]["body"][0]["id"].as_str().with_context(|| format!("no question: {asked}"))?;
    let reply = call(&credential, "order.reply", &[("replyId", id), ("confirmed", "true")]);
    let placed = house.app.acked(&reply).await?;
    let status = call(&credential, "order.get", &[("orderId", &order_id(&placed)?)]);
    let shown = house.app.acked(&status).await?.json();
    let named = shown["venue"]["body"]["order_ref"].as_str().context("no name")?;
    assert_eq!(named.len(), 32, "the order is named after its idempotency key");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_outlives_a_restart_and_not_its_key() -> Result<()> {
    let house = house().await?;
    let broker = Broker::topstepx();
    let credential = broker.enrolled(&house).await?;
    let calls = positions(broker.venue, &credential);
    house.app.acked(&calls).await?;

    let house = house.restart().await?;
    house.app.acked(&calls).await?;
    assert_eq!(broker.logins(&house, broker.login_path()).await?, 1, "what was stored serves on");

    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    house.app.execute(&calls).await?.problem(403, "policy_denied")?;
    house
        .operator
        .act_if_unchanged(&house.tenant, &credential, "unfreeze", &json!({ "reason": "the test says so" }))
        .await?
        .ok()?;
    house.app.acked(&calls).await?;
    assert_eq!(broker.logins(&house, broker.login_path()).await?, 1, "a frozen credential is not logged in");

    let rotation = json!({ "key_id": broker.key_id, "secret": broker.secret });
    house.operator.act_if_unchanged(&house.tenant, &credential, "rotate", &rotation).await?.ok()?;
    house.app.acked(&calls).await?;
    assert_eq!(broker.logins(&house, broker.login_path()).await?, 2, "a new version has a token of its own");
    Ok(())
}

/// A client that logs in first does so with its virtual token, and calls with what it is given.
#[tokio::test(flavor = "multi_thread")]
async fn an_unmodified_client_logs_in_at_the_gateway() -> Result<()> {
    let house = house().await?;
    for venue in ["tradovate", "topstepx"] {
        let credential = Broker::of(venue)?.enrolled(&house).await?;
        let wanted = json!({ "credential": credential, "label": "bot" });
        let made = house.app.call("POST", "/api/v1/virtual-keys", Some(&wanted)).await?.ok()?;
        let shown = made.text_at("/secret")?;
        let (path, login, token, read, body) = if venue == "tradovate" {
            let login =
                json!({ "name": "user1", "password": shown, "appId": "bot", "deviceId": "d", "cid": 8, "sec": "s" });
            ("/v1/auth/accesstokenrequest", login, "/accessToken", "/v1/position/list", None)
        } else {
            let login = json!({ "userName": "trader@example.com", "apiKey": shown });
            ("/api/Auth/loginKey", login, "/token", "/api/Position/searchOpen", Some(json!({ "accountId": 465 })))
        };
        let gateway = |path: &str| format!("/gateway/{venue}{path}");
        let client = house.app.client();
        let token = client.call("POST", &gateway(path), None, Some(&login)).await?.ok()?.text_at(token)?;
        let method = if body.is_some() { "POST" } else { "GET" };
        client.call(method, &gateway(read), Some(&token), body.as_ref()).await?.ok().context(venue)?;
        for wrong in [None, Some("nobody's")] {
            let refused = client.call(method, &gateway(read), wrong, body.as_ref()).await?;
            assert_eq!(refused.status, 401, "{venue}: {}", refused.text());
        }
        let forged = json!({ "name": "user1", "userName": "user1", "password": "pw-of-the-simulator", "apiKey": "no" });
        let refused = client.call("POST", &gateway(path), None, Some(&forged)).await?;
        ensure!(refused.status >= 400, "{venue}: {}", refused.text());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_under_load_without_a_failed_call() -> Result<()> {
    const RENEWALS: usize = 3;
    let house = house().await?;
    let broker = Broker::tradovate().short_lived(4_000);
    let credential = broker.enrolled(&house).await?;
    let (enough, app) = (Arc::new(AtomicBool::new(false)), &house.app);
    let caller = async |app: &App| -> Result<usize> {
        let mut calls = 0;
        while !enough.load(Ordering::Relaxed) {
            app.acked(&positions("tradovate", &credential)).await?;
            calls += 1;
        }
        Ok(calls)
    };
    let renewed = async {
        let seen = until("three renewals", async || {
            let renewals = broker.logins(&house, "/v1/auth/renewaccesstoken").await?;
            ensure!(renewals >= RENEWALS, "{renewals} renewals");
            Ok(())
        });
        let seen = seen.await;
        enough.store(true, Ordering::Relaxed);
        seen
    };
    let callers = async {
        let (a, b, c, d) = tokio::join!(four(&caller, app), four(&caller, app), four(&caller, app), four(&caller, app));
        Ok::<_, anyhow::Error>(a? + b? + c? + d?)
    };
    let (calls, renewed) = tokio::join!(callers, renewed);
    renewed?;
    println!("{} calls over {RENEWALS} renewals", calls?);
    assert_eq!(broker.logins(&house, broker.login_path()).await?, 1, "renewals open no second session");
    Ok(())
}

async fn four(caller: &impl AsyncFn(&App) -> Result<usize>, app: &App) -> Result<usize> {
    let (a, b, c, d) = tokio::join!(caller(app), caller(app), caller(app), caller(app));
    Ok(a? + b? + c? + d?)
}
