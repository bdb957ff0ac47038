//! The gateway: what a venue's own client gets there, and what an attacker does not.

mod attacks;
mod crowd;
mod decoys;
mod honest;
mod keys;
mod rates;
mod refusals;
mod scenes;

use anyhow::{Result, ensure};
use claviger_e2e::{Ask, Client, ClientPair, House, Key, Reply, Setup, VirtualKey};
use serde_json::Value;

use crate::brokers::Broker;
use scenes::{Says, Scene};

/// A house where one client trades with one credential through the gateway.
struct Desk {
    house: House,
    scene: &'static Scene,
    key: Key,
    credential: String,
    client: VirtualKey,
}

impl Desk {
    async fn open(scene: &'static Scene) -> Result<Self> {
        Self::furnish(scene, Setup::default().venues(&[scene.venue]).open().await?, None).await
    }

    async fn furnish(scene: &'static Scene, house: House, pair: Option<ClientPair>) -> Result<Self> {
        let (key, credential) = if scene.shows_token() {
            let broker = Broker::of(scene.venue)?;
            (broker.key(), broker.enrolled(&house).await?)
        } else {
            let key = house.sim.knows(Key::of(scene.venue)).await?;
            let credential = house.app.enrolled(&key).await?;
            (key, credential)
        };
        let client = VirtualKey::made(&house.app, &credential, pair).await?;
        let desk = Self { house, scene, key, credential, client };
        if scene.shows_token() {
            // Claviger's own login is over before anybody looks.
            good(scene, &desk.send(&scene.balances()).await?)?;
        }
        Ok(desk)
    }

    fn door(&self) -> &Client {
        self.house.app.client()
    }

    async fn send(&self, ask: &Ask) -> Result<Reply> {
        self.client.send(self.door(), ask).await
    }

    /// The names of the key's orders at the venue.
    async fn placed(&self) -> Result<Vec<String>> {
        let orders = self.house.sim.orders(&self.key).await?;
        Ok(orders.into_iter().filter_map(|order| order.client_order_id).collect())
    }

    /// The venue refuses, in its own shape and code, and the rule is named for people. A code that ends in a space is how
    /// a text begins.
    fn refused(&self, reply: &Reply, says: Says, rule: &str) -> Result<()> {
        let (status, code) = self.scene.said(says);
        let json = reply.json();
        let given = json.pointer(self.scene.code_at);
        let begins = |text: &str| code.as_str().is_some_and(|code| code.ends_with(' ') && text.starts_with(code));
        let said = given == Some(&code) || given.and_then(Value::as_str).is_some_and(begins);
        ensure!(
            reply.status == status && said && reply.header("x-claviger-rule") == rule,
            "{}: not {status} {code} by {rule:?} but {} by {:?}: {}",
            self.scene.venue,
            reply.status,
            reply.header("x-claviger-rule"),
            reply.text()
        );
        ensure!(reply.header("content-type") == "application/json", "{:?}", reply.headers);
        Ok(())
    }
}

/// The venue's own good answer.
fn good(scene: &Scene, reply: &Reply) -> Result<()> {
    let json = reply.json();
    let code = json.pointer(scene.code_at).filter(|code| !scene.good_codes().contains(code));
    let said = matches!(reply.status, 200 | 201) && code.is_none() && reply.header("x-claviger-rule").is_empty();
    ensure!(said, "{}: status {}, {:?}: {}", scene.venue, reply.status, reply.headers, reply.text());
    Ok(())
}
