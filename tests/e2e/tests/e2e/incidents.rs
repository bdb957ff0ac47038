//! Incidents: from the first note to the review, by operators and by detectors, and what everybody reads of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_core::id::{CredentialId, IncidentId};
use claviger_core::identity::{Login, hash_secret};
use claviger_core::store::{Key as RowKey, Row, Store as _, Versioned};
use claviger_e2e::{Call, Client, Door, House, Key, Reply, Role, Signal, until};
use serde_json::{Value, json};

use crate::stops::nothing_is_signed_after;
use crate::tamper::{behind_its_back, sealed, write};

const ROUTE: &str = "/api/v1/incidents";

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_opened_contained_published_reviewed_and_closed() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let order = Call::limit_order(&credential, "binance");
    let nothing = public(&house).await?;
    assert_eq!((&nothing["note"], &nothing["incidents"]), (&json!("No incidents reported."), &json!([])));
    ensure!(nothing["as_of"].as_str().is_some_and(|time| time.ends_with('Z')), "{nothing}");

    let body = json!({
        "severity": "high", "title": "Leaked keys", "scope": { "kind": "tenant", "tenant": "default" },
        "detected_at": "2026-01-02T03:04:05Z",
    });
    let opened = house.operator.post(ROUTE, &body).await?.ok()?.json();
    let id = opened["id"].as_str().context("no id")?.to_owned();
    assert_eq!((&opened["state"], &opened["tenant"]), (&json!("open"), &json!(house.tenant)));
    assert_eq!(opened["clocks"][0]["due_at"], "2026-01-03T03:04:05.000Z");
    assert_eq!((&opened["overdue"], &opened["clocks"][1]["overdue"]), (&json!(true), &json!(true)));
    let red = house.operator.get("/api/v1/status").await?.ok()?.json();
    ensure!(red["warnings"].to_string().contains(&format!("{id}: the clock `publish` ran out")), "{red}");
    gauge(&house, "claviger_incident_clocks_overdue", "2").await?;
    let ready = house.operator.get("/readyz").await?.json();
    ensure!(!ready.to_string().contains("inc"), "what is not published is nobody's business: {ready}");

    post(&house, &id, "timeline", json!({ "kind": "known", "text": "a list of keys was found" })).await?.ok()?;
    let touched = house.operator.get(&at(&id, "affected")).await?.ok()?.json();
    assert_eq!((&touched["data"][0]["id"], &touched["data"][0]["owner"]), (&json!(credential), &json!("trader-1")));
    assert_eq!(touched["data"].as_array().map(Vec::len), Some(1), "the neighbour's is not touched");
    let apps = house.operator.get(&at(&id, "affected/apps")).await?.ok()?.json();
    assert_eq!((&apps["data"][0]["id"], apps["data"].as_array().map(Vec::len)), (&json!(house.app.id), Some(1)));

    house.app.acked(&order).await?;
    let contained = post(&house, &id, "contain", json!({ "state": "frozen", "reason": "they leaked" })).await?.ok()?;
    let shown = &contained.json()["incident"];
    assert_eq!((&shown["state"], &shown["containment"]), (&json!("contained"), &json!("frozen")), "{shown}");
    for stopped in [&order, &Call::with(&credential, "account")] {
        let denied = house.app.execute(stopped).await?.problem(403, "policy_denied")?;
        assert_eq!(denied.text_at("/rule")?, "state.tenant-stopped");
    }
    house.neighbour.app.acked(&Call::with(&house.neighbour.credential, "account")).await?;

    let seen = public(&house).await?;
    assert_eq!(seen, nothing_since(&seen), "nothing is public yet");
    post(&house, &id, "publish", json!({})).await?.problem(400, "summary_missing")?;
    let summary = json!({ "summary": "A list of keys <b>leaked</b>." });
    post(&house, &id, "publish", summary).await?.ok()?;
    let word = json!({ "clock": "notify", "text": "by mail" });
    assert_eq!(post(&house, &id, "clocks", word).await?.ok()?.json()["state"], "notified");
    let review = json!({ "root_cause": "a backup lay open", "measures": "backups are sealed" });
    post(&house, &id, "close", review.clone()).await?.problem(403, "second_operator_required")?;
    let closed = house.operator.second()?.post(&at(&id, "close"), &review).await?.ok()?.json();
    assert_eq!((&closed["state"], &closed["overdue"]), (&json!("closed"), &json!(false)));
    gauge(&house, "claviger_incident_clocks_overdue", "0").await?;
    gauge(&house, "claviger_incidents_open", "0").await?;

    let told = public(&house).await?;
    let one = &told["incidents"][0];
    assert_eq!((&one["severity"], &one["post_mortem"]["measures"]), (&json!("high"), &json!("backups are sealed")));
    let page = page(&house).await?;
    ensure!(page.contains("A list of keys &lt;b&gt;leaked&lt;/b&gt;.") && page.contains("a backup lay open"), "{page}");
    // Nothing of what operators wrote to each other, and nobody's name or id.
    for text in [page, told.to_string()] {
        for hidden in ["a list of keys was found", "they leaked", "by mail", "trader-1", &house.tenant, &credential] {
            ensure!(!text.contains(hidden), "{hidden} is public: {text}");
        }
        ensure!(!text.contains(claviger_e2e::OPERATOR) && !text.contains(claviger_e2e::SECOND), "{text}");
    }
    let actions = ["open", "note", "contain", "publish", "clock", "close"];
    let log = house.operator.audit(&house.tenant).await?;
    for action in actions {
        let of = |entry: &&Value| entry["action"] == format!("incident.{action}") && entry["resource_id"] == id;
        assert_eq!(log.iter().filter(of).count(), 1, "{action}");
    }
    bundle(&house, &id).await
}

/// The evidence verifies by itself, and each file is the one that the manifest names.
async fn bundle(house: &House, id: &str) -> Result<()> {
    house.log_in().await?;
    let folder = house.home.beside("evidence");
    let out = folder.to_str().context("a path of text")?;
    house.home.client(["incident", "export", id, "--out", out])?.output().await?.ok()?;
    let key = folder.join("audit.key");
    let verify = house.home.claviger(["audit", "verify", "--key"])?;
    verify.args([key, folder.join("audit.ndjson")]).output().await?.ok()?;
    let manifest = fs::read_to_string(folder.join("SHA256SUMS"))?;
    let is_own = |path: &Path| anyhow::Ok(fs::metadata(path)?.permissions().mode().trailing_zeros() >= 6);
    ensure!(is_own(&folder)?, "others can look into it");
    for line in manifest.lines() {
        let (hash, name) = line.split_once("  ").context("no hash")?;
        ensure!(is_own(&folder.join(name))?, "others can read {name}");
        let body = fs::read(folder.join(name))?;
        let own = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &body);
        assert_eq!(data_encoding::HEXLOWER.encode(own.as_ref()), hash, "{name}");
    }
    assert_eq!(manifest.lines().count(), 7);
    let kept = fs::read_to_string(folder.join("timeline.json"))?;
    ensure!(kept.contains("a list of keys was found"), "{kept}");
    let again = house.home.client(["incident", "export", id, "--out", out])?.output().await?;
    ensure!(again.ok().is_err(), "evidence is not overwritten");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_contained_by_revoking_with_a_fresh_proof_only() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let body = json!({ "severity": "high", "title": "Leaked", "scope": { "kind": "tenant", "tenant": "default" } });
    let id = house.operator.post(ROUTE, &body).await?.text_at("/id")?;
    let login = RowKey::Login(hash_secret(&house.operator.bearer));
    let house = behind_its_back(house, async |store| {
        let found = store.get(login.clone()).await?;
        let Some(Versioned { row: Row::Login(row), .. }) = found else { anyhow::bail!("no login: {found:?}") };
        let proven_ms = row.proven_ms - 6 * 60 * 1_000;
        write(store, login, Row::Login(Login { proven_ms, ..row })).await
    })
    .await?;

    let revoked = json!({ "state": "revoked", "reason": "they leaked", "confirm": house.tenant });
    post(&house, &id, "contain", revoked).await?.problem(403, "step_up_required")?;

    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    // Stopping what can go on again is cheap.
    post(&house, &id, "contain", json!({ "state": "frozen", "reason": "they leaked" })).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_row_opens_one_incident_and_adds_to_it() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let id = credential.parse()?;
    let house = behind_its_back(house, async |store| {
        let mut bytes = sealed(store, id).await?;
        *bytes.last_mut().context("no bytes")? ^= 1;
        write(store, RowKey::Sealed(id), Row::Sealed(bytes)).await
    })
    .await?;

    for sightings in 1..=3 {
        house.app.execute(&Call::with(&credential, "account")).await?.problem(500, "tampered")?;
        let all = house.operator.get(ROUTE).await?.ok()?.json();
        let [one] = all["data"].as_array().context("no list")?.as_slice() else { anyhow::bail!("{all}") };
        assert_eq!((&one["sightings"], &one["opened_by"]), (&json!(sightings), &json!("detector tamper")));
        assert_eq!(one["scope"], format!("credential {credential}"));
    }
    let log = house.operator.audit(&house.tenant).await?;
    let count = |action: &str| log.iter().filter(|entry| entry["action"] == action).count();
    assert_eq!((count("alarm.tamper"), count("incident.open"), count("incident.note")), (3, 1, 2));
    // It is not the neighbour's, nor public.
    assert_eq!(public(&house).await?["incidents"], json!([]));
    Ok(())
}

/// An incident that nobody opened is published and told of in time, and another one is not: after three days the clocks
/// of the second are red.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_detector_opened_is_told_in_time_or_its_clocks_turn_red() -> Result<()> {
    let house = House::open().await?;
    let (told, silent) =
        (&house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?, &house.neighbour.credential);
    let (told, silent): (CredentialId, CredentialId) = (told.parse()?, silent.parse()?);
    let house = behind_its_back(house, async |store| {
        for id in [told, silent] {
            let mut bytes = sealed(store, id).await?;
            *bytes.last_mut().context("no bytes")? ^= 1;
            write(store, RowKey::Sealed(id), Row::Sealed(bytes)).await?;
        }
        Ok(())
    })
    .await?;
    house.app.execute(&Call::with(&told.to_string(), "account")).await?.problem(500, "tampered")?;
    house.neighbour.app.execute(&Call::with(&silent.to_string(), "account")).await?.problem(500, "tampered")?;
    assert_eq!(opened_by(&house).await?, ["detector tamper", "detector tamper"]);
    let all = house.operator.get(ROUTE).await?.ok()?;
    let [first, second] = all.ids().try_into().map_err(|ids| anyhow::anyhow!("{ids:?}"))?;
    let summary = json!({ "summary": "Stored bytes were changed, and were found out." });
    post(&house, &first, "publish", summary).await?.ok()?;
    post(&house, &first, "clocks", json!({ "clock": "notify", "text": "by mail" })).await?.ok()?;
    assert_eq!(public(&house).await?["incidents"][0]["id"], json!(first));

    let house = three_days_later(house, &[&first, &second]).await?;

    let shown = async |id: &str| Ok::<_, anyhow::Error>(house.operator.get(&at(id, "")).await?.ok()?.json());
    let red = |incident: &Value| {
        [&incident["overdue"], &incident["clocks"][0]["overdue"], &incident["clocks"][1]["overdue"]].map(Value::as_bool)
    };
    assert_eq!(red(&shown(&first).await?), [Some(false); 3]);
    assert_eq!(red(&shown(&second).await?), [Some(true); 3]);
    let warnings = house.operator.get("/api/v1/status").await?.ok()?.json()["warnings"].to_string();
    ensure!(warnings.contains(&second) && !warnings.contains(&first), "{warnings}");
    gauge(&house, "claviger_incident_clocks_overdue", "2").await
}

/// As if these incidents, and all that was done about them, were of three days and an hour ago.
async fn three_days_later(house: House, ids: &[&str]) -> Result<House> {
    const WAIT_MS: u64 = 73 * 60 * 60 * 1_000;
    behind_its_back(house, async |store| {
        for id in ids {
            let key = RowKey::Incident(id.parse()?);
            let found = store.get(key.clone()).await?;
            let Some(Versioned { row: Row::Incident(mut incident), .. }) = found else {
                anyhow::bail!("it is not there")
            };
            incident.detected_ms -= WAIT_MS;
            incident.opened_ms -= WAIT_MS;
            for deadline in &mut incident.deadlines {
                deadline.due_ms -= WAIT_MS;
                deadline.met_ms = deadline.met_ms.map(|met_ms| met_ms - WAIT_MS);
            }
            write(store, key, Row::Incident(incident)).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_denied_requests_of_one_app_are_an_incident_and_those_that_a_stop_denies_are_not() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let order = Call::limit_order(&credential, "binance");
    let stop = json!({ "kind": "tenant", "tenant": "default" });
    house.operator.stop(&stop, "frozen").await?.ok()?;
    for _ in 0..100 {
        house.app.execute(&order).await?.problem(403, "policy_denied")?;
    }
    house.operator.resume(&stop).await?.ok()?;
    assert_eq!(opened_by(&house).await?, [""; 0]);

    let grants = format!("/api/v1/tenants/{}/apps/{}/grants", house.tenant, house.app.id);
    for grant in house.operator.get(&grants).await?.ok()?.ids() {
        house.operator.call("DELETE", &format!("{grants}/{grant}"), None).await?.ok()?;
    }
    for _ in 0..110 {
        house.app.execute(&order).await?.problem(403, "policy_denied")?;
    }
    assert_eq!(opened_by(&house).await?, ["detector denied-burst"]);
    let log = house.operator.audit(&house.tenant).await?;
    let alarms = log.iter().filter(|entry| entry["action"] == "alarm.denied-burst");
    assert_eq!(alarms.map(|entry| entry["resource_id"].clone()).collect::<Vec<_>>(), [json!(house.app.id)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_failed_logins_wherever_from_are_an_incident() -> Result<()> {
    let house = House::open().await?;
    for at in 0..50_u8 {
        let client = house.operator.client().from_address(std::net::Ipv4Addr::new(127, 0, 9, at / 10 + 1));
        // A code, because a password takes its time.
        let body = json!({ "operator": format!("nobody-{at}"), "break_glass": "0000-0000" });
        client.call("POST", "/api/v1/login", None, Some(&body)).await?.problem(401, "unauthenticated")?;
        let seen = if at < 49 { vec![] } else { vec!["detector brute-force"] };
        assert_eq!(opened_by(&house).await?, seen, "after {at} more");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_lost_is_an_incident() -> Result<()> {
    let house = House::open().await?;
    let (tokens, away) = (house.home.token_file("tokens"), house.home.token_file("away"));
    fs::rename(&tokens, &away)?;
    house.server.signal(Role::Keeper, Signal::Kill)?;
    until("an incident", async || {
        let seen = opened_by(&house).await?;
        ensure!(seen == ["detector hsm-lost"], "{seen:?}");
        Ok(())
    })
    .await?;
    fs::rename(&away, &tokens)?;
    let metrics = house.server.metrics().await?;
    ensure!(metrics.contains("claviger_alarms_total{kind=\"hsm-lost\"} 1"), "{metrics}");
    Ok(())
}

/// Who opened the incidents that there are.
async fn opened_by(house: &House) -> Result<Vec<String>> {
    let all = house.operator.get(ROUTE).await?.ok()?.json();
    let all = all["data"].as_array().context("no list")?.clone();
    Ok(all.iter().filter_map(|one| one["opened_by"].as_str().map(str::to_owned)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_ran_out_are_red_after_a_restart_too() -> Result<()> {
    let house = House::open().await?;
    let body = json!({ "severity": "low", "title": "A drill", "scope": { "kind": "all" } });
    let id = house.operator.post(ROUTE, &body).await?.ok()?.text_at("/id")?;
    let shown = async |house: &House| house.operator.get(&at(&id, "")).await?.ok().map(|reply| reply.json());
    assert_eq!(shown(&house).await?["overdue"], false);
    let status = house.operator.get("/api/v1/status").await?.ok()?.text();
    ensure!(!status.contains(&id), "{status}");

    let key: IncidentId = id.parse()?;
    let house = behind_its_back(house, async |store| {
        let found = store.get(RowKey::Incident(key)).await?;
        let Some(Versioned { row: Row::Incident(mut incident), .. }) = found else { anyhow::bail!("it is not there") };
        for deadline in &mut incident.deadlines {
            // As if it had been opened two days ago.
            deadline.due_ms -= 48 * 60 * 60 * 1_000;
        }
        write(store, RowKey::Incident(key), Row::Incident(incident)).await
    })
    .await?;

    let red = shown(&house).await?;
    assert_eq!((&red["overdue"], &red["clocks"][0]["overdue"]), (&json!(true), &json!(true)), "publish");
    assert_eq!(red["clocks"][1]["overdue"], false, "notify has a day left");
    gauge(&house, "claviger_incident_clocks_overdue", "1").await?;
    house.log_in().await?;
    let list = house.home.client(["incident", "list"])?.output().await?.ok()?.stdout;
    ensure!(list.contains(&id) && list.contains("A drill"), "{list}");
    let show = house.home.client(["incident", "show", &id])?.output().await?.ok()?.stdout;
    ensure!(show.contains("OVERDUE") && show.contains("known: A drill"), "{show}");
    let met = json!({ "clock": "publish", "text": "a drill: there is nothing to publish" });
    post(&house, &id, "clocks", met).await?.ok()?;
    assert_eq!(shown(&house).await?["overdue"], false);
    gauge(&house, "claviger_incident_clocks_overdue", "0").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_signed_after_the_answer_of_a_containment() -> Result<()> {
    let contain = async |house: &House, _: &str| {
        let scope = json!({ "kind": "tenant", "tenant": "default" });
        let body = json!({ "severity": "critical", "title": "A drill", "scope": scope });
        let id = house.operator.post(ROUTE, &body).await?.ok()?.text_at("/id")?;
        let frozen = json!({ "state": "frozen", "reason": "a drill" });
        post(house, &id, "contain", frozen).await?.ok().map(drop)
    };
    nothing_is_signed_after(contain).await
}

fn at(id: &str, what: &str) -> String {
    format!("{ROUTE}/{id}/{what}").trim_end_matches('/').to_owned()
}

async fn post(house: &House, id: &str, what: &str, body: Value) -> Result<Reply> {
    house.operator.post(&at(id, what), &body).await
}

async fn public(house: &House) -> Result<Value> {
    let client = Client::of_server(&house.home.ready_file(), Door::Public)?;
    let json = [("accept", "application/json")];
    Ok(client.call_with("GET", "/incidents", None, None, &json).await?.ok()?.json())
}

/// What is public while there is nothing: only its date moves on.
fn nothing_since(seen: &Value) -> Value {
    json!({ "as_of": seen["as_of"], "note": "No incidents reported.", "incidents": [] })
}

async fn page(house: &House) -> Result<String> {
    let client = Client::of_server(&house.home.ready_file(), Door::Public)?;
    let page = client.get("/incidents").await?.ok()?;
    ensure!(page.header("content-type") == "text/html; charset=utf-8", "{:?}", page.headers);
    ensure!(page.header("content-security-policy").starts_with("default-src 'none'"));
    ensure!(!page.text().contains("<script"));
    Ok(page.text())
}

/// Waits for a gauge of the metrics to be at a value.
async fn gauge(house: &House, name: &str, value: &str) -> Result<()> {
    until(name, async || {
        let text = house.server.metrics().await?;
        ensure!(text.lines().any(|line| line == format!("{name} {value}")), "{name} is not {value}");
        Ok(())
    })
    .await
}
