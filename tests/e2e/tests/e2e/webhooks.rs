//! Webhooks: every event arrives, signed, at whom it is for and nobody else, whatever the receiver and the service suffer.

mod page;
mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{House, Key, REASON, Random, Server, Setup, until};
use serde_json::{Value, json};

use receiver::{Came, Manner, Receiver};

/// What of the log is told, as far as this test makes it happen.
const TOLD: [(&str, &str); 6] = [
    ("credential.freeze", "credential.frozen"),
    ("credential.revoke", "credential.revoked"),
    ("credential.unfreeze", "credential.unfrozen"),
    ("scope.freeze", "credential.frozen"),
    ("incident.open", "incident.opened"),
    ("incident.contain", "incident.contained"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_through_failures_and_kills_and_nobody_elses() -> Result<()> {
    let (mut house, mut receiver) = open().await?;
    let theirs = Receiver::start(&house.home).await?;
    let (id, secret) = made(&house, &house.tenant, &receiver.url("/mine")).await?;
    made(&house, &house.neighbour.tenant, &theirs.url("/theirs")).await?;
    let mut random = Random::seeded()?;
    let mut heard: Vec<Came> = Vec::new();
    let mut credentials = Vec::new();
    for n in 0..6 {
        let key = Key::binance().map(|key| key.owned_by(&format!("trader-{n}")));
        credentials.push(house.app.enrolled(&house.sim.knows(key).await?).await?);
    }

    for round in 0..3 {
        let manners = [Manner::Takes, Manner::Says(500), Manner::Says(429), Manner::TakesAndVanishes];
        let script: Vec<Manner> = (0..8).filter_map(|_| random.pick(&manners).copied()).collect();
        receiver.next(&script);
        for credential in &credentials[round * 2..round * 2 + 2] {
            house.operator.act(&house.tenant, credential, "freeze").await?.ok()?;
            let again = json!({ "reason": "the test says so" });
            house.operator.act_if_unchanged(&house.tenant, credential, "unfreeze", &again).await?.ok()?;
            house.operator.act(&house.tenant, credential, "revoke").await?.ok()?;
        }
        let opened = json!({ "severity": "low", "title": "Odd", "scope": { "kind": "owner", "tenant": house.tenant,
            "id": format!("trader-{round}") } });
        let incident = house.operator.post("/api/v1/incidents", &opened).await?.ok()?.text_at("/id")?;
        let contain = json!({ "state": "frozen", "reason": "it is odd" });
        house.operator.post(&format!("/api/v1/incidents/{incident}/contain"), &contain).await?.ok()?;
        // Killed between the events and their messages, or between these and their end.
        house = house.crash().await?;
        if round == 1 {
            heard.extend(receiver.came());
            receiver = receiver.again(&house.home).await?;
        }
    }

    let expected: BTreeSet<(String, u64)> = house
        .operator
        .audit(&house.tenant)
        .await?
        .iter()
        .filter(|entry| entry["outcome"] == "allowed")
        .filter_map(|entry| {
            let (_, kind) = TOLD.iter().find(|(action, _)| entry["action"] == *action)?;
            Some(((*kind).to_owned(), entry["seq"].as_u64()?))
        })
        .collect();
    ensure!(expected.len() >= 6 * 3 + 3 * 3, "{expected:?}");
    until("every event", async || {
        let now = receiver.came();
        let taken: BTreeSet<(String, u64)> =
            heard.iter().chain(&now).filter(|came| came.manner == Manner::Takes).filter_map(told).collect();
        let missing: Vec<_> = expected.difference(&taken).collect();
        ensure!(missing.is_empty(), "{missing:?}");
        ensure!(taken == expected, "more than happened: {:?}", taken.difference(&expected).collect::<Vec<_>>());
        Ok(())
    })
    .await?;

    heard.extend(receiver.came());
    let mut by_id: BTreeMap<String, Vec<&Came>> = BTreeMap::new();
    for came in &heard {
        ensure!(came.path == "/mine" && came.verified_by(&secret)? == 1, "{came:?}");
        let bent = [
            Came { body: [came.body.as_slice(), b" "].concat(), ..came.clone() },
            Came { timestamp: format!("{}0", came.timestamp), ..came.clone() },
        ];
        for bent in bent {
            ensure!(bent.verified_by(&secret)? == 0, "{bent:?}");
        }
        by_id.entry(came.id.clone()).or_default().push(came);
    }
    ensure!(by_id.len() == expected.len(), "an id for each message: {}", by_id.len());
    ensure!(by_id.values().all(|all| all.iter().all(|came| came.body == all[0].body)), "the same message each time");
    ensure!(by_id.values().any(|all| all.len() > 1), "none was tried again");
    ensure!(heard.iter().all(|came| !String::from_utf8_lossy(&came.body).contains("trader-")), "an owner is named");
    theirs.heard_nothing()?;

    let listed = deliveries(&house, &id).await?;
    assert_eq!(listed.len(), expected.len());
    until("the last to be written down", async || {
        let open = deliveries(&house, &id).await?;
        ensure!(open.iter().all(|delivery| delivery["state"] == "taken"), "{open:?}");
        Ok(())
    })
    .await?;
    nowhere(&house, &secret).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_delays_nobody_and_one_that_is_gone_is_disabled() -> Result<()> {
    let (house, good) = open().await?;
    let (silent, gone) = (Receiver::start(&house.home).await?, Receiver::start(&house.home).await?);
    silent.usually(Manner::Silent);
    gone.usually(Manner::Says(410));
    let (stuck, _) = made(&house, &house.tenant, &silent.url("/")).await?;
    let (leaves, _) = made(&house, &house.tenant, &gone.url("/")).await?;
    made(&house, &house.tenant, &good.url("/")).await?;
    let down = Receiver::start(&house.home).await?;
    let (nobody_id, _) = made(&house, &house.tenant, &down.url("/")).await?;
    down.down().await;

    let scope = json!({ "kind": "tenant", "tenant": house.tenant });
    for _ in 0..12 {
        house.operator.stop(&scope, "frozen").await?.ok()?;
    }
    until("all of it at whoever takes it", async || {
        ensure!(good.came().len() == 12, "{}", good.came().len());
        Ok(())
    })
    .await?;
    let [stuck, nobody] = [deliveries(&house, &stuck).await?, deliveries(&house, &nobody_id).await?];
    ensure!(stuck.iter().chain(&nobody).all(|delivery| delivery["state"] == "waiting"), "{stuck:?} {nobody:?}");
    ensure!(silent.came().len() <= 4, "it has no more than its own places: {}", silent.came().len());
    until("the fault of one that is away", async || {
        let deliveries = deliveries(&house, &nobody_id).await?;
        ensure!(deliveries.iter().any(|delivery| delivery["last_fault"].is_string()), "{deliveries:?}");
        Ok(())
    })
    .await?;

    let disabled = async || {
        let list = house.operator.get(&at(&house.tenant, "")).await?.ok()?.json();
        let row = list["data"].as_array().context("no list")?.iter().find(|row| row["id"] == leaves).cloned();
        row.context("no webhook")
    };
    until("the one that is gone to be disabled", async || {
        let row = disabled().await?;
        ensure!((&row["state"], &row["disabled_because"]) == (&json!("disabled"), &json!("gone")), "{row}");
        Ok(())
    })
    .await?;
    let came = gone.came().len();
    house.operator.stop(&scope, "frozen").await?.ok()?;
    until("the next event at whoever takes it", async || {
        ensure!(good.came().len() == 13, "{}", good.came().len());
        Ok(())
    })
    .await?;
    ensure!(gone.came().len() == came, "nothing more is sent to it");
    gone.usually(Manner::Takes);
    house.log_in().await?;
    house.home.client(["webhook", "test", &leaves])?.output().await?.ok()?;
    gone.takes("webhook.ping").await?;
    until("it to be enabled", async || {
        ensure!(disabled().await?["state"] == "active");
        Ok(())
    })
    .await?;
    let given_up = deliveries(&house, &leaves).await?.into_iter().find(|row| row["state"] == "given-up");
    let id = given_up.context("nothing was given up")?["id"].as_str().context("no id")?.to_owned();
    house.home.client(["webhook", "redeliver", &leaves, &id])?.output().await?.ok()?;
    gone.hears("it once more", |came| came.id == id && came.manner == Manner::Takes).await?;
    let entries = house.operator.audit(&house.tenant).await?;
    let has = |action: &str| entries.iter().any(|entry| entry["action"] == action);
    ensure!(["webhook.create", "webhook.disable", "webhook.test"].into_iter().all(has), "{entries:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_lives_on_the_command_line_and_is_one_tenants() -> Result<()> {
    let (house, receiver) = open().await?;
    house.log_in().await?;
    let url = receiver.url("/in?for=desk");
    let add = ["--json", "webhook", "add", &url, "--label", "risk desk"];
    let made = house.home.client(add)?.output().await?.ok()?.json()?;
    let (id, first) = (text(&made, "id")?, text(&made, "secret")?);
    let list = house.home.client(["webhook", "list"])?.output().await?.ok()?.stdout;
    ensure!(list.contains(&id) && list.contains("risk desk"), "{list}");
    ensure!(!list.contains(&first) && !list.contains("for=desk"), "{list}");
    let second = house.home.client(["--json", "webhook", "rotate", &id])?.output().await?.ok()?.json()?;
    let second = text(&second, "secret")?;
    house.home.client(["webhook", "test", &id])?.output().await?.ok()?;
    let ping = receiver.takes("webhook.ping").await?;
    assert_eq!(ping.signature.split(' ').count(), 2);
    assert_eq!((ping.verified_by(&first)?, ping.verified_by(&second)?), (1, 1));
    let shown = house.home.client(["webhook", "deliveries", &id])?.output().await?.ok()?.stdout;
    ensure!(shown.contains(&ping.id), "{shown}");

    let elsewhere = at(&house.neighbour.tenant, &format!("/{id}"));
    for (method, path) in [("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("GET", "/deliveries")] {
        let body = (method == "POST").then(|| json!({}));
        let reply = house.operator.call(method, &format!("{elsewhere}{path}"), body.as_ref()).await?;
        reply.problem(404, "not_found")?;
    }
    let again = format!("{elsewhere}/deliveries/{}/redeliver", ping.id);
    house.operator.call("POST", &again, Some(&json!({}))).await?.problem(404, "not_found")?;

    // What it is sealed under can be exchanged, and it signs as before.
    house
        .operator
        .post(&format!("/api/v1/tenants/{}/keks/rotate", house.tenant), &json!({ "reason": REASON }))
        .await?
        .ok()?;
    house.home.client(["webhook", "test", &id])?.output().await?.ok()?;
    let next = receiver.hears("the second ping", |came| came.id != ping.id).await?;
    assert_eq!(next.verified_by(&second)?, 1);
    house.home.client(["webhook", "remove", &id])?.output().await?.ok()?;
    house.home.client(["webhook", "remove", &id])?.output().await?.exits(4)?;
    nowhere(&house, &first).await?;
    nowhere(&house, &second).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_leads_nowhere_inside() -> Result<()> {
    let house = House::open().await?;
    let receiver = Receiver::start(&house.home).await?;
    let port = receiver.port();
    let make =
        async |url: &str| house.operator.post(&at(&house.tenant, ""), &json!({ "url": url, "label": "inside" })).await;
    for url in
        [format!("https://127.0.0.1:{port}/"), "https://[::1]/".to_owned(), "https://169.254.169.254/".to_owned()]
    {
        make(&url).await?.problem(400, "url_not_public")?;
    }
    for url in [
        format!("http://localhost:{port}/"),
        "https://user:pass@desk.example/".to_owned(),
        "https://desk.example/#x".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        make(&url).await?.problem(400, "url_invalid")?;
    }
    // A name tells nothing: it is looked at when something is sent, each time.
    let id = make(&format!("https://localhost:{port}/")).await?.ok()?.text_at("/id")?;
    house.operator.post(&at(&house.tenant, &format!("/{id}/test")), &json!({})).await?.ok()?;
    until("the attempt to fail", async || {
        let fault = deliveries(&house, &id).await?[0]["last_fault"].to_string();
        ensure!(fault.contains("no address"), "{fault}");
        Ok(())
    })
    .await?;
    receiver.heard_nothing()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() -> Result<()> {
    let (house, receiver) = open().await?;
    receiver.usually(Manner::Says(302));
    let (id, _) = made(&house, &house.tenant, &receiver.url("/in")).await?;
    house.operator.post(&at(&house.tenant, &format!("/{id}/test")), &json!({})).await?.ok()?;
    until("a second attempt", async || {
        ensure!(receiver.came().len() > 1);
        Ok(())
    })
    .await?;
    ensure!(receiver.came().iter().all(|came| came.path == "/in"), "{:?}", receiver.came());
    assert_eq!(deliveries(&house, &id).await?[0]["last_status"], 302);
    Ok(())
}

/// A house whose webhooks are on this machine, and a receiver.
async fn open() -> Result<(House, Receiver)> {
    let (home, sim, scratch) =
        Setup::default().config("webhooks.local", true).config("webhooks.ca_file", "tls/ca.pem").init().await?;
    let receiver = Receiver::start(&home).await?;
    let server = Server::start(&home).await?;
    Ok((Setup::furnish(home, sim, scratch, server).await?, receiver))
}

/// A webhook of a tenant: its id and its secret.
async fn made(house: &House, tenant: &str, url: &str) -> Result<(String, String)> {
    let made = house.operator.post(&at(tenant, ""), &json!({ "url": url, "label": "desk" })).await?.ok()?;
    Ok((made.text_at("/id")?, made.text_at("/secret")?))
}

/// What a webhook of the house's tenant was and is to be sent.
async fn deliveries(house: &House, id: &str) -> Result<Vec<Value>> {
    let path = at(&house.tenant, &format!("/{id}/deliveries?limit=200"));
    let list = house.operator.get(&path).await?.ok()?.json();
    Ok(list["data"].as_array().context("no list")?.clone())
}

fn at(tenant: &str, rest: &str) -> String {
    format!("/api/v1/tenants/{tenant}/webhooks{rest}")
}

fn told(came: &Came) -> Option<(String, u64)> {
    let json = came.json();
    Some((json["type"].as_str()?.to_owned(), json["data"]["entry"].as_u64()?))
}

fn text(value: &Value, field: &str) -> Result<String> {
    Ok(value[field].as_str().with_context(|| format!("no {field}"))?.to_owned())
}

/// A secret that was shown is in no file of the home and in no log, in no spelling of these.
async fn nowhere(house: &House, secret: &str) -> Result<()> {
    let bytes = data_encoding::BASE64.decode(secret.strip_prefix("whsec_").context("no secret")?.as_bytes())?;
    let spellings =
        [bytes.clone(), secret.as_bytes()[6..].to_vec(), data_encoding::HEXLOWER.encode(&bytes).into_bytes()];
    let (export, _) = house.operator.export().await?;
    for content in [fs::read(house.home.file("claviger.redb"))?, fs::read(house.home.log_file())?, export.into_bytes()]
    {
        for spelling in &spellings {
            ensure!(!content.windows(spelling.len()).any(|part| part == spelling), "the secret is stored");
        }
    }
    Ok(())
}
