//! mTLS: tokens that are bound to a client certificate, registered by its thumbprint.

use std::fs;

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use claviger_e2e::{Call, Client, Door, House, Identity, Jwt, Key, Reply, Signer, ask_for_token};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::{command, invalid_client, lets_in, path, remove, stranger, token_by_secret};

fn showing(house: &House, identity: &Identity) -> Result<Client> {
    Client::of_server_as(&house.home.ready_file(), Door::Api, identity)
}

async fn register(house: &House, identity: &Identity) -> Result<Reply> {
    let body = json!({ "certificate": identity.certificate });
    house.operator.post(&path(house, &house.app, "/certificates"), &body).await
}

/// A token by the certificate alone.
async fn token(client: &Client, house: &House) -> Result<Reply> {
    ask_for_token(client, None, &[("client_id", &house.app.id)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_bound_to_a_certificate_is_worth_nothing_without_it() -> Result<()> {
    let house = House::open().await?;
    let (mine, other) = (Identity::self_signed()?, Identity::self_signed()?);
    let (with, without, with_other) = (showing(&house, &mine)?, stranger(&house)?, showing(&house, &other)?);
    invalid_client(&token(&with, &house).await?, "no client certificate of this app")?;

    let registered = register(&house, &mine).await?.ok()?;
    let bound = token(&with, &house).await?.ok()?.text_at("/access_token")?;

    let claims = BASE64URL_NOPAD.decode(bound.split('.').nth(1).unwrap().as_bytes())?;
    let claims: serde_json::Value = serde_json::from_slice(&claims)?;
    let der: Vec<u8> = data_encoding::BASE64_MIME.decode(
        mine.certificate.lines().filter(|line| !line.starts_with("---")).collect::<Vec<_>>().join("\n").as_bytes(),
    )?;
    let thumbprint = BASE64URL_NOPAD.encode(digest(&SHA256, &der).as_ref());
    assert_eq!(claims["cnf"]["x5t#S256"], thumbprint);
    assert_eq!(registered.json()["thumbprint"], thumbprint);
    // A connection that is kept, and another one.
    assert!(lets_in(&with, &bound).await? && lets_in(&with, &bound).await?);
    with.hang_up();
    assert!(lets_in(&with, &bound).await?);
    assert!(!lets_in(&without, &bound).await?);
    assert!(!lets_in(&with_other, &bound).await?);
    invalid_client(&token(&without, &house).await?, "no client certificate of this app")?;
    invalid_client(&token(&with_other, &house).await?, "no client certificate of this app")?;

    assert_eq!(remove(&house, &house.app, "certificates", &registered.text_at("/id")?).await?.status, 204);
    assert!(!lets_in(&with, &bound).await?);
    invalid_client(&token(&with, &house).await?, "no client certificate of this app")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_token_without_its_certificate_places_no_order() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let mine = Identity::self_signed()?;
    register(&house, &mine).await?.ok()?;
    let bound = token(&showing(&house, &mine)?, &house).await?.ok()?.text_at("/access_token")?;
    let order = Call::limit_order(&credential, "binance").body();

    for client in [stranger(&house)?, showing(&house, &Identity::self_signed()?)?] {
        for (path, body) in
            [("/api/v1/executions", &order), ("/api/v1/virtual-keys", &json!({ "credential": credential }))]
        {
            client.call("POST", path, Some(&bound), Some(body)).await?.problem(401, "unauthenticated")?;
        }
    }
    assert_eq!(house.sim.orders(&key).await?.len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_got_over_a_connection_with_the_apps_certificate_is_bound_to_it() -> Result<()> {
    let house = House::open().await?;
    let (mine, foreign) = (Identity::self_signed()?, Identity::self_signed()?);
    let (with, with_foreign, without) = (showing(&house, &mine)?, showing(&house, &foreign)?, stranger(&house)?);
    let certificate = register(&house, &mine).await?.ok()?.text_at("/id")?;
    let signer = Signer::p256()?;
    let body = json!({ "public_key": signer.public_pem()? });
    let kid = house.operator.post(&path(&house, &house.app, "/keys"), &body).await?.ok()?.text_at("/id")?;
    let aud =
        format!("claviger/{}", house.operator.get("/api/v1/audit?limit=1").await?.ok()?.text_at("/data/0/writer")?);
    let assertion = Jwt::assertion(&house.app.id, &kid, &signer, &aud)?.signed(&signer)?;
    let form = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];

    let by_secret = token_by_secret(&with, &house.app.id, &house.app.secret).await?;
    let by_key = ask_for_token(&with, None, &form).await?.ok()?.text_at("/access_token")?;
    let free = token_by_secret(&with_foreign, &house.app.id, &house.app.secret).await?;

    for bound in [&by_secret, &by_key] {
        assert!(lets_in(&with, bound).await? && !lets_in(&without, bound).await?);
    }
    assert!(lets_in(&without, &free).await?, "a certificate that is nobody's binds nothing");
    remove(&house, &house.app, "certificates", &certificate).await?.ok()?;
    for bound in [&by_secret, &by_key] {
        assert!(!lets_in(&with, bound).await?);
    }
    assert!(lets_in(&with, &free).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_has_two_certificates_at_most_and_only_whole_ones() -> Result<()> {
    let house = House::open().await?;
    let (one, two) = (Identity::self_signed()?, Identity::self_signed()?);
    let add = async |text: String| {
        house.operator.post(&path(&house, &house.app, "/certificates"), &json!({ "certificate": text })).await
    };

    for wrong in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        add(wrong.to_owned()).await?.problem(400, "certificate_invalid")?;
    }
    add(format!("{}{}", one.certificate, two.certificate)).await?.problem(400, "certificate_invalid")?;
    add(format!("{}{}", one.certificate, one.key)).await?.problem(400, "certificate_invalid")?;
    register(&house, &one).await?.ok()?;
    register(&house, &one).await?.problem(409, "authenticator_known")?;
    let file = house.scratch.path().join("client.pem");
    fs::write(&file, &two.certificate)?;
    command(&house, &["certificate", "add", &house.app.id, "--file", &file.to_string_lossy()]).await?.ok()?;
    register(&house, &Identity::self_signed()?).await?.problem(409, "authenticators_full")?;
    Ok(())
}
