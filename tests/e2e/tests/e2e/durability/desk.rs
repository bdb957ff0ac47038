//! A client that writes what it can, and keeps its own list of what it was told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, Result, bail, ensure};
use claviger_e2e::{App, Call, Key, Random, Reply, until};
use serde_json::{Value, json};

use super::Scene;
use super::held::{Fate, Held, State};

/// Credentials that a desk keeps in use.
const IN_USE: usize = 4;

/// A tenant with one app, and everything that it was told.
pub(super) struct Desk {
    name: String,
    tenant: String,
    app: App,
    scene: Arc<Scene>,
    random: Random,
    held: Vec<Held>,
    numbers: u64,
}

impl Desk {
    pub(super) async fn open(scene: &Arc<Scene>, name: &str, random: Random) -> Result<Self> {
        let tenant = scene.operator.make_tenant(name).await?;
        let app = scene.operator.make_app(&scene.home.ready_file(), &tenant, name).await?;
        let (name, scene) = (name.to_owned(), Arc::clone(scene));
        Ok(Self { name, tenant, app, scene, random, held: Vec::new(), numbers: 0 })
    }

    /// Writes until it is told that it is over. Each write is settled before the next: acknowledged, or looked up.
    pub(super) async fn work(&mut self) -> Result<()> {
        while !self.scene.is_over() {
            self.step().await.with_context(|| self.name.clone())?;
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<()> {
        let live = |held: &Held| matches!(held.state, State::Active | State::Frozen);
        if self.held.iter().filter(|held| live(held)).count() < IN_USE {
            return self.enroll().await;
        }
        let count = u64::try_from(self.held.len())?;
        let at = usize::try_from(self.random.below(count))?;
        let mut held = self.held.swap_remove(at);
        let done = match (held.state, self.random.below(16)) {
            (State::Active, 0..=1) => self.act(&mut held, "freeze", State::Frozen).await,
            (State::Active, 2) => self.act(&mut held, "revoke", State::Revoked).await,
            (State::Active, 3..=4) => self.rotate(&mut held).await,
            (State::Active, 5..=7) => self.repeat(&held).await,
            (State::Frozen, 0..=7) => self.act(&mut held, "unfreeze", State::Active).await,
            (State::Active | State::Frozen | State::Revoked, 15) => self.act(&mut held, "delete", State::Deleted).await,
            _ => Ok(()),
        };
        let done = match done {
            Ok(()) => self.order(&mut held).await,
            failed => failed,
        };
        self.held.push(held);
        done
    }

    /// Enrolls until it is acknowledged, or there after all.
    async fn enroll(&mut self) -> Result<()> {
        let number = self.number();
        let label = format!("{}-{number}", self.name);
        let key = self.scene.sim.knows(Key::binance().map(|key| key.labelled(&label))).await?;
        let id = loop {
            if let Some(reply) = self.told(self.app.enroll(&key)).await {
                break reply.ok().context("enroll")?.text_at("/id")?;
            }
            if let Some(row) = self.rows().await?.iter().find(|row| text(row, "label") == label) {
                break text(row, "id").to_owned();
            }
        };
        let mut held = Held::new(id, key);
        let ordered = self.order(&mut held).await;
        self.held.push(held);
        ordered
    }

    /// Freezes, unfreezes, revokes or deletes. An act that was not acknowledged is done or not done, nothing else.
    async fn act(&self, held: &mut Held, act: &str, after: State) -> Result<()> {
        let operator = &self.scene.operator;
        let reason = json!({ "reason": "the test says so" });
        let told = loop {
            let told = if matches!(after, State::Frozen | State::Revoked) {
                self.told(operator.act(&self.tenant, &held.id, act)).await
            } else {
                self.told(operator.act_if_unchanged(&self.tenant, &held.id, act, &reason)).await
            };
            // A deletion that was asked for freezes at once and is done in the end: it is asked for until that shows.
            if told.is_some() || after != State::Deleted || State::of(self.seen(held).await?.as_ref())? == after {
                break told;
            }
        };
        if let Some(reply) = told.filter(|reply| after != State::Deleted || reply.status != 404) {
            reply.ok().with_context(|| format!("{act} {}", held.id))?;
            held.state = after;
        } else {
            let seen = State::of(self.seen(held).await?.as_ref())?;
            ensure!(seen == held.state || seen == after, "{act} {}: {:?} became {seen:?}", held.id, held.state);
            held.state = seen;
        }
        held.agrees(self.seen(held).await?.as_ref())
    }

    /// Rotates until the new key is in use.
    async fn rotate(&self, held: &mut Held) -> Result<()> {
        let key = self.scene.sim.knows(Key::binance()).await?;
        let body = json!({ "key_id": key.key_id, "secret": key.secret });
        loop {
            let rotation = self.scene.operator.act_if_unchanged(&self.tenant, &held.id, "rotate", &body);
            if let Some(reply) = self.told(rotation).await {
                reply.ok().with_context(|| format!("rotate {}", held.id))?;
                break;
            }
            let seen = self.seen(held).await?.context("it is gone")?;
            if text(&seen, "hint") == key.hint() {
                break;
            }
            held.agrees(Some(&seen))?;
        }
        held.rotated(key);
        held.agrees(self.seen(held).await?.as_ref())
    }

    /// Places an order, under one idempotency key until it is answered for good: an order that may not be must be
    /// refused.
    async fn order(&mut self, held: &mut Held) -> Result<()> {
        let price = format!("{}", self.number().saturating_add(20_000));
        if held.state == State::Active {
            held.key.orders.insert(price.clone(), Fate::Unknown);
        }
        let reply = self.answered(&held.id, &price).await?;
        if let Some((status, rule)) = held.state.refusal() {
            let refused = reply.status == status && reply.text_at("/rule").unwrap_or_default() == rule;
            ensure!(refused, "{} is {:?}: {} {}", held.id, held.state, reply.status, reply.text());
            return Ok(());
        }
        let json = reply.json();
        let fate = match text(&json, "state") {
            "acked" => Fate::Acked(reply.text_at("/id")?),
            "unknown" => Fate::Unknown,
            "failed" => Fate::Failed,
            _ => bail!("{}: {} {json}", held.id, reply.status),
        };
        let receipt = json.get("receipt").context("no receipt")?;
        self.scene.keep_receipt(receipt.to_string());
        held.key.orders.insert(price, fate);
        Ok(())
    }

    /// Asks again for an order that was acknowledged, before the last rotation or after it.
    async fn repeat(&mut self, held: &Held) -> Result<()> {
        let signers = held.retired.iter().chain([&held.key]);
        let acked: Vec<_> = signers.flat_map(|signer| &signer.orders).filter_map(acknowledged).collect();
        let Some((price, execution)) = self.random.pick(&acked).copied() else { return Ok(()) };
        let again = self.answered(&held.id, price).await?;
        ensure!(again.text_at("/id")? == execution, "the order at {price} became another: {}", again.text());
        Ok(())
    }

    /// The final answer to an order. It is named by its price, in its idempotency key too.
    async fn answered(&self, credential: &str, price: &str) -> Result<Reply> {
        let order = Call::with(credential, "order.place").param("symbol", "BTCUSDT").param("side", "BUY");
        let order = order.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", "0.01");
        let order = order.param("price", price).once(&format!("{}-{price}", self.name));
        until("an order to be answered", async || {
            let reply = self.told(self.app.execute(&order)).await.context("no answer")?;
            ensure!(reply.code() != "idempotency_in_progress", "{}", reply.text());
            Ok(reply)
        })
        .await
    }

    /// Sends a request once; there is an answer, or nobody knows.
    async fn told(&self, request: impl Future<Output = Result<Reply>>) -> Option<Reply> {
        self.scene.begin();
        let reply = request.await.ok().filter(|reply| reply.status < 500);
        if reply.is_none() {
            self.scene.lost.fetch_add(1, Ordering::Relaxed);
        }
        reply
    }

    /// A credential as the server shows it; `None` if it is not there.
    async fn seen(&self, held: &Held) -> Result<Option<Value>> {
        until("a credential to be shown", async || {
            let reply = self.scene.operator.credential(&self.tenant, &held.id).await?;
            if reply.status == 404 { Ok(None) } else { Ok(Some(reply.ok()?.json())) }
        })
        .await
    }

    /// All the tenant's credentials.
    async fn rows(&self) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut path = "/api/v1/credentials?limit=200".to_owned();
        loop {
            let page = until("a list", async || self.app.get(&path).await?.ok()).await?;
            rows.extend(page.json().get("data").and_then(Value::as_array).into_iter().flatten().cloned());
            let Ok(cursor) = page.text_at("/next_cursor") else { return Ok(rows) };
            path = format!("/api/v1/credentials?limit=200&cursor={cursor}");
        }
    }

    /// Holds everything that it was told against the server and the venue, and counts the credentials.
    pub(super) async fn settle(mut self) -> Result<usize> {
        let mut there: Vec<String> = self.rows().await?.iter().map(|row| text(row, "id").to_owned()).collect();
        let known = self.held.iter().filter(|held| held.state != State::Deleted);
        let mut known: Vec<String> = known.map(|held| held.id.clone()).collect();
        there.sort();
        known.sort();
        ensure!(there == known, "{}: these are there: {there:?}, and these ought to be: {known:?}", self.name);
        for mut held in std::mem::take(&mut self.held) {
            held.agrees(self.seen(&held).await?.as_ref())?;
            self.order(&mut held).await?;
            self.repeat_all(&held).await?;
            held.orders_are_right(&self.scene.sim).await?;
            if held.state == State::Deleted {
                // Nothing of it is left that would be in its way.
                self.app.enroll(&held.key.key).await?.ok().context("a deleted credential is in the way")?;
            }
            known.push(held.id);
        }
        Ok(known.len())
    }

    /// No acknowledged order becomes another one, and none is placed anew.
    async fn repeat_all(&self, held: &Held) -> Result<()> {
        if held.state != State::Active {
            return Ok(());
        }
        for (price, execution) in held.key.orders.iter().filter_map(acknowledged) {
            let again = self.answered(&held.id, price).await?;
            ensure!(again.text_at("/id")? == execution, "the order at {price} became another: {}", again.text());
        }
        Ok(())
    }

    fn number(&mut self) -> u64 {
        self.numbers = self.numbers.saturating_add(1);
        self.numbers
    }
}

fn acknowledged<'a>((price, fate): (&'a String, &'a Fate)) -> Option<(&'a str, &'a str)> {
    match fate {
        Fate::Acked(execution) => Some((price, execution)),
        Fate::Unknown | Fate::Failed => None,
    }
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}
