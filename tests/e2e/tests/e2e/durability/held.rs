//! What a client knows of a credential: only what it was told.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use claviger_e2e::{Key, Sim};
use serde_json::Value;

/// A credential as its client knows it.
pub(super) struct Held {
    pub(super) id: String,
    pub(super) state: State,
    /// The key that signs.
    pub(super) key: Signer,
    /// The keys that signed before.
    pub(super) retired: Vec<Signer>,
}

/// How a credential stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Active,
    Frozen,
    Revoked,
    Deleted,
}

/// A key, and the orders that it may have signed, by their price: no two orders have the same.
pub(super) struct Signer {
    pub(super) key: Key,
    pub(super) orders: BTreeMap<String, Fate>,
}

/// What the client was told of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is at the venue, as this execution.
    Acked(String),
    /// Nobody knows.
    Unknown,
    /// It never left.
    Failed,
}

impl Held {
    pub(super) fn new(id: String, key: Key) -> Self {
        Self { id, state: State::Active, key: Signer::new(key), retired: Vec::new() }
    }

    /// From now on, the new key signs.
    pub(super) fn rotated(&mut self, key: Key) {
        self.retired.push(std::mem::replace(&mut self.key, Signer::new(key)));
    }

    pub(super) fn version(&self) -> usize {
        self.retired.len().saturating_add(1)
    }

    /// Whether the server's view of it is the client's.
    pub(super) fn agrees(&self, view: Option<&Value>) -> Result<()> {
        ensure!(State::of(view)? == self.state, "{} is {:?} here and {view:?} there", self.id, self.state);
        if let Some(view) = view {
            let (version, hint) = (view.get("version").and_then(Value::as_u64), view.get("hint"));
            ensure!(version == u64::try_from(self.version()).ok(), "{} has another version: {view}", self.id);
            ensure!(hint.and_then(Value::as_str) == Some(&self.key.key.hint()), "another key: {view}");
        }
        Ok(())
    }

    /// Whether the venue has the orders that it must have, none that it must not have, and none twice.
    pub(super) async fn orders_are_right(&self, sim: &Sim) -> Result<()> {
        for signer in self.retired.iter().chain([&self.key]) {
            signer.orders_are_right(sim).await.with_context(|| format!("{} is {:?}", self.id, self.state))?;
        }
        Ok(())
    }
}

impl Signer {
    fn new(key: Key) -> Self {
        Self { key, orders: BTreeMap::new() }
    }

    async fn orders_are_right(&self, sim: &Sim) -> Result<()> {
        let mut at_venue = BTreeMap::<String, u32>::new();
        for order in sim.orders(&self.key).await? {
            let price = order.params.get("price").and_then(Value::as_str).context("an order without a price")?;
            let count = at_venue.entry(price.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        for (price, count) in &at_venue {
            ensure!(*count == 1, "the order at {price} is {count} times at the venue");
            match self.orders.get(price) {
                Some(Fate::Acked(_) | Fate::Unknown) => {}
                Some(Fate::Failed) => bail!("the order at {price} failed, and is at the venue"),
                None => bail!("the order at {price} is at the venue, and this key was not to sign it"),
            }
        }
        for (price, fate) in &self.orders {
            let acked = matches!(fate, Fate::Acked(_));
            ensure!(!acked || at_venue.contains_key(price), "the order at {price} was acknowledged: {fate:?}");
        }
        Ok(())
    }
}

impl State {
    /// What a view says; no view, no credential.
    pub(super) fn of(view: Option<&Value>) -> Result<Self> {
        let Some(view) = view else { return Ok(Self::Deleted) };
        Ok(match view.get("state").and_then(Value::as_str) {
            Some("active") => Self::Active,
            Some("frozen") => Self::Frozen,
            Some("revoked") => Self::Revoked,
            _ => bail!("half a credential: {view}"),
        })
    }

    /// Status and rule of the answer to an order, where it is none of the venue's.
    pub(super) fn refusal(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Active => None,
            Self::Frozen => Some((403, "state.frozen")),
            Self::Revoked => Some((403, "state.revoked")),
            Self::Deleted => Some((404, "")),
        }
    }
}
