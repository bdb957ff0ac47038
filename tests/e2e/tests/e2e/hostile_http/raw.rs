//! Bytes that no HTTP client sends: plain HTTP, and two requests where one is announced.

use anyhow::{Result, ensure};
use claviger_e2e::{Call, Client, Door, House};

use super::furnished;

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_refused_before_the_body_is_read() -> Result<()> {
    let house = House::open().await?;
    for door in [Door::Api, Door::Admin, Door::Public] {
        let client = Client::of_server(&house.home.ready_file(), door)?;
        // The body is announced and never sent: whoever waited for it would not answer.
        let head = "POST /api/v1/credentials HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                    content-length: 60000\r\n\r\n{\"secret\":\"";

        let answer = client.write_plain(head.as_bytes()).await?;

        ensure!(answer.starts_with("HTTP/1.1 400 "), "{door:?}: {answer}");
        ensure!(answer.contains("application/problem+json"), "{door:?}: {answer}");
        ensure!(answer.contains("\"https_required\"") && answer.contains("https://"), "{door:?}: {answer}");
    }
    assert_eq!(house.server.readyz().await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_over_tls_rules_out_plain_http() -> Result<()> {
    let house = House::open().await?;
    let bearer = "authorization: Bearer nobody\r\n";
    let long = "content-length: 10000000\r\n";
    for door in [Door::Api, Door::Admin, Door::Public] {
        let client = Client::of_server(&house.home.ready_file(), door)?;
        let signed_in = if door == Door::Api { "/api/v1/executions" } else { "/api/v1/tenants" };
        let login = if door == Door::Api { "/api/v1/token" } else { "/api/v1/login" };
        let not_on_public = |status| if door == Door::Public { 404 } else { status };
        let cases = [
            ("GET", "/livez", "", 200),
            ("GET", "/nowhere", "", 404),
            ("DELETE", "/livez", "", 405),
            ("GET", signed_in, "", not_on_public(401)),
            ("GET", signed_in, bearer, not_on_public(401)),
            ("PUT", login, "content-length: 0\r\n", not_on_public(405)),
            ("GET", signed_in, "cookie: a=b\r\n", if door == Door::Api { 403 } else { not_on_public(401) }),
            // These never get to a route.
            ("POST", login, long, 413),
            ("POST", login, "transfer-encoding: gzip, chunked\r\n", 400),
        ];
        for (method, path, headers, status) in cases {
            let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");

            let answer = client.write_raw(request.as_bytes()).await?;

            ensure!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{door:?} {method} {path} {headers}: {answer}");
            let said = answer.matches("strict-transport-security: max-age=63072000\r\n").count();
            ensure!(said == 1, "{door:?} {method} {path} {headers}: said {said} times: {answer}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_inside_a_request_is_never_carried_out() -> Result<()> {
    let (house, key, credential) = furnished().await?;
    let before = house.sim.requests(&key).await?.len();
    let order = Call::limit_order(&credential, "binance").body().to_string();
    let token = &house.app.token;
    let inner = format!(
        "POST /api/v1/executions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nidempotency-key: smuggled\r\ncontent-length: {}\r\n\r\n{order}",
        order.len()
    );
    let chunked = format!("0\r\n\r\n{inner}");
    let lengths = |te: &str| format!("{te}content-length: {}\r\n", chunked.len());
    let framings = [
        lengths("transfer-encoding: chunked\r\n"),
        lengths("transfer-encoding: identity, chunked\r\n"),
        lengths("transfer-encoding: chunked, identity\r\n"),
        "transfer-encoding: gzip, chunked\r\n".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding : chunked\r\n".to_owned(),
        format!("content-length: 5\r\ncontent-length: {}\r\n", chunked.len()),
    ];
    for framing in framings {
        let outer = format!(
            "POST /api/v1/executions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nidempotency-key: outer\r\n{framing}\r\n{chunked}"
        );

        let answer = house.app.client().write_raw(outer.as_bytes()).await?;

        ensure!(answer.starts_with("HTTP/1.1 400 "), "{framing}: {answer}");
        ensure!(answer.matches("HTTP/1.1 ").count() == 1, "{framing}: more than one answer: {answer}");
    }
    assert_eq!(house.sim.requests(&key).await?.len(), before);
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    Ok(())
}
