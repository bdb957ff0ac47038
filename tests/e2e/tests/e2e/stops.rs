//! What stops signing: an act on a credential, an app, a grant, or everything. Nothing is signed after the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, House, Key, OPERATOR, Operator, PASSWORD, Reply, now_ms, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_credential_signs_nothing_until_it_is_unfrozen() -> Result<()> {
    let house = House::open().await?;
    let (key, credential) = enrolled(&house, "binance").await?;
    let order = Call::limit_order(&credential, "binance");

    let stopped = house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    let denied = house.app.execute(&order).await?;
    let read = house.app.execute(&Call::with(&credential, "account")).await?;

    assert_eq!(stopped.json()["state"], "frozen");
    rule(&denied, "state.frozen")?;
    rule(&read, "state.frozen")?;
    assert_eq!(state(&house, &credential).await?, "frozen");
    assert_eq!(house.sim.orders(&key).await?.len(), 0);

    let stale = house.operator.act_if_match(&house.tenant, &credential, "unfreeze", &reason(), "\"1\"").await?;
    stale.problem(412, "changed")?;
    let path = format!("/api/v1/tenants/{}/credentials/{credential}/unfreeze", house.tenant);
    house.operator.post(&path, &reason()).await?.problem(428, "if_match_missing")?;
    house.operator.act_if_unchanged(&house.tenant, &credential, "unfreeze", &reason()).await?.ok()?;
    house.app.acked(&order).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reduce_only_credential_cancels_closes_and_reads() -> Result<()> {
    let house = House::open().await?;
    let (_, credential) = enrolled(&house, "binance-usdm").await?;
    let order = Call::limit_order(&credential, "binance-usdm").named("binance-usdm", "resting");
    house.app.acked(&order).await?;

    house.operator.act(&house.tenant, &credential, "reduce-only").await?.ok()?;

    rule(&house.app.execute(&Call::limit_order(&credential, "binance-usdm")).await?, "state.reduce-only")?;
    house.app.acked(&Call::with(&credential, "positions")).await?;
    let cancel = Call::with(&credential, "order.cancel").param("symbol", "BTCUSDT");
    house.app.acked(&cancel.param("origClientOrderId", "resting")).await?;
    let closing = Call::with(&credential, "order.place").param("symbol", "BTCUSDT").param("side", "SELL");
    let closing = closing.param("type", "MARKET").param("quantity", "0.01").param("reduceOnly", "true");
    // Whether there is anything to close is the venue's to say.
    assert_eq!(house.app.execute(&closing).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_credential_stays_revoked() -> Result<()> {
    let house = House::open().await?;
    let (_, credential) = enrolled(&house, "binance").await?;

    let revoked = house.operator.act(&house.tenant, &credential, "revoke").await?.ok()?;

    let at_venue = revoked.text_at("/at_venue")?;
    assert!(at_venue.contains("still exists"), "{at_venue}");
    rule(&house.app.execute(&Call::with(&credential, "account")).await?, "state.revoked")?;
    house
        .operator
        .act_if_unchanged(&house.tenant, &credential, "unfreeze", &reason())
        .await?
        .problem(409, "revoked")?;
    let key = house.sim.knows(Key::binance()).await?;
    let rotation = json!({ "key_id": key.key_id, "secret": key.secret });
    house.operator.act_if_unchanged(&house.tenant, &credential, "rotate", &rotation).await?.problem(409, "revoked")?;
    house.operator.act(&house.tenant, &credential, "freeze").await?;
    assert_eq!(state(&house, &credential).await?, "revoked", "a weaker stop does not loosen a stronger one");
    let path = format!("/api/v1/tenants/{}/credentials/{credential}/revoke", house.tenant);
    house.operator.post(&path, &json!({})).await?.problem(400, "reason_missing")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_credential_is_gone_and_its_key_may_come_back() -> Result<()> {
    let house = House::open().await?;
    let (key, credential) = enrolled(&house, "binance").await?;

    house.operator.act_if_unchanged(&house.tenant, &credential, "delete", &reason()).await?.ok()?;

    house.app.execute(&Call::with(&credential, "account")).await?.problem(404, "not_found")?;
    house.app.get(&format!("/api/v1/credentials/{credential}")).await?.problem(404, "not_found")?;
    assert_eq!(house.app.get("/api/v1/credentials").await?.ids(), [""; 0]);
    assert_ne!(house.app.enrolled(&key).await?, credential);
    house.neighbour.app.acked(&Call::with(&house.neighbour.credential, "account")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_credential_signs_with_the_new_key_only() -> Result<()> {
    let house = House::open().await?;
    let (old, credential) = enrolled(&house, "binance").await?;
    let new = house.sim.knows(Key::binance()).await?;
    let withdraws = house.sim.knows(Key::binance().map(|key| key.that_may("withdraw"))).await?;
    let rotation = |key: &Key| json!({ "key_id": key.key_id, "secret": key.secret });
    let rotate =
        async |key: &Key| house.operator.act_if_unchanged(&house.tenant, &credential, "rotate", &rotation(key)).await;

    rotate(&withdraws).await?.problem(422, "key_refused")?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    assert_eq!(house.sim.orders(&old).await?.len(), 1, "a refused rotation leaves the old key in use");
    let rotated = rotate(&new).await?.ok()?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;

    assert_eq!((&rotated.json()["version"], &rotated.json()["hint"]), (&json!(2), &json!(new.hint())));
    assert_eq!(house.sim.orders(&old).await?.len(), 1);
    assert_eq!(house.sim.orders(&new).await?.len(), 1);
    // The index knows the new key, and has forgotten the old one.
    house.app.enroll(&new).await?.problem(409, "already_enrolled")?;
    house.app.enrolled(&old).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_and_an_app_can_be_taken_away() -> Result<()> {
    let house = House::open().await?;
    let (_, credential) = enrolled(&house, "binance").await?;
    let (operator, tenant) = (&house.operator, &house.tenant);
    let app = operator.make_app(&house.home.ready_file(), tenant, "second-desk").await?;
    let account = Call::with(&credential, "account");
    app.acked(&account).await?;

    let grants = format!("/api/v1/tenants/{tenant}/apps/{}/grants", app.id);
    let grant = operator.get(&grants).await?.ok()?.ids().pop().context("a grant")?;
    operator.call("DELETE", &format!("{grants}/{grant}"), None).await?.ok()?;
    rule(&app.execute(&account).await?, "grant.none")?;
    let symbols = json!({ "operations": ["read", "order.place"], "symbols": ["ETHUSDT"], "credentials": [credential] });
    operator.grant(tenant, &app.id, &symbols).await?;
    rule(&app.execute(&Call::limit_order(&credential, "binance")).await?, "grant.symbol")?;
    let cancel = Call::with(&credential, "order.cancel").param("symbol", "ETHUSDT").param("orderId", "1");
    rule(&app.execute(&cancel).await?, "grant.operation")?;
    app.acked(&account).await?;
    let key = house.sim.knows(Key::binance()).await?;
    app.enroll(&key).await?.problem(403, "enroll_not_granted")?;

    operator.post(&format!("/api/v1/tenants/{tenant}/apps/{}/revoke", app.id), &reason()).await?.ok()?;
    let refused = app.execute(&account).await?;
    assert_eq!(refused.status, 401, "{}", refused.text());
    house.app.acked(&account).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_everybody_and_narrower_stops_their_own() -> Result<()> {
    let house = House::open().await?;
    let (_, credential) = enrolled(&house, "binance").await?;
    let (ours, theirs) = (Call::with(&credential, "account"), Call::with(&house.neighbour.credential, "account"));
    let (tenant, app) = (&house.tenant, &house.app.id);
    let scopes = [
        (json!({ "kind": "all" }), "state.all-stopped", true),
        (json!({ "kind": "venue", "id": "binance" }), "state.venue-stopped", true),
        (json!({ "kind": "tenant", "tenant": tenant }), "state.tenant-stopped", false),
        (json!({ "kind": "owner", "tenant": tenant, "id": "trader-1" }), "state.owner-stopped", false),
    ];
    for (scope, tag, everybody) in scopes {
        house.operator.stop(&scope, "frozen").await?.ok()?;

        rule(&house.app.execute(&ours).await?, tag)?;
        let neighbour = house.neighbour.app.execute(&theirs).await?;
        assert_eq!(neighbour.status, if everybody { 403 } else { 200 }, "{scope}: {}", neighbour.text());

        house.operator.resume(&scope).await?.ok()?;
        house.operator.resume(&scope).await?.problem(409, "not_stopped")?;
        house.app.acked(&ours).await?;
        house.neighbour.app.acked(&theirs).await?;
    }
    let scope = json!({ "kind": "app", "id": app });
    house.operator.stop(&scope, "reduce-only").await?.ok()?;
    rule(&house.app.execute(&Call::limit_order(&credential, "binance")).await?, "state.reduce-only")?;
    house.operator.stop(&scope, "frozen").await?.ok()?;
    // A stopped app is turned away at the door, as an unknown one is.
    house.app.execute(&ours).await?.problem(401, "unauthenticated")?;
    house.operator.resume(&scope).await?.ok()?;
    house.app.acked(&ours).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_signed_after_the_answer_of_a_revoke() -> Result<()> {
    let revoke = async |house: &House, credential: &str| {
        house.operator.act(&house.tenant, credential, "revoke").await?.ok().map(drop)
    };
    nothing_is_signed_after(revoke).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_signed_after_the_answer_of_an_apps_revocation() -> Result<()> {
    let revoke = async |house: &House, _: &str| {
        let path = format!("/api/v1/tenants/{}/apps/{}/revoke", house.tenant, house.app.id);
        house.operator.post(&path, &reason()).await?.ok().map(drop)
    };
    nothing_is_signed_after(revoke).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_signed_after_the_answer_of_a_grants_end() -> Result<()> {
    let end = async |house: &House, _: &str| {
        let grants = format!("/api/v1/tenants/{}/apps/{}/grants", house.tenant, house.app.id);
        for grant in house.operator.get(&grants).await?.ok()?.ids() {
            house.operator.call("DELETE", &format!("{grants}/{grant}"), None).await?.ok()?;
        }
        Ok(())
    };
    nothing_is_signed_after(end).await
}

/// 64 callers sign until `stop` answers, and no longer.
pub(crate) async fn nothing_is_signed_after(stop: impl AsyncFnOnce(&House, &str) -> Result<()>) -> Result<()> {
    nothing_is_signed_in(House::open().await?, stop).await
}

/// The same in a house that is there already.
pub(crate) async fn nothing_is_signed_in(
    house: House,
    stop: impl AsyncFnOnce(&House, &str) -> Result<()>,
) -> Result<()> {
    let house = Arc::new(house);
    let (key, credential) = enrolled(&house, "binance").await?;
    let spinning = Spinning::start(&house, &credential, 64);
    until("the callers to be at it", async || {
        let acked = spinning.acked.load(Ordering::Relaxed);
        ensure!(acked >= 500, "{acked} were signed");
        Ok(())
    })
    .await?;

    stop(&house, &credential).await?;
    let answered_ms = now_ms();

    // Long enough for each caller to have been refused a few times after the answer.
    until("the callers to be refused", async || {
        let denied = spinning.denied.load(Ordering::Relaxed);
        ensure!(denied >= 640, "{denied} were refused");
        Ok(())
    })
    .await?;
    spinning.stop().await?;
    let signed = timestamps(&house, &key).await?;
    ensure!(signed.len() >= 500, "{} orders", signed.len());
    let late: Vec<u64> = signed.into_iter().filter(|signed_ms| *signed_ms > answered_ms).collect();
    assert_eq!(late, [0; 0], "signed after {answered_ms}");
    house.neighbour.app.acked(&Call::with(&house.neighbour.credential, "account")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_after_the_answer_of_a_logins_end() -> Result<()> {
    let house = Arc::new(House::open().await?);
    let watching = Operator::log_in(&house.home.ready_file(), OPERATOR, PASSWORD).await?;
    let done = async || -> Result<usize> {
        let entries = watching.audit(&house.tenant).await?;
        Ok(entries.iter().filter(|entry| entry["action"] == "app.create").count())
    };
    let (made, refused): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
    let callers: Vec<_> = (0..64)
        .map(|caller| {
            let (house, made, refused) = (Arc::clone(&house), Arc::clone(&made), Arc::clone(&refused));
            tokio::spawn(async move { act_until_refused(&house, caller, &made, &refused).await })
        })
        .collect();
    until("the callers to be at it", async || {
        let made = made.load(Ordering::Relaxed);
        ensure!(made >= 100, "{made} were made");
        Ok(())
    })
    .await?;

    house.operator.call("DELETE", "/api/v1/login", None).await?.ok()?;
    let before = done().await?;
    for caller in callers {
        caller.await??;
    }

    assert_eq!(done().await?, before, "made after the answer");
    ensure!(refused.load(Ordering::Relaxed) == 64 * REFUSALS, "each caller was refused");
    Ok(())
}

/// How often a caller without a login tries again.
const REFUSALS: u64 = 5;

async fn act_until_refused(house: &House, caller: usize, made: &AtomicU64, refused: &AtomicU64) -> Result<()> {
    let path = format!("/api/v1/tenants/{}/apps", house.tenant);
    let (mut tries, mut refusals) = (0_u64, 0);
    while refusals < REFUSALS {
        tries += 1;
        let reply = house.operator.post(&path, &json!({ "name": format!("app-{caller}-{tries}") })).await?;
        match reply.status {
            201 => made.fetch_add(1, Ordering::Relaxed),
            401 => {
                refusals += 1;
                refused.fetch_add(1, Ordering::Relaxed)
            }
            _ => anyhow::bail!("status {}: {}", reply.status, reply.text()),
        };
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lists_what_is_in_flight() -> Result<()> {
    let house = House::open().await?;
    let (key, credential) = enrolled(&house, "binance").await?;
    house.sim.fault(&json!({ "kind": "slow", "key_id": key.key_id, "delay_ms": 3000, "count": 1 })).await?;
    let order = Call::limit_order(&credential, "binance");

    let (executed, stopped) = tokio::join!(house.app.execute(&order), async {
        until("the order to be at the venue", async || {
            ensure!(house.sim.orders(&key).await?.len() == 1, "it is not there");
            Ok(())
        })
        .await?;
        house.operator.act(&house.tenant, &credential, "freeze").await
    });

    let (executed, stopped) = (executed?.ok()?, stopped?.ok()?);
    assert_eq!(stopped.text_at("/in_flight/0/execution")?, executed.text_at("/id")?);
    assert_eq!(executed.json()["state"], "acked", "what was signed before is answered");
    Ok(())
}

/// Callers that place orders as fast as they can, and count what becomes of them.
struct Spinning {
    acked: Arc<AtomicU64>,
    denied: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    callers: Vec<tokio::task::JoinHandle<Result<()>>>,
}

impl Spinning {
    fn start(house: &Arc<House>, credential: &str, callers: usize) -> Self {
        let (acked, denied, stop) = (Arc::default(), Arc::default(), Arc::default());
        let caller = || {
            let (house, order) = (Arc::clone(house), Call::limit_order(credential, "binance"));
            let counts = (Arc::clone(&acked), Arc::clone(&denied), Arc::clone(&stop));
            tokio::spawn(async move { spin(&house, &order, &counts.0, &counts.1, &counts.2).await })
        };
        let callers = std::iter::repeat_with(caller).take(callers).collect();
        Self { acked, denied, stop, callers }
    }

    async fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await??;
        }
        Ok(())
    }
}

async fn spin(house: &House, order: &Call, acked: &AtomicU64, denied: &AtomicU64, stop: &AtomicBool) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let reply = house.app.execute(order).await?;
        // An app that is revoked is not let in any more.
        let counter = match (reply.status, reply.code().as_str()) {
            (200, _) => acked,
            (401 | 403, _) => denied,
            // Shed load, or stopped while it was on its way: nothing was signed, and it is asked for again.
            (503, "overloaded" | "keeper_unavailable") => continue,
            _ => anyhow::bail!("status {}: {}", reply.status, reply.text()),
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// When each order of a key was signed, by the clock of the process that signed it.
async fn timestamps(house: &House, key: &Key) -> Result<Vec<u64>> {
    let orders = house.sim.orders(key).await?;
    let signed_ms = |params: &Value| params.get("timestamp")?.as_str()?.parse().ok();
    orders.iter().map(|order| signed_ms(&order.params).with_context(|| format!("no timestamp: {order:?}"))).collect()
}

async fn enrolled(house: &House, venue: &str) -> Result<(Key, String)> {
    let key = house.sim.knows(Key::of(venue)).await?;
    let credential = house.app.enrolled(&key).await?;
    Ok((key, credential))
}

async fn state(house: &House, credential: &str) -> Result<String> {
    house.operator.credential(&house.tenant, credential).await?.ok()?.text_at("/state")
}

/// A denial by this rule.
fn rule(reply: &Reply, tag: &str) -> Result<()> {
    let problem = reply.clone().problem(403, "policy_denied")?;
    let rule = problem.text_at("/rule")?;
    ensure!(rule == tag, "denied by {rule}, not {tag}");
    Ok(())
}

fn reason() -> Value {
    json!({ "reason": "the test says so" })
}
