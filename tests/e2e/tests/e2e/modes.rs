//! Keys that sign inside the token: brought there, or made there.
//!
//! - [`life`]: from enrollment or birth to deletion
//! - [`refused`]: what is not held that way, who may not activate, and a token that is full or has lost a key
//! - [`memory`]: where the secret is not
//! - [`relief`]: a keeper that is worn is relieved, and no call is lost

use anyhow::{Context as _, Result};
use claviger_e2e::{House, Key, Reply};
use serde_json::{Value, json};

mod life;
mod memory;
mod refused;
mod relief;

/// A credential whose key the token made.
struct Born {
    id: String,
    venue: &'static str,
    key_type: &'static str,
    public_key: String,
}

fn birth(venue: &str, key_type: &str) -> Value {
    let product = if venue == "binance" { "spot" } else { "derivatives" };
    json!({
        "mode": "hsm_born", "owner": "trader-1", "venue": venue, "key_type": key_type,
        "ceiling": { "class": "trade", "products": [product] },
    })
}

impl Born {
    async fn at(house: &House, venue: &'static str, key_type: &'static str) -> Result<Self> {
        let made = house.app.call("POST", "/api/v1/credentials", Some(&birth(venue, key_type))).await?;
        anyhow::ensure!(made.status == 201, "{}", made.text());
        Ok(Self { id: made.text_at("/id")?, venue, key_type, public_key: made.text_at("/public_key")? })
    }

    /// The key as the venue has it once its owner registered it there.
    fn key(&self) -> Result<Key> {
        Key::born(self.venue, self.key_type, &self.public_key)
    }

    async fn activate(&self, house: &House, key: &Key) -> Result<Reply> {
        let path = format!("/api/v1/credentials/{}/activate", self.id);
        house.app.call("POST", &path, Some(&json!({ "key_id": key.key_id }))).await
    }

    /// Registers and activates it.
    async fn used(&self, house: &House) -> Result<Key> {
        let key = house.sim.knows(self.key()).await?;
        self.activate(house, &key).await?.ok()?;
        Ok(key)
    }
}

async fn delete(house: &House, credential: &str) -> Result<Reply> {
    let reason = json!({ "reason": "the test says so" });
    house.operator.act_if_unchanged(&house.tenant, credential, "delete", &reason).await
}

/// How many objects the token has.
fn objects(house: &House) -> Result<usize> {
    let tokens = std::fs::read_dir(house.home.token_file("tokens"))?;
    let folder = tokens.flatten().find(|entry| entry.path().is_dir()).context("no token")?.path();
    let objects = std::fs::read_dir(folder)?.flatten();
    Ok(objects.filter(|file| file.path().extension().is_some_and(|it| it == "object")).count())
}
