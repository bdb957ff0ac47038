//! What apps authenticate with: secrets, assertions, client certificates, and the access tokens that they get.

mod assertions;
mod certificates;
mod page;
mod secrets;
pub(crate) mod tokens;

use anyhow::{Context as _, Result, bail};
use claviger_e2e::{App, Client, Door, House, Output, Reply, ask_for_token};
use serde_json::Value;

/// `.../apps/{id}` and what follows, for the operator.
fn path(house: &House, app: &App, rest: &str) -> String {
    format!("/api/v1/tenants/{}/apps/{}{rest}", house.tenant, app.id)
}

/// A client of the `api` listener without any connection yet.
fn stranger(house: &House) -> Result<Client> {
    Client::of_server(&house.home.ready_file(), Door::Api)
}

/// A token endpoint's refusal, in the words of RFC 6749.
fn invalid_client(reply: &Reply, words: &str) -> Result<()> {
    let json = reply.json();
    let said = json["error_description"].as_str().unwrap_or_default();
    if reply.status != 401 || json["error"] != "invalid_client" || !said.contains(words) {
        bail!("status {}, not 401 with {words:?}: {}", reply.status, reply.text());
    }
    assert_eq!(reply.header("www-authenticate"), "Basic");
    Ok(())
}

/// Whether an access token is let in.
async fn lets_in(client: &Client, token: &str) -> Result<bool> {
    let reply = client.call("GET", "/api/v1/credentials", Some(token), None).await?;
    match reply.status {
        200 => Ok(true),
        401 => {
            assert_eq!(reply.header("www-authenticate"), "Bearer");
            reply.problem(401, "unauthenticated").map(|_| false)
        }
        _ => bail!("status {}: {}", reply.status, reply.text()),
    }
}

/// An access token by HTTP Basic.
async fn token_by_secret(client: &Client, app: &str, secret: &str) -> Result<String> {
    ask_for_token(client, Some((app, secret)), &[]).await?.ok()?.text_at("/access_token")
}

/// What the app authenticates with, as the operator sees it.
async fn authenticators(house: &House, app: &App) -> Result<Vec<Value>> {
    let shown = house.operator.get(&path(house, app, "")).await?.ok()?.json();
    Ok(shown["authenticators"].as_array().context("no list")?.clone())
}

/// Takes one away.
async fn remove(house: &House, app: &App, kind: &str, id: &str) -> Result<Reply> {
    house.operator.call("DELETE", &path(house, app, &format!("/{kind}/{id}")), None).await
}

/// `claviger app ...`, by an operator who is logged in.
async fn command(house: &House, args: &[&str]) -> Result<Output> {
    house.log_in().await?;
    house.home.client(["app"])?.args(args).output().await
}
