use anyhow::Result;
use claviger_e2e::{Call, Key, Setup};
use serde_json::json;

use super::{Born, delete, private_keys};

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_key_signs_and_is_rotated_revoked_and_deleted() -> Result<()> {
    let house = Setup::default().venues(&["bybit"]).open().await?;
    let before = private_keys(&house.home)?;
    let kinds: [fn() -> Result<Key>; 4] = [Key::binance, Key::kraken, Key::binance_rsa, Key::bybit_rsa];
    for kind in kinds {
        let key = house.sim.knows(kind().map(Key::resident)).await?;
        let next = house.sim.knows(kind()).await?;

        let enrolled = house.app.enroll(&key).await?;
        let credential = enrolled.text_at("/id")?;
        house.app.acked(&Call::limit_order(&credential, key.venue)).await?;
        let rotation = json!({ "key_id": next.key_id, "secret": next.secret });
        let rotated = house.operator.act_if_unchanged(&house.tenant, &credential, "rotate", &rotation).await?.ok()?;
        house.app.acked(&Call::limit_order(&credential, key.venue)).await?;
        house.operator.act(&house.tenant, &credential, "revoke").await?.ok()?;
        let revoked = house.app.execute(&Call::limit_order(&credential, key.venue)).await?;
        delete(&house, &credential).await?.ok()?;

        assert_eq!(enrolled.json()["mode"], "resident");
        assert_eq!(rotated.json()["mode"], "resident");
        assert_eq!(
            (house.sim.orders(&key).await?.len(), house.sim.orders(&next).await?.len()),
            (1, 1),
            "{}",
            key.label
        );
        assert_eq!(revoked.status, 403, "{}", revoked.text());
        house.app.get(&format!("/api/v1/credentials/{credential}")).await?.problem(404, "not_found")?;
    }
    assert_eq!(private_keys(&house.home)?, before, "a resident key is no object of the token");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_born_key_is_registered_activated_and_destroyed() -> Result<()> {
    let mut house = Setup::default().venues(&["bybit"]).open().await?;
    for (venue, key_type, is_object) in
        [("binance", "ed25519", true), ("binance", "rsa", false), ("bybit", "rsa", false)]
    {
        let before = private_keys(&house.home)?;
        let born = Born::at(&house, venue, key_type).await?;
        let shown = house.app.get(&format!("/api/v1/credentials/{}", born.id)).await?.ok()?;
        let too_early = house.app.execute(&Call::limit_order(&born.id, venue)).await?;

        assert_eq!((&shown.json()["state"], &shown.json()["mode"]), (&json!("pending"), &json!("hsm_born")));
        assert_eq!((&shown.json()["hint"], shown.text_at("/public_key")?), (&json!(""), born.public_key.clone()));
        assert!(shown.json()["guide"].as_array().is_some_and(|steps| steps.len() > 2), "{}", shown.text());
        assert!(born.public_key.starts_with("-----BEGIN PUBLIC KEY-----"), "{}", born.public_key);
        assert_eq!((too_early.status, too_early.text().contains("state.pending")), (403, true), "{}", too_early.text());
        assert_eq!(private_keys(&house.home)?.len(), before.len() + usize::from(is_object));

        let key = born.used(&house).await?;
        house.app.acked(&Call::limit_order(&born.id, venue)).await?;
        let exchange = json!({ "key_id": key.key_id, "secret": "any" });
        let rotated = house.operator.act_if_unchanged(&house.tenant, &born.id, "rotate", &exchange).await?;
        rotated.problem(409, "key_born")?;
        house = house.restart().await?;
        house.app.acked(&Call::limit_order(&born.id, venue)).await?;
        assert_eq!(house.sim.orders(&key).await?.len(), 2);

        house.operator.act(&house.tenant, &born.id, "revoke").await?.ok()?;
        let revoked = house.app.execute(&Call::limit_order(&born.id, venue)).await?;
        assert_eq!(revoked.status, 403, "{}", revoked.text());
        delete(&house, &born.id).await?.ok()?;
        assert_eq!(
            private_keys(&house.home)?,
            before,
            "{venue} {key_type}: the object in the token is gone with the credential"
        );
    }
    assert_eq!(house.sim.tripped().await?, 0);
    Ok(())
}
