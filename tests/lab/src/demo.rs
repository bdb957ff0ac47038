//! `make demo`: the whole path, each line printed from the answer that it describes.

mod born;
mod bot;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{
    Call, Home, House, Key, Needle, PASSWORD, Reply, Scratch, Searched, Server, Setup, Sim, VENUES, may_read_memory,
    search_files, search_memory, the_promised_second,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::story::{end, line, say};

/// How often an order is timed. The median of so few says what is slow, and no more.
const TIMED: usize = 21;

/// The names of what is searched for.
const SECRET: &str = "secret of the demo's key";
const CONTROL: &str = "control string";

/// Tells the story.
pub(crate) async fn run(fault: Option<&str>) -> Result<ExitCode> {
    let scratch = Scratch::on_disk()?;
    let began = Instant::now();
    let story = Box::pin(tell(scratch, fault)).await;
    if story.is_ok() {
        say(&format!("      {} s, with programs built for debugging", began.elapsed().as_secs()));
    }
    Ok(end(story))
}

async fn tell(scratch: Scratch, fault: Option<&str>) -> Result<()> {
    let log_file = scratch.path().join("server.log");
    let home = Home::at(&scratch.path().join("home"), scratch.path(), &log_file)?;
    line("token", make_home(&home)).await?;
    let sim = line("venue", start_venue(scratch.path(), &home)).await?;
    let server = line("server", start_server(&home)).await?;
    let house = line("tenants", furnish(home, sim, scratch, server)).await?;
    if let Some(fault) = fault {
        let (kind, path) = fault.split_once('@').map_or((fault, None), |(kind, path)| (kind, Some(path)));
        house.sim.fault(&json!({ "kind": kind, "path": path })).await?;
    }

    let key = house.sim.knows(Key::binance().map(|key| key.labelled("the-demo's-own-desk"))).await?;
    let credential = line("enroll", enroll(&house, &key)).await?;
    line("refuse", refuse(&house)).await?;
    let executed = line("order", execute(&house, &key, &credential)).await?;
    line("overhead", compare(&house, &key, &credential)).await?;
    line("once", repeat(&house, &credential)).await?;
    line("withdrawal", withdraw(&house, &credential)).await?;
    let bot = line("virtual key", bot::key(&house, &credential)).await?;
    let sent = line("gateway", bot::trade(&house, &bot)).await?;
    line("replay", bot::replay(&house, &sent)).await?;
    line("no way out", bot::withdraw(&house, &bot)).await?;
    line("rebuilt", bot::rebuilt(&house, &key, &bot, &sent)).await?;
    let born = line("born", born::bear(&house)).await?;
    line("its order", born::sign(&house, &born)).await?;
    line("tripwire", trip(&house)).await?;
    line("neighbour", look_next_door(&house)).await?;
    line("freeze", freeze(&house, &credential)).await?;
    line("receipt", receipt(&house, &executed)).await?;
    line("audit", verify(&house)).await?;
    line("files", look_into_files(&house, &key)).await?;
    line("memory", look_into_memory(&house, &key)).await?;
    line("end", stop(house)).await
}

async fn make_home(home: &Home) -> Result<((), String)> {
    let made = home.init(PASSWORD).await?.stdout;
    let token = made.lines().find_map(|line| line.trim().strip_prefix("token")).context("no token was made")?;
    let checks = home.claviger(["doctor", "--json"])?.output().await?.ok()?.json()?;
    let service =
        checks.as_array().and_then(|checks| checks.iter().find(|check| check.get("check") == Some(&json!("service"))));
    let verdict = service.and_then(|check| check.get("text")).map(text).context("no verdict")?;
    Ok(((), format!("{}: {verdict}", token.trim())))
}

async fn start_venue(folder: &Path, home: &Home) -> Result<(Sim, String)> {
    let sim = Sim::start(folder).await?;
    home.use_sim(&sim)?;
    let words = format!("simulator of {} at {}", VENUES.join(", "), sim.url());
    Ok((sim, words))
}

async fn start_server(home: &Home) -> Result<(Server, String)> {
    let server = Server::start(home).await?;
    let (ready, parts) = (server.ready()?, server.readyz().await?.ok()?.json());
    let parts = parts.get("parts").and_then(Value::as_object).context("no parts")?;
    let parts: Vec<String> = parts.iter().map(|(part, state)| format!("{part} {}", text(state))).collect();
    let words = format!("https://{}; {}", ready.api, parts.join(", "));
    Ok((server, words))
}

async fn furnish(home: Home, sim: Sim, scratch: Scratch, server: Server) -> Result<(House, String)> {
    let house = Setup::furnish(home, sim, scratch, server).await?;
    let words = format!("`default` with {}, and a neighbour with an app and a credential of its own", house.app.id);
    Ok((house, words))
}

async fn enroll(house: &House, key: &Key) -> Result<(String, String)> {
    let reply = house.app.enroll(key).await?.ok()?;
    let (id, json) = (reply.text_at("/id")?, reply.json());
    let (hint, state, health) = (reply.text_at("/hint")?, reply.text_at("/state")?, reply.text_at("/health")?);
    ensure!(!reply.text().contains(&key.secret), "the answer repeats the secret");
    let class = json.pointer("/ceiling/class").map(text).unwrap_or_default();
    Ok((id.clone(), format!("{id} is key {hint}, ceiling {class}: {state}, health {health}")))
}

async fn refuse(house: &House) -> Result<((), String)> {
    let key = house.sim.knows(Key::binance().map(|key| key.that_may("withdraw"))).await?;
    let reply = house.app.enroll(&key).await?.problem(422, "key_refused")?;
    let advice = reply.text_at("/objections/0/advice")?;
    let listed = house.app.get("/api/v1/credentials").await?.ok()?.ids();
    ensure!(listed.len() == 1, "something was stored: {listed:?}");
    Ok(((), format!("a key that can withdraw is not stored: {advice}")))
}

async fn execute(house: &House, key: &Key, credential: &str) -> Result<(Reply, String)> {
    let reply = house.app.acked(&Call::limit_order(credential, "binance").named("binance", "demo-1")).await?;
    let orders = house.sim.orders(key).await?;
    let order = orders.first().context("the venue has no order")?;
    ensure!(order.client_order_id.as_deref() == Some("demo-1"), "the venue has another order: {order:?}");
    let venue = reply.json().pointer("/venue/body/status").map(text).unwrap_or_default();
    let words = format!("{} {venue} as {} at the venue; the app never saw the secret", order.symbol, order.order_id);
    Ok((reply, words))
}

/// Times the same order through Claviger and straight to the venue, one after the other.
async fn compare(house: &House, key: &Key, credential: &str) -> Result<((), String)> {
    let order = Call::limit_order(credential, "binance");
    let params = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=30000";
    let (mut through, mut straight) = (Vec::new(), Vec::new());
    for _ in 0..TIMED {
        let began = Instant::now();
        house.app.acked(&order).await?;
        through.push(began.elapsed());
        let began = Instant::now();
        house.sim.signed_by(key, "POST", "/api/v3/order", params).await?.ok()?;
        straight.push(began.elapsed());
    }
    let (through, straight) = (median(through)?, median(straight)?);
    let added = through.saturating_sub(straight).as_secs_f64() * 1e3;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Ok(((), format!("{:.1} ms an order, {:.1} ms without us: {added:.1} ms added", ms(through), ms(straight))))
}

async fn repeat(house: &House, credential: &str) -> Result<((), String)> {
    let order = Call::limit_order(credential, "binance").once("demo-once");
    let (first, again) = (house.app.acked(&order).await?, house.app.acked(&order).await?);
    let id = first.text_at("/id")?;
    ensure!(again.text_at("/id")? == id, "it was carried out twice");
    Ok(((), format!("the same idempotency key again gives {id} again, and no second order")))
}

async fn withdraw(house: &House, credential: &str) -> Result<((), String)> {
    let named = Call::with(credential, "withdraw").param("coin", "USDT").param("amount", "1");
    let detail = house.app.execute(&named).await?.problem(400, "operation_unknown")?.text_at("/detail")?;
    let inside = Call::with(credential, "order.cancel").param("symbol", "../../sapi/v1/capital/withdraw/apply");
    house.app.execute(&inside.param("orderId", "1")).await?.problem(400, "params_invalid")?;
    Ok(((), format!("cannot be said: {detail}")))
}

/// The wire is silent, and it is not broken.
async fn trip(house: &House) -> Result<((), String)> {
    let before = house.sim.tripped().await?;
    ensure!(before == 0, "{before} calls that move money reached the venue");
    let key = house.sim.knows(Key::binance().map(|key| key.that_may("withdraw"))).await?;
    house.sim.withdraw(&key).await?.ok()?;
    let after = house.sim.tripped().await?;
    ensure!(after == 1, "a withdrawal sent past Claviger was not seen: the wire is broken");
    Ok(((), "silent so far; a withdrawal sent past Claviger, as a control, tripped it".to_owned()))
}

async fn look_next_door(house: &House) -> Result<((), String)> {
    let theirs = format!("/api/v1/credentials/{}", house.neighbour.credential);
    house.neighbour.app.get(&theirs).await?.ok()?;
    let status = house.app.get(&theirs).await?.problem(404, "not_found")?.status;
    Ok(((), format!("the other tenant's credential is {status} to us")))
}

async fn freeze(house: &House, credential: &str) -> Result<((), String)> {
    let began = Instant::now();
    let stopped = house.operator.act(&house.tenant, credential, "freeze").await?.ok()?.text_at("/state")?;
    let took = began.elapsed().as_millis();
    let denied = house.app.execute(&Call::limit_order(credential, "binance")).await?;
    let rule = denied.problem(403, "policy_denied")?.text_at("/rule")?;
    Ok(((), format!("{stopped} in {took} ms; the next order is denied by {rule}")))
}

async fn receipt(house: &House, executed: &Reply) -> Result<((), String)> {
    let (seq, leaf) =
        (executed.json().pointer("/receipt/seq").and_then(Value::as_u64), executed.text_at("/receipt/leaf_hash")?);
    let seq = seq.context("no number")?;
    let entries = house.operator.audit(&house.tenant).await?;
    let entry = entries.iter().find(|entry| entry.get("seq").and_then(Value::as_u64) == Some(seq));
    let action = entry.and_then(|entry| entry.get("action")).map(text).context("it is not in the log")?;
    Ok(((), format!("entry {seq} is {action}, leaf {}…", leaf.get(..16).unwrap_or(&leaf))))
}

async fn verify(house: &House) -> Result<((), String)> {
    let folder = house.scratch.path().join("empty");
    fs::create_dir(&folder)?;
    let (export, key) = house.operator.export().await?;
    fs::write(folder.join("export.ndjson"), &export)?;
    let command = house.home.claviger(["audit", "verify", "export.ndjson", "--key", key.trim()])?;
    let output = command.current_dir(&folder).output().await?.ok()?;
    let verdict = output.stdout.lines().nth(1).context("no verdict")?.to_owned();
    let edited = export.replacen("order.place", "order.Place", 1);
    ensure!(edited != export, "the log holds no order");
    fs::write(folder.join("export.ndjson"), edited)?;
    let command = house.home.claviger(["audit", "verify", "export.ndjson", "--key", key.trim()])?;
    command.current_dir(&folder).output().await?.exits(1)?;
    Ok(((), format!("{verdict}; with one letter changed it does not verify")))
}

async fn look_into_files(house: &House, key: &Key) -> Result<((), String)> {
    let needles = [Needle::new(SECRET, key.secret.as_bytes()), Needle::new(CONTROL, key.label.as_bytes())];
    let mut searched = search_files(house.home.path(), &needles)?;
    let log = fs::read(house.server.log_file())?;
    searched.found.extend(needles.iter().flat_map(|needle| needle.found_in(&log, "log")));
    let metrics = house.server.metrics().await?;
    searched.found.extend(needles.iter().flat_map(|needle| needle.found_in(metrics.as_bytes(), "metrics")));
    Ok(((), judge(&searched, "of database, token, log and metrics")?))
}

async fn look_into_memory(house: &House, key: &Key) -> Result<((), String)> {
    if !may_read_memory() {
        return Ok(((), "NOT TRIED: it takes root or a user namespace, and this system gives neither".to_owned()));
    }
    for client in [house.app.client(), house.neighbour.app.client(), house.operator.client()] {
        client.hang_up();
    }
    the_promised_second().await;
    let folder = house.home.path().to_string_lossy().into_owned();
    let needles = [Needle::new(SECRET, key.secret.as_bytes()), Needle::new(CONTROL, folder.as_bytes())];
    let mut all = Searched::default();
    for pid in house.server.ready()?.processes() {
        let searched = search_memory(pid, &needles)?;
        judge(&searched, "")?;
        all.bytes = all.bytes.saturating_add(searched.bytes);
        all.found.extend(searched.found);
    }
    Ok(((), judge(&all, "of the memory of all three processes")?))
}

/// No secret, and the control string to show that the search finds what is there.
fn judge(searched: &Searched, place: &str) -> Result<String> {
    let secret = searched.found.iter().find(|found| found.needle == SECRET);
    ensure!(secret.is_none(), "{}", secret.map(ToString::to_string).unwrap_or_default());
    ensure!(searched.has(CONTROL), "the control string was not found: the search is broken");
    Ok(format!("the secret is not in {} KiB {place}; a control string is", searched.bytes / 1024))
}

async fn stop(house: House) -> Result<((), String)> {
    let status = house.server.stop().await?;
    ensure!(status.success(), "the server ended with {status}");
    Ok(((), format!("the server ended when asked to, with {status}")))
}

fn median(mut times: Vec<Duration>) -> Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("nothing was timed")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
