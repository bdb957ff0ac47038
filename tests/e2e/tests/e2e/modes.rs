//! Keys that sign inside the token: brought there, or made there.
//!
//! - [`life`]: from enrollment or birth to deletion
//! - [`refused`]: what is not held that way, who may not activate, and a token that is full or has lost a key
//! - [`memory`]: where the secret is not
//! - [`relief`]: a keeper that is worn is relieved, and no call is lost

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use claviger_e2e::{Home, House, Key, Reply};
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

/// The files of the private keys that the token has.
fn private_keys(home: &Home) -> Result<BTreeSet<PathBuf>> {
    let tokens = std::fs::read_dir(home.token_file("tokens"))?;
    let folder = tokens.flatten().find(|entry| entry.path().is_dir()).context("no token")?.path();
    let files = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let objects = files.filter(|file| file.extension().is_some_and(|it| it == "object"));
    Ok(objects.filter(|file| is_private_key(file)).collect())
}

/// An object begins with a count and its first attribute: name (its class), kind (a number), value.
fn is_private_key(file: &Path) -> bool {
    const CKO_PRIVATE_KEY: u64 = 3;
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.get(24..32) == Some(CKO_PRIVATE_KEY.to_be_bytes().as_slice())
}
