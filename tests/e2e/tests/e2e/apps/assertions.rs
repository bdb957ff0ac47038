//! `private_key_jwt`: each type of key, each way to be wrong, and every assertion once.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Client, House, Jwt, Reply, Server, Setup, Signer, ask_for_token, now_ms};
use serde_json::{Value, json};

use super::{invalid_client, lets_in, path, remove, stranger};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key of the app's that is registered, and the service that it signs for.
struct Registered {
    app: String,
    kid: String,
    signer: Signer,
    aud: String,
}

impl Registered {
    async fn with(house: &House, signer: Signer) -> Result<Self> {
        let body = json!({ "public_key": signer.public_pem()? });
        let made = house.operator.post(&path(house, &house.app, "/keys"), &body).await?.ok()?;
        assert_eq!(made.json()["alg"], signer.alg());
        let aud = claims(&house.app.token)?["iss"].as_str().context("no iss")?.to_owned();
        Ok(Self { app: house.app.id.clone(), kid: made.text_at("/id")?, signer, aud })
    }

    fn jwt(&self) -> Result<Jwt> {
        Jwt::assertion(&self.app, &self.kid, &self.signer, &self.aud)
    }

    fn signed(&self, jwt: &Jwt) -> Result<String> {
        jwt.signed(&self.signer)
    }
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Result<Value> {
    let body = token.split('.').nth(1).context("no claims")?;
    Ok(serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(body.as_bytes())?)?)
}

async fn ask(client: &Client, assertion: &str) -> Result<Reply> {
    ask_for_token(client, None, &[("client_assertion_type", TYPE), ("client_assertion", assertion)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_of_each_type_of_key_gets_a_token_that_ends_with_the_key() -> Result<()> {
    let house = House::open().await?;
    let client = stranger(&house)?;
    for signer in [Signer::ed25519()?, Signer::p256()?, Signer::rsa()?] {
        let key = Registered::with(&house, signer).await?;

        let token = ask(&client, &key.signed(&key.jwt()?)?).await?.ok()?.text_at("/access_token")?;

        assert!(lets_in(&client, &token).await?);
        assert_eq!(claims(&token)?["authenticator"], key.kid);
        assert_eq!(remove(&house, &house.app, "keys", &key.kid).await?.status, 204);
        assert!(!lets_in(&client, &token).await?);
        invalid_client(&ask(&client, &key.signed(&key.jwt()?)?).await?, "not signed by a key of this app")?;
    }
    assert!(lets_in(&client, &house.app.token).await?, "what was got by secret stays");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_has_two_keys_at_most_and_only_sound_ones() -> Result<()> {
    let house = House::open().await?;
    let keys = path(&house, &house.app, "/keys");
    let add = async |key: Value| house.operator.post(&keys, &json!({ "public_key": key })).await;
    let first = json!(Signer::ed25519()?.public_pem()?);

    add(first.clone()).await?.ok()?;
    add(first).await?.problem(409, "authenticator_known")?;
    add(json!("-----BEGIN PUBLIC KEY-----")).await?.problem(400, "public_key_invalid")?;
    let private = add(json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA" })).await?;
    assert!(private.problem(400, "public_key_invalid")?.text().contains("private key"));
    add(json!(Signer::p256()?.public_pem()?)).await?.ok()?;
    add(json!(Signer::p256()?.public_pem()?)).await?.problem(409, "authenticators_full")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_the_endpoint_is_an_audience_where_it_is_configured() -> Result<()> {
    const ENDPOINT: &str = "https://claviger.example:8443/api/v1/token";
    let house = Setup::default().config("tokens.endpoint", ENDPOINT).open().await?;
    let client = stranger(&house)?;
    let key = Registered::with(&house, Signer::p256()?).await?;

    for (aud, right) in [(json!(ENDPOINT), true), (json!(key.aud), true), (json!("https://claviger.example"), false)] {
        let reply = ask(&client, &key.signed(&key.jwt()?.claim("aud", aud))?).await?;
        if right { reply.ok().map(drop)? } else { invalid_client(&reply, "`aud`")? }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_that_is_wrong_in_one_way_is_refused() -> Result<()> {
    let house = House::open().await?;
    let client = stranger(&house)?;
    let key = Registered::with(&house, Signer::p256()?).await?;
    let other = Registered::with(&house, Signer::ed25519()?).await?;
    let now = now_ms() / 1_000;
    let public = key.signer.public_pem()?;
    let unsigned = "not signed by a key of this app";
    let secret_id = super::authenticators(&house, &house.app).await?[0]["id"].as_str().unwrap().to_owned();

    // (what, the assertion, words of the refusal)
    let with = |name: &str, value: Value| key.signed(&key.jwt()?.claim(name, value));
    let headed = |name: &str, value: Value| key.signed(&key.jwt()?.header(name, value));
    let cases = [
        ("expired", with("exp", json!(now - 1))?, "expired"),
        ("over-long", with("exp", json!(now + 400))?, "too long"),
        ("endless", with("exp", json!(u64::MAX))?, "too long"),
        ("without an end", with("exp", Value::Null)?, unsigned),
        ("not yet valid", with("nbf", json!(now + 60))?, "not valid yet"),
        ("of tomorrow", with("iat", json!(now + 86_400))?, "not valid yet"),
        ("for another service", with("aud", json!("claviger/other"))?, "`aud`"),
        ("for several services", with("aud", json!([key.aud, "https://other.example"]))?, unsigned),
        ("for nobody", with("aud", Value::Null)?, unsigned),
        ("by another issuer", with("iss", json!(house.neighbour.app.id))?, unsigned),
        ("about another app", with("sub", json!(house.neighbour.app.id))?, unsigned),
        ("without a jti", with("jti", Value::Null)?, unsigned),
        ("with an empty jti", with("jti", json!(""))?, "`jti`"),
        ("with an endless jti", with("jti", json!("j".repeat(129)))?, "`jti`"),
        ("with alg none", key.jwt()?.header("alg", json!("none")).with_signature(""), unsigned),
        ("without alg", headed("alg", Value::Null)?, unsigned),
        ("HS256 by the public key", key.jwt()?.header("alg", json!("HS256")).maced(public.as_bytes()), unsigned),
        ("ES256 by HMAC", key.jwt()?.maced(public.as_bytes()), unsigned),
        ("with another alg", headed("alg", json!("RS256"))?, unsigned),
        ("with another key's kid", headed("kid", json!(other.kid))?, unsigned),
        ("with a secret's kid", headed("kid", json!(secret_id))?, unsigned),
        ("with nobody's kid", headed("kid", json!("auth_00000000000000000000000000"))?, unsigned),
        ("without kid", headed("kid", Value::Null)?, unsigned),
        ("with crit", headed("crit", json!(["exp"]))?, unsigned),
        ("with a key of its own", headed("jwk", json!({ "kty": "OKP" }))?, unsigned),
        ("with an address of keys", headed("jku", json!("https://attacker.example"))?, unsigned),
        ("of another kind of token", headed("typ", json!("at+jwt"))?, unsigned),
        ("signed by a stranger", key.jwt()?.signed(&Signer::p256()?)?, unsigned),
        ("without signature", key.jwt()?.with_signature(""), unsigned),
        ("much too long", with("more", json!("m".repeat(5_000)))?, unsigned),
        ("nothing", String::new(), unsigned),
        ("an access token", house.app.token.clone(), unsigned),
    ];
    for (what, assertion, words) in cases {
        invalid_client(&ask(&client, &assertion).await?, words).with_context(|| what.to_owned())?;
    }
    // None of these burnt anything, and the right one is still right.
    ask(&client, &key.signed(&key.jwt()?)?).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_tokens_that_mix_methods_or_break_the_form_are_refused() -> Result<()> {
    let house = House::open().await?;
    let client = stranger(&house)?;
    let key = Registered::with(&house, Signer::ed25519()?).await?;
    let basic = Some((house.app.id.as_str(), house.app.secret.as_str()));
    let assertion = key.signed(&key.jwt()?)?;
    let neighbour = house.neighbour.app.id.as_str();

    let cases: [(_, &[_], u16, &str); 8] = [
        (basic, &[("client_assertion_type", TYPE), ("client_assertion", &assertion)], 400, "invalid_request"),
        (None, &[("client_assertion", &assertion)], 400, "invalid_request"),
        (None, &[("client_assertion_type", "a:saml"), ("client_assertion", &assertion)], 400, "invalid_request"),
        (basic, &[("client_id", neighbour)], 401, "invalid_client"),
        (None, &[("client_id", &house.app.id), ("client_secret", &house.app.secret)], 400, "invalid_request"),
        (None, &[("client_id", &house.app.id)], 401, "invalid_client"),
        (basic, &[("scope", "everything")], 400, "invalid_scope"),
        (basic, &[("grant_type", "client_credentials")], 400, "invalid_request"),
    ];
    for (basic, form, status, error) in cases {
        let reply = ask_for_token(&client, basic, form).await?;
        assert_eq!((reply.status, reply.json()["error"].as_str()), (status, Some(error)), "{form:?}: {}", reply.text());
    }
    ask_for_token(&client, basic, &[("client_id", &house.app.id), ("audience", "ignored")]).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_is_used_once_also_after_a_crash() -> Result<()> {
    let mut house = House::open().await?;
    let key = Registered::with(&house, Signer::p256()?).await?;
    let assertion = key.signed(&key.jwt()?)?;
    let same_jti = key.signed(&key.jwt()?.claim("jti", claims(&assertion)?["jti"].clone()))?;

    ask(&stranger(&house)?, &assertion).await?.ok()?;

    for again in [&assertion, &same_jti] {
        invalid_client(&ask(&stranger(&house)?, again).await?, "used before")?;
    }
    house.server.kill().await?;
    house.server = Server::start(&house.home).await?;
    for again in [&assertion, &same_jti] {
        invalid_client(&ask(&stranger(&house)?, again).await?, "used before")?;
    }
    ask(&stranger(&house)?, &key.signed(&key.jwt()?)?).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_callers_with_one_assertion_one_gets_a_token() -> Result<()> {
    let house = Arc::new(House::open().await?);
    let key = Registered::with(&house, Signer::ed25519()?).await?;
    let assertion = Arc::new(key.signed(&key.jwt()?)?);
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (house, assertion) = (Arc::clone(&house), Arc::clone(&assertion));
            tokio::spawn(async move { ask(&stranger(&house)?, &assertion).await })
        })
        .collect();
    let mut granted = 0;
    for caller in callers {
        let reply = caller.await??;
        match reply.status {
            200 => granted += 1,
            // The keeper had too much to do: nothing was given, and the assertion was not used up.
            503 => ensure!(reply.json()["error"] == "temporarily_unavailable", "{}", reply.text()),
            _ => invalid_client(&reply, "used before")?,
        }
    }
    assert_eq!(granted, 1);
    let created = |entry: &Value| entry["action"] == "token.create" && entry["detail"]["authenticator"] == key.kid;
    let entries = house.operator.audit(&house.tenant).await?;
    assert_eq!(entries.into_iter().filter(created).count(), 1);
    Ok(())
}
