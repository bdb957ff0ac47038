//! What a password alone is worth where there is a passkey: no full login, and no proof.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Browser, Client, Door, Home, PASSWORD, Scratch, Server, Sim};
use serde_json::{Value, json};

use super::super::operators::codes;
use super::{Terminal, made, shown};

#[tokio::test(flavor = "multi_thread")]
async fn a_password_alone_is_neither_a_full_login_nor_a_proof_where_there_is_a_passkey() -> Result<()> {
    let scratch = Scratch::new()?;
    let sim = Sim::start(scratch.path()).await?;
    let home = Home::at(&scratch.path().join("home"), scratch.path(), &scratch.path().join("log"))?;
    let file = scratch.path().join("invitations.json");
    home.claviger(["init", "--operator", "ada", "--invitations"])?.args([&file]).output().await?.ok()?;
    home.use_sim(&sim)?;
    let _server = Server::start(&home).await?;
    let invitations: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let invitation = invitations[0]["invitation"].as_str().context("no invitation")?;
    let terminal = Terminal { admin: Client::of_server(&home.ready_file(), Door::Admin)? };
    let call = async |method: &str, path: &str, bearer: &str, body: Option<&Value>| {
        terminal.admin.call(method, path, Some(bearer), body).await
    };
    let post = async |path: &str, body: &Value| terminal.admin.call("POST", path, None, Some(body)).await?.ok();
    let by_password = json!({ "operator": "ada", "password": PASSWORD });
    let accepted = post("/api/v1/factors", &json!({ "invitation": invitation, "password": PASSWORD })).await?;
    let own = accepted.text_at("/bearer")?;
    let other = post("/api/v1/login", &by_password).await?.text_at("/bearer")?;
    let browser = Browser::start().await?;
    browser.authenticator().await?;

    // The login that registers the first passkey showed a password, and is no more by it; the other one ends.
    let begun = call("POST", "/api/v1/me/passkeys", &own, Some(&json!({ "label": "laptop" }))).await?.ok()?;
    made(&terminal, &browser, &begun, Some(&own)).await?;
    call("GET", "/api/v1/me/logins", &other, None).await?.problem(401, "unauthenticated")?;
    call("GET", "/api/v1/tenants", &own, None).await?.problem(403, "second_factor_missing")?;
    // By a password alone nothing is set up beside it.
    for path in ["/api/v1/me/totp", "/api/v1/me/break-glass", "/api/v1/me/passkeys"] {
        call("POST", path, &own, Some(&json!({}))).await?.problem(403, "second_factor_missing")?;
    }
    let password = json!({ "password": PASSWORD });
    call("POST", "/api/v1/me/proof", &own, Some(&password)).await?.problem(403, "second_factor_missing")?;
    let begun = call("POST", "/api/v1/me/proof/browser", &own, None).await?.ok()?;
    shown(&browser, &begun).await?;
    terminal.ended(&begun).await?.ok()?;
    call("GET", "/api/v1/tenants", &own, None).await?.ok()?;

    // Of a login by passkey neither the password is a proof, nor the password with a code.
    let begun = terminal.begin(&json!({ "operator": "ada" })).await?;
    shown(&browser, &begun).await?;
    let full = terminal.ended(&begun).await?.ok()?.text_at("/bearer")?;
    call("POST", "/api/v1/me/proof", &full, Some(&password)).await?.problem(403, "second_factor_missing")?;
    let url = call("POST", "/api/v1/me/totp", &full, None).await?.ok()?.text_at("/url")?;
    let confirm = json!({ "code": codes::code(&codes::seed(&url)?, 0) });
    let confirmed = call("POST", "/api/v1/me/totp/confirm", &full, Some(&confirm)).await?.ok()?;
    let backup = confirmed.text_at("/codes/0")?;
    let with_code = json!({ "password": PASSWORD, "code": backup });
    call("POST", "/api/v1/me/proof", &full, Some(&with_code)).await?.problem(403, "second_factor_missing")?;
    let entries = call("GET", "/api/v1/audit?limit=1000", &full, None).await?.ok()?.text();
    ensure!(entries.contains("\"login.weaker\""), "no entry");
    Ok(())
}
