//! The whole path: a key goes in, an order comes out, and what is recorded of it verifies.

use anyhow::Result;
use claviger_e2e::{Call, Client, House, Key, OPERATOR, PASSWORD, Reply, VENUES};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolled_key_signs_an_order_and_the_receipt_is_in_the_audit_log() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;

    let enrolled = house.app.enroll(&key).await?.ok()?;
    let credential = enrolled.text_at("/id")?;
    let reply = house.app.execute(&Call::limit_order(&credential, "binance").named("binance", "mine-1")).await?.ok()?;

    let view = enrolled.json();
    assert_eq!((&view["hint"], &view["state"], &view["health"]), (&json!(key.hint()), &json!("active"), &json!("ok")));
    assert_eq!(enrolled.header("connection"), "close", "what carried a secret is not kept");
    let done = reply.json();
    assert_eq!((reply.status, &done["state"], &done["venue"]["status"]), (200, &json!("acked"), &json!(200)));
    assert_eq!(done["venue"]["body"]["clientOrderId"], "mine-1");
    let orders = house.sim.orders(&key).await?;
    assert_eq!((orders.len(), orders[0].client_order_id.as_deref()), (1, Some("mine-1")));
    assert_eq!(house.sim.tripped().await?, 0);

    let (export, log_key) = house.operator.export().await?;
    let (export_file, key_file) = (house.scratch.path().join("export.ndjson"), house.scratch.path().join("key.txt"));
    std::fs::write(&export_file, &export)?;
    std::fs::write(&key_file, &log_key)?;
    let verify = house.home.claviger(["audit", "verify"])?.args([&export_file]).args(["--key"]).args([&key_file]);
    verify.output().await?.ok()?;
    let leaf_hash = reply.text_at("/receipt/leaf_hash")?;
    assert_eq!(leaf_hash.len(), 64);
    let entries = house.operator.audit(&house.tenant).await?;
    let intent = entries.iter().find(|entry| entry["seq"] == done["receipt"]["seq"]);
    assert_eq!(intent.map(|entry| &entry["action"]), Some(&json!("execution.intent")), "{entries:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_venue_trades_reads_and_cancels() -> Result<()> {
    let house = House::open().await?;
    for venue in VENUES {
        let key = house.sim.knows(Key::of(venue)).await?;
        let credential = house.app.enrolled(&key).await?;
        let does = |operation: &str| Call::with(&credential, operation);
        let symbol = if venue == "kraken" { None } else { Some(("symbol", "BTCUSDT")) };
        let for_symbol = |call: Call| symbol.into_iter().fold(call, |call, (name, value)| call.param(name, value));

        house.app.acked(&Call::limit_order(&credential, venue).named(venue, "first")).await?;
        house.app.acked(&Call::limit_order(&credential, venue).named(venue, "second")).await?;
        house.app.acked(&Call::limit_order(&credential, venue).named(venue, "third")).await?;
        let open = house.app.acked(&does("orders.open")).await?;
        house.app.acked(&does("account")).await?;
        if venue != "binance" {
            house.app.acked(&does("balances")).await?;
            house.app.acked(&does("positions")).await?;
        }
        let txid = kraken_txid(&open);
        let of_first = |operation: &str| match &txid {
            Some(txid) => does(operation).param("txid", txid),
            None => for_symbol(does(operation)).param("origClientOrderId", "first"),
        };
        house.app.acked(&of_first("order.get")).await?;
        house.app.acked(&of_first("order.cancel")).await?;
        house.app.acked(&for_symbol(does("orders.cancel_all"))).await?;

        let orders = house.sim.orders(&key).await?;
        let statuses: Vec<String> = orders.iter().map(|order| order.status.to_lowercase()).collect();
        assert!(statuses.iter().all(|status| status.starts_with("cancel")), "{venue}: {statuses:?}");
        assert_eq!(statuses.len(), 3, "{venue}");
        let requests = house.sim.requests(&key).await?;
        assert!(requests.iter().all(|request| request.signed_ok == Some(true)), "{venue}: {requests:?}");
    }
    assert_eq!(house.sim.tripped().await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ed25519_key_signs() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance_ed25519()).await?;
    let credential = house.app.enrolled(&key).await?;

    house.app.acked(&Call::limit_order(&credential, "binance")).await?;

    assert_eq!(house.sim.orders(&key).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn market_data_needs_no_credential_and_names_none() -> Result<()> {
    let house = House::open().await?;
    for venue in VENUES {
        let ticker = Call::at(venue, "ticker");
        let ticker = if venue == "kraken" { ticker.param("pair", "XBTUSD") } else { ticker.param("symbol", "BTCUSDT") };

        house.app.acked(&Call::at(venue, "time")).await?;
        let reply = house.app.acked(&ticker).await?;

        assert!(reply.json().get("credential").is_none(), "{}", reply.text());
        assert!(reply.text().contains("65000"), "{}", reply.text());
    }
    let received = house.sim.all_requests().await?;
    let tickers: Vec<_> = received.iter().filter(|request| request.path.to_lowercase().contains("ticker")).collect();
    assert_eq!(tickers.len(), 3);
    assert!(tickers.iter().all(|request| request.key_id.is_empty() && request.signed_ok.is_none()), "{tickers:?}");

    let order = Call::at("binance", "orders.cancel_all").param("symbol", "BTCUSDT");
    house.app.execute(&order).await?.problem(400, "credential_missing")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_is_neither_seen_nor_used() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let execution = house.app.acked(&Call::limit_order(&credential, "binance")).await?.text_at("/id")?;
    let theirs = &house.neighbour;

    let credentials = house.app.get("/api/v1/credentials").await?.ok()?;
    let executions = house.app.get("/api/v1/executions").await?.ok()?;
    assert_eq!(credentials.ids(), [credential.as_str()]);
    assert_eq!(executions.ids(), [execution.as_str()]);
    assert_eq!(theirs.app.get("/api/v1/credentials").await?.ok()?.ids(), [theirs.credential.as_str()]);
    assert_eq!(theirs.app.get("/api/v1/executions").await?.ok()?.ids(), [theirs.execution.as_str()]);

    for path in
        [format!("/api/v1/credentials/{}", theirs.credential), format!("/api/v1/executions/{}", theirs.execution)]
    {
        theirs.app.get(&path).await?.ok()?;
        house.app.get(&path).await?.problem(404, "not_found")?;
    }
    let with_theirs = Call::limit_order(&theirs.credential, "binance");
    house.app.execute(&with_theirs).await?.problem(404, "not_found")?;
    // An operator sees both, but each under its own tenant only.
    house.operator.credential(&theirs.tenant, &theirs.credential).await?.ok()?;
    house.operator.credential(&house.tenant, &theirs.credential).await?.problem(404, "not_found")?;
    house.operator.act(&house.tenant, &theirs.credential, "freeze").await?.problem(404, "not_found")?;
    let ours = house.operator.audit(&house.tenant).await?;
    assert!(ours.iter().all(|entry| entry["tenant"] == json!(house.tenant)), "{ours:?}");
    assert_eq!(house.sim.orders(&theirs.key).await?.len(), 1, "nothing was added to the neighbour's own order");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_in_pages_and_a_foreign_cursor_shows_nothing_foreign() -> Result<()> {
    let house = House::open().await?;
    let mut enrolled = Vec::new();
    for _ in 0..3 {
        let key = house.sim.knows(Key::binance()).await?;
        enrolled.push(house.app.enrolled(&key).await?);
    }

    let mut paged = Vec::new();
    let mut path = "/api/v1/credentials?limit=1".to_owned();
    loop {
        let page = house.app.get(&path).await?.ok()?;
        assert!(page.ids().len() <= 1);
        paged.extend(page.ids());
        let Ok(cursor) = page.text_at("/next_cursor") else { break };
        path = format!("/api/v1/credentials?limit=1&cursor={cursor}");
    }
    let with_our_cursor = house.neighbour.app.get(&path).await?;

    paged.sort();
    enrolled.sort();
    assert_eq!(paged, enrolled);
    assert!(with_our_cursor.ids().iter().all(|id| *id == house.neighbour.credential), "{}", with_our_cursor.text());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_under_the_same_key_is_carried_out_once() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let order = Call::limit_order(&credential, "binance").once("order-1");

    let first = house.app.acked(&order).await?;
    let again = house.app.execute(&order).await?.ok()?;

    assert_eq!(again.text_at("/id")?, first.text_at("/id")?);
    assert_eq!(again.json()["receipt"], first.json()["receipt"]);
    assert_eq!(house.sim.orders(&key).await?.len(), 1);

    let another = Call::limit_order(&credential, "binance").named("binance", "another").once("order-1");
    let refused = house.app.execute(&another).await?;
    assert_eq!((refused.status, refused.code().as_str()), (422, "idempotency_key_reused"), "{}", refused.text());
    // Another app's key of the same name is another key.
    let theirs = Call::limit_order(&house.neighbour.credential, "binance").once("order-1");
    house.neighbour.app.acked(&theirs).await?;
    assert_eq!(house.sim.orders(&key).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_still_on_its_way_is_not_made_twice() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let order = Call::limit_order(&credential, "binance").once("order-1");
    house.sim.fault(&json!({ "kind": "slow", "key_id": key.key_id, "delay_ms": 3000, "count": 1 })).await?;

    let (one, other) = tokio::join!(house.app.execute(&order), house.app.execute(&order));

    let mut replies = [one?, other?];
    replies.sort_by_key(|reply| reply.status);
    assert_eq!(replies[0].status, 200, "{}", replies[0].text());
    replies[1].clone().problem(409, "idempotency_in_progress")?;
    assert_eq!(house.sim.orders(&key).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_rise_whatever_the_callers_do() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::kraken()).await?;
    let credential = house.app.enrolled(&key).await?;
    let balance = Call::with(&credential, "balances");

    let calls = (0..4).map(|_| async {
        for _ in 0..5 {
            house.app.acked(&balance).await?;
        }
        anyhow::Ok(())
    });
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    let (a, b, c, d) = (calls.pop(), calls.pop(), calls.pop(), calls.pop());
    let wait = async |call| if let Some(call) = call { call.await } else { Ok(()) };
    tokio::try_join!(wait(a), wait(b), wait(c), wait(d))?;

    let requests = house.sim.requests(&key).await?;
    assert_eq!(requests.iter().filter(|request| request.path.ends_with("/Balance")).count(), 20);
    assert!(requests.iter().all(|request| request.status == 200));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_unknown_and_a_refusal_of_the_venue_is_no_error() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let order = Call::limit_order(&credential, "binance");

    house.sim.fault(&json!({ "kind": "cut_mid_answer", "key_id": key.key_id, "count": 1 })).await?;
    let cut = house.app.execute(&order.clone().once("cut")).await?;
    let cut_again = house.app.execute(&order.once("cut")).await?;
    let nonsense = Call::with(&credential, "order.cancel").param("symbol", "BTCUSDT").param("orderId", "1");
    let rejected = house.app.execute(&nonsense).await?;

    assert_eq!((cut.status, &cut.json()["state"]), (202, &json!("unknown")), "{}", cut.text());
    assert_eq!(cut_again.json()["id"], cut.json()["id"], "it is not repeated blindly");
    assert_eq!(house.sim.orders(&key).await?.len(), 1);
    assert_eq!((rejected.status, &rejected.json()["state"]), (200, &json!("rejected")), "{}", rejected.text());
    assert_eq!(rejected.json()["venue"]["body"]["code"], -2011);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_what_the_console_does() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let password_file = house.home.beside("password");
    std::fs::write(&password_file, PASSWORD)?;
    let claviger = |args: &[&str]| house.home.client([]).map(|command| command.args(args));

    let login = claviger(&["login", "--operator", OPERATOR, "--password-file"])?.args([&password_file]);
    login.output().await?.ok()?;
    let listed = claviger(&["credential", "list", "--tenant", "default", "--json"])?.output().await?.ok()?;
    claviger(&["credential", "freeze", &credential, "--tenant", "default", "--reason", "a drill"])?
        .output()
        .await?
        .ok()?;
    let shown =
        claviger(&["credential", "show", &credential, "--tenant", "default", "--json"])?.output().await?.ok()?;

    assert!(listed.stdout.contains(&credential), "{}", listed.stdout);
    assert!(!listed.stdout.contains(&house.neighbour.credential), "{}", listed.stdout);
    assert_eq!(shown.json()?["state"], "frozen");
    let nobody = claviger(&["credential", "show", "cred_00000000000000000000000000", "--tenant", "default"])?;
    nobody.output().await?.exits(4)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_with_its_app() -> Result<()> {
    let house = House::open().await?;
    let (tenant, app) = (&house.tenant, &house.app);
    app.get("/api/v1/credentials").await?.ok()?;

    let path = format!("/api/v1/tenants/{tenant}/apps/{}/revoke", app.id);
    house.operator.post(&path, &json!({ "reason": "the test says so" })).await?.ok()?;

    let refused = app.get("/api/v1/credentials").await?;
    assert_eq!(refused.status, 401, "{}", refused.text());
    let no_token = app.ask_for_token().await?;
    assert_eq!((no_token.status, &no_token.json()["error"]), (401, &json!("invalid_client")), "{}", no_token.text());
    house.neighbour.app.get("/api/v1/credentials").await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_describes_itself() -> Result<()> {
    let house = House::open().await?;
    let client: &Client = house.app.client();

    let described = client.get("/openapi.json").await?.ok()?.json();
    let printed = house.home.claviger(["openapi"])?.output().await?.ok()?.json()?;

    assert_eq!(described["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    assert!(described["paths"]["/api/v1/executions"]["post"].is_object());
    assert_eq!(printed, described);
    Ok(())
}

/// The name that Kraken gave the first of the open orders.
fn kraken_txid(open: &Reply) -> Option<String> {
    let json = open.json();
    let by_txid = json.pointer("/venue/body/result/open")?.as_object()?;
    let first = |order: &Value| order.get("cl_ord_id").is_some_and(|name| name == "first");
    by_txid.iter().find(|(_, order)| first(order)).map(|(txid, _)| txid.clone())
}
