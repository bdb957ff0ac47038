//! Callers who send what they should not: each gets one clear problem, nothing is changed, and the service goes on.

mod disk;
mod raw;
mod secrets;
mod start;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Client, House, Key, PASSWORD, Reply, Setup, now_ms, until};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};

/// More than any request may be.
const TOO_MANY_BYTES: usize = 70 << 10;

/// A request and what must come of it.
struct Case {
    what: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    status: u16,
    code: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_execution_is_one_clear_problem() -> Result<()> {
    let (house, key, credential) = furnished().await?;
    let good = Call::limit_order(&credential, "binance").body();
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let text = good.to_string();
    let case = |what, body, status, code| Case { what, body, status, code, ..execution(&house, String::new()) };
    let cases = [
        case("over the limit", with("operation", json!("x".repeat(TOO_MANY_BYTES))), 413, "body_too_large"),
        case("empty", String::new(), 400, "body_invalid"),
        case("cut", text[..text.len() / 2].to_owned(), 400, "body_invalid"),
        case("something after it", format!("{text}{text}"), 400, "body_invalid"),
        case("a list", "[]".to_owned(), 400, "body_invalid"),
        case("deep", "[".repeat(10_000), 400, "body_invalid"),
        case("no UTF-8", text.replace("BUY", "\u{0}"), 400, "body_invalid"),
        case("a field too many", with("colour", json!("red")), 400, "body_invalid"),
        case("a field twice", text.replacen('{', "{\"operation\":\"account\",", 1), 400, "body_invalid"),
        case("a field too few", json!({ "credential": credential }).to_string(), 400, "body_invalid"),
        case("a number for a text", with("params", json!([["quantity", 1]])), 400, "body_invalid"),
        case("an unknown venue", with("venue", json!("nowhere")), 400, "body_invalid"),
        case("another venue", with("venue", json!("kraken")), 400, "venue_mismatch"),
        case("an unknown operation", with("operation", json!("order.fly")), 400, "operation_unknown"),
        case("no parameters", with("params", json!([])), 400, "params_invalid"),
        case(
            "an unknown parameter",
            with("params", json!([["symbol", "BTCUSDT"], ["to", "me"]])),
            400,
            "params_invalid",
        ),
        case("one twice", with("params", json!([["symbol", "BTCUSDT"], ["symbol", "X"]])), 400, "params_invalid"),
        case("a value with a line end", with("params", json!([["symbol", "BTC\r\nUSDT"]])), 400, "params_invalid"),
        case("no such credential", with("credential", json!("cred_00000000000000000000000000")), 404, "not_found"),
        case("the neighbour's", with("credential", json!(house.neighbour.credential)), 404, "not_found"),
    ];
    refused(&house, house.app.client(), cases, &key, &credential).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_head_is_one_clear_problem() -> Result<()> {
    let (house, key, credential) = furnished().await?;
    let body = Call::limit_order(&credential, "binance").body().to_string();
    let case = |what, without: &str, more: &[(&'static str, &str)], status, code| {
        let mut case = Case { what, status, code, ..execution(&house, body.clone()) };
        case.headers.retain(|(name, _)| *name != without);
        case.headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        case
    };
    let (token, login) = (format!("Bearer {}", house.app.token), format!("Bearer {}", house.operator.bearer));
    let bad_signature = format!("{token}x");
    let (long, no_key, no_type) = ("k".repeat(256), "idempotency_key_missing", "content_type");
    let cases = [
        case("no key", "idempotency-key", &[], 400, no_key),
        case("two keys", "", &[("idempotency-key", "another")], 400, no_key),
        case("an empty key", "idempotency-key", &[("idempotency-key", "")], 400, no_key),
        case("a long key", "idempotency-key", &[("idempotency-key", &long)], 400, no_key),
        case("no type", "content-type", &[], 415, no_type),
        case("plain text", "content-type", &[("content-type", "text/plain")], 415, no_type),
        case("a form", "content-type", &[("content-type", "application/x-www-form-urlencoded")], 415, no_type),
        case("two types", "", &[("content-type", "application/json")], 415, no_type),
        case("no bearer", "authorization", &[], 401, "unauthenticated"),
        case("nonsense", "authorization", &[("authorization", "Bearer nonsense")], 401, "unauthenticated"),
        case("another signature", "authorization", &[("authorization", &bad_signature)], 401, "unauthenticated"),
        case("an operator's login", "authorization", &[("authorization", &login)], 401, "unauthenticated"),
        case("two bearers", "", &[("authorization", &token)], 401, "unauthenticated"),
        case("a cookie", "", &[("cookie", "a=b")], 403, "browser_refused"),
        case("an origin", "", &[("origin", "https://elsewhere.example")], 403, "browser_refused"),
        Case { method: "PUT", ..case("a wrong method", "", &[], 405, "method_not_allowed") },
        Case { path: "/api/v1/withdrawals".to_owned(), ..case("no such route", "", &[], 404, "not_found") },
        Case { path: "/api/v1/stops".to_owned(), ..case("an operator's route", "", &[], 404, "not_found") },
    ];
    refused(&house, house.app.client(), cases, &key, &credential).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_mistake_is_one_clear_problem() -> Result<()> {
    let (house, key, credential) = furnished().await?;
    let (ours, theirs) = (&house.tenant, &house.neighbour);
    let stale = house.operator.credential(ours, &credential).await?.ok()?.header("etag").to_owned();
    house.operator.act(ours, &credential, "freeze").await?.ok()?;
    let reason = json!({ "reason": "it is back" });
    house.operator.act_if_unchanged(ours, &credential, "unfreeze", &reason).await?.ok()?;
    let at = |tenant: &str, id: &str, act: &str| format!("/api/v1/tenants/{tenant}/credentials/{id}{act}");
    let because = || json!({ "reason": "the test says so" }).to_string();
    let case = |what, method, path, more: &[(&'static str, &str)], status, code| {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.push(("authorization", format!("Bearer {}", house.operator.bearer)));
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Case { what, method, path, headers, body: because(), status, code }
    };
    let bearer = |case: Case, bearer: &str| {
        let headers =
            vec![("content-type", "application/json".to_owned()), ("authorization", format!("Bearer {bearer}"))];
        Case { headers, ..case }
    };
    let mine = at(ours, &credential, "");
    let freeze = || at(ours, &credential, "/freeze");
    let cases = [
        case("no If-Match", "DELETE", mine.clone(), &[], 428, "if_match_missing"),
        case("an old If-Match without a plan", "DELETE", mine.clone(), &[("if-match", &stale)], 428, "plan_missing"),
        case("a bare If-Match", "DELETE", mine, &[("if-match", "*")], 428, "if_match_missing"),
        case("unfreeze blindly", "POST", at(ours, &credential, "/unfreeze"), &[], 428, "if_match_missing"),
        case("rotate blindly", "POST", at(ours, &credential, "/rotate"), &[], 428, "if_match_missing"),
        case("the neighbour's", "POST", at(ours, &theirs.credential, "/revoke"), &[], 404, "not_found"),
        case("beside the neighbour", "POST", at(&theirs.tenant, &credential, "/revoke"), &[], 404, "not_found"),
        case("no such tenant", "POST", at("nobody", &credential, "/revoke"), &[], 404, "not_found"),
        case("no id at all", "POST", at(ours, "..%2f..%2fstops", "/revoke"), &[], 404, "not_found"),
        case("no such act", "POST", at(ours, &credential, "/withdraw"), &[], 404, "not_found"),
        case("an app's route", "POST", "/api/v1/executions".to_owned(), &[], 404, "not_found"),
        case("a wrong method", "PUT", freeze(), &[], 405, "method_not_allowed"),
        Case {
            body: "{}".to_owned(),
            ..case("no reason", "POST", at(ours, &credential, "/revoke"), &[], 400, "reason_missing")
        },
        bearer(case("an app's token", "POST", freeze(), &[], 401, "unauthenticated"), &house.app.token),
        bearer(case("nonsense", "POST", freeze(), &[], 401, "unauthenticated"), "clv_login_nonsense"),
        bearer(case("a password", "POST", freeze(), &[], 401, "unauthenticated"), PASSWORD),
    ];
    refused(&house, house.operator.client(), cases, &key, &credential).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_when_it_says() -> Result<()> {
    let house = Setup::default().config("tokens.access_seconds", 30).open().await?;
    let begun_ms = now_ms();
    house.app.get("/api/v1/credentials").await?.ok().context("a token that was just given")?;

    until("the token to expire", async || {
        ensure!(now_ms() >= begun_ms.saturating_add(31_000), "not yet");
        Ok(())
    })
    .await?;

    house.app.get("/api/v1/credentials").await?.problem(401, "unauthenticated")?;
    let again = house.app.ask_for_token().await?.ok()?.text_at("/access_token")?;
    house.app.client().call("GET", "/api/v1/credentials", Some(&again), None).await?.ok()?;
    Ok(())
}

async fn furnished() -> Result<(House, Key, String)> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    Ok((house, key, credential))
}

/// An execution as it should be, but for the body.
fn execution(house: &House, body: String) -> Case {
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("authorization", format!("Bearer {}", house.app.token)),
        ("idempotency-key", "hostile-1".to_owned()),
    ];
    Case { what: "", method: "POST", path: "/api/v1/executions".to_owned(), headers, body, status: 200, code: "" }
}

/// Sends each case; afterwards nothing has changed, nothing reached the venue, and the service is well.
async fn refused(
    house: &House,
    client: &Client,
    cases: impl IntoIterator<Item = Case>,
    key: &Key,
    credential: &str,
) -> Result<()> {
    let sent = house.sim.requests(key).await?.len();
    let before = house.operator.credential(&house.tenant, credential).await?.ok()?.text();
    for case in cases {
        let mut request = Request::builder().method(case.method).uri(&case.path);
        for (name, value) in &case.headers {
            request = request.header(*name, value);
        }
        let reply = client.send(request.body(Full::new(Bytes::from(case.body)))?).await.context(case.what)?;
        clear(reply, case.status, case.code).context(case.what)?;
    }
    ensure!(house.sim.requests(key).await?.len() == sent, "something reached the venue");
    let after = house.operator.credential(&house.tenant, credential).await?.ok()?.text();
    ensure!(after == before, "it was {before} and is {after}");
    ensure!(house.server.readyz().await?.status == 200, "the service is not well");
    house.app.acked(&Call::limit_order(credential, "binance")).await?;
    Ok(())
}

/// A problem that names its request.
fn clear(reply: Reply, status: u16, code: &str) -> Result<()> {
    let problem = reply.problem(status, code)?;
    let id = problem.text_at("/request_id")?;
    ensure!(id == problem.header("x-request-id"), "{id} is not {:?}", problem.header("x-request-id"));
    Ok(())
}
