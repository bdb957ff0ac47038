//! The access token itself: forged in one way, or of an app that is stopped, it is refused.

use anyhow::{Context as _, Result};
use claviger_e2e::{House, Jwt, Signer, now_ms};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{lets_in, path, stranger};

/// Header and claims of a token.
pub(crate) fn parts(token: &str) -> Result<Jwt> {
    let part = |n: usize| -> Result<Value> {
        let text = token.split('.').nth(n).context("too short")?;
        Ok(serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes())?)?)
    };
    Ok(Jwt { header: part(0)?, claims: part(1)? })
}

/// What is no access token of the house's app, but for one thing: each by what is wrong with it.
pub(crate) fn forged(house: &House) -> Result<Vec<(&'static str, String)>> {
    let good = &house.app.token;
    let genuine = || parts(good);
    let signature = good.rsplit('.').next().unwrap();
    let now = now_ms() / 1_000;
    let foreign = Signer::p256()?;
    let elsewhere = |name: &str, value: Value| genuine()?.claim(name, value).signed(&foreign);
    let changed =
        |name: &str, value: Value| Ok::<_, anyhow::Error>(genuine()?.claim(name, value).with_signature(signature));
    let headed =
        |name: &str, value: Value| Ok::<_, anyhow::Error>(genuine()?.header(name, value).with_signature(signature));

    Ok(vec![
        ("unsigned", genuine()?.with_signature("")),
        ("without the last part", good.rsplit_once('.').unwrap().0.to_owned()),
        ("alg none", genuine()?.header("alg", json!("none")).with_signature("")),
        ("alg none, signed", headed("alg", json!("none"))?),
        ("HS256 by its kid", genuine()?.header("alg", json!("HS256")).maced(b"ES256")),
        ("another kid", headed("kid", json!("0000000000000000"))?),
        ("no kid", headed("kid", Value::Null)?),
        ("crit", headed("crit", json!([]))?),
        ("another typ", headed("typ", json!("JWT"))?),
        ("a key of its own", headed("jwk", json!({}))?),
        ("signed by a stranger", genuine()?.signed(&foreign)?),
        ("expired", elsewhere("exp", json!(now - 1))?),
        ("longer", changed("exp", json!(now + 86_400))?),
        ("not yet valid", elsewhere("nbf", json!(now + 600))?),
        ("another audience", elsewhere("aud", json!("claviger/other"))?),
        ("another issuer", elsewhere("iss", json!("claviger/other"))?),
        ("another app", changed("sub", json!(house.neighbour.app.id))?),
        ("another tenant", changed("tenant", json!(house.neighbour.tenant))?),
        ("another authenticator", changed("authenticator", json!("auth_00000000000000000000000000"))?),
        ("an app's secret", house.app.secret.clone()),
        ("an operator's bearer", house.operator.bearer.clone()),
        ("nothing", String::new()),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_is_changed_in_one_way_is_refused() -> Result<()> {
    let house = House::open().await?;
    let client = stranger(&house)?;
    for (what, token) in forged(&house)? {
        assert!(!lets_in(&client, &token).await?, "{what}");
    }
    assert!(lets_in(&client, &house.app.token).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_revoked_app_is_refused_and_it_gets_no_other() -> Result<()> {
    let house = House::open().await?;
    let client = stranger(&house)?;
    assert!(lets_in(&client, &house.app.token).await?);

    house.operator.post(&path(&house, &house.app, "/revoke"), &json!({ "reason": "stolen" })).await?.ok()?;

    assert!(!lets_in(&client, &house.app.token).await?);
    super::invalid_client(&house.app.ask_for_token().await?, "id or secret")
}
