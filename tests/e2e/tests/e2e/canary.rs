//! Secrets that are looked for everywhere after they were used: files, answers, logs, metrics, memory. What is not secret
//! and was put into the same places must be found by the same search.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use claviger_e2e::{
    App, Ask, Call, Client, Door, House, Key, Namespace, Needle, PASSWORD, Reply, Role, Searched, Setup, VirtualKey,
    search_files, search_memory, the_promised_second,
};
use serde_json::json;

/// How often the secrets are used.
const USES: usize = 1_000;

/// How many apps use them at the same time.
const CALLERS: usize = 4;

const LABEL: &str = "a label that may be seen everywhere";

/// Everything that came back, but for the answers whose purpose is to hand out a secret once.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_found_anywhere_after_its_use() -> Result<()> {
    if Namespace::to_read_memory()? != Namespace::Here {
        return Ok(());
    }
    let house = Setup::default().config("log.level", "trace").open().await?;
    let heard = Heard::default();
    let keys = [
        canary(&house, Key::binance()).await?,
        canary(&house, Key::kraken()).await?,
        canary(&house, Key::binance_ed25519()).await?,
    ];
    let next = [
        canary(&house, Key::binance()).await?,
        canary(&house, Key::kraken()).await?,
        canary(&house, Key::binance_ed25519()).await?,
    ];
    let seen = house.sim.knows(Key::binance().map(|key| key.labelled(LABEL))).await?;

    let mut credentials = Vec::new();
    for key in keys.iter().chain([&seen]) {
        credentials.push(heard.keeps(house.app.enroll(key).await?.ok()?).text_at("/id")?);
    }
    use_them(&house, &credentials, &heard).await?;
    let clients = [
        (VirtualKey::made(&house.app, &credentials[0], None).await?, Ask::new("GET", "/api/v3/account", &[])),
        (VirtualKey::made(&house.app, &credentials[1], None).await?, Ask::new("POST", "/0/private/Balance", &[])),
    ];
    for _ in 0..USES / 10 {
        for (client, ask) in &clients {
            let answer = client.send(house.app.client(), ask).await?;
            assert_eq!((answer.status, answer.header("x-claviger-rule")), (200, ""), "{}", answer.text());
            heard.keeps(answer);
        }
    }
    for (credential, key) in credentials.iter().zip(&next) {
        let rotation = json!({ "key_id": key.key_id, "secret": key.secret });
        let rotated = house.operator.act_if_unchanged(&house.tenant, credential, "rotate", &rotation).await?;
        heard.keeps(rotated.ok()?);
        heard.keeps(house.app.acked(&Call::with(credential, "account")).await?);
    }
    refusals(&house, &credentials[0], &next[1], &heard).await?;
    for (credential, _) in credentials.iter().zip(&keys) {
        let reason = json!({ "reason": "the test says so" });
        let deleted = house.operator.act_if_unchanged(&house.tenant, credential, "delete", &reason).await?;
        heard.keeps(deleted.ok()?);
    }

    let pin = std::fs::read_to_string(house.home.token_file("pin"))?;
    let mut secrets: Vec<Needle> =
        keys.iter().chain(&next).chain([&house.neighbour.key]).flat_map(Needle::of_secret_in_fragments).collect();
    for (name, secret) in [
        ("password", PASSWORD),
        ("app secret", &house.app.secret),
        ("neighbour's app secret", &house.neighbour.app.secret),
        ("PIN", pin.trim()),
    ] {
        secrets.push(Needle::new(name, secret.as_bytes()).in_fragments(secret.as_bytes()));
    }
    for (client, _) in &clients {
        for secret in [client.secret.as_bytes(), &data_encoding::BASE64.decode(client.secret.as_bytes())?] {
            secrets.push(Needle::new("virtual key's secret", secret).in_fragments(secret));
        }
    }
    let log_name = std::fs::read_to_string(house.home.file("claviger.toml"))?.parse::<toml::Table>()?;
    let log_name = log_name["audit"]["log"].as_str().context("the log's name")?.to_owned();
    let controls = vec![Needle::new("label", LABEL.as_bytes()), Needle::new("log name", log_name.as_bytes())];

    answers(&house, &secrets, &controls, &heard).await?;
    files(&house, &secrets, &controls)?;
    memory(&house, &secrets, &controls).await
}

/// A key that the venue knows, with a name of its own in what the search says.
async fn canary(house: &House, key: Result<Key>) -> Result<Key> {
    let key = house.sim.knows(key).await?;
    Ok(key.clone().labelled(&format!("{} {} {}", key.venue, key.kind, key.hint())))
}

/// Some use them at the same time, over connections of their own.
async fn use_them(house: &House, credentials: &[String], heard: &Heard) -> Result<()> {
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let app = App::log_in(&house.home.ready_file(), &house.app.id, &house.app.secret).await?;
        let (credentials, heard) = (credentials.to_vec(), heard.clone());
        callers.push(tokio::spawn(async move {
            for at in 0..USES / CALLERS {
                let credential = &credentials[at % credentials.len()];
                heard.keeps(app.acked(&Call::with(credential, "account")).await?);
            }
            anyhow::Ok(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    Ok(())
}

/// Answers that speak of what they refuse.
async fn refusals(house: &House, credential: &str, key: &Key, heard: &Heard) -> Result<()> {
    let with_secret = key.clone().with_secret(&key.secret.replace('=', ""));
    heard.keeps(house.app.enroll(&with_secret).await?);
    let mut body = key.enrollment();
    body["unknown"] = key.secret.clone().into();
    heard.keeps(house.app.call("POST", "/api/v1/credentials", Some(&body)).await?);
    body["secret"] = json!({ "wrapped": key.secret });
    heard.keeps(house.app.call("POST", "/api/v1/credentials", Some(&body)).await?);
    let call = Call::with(credential, "account").param("secret", &key.secret);
    heard.keeps(house.app.execute(&call).await?);
    Ok(())
}

/// What was answered, and what the audit log, the metrics and the server's own log say.
async fn answers(house: &House, secrets: &[Needle], controls: &[Needle], heard: &Heard) -> Result<()> {
    for path in ["/api/v1/credentials", "/api/v1/executions"] {
        heard.keeps(house.app.get(path).await?.ok()?);
    }
    heard.searched("answers", secrets, controls, "label");
    let heard = Heard::default();
    let tenant = &house.tenant;
    heard.keeps(house.operator.get("/api/v1/audit/export").await?.ok()?);
    heard.keeps(house.operator.get(&format!("/api/v1/audit?tenant={tenant}&limit=10000")).await?.ok()?);
    let csv = claviger_csv(house, tenant).await?;
    heard.keeps(csv.ok()?);
    heard.searched("audit log", secrets, controls, "log name");
    let metrics = Client::of_server(&house.home.ready_file(), Door::Metrics)?;
    let metrics = metrics.write_plain(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
    anyhow::ensure!(metrics.contains("claviger_token_up"), "no metrics: {metrics}");
    assert_eq!(found(secrets, metrics.as_bytes(), "metrics"), [""; 0]);
    let log = house.server.log()?;
    anyhow::ensure!(log.contains("the keeper serves"), "no log: {log}");
    assert_eq!(found(secrets, log.as_bytes(), "log"), [""; 0]);
    Ok(())
}

async fn claviger_csv(house: &House, tenant: &str) -> Result<Reply> {
    let request = hyper::Request::get(format!("/api/v1/audit?tenant={tenant}&limit=10000"))
        .header("authorization", format!("Bearer {}", house.operator.bearer))
        .header("accept", "text/csv")
        .body(http_body_util::Full::default())?;
    house.operator.client().send(request).await
}

/// The PIN is in its own file, and nothing else is anywhere.
fn files(house: &House, secrets: &[Needle], controls: &[Needle]) -> Result<()> {
    let copy = house.scratch.path().join("copy");
    Namespace::run("cp", &["-a", &house.home.path().to_string_lossy(), &copy.to_string_lossy()])?;
    let pin_file = copy.join("token/pin").to_string_lossy().into_owned();
    let searched = search_files(&copy, secrets)?;
    let (pin, elsewhere): (Vec<_>, Vec<_>) = searched.found.into_iter().partition(|found| found.place == pin_file);
    assert!(pin.iter().all(|found| found.needle == "PIN") && !pin.is_empty(), "{pin:?}");
    assert_eq!(elsewhere, [], "in the files");
    let database = copy.join("claviger.redb").to_string_lossy().into_owned();
    let controlled = search_files(&copy, controls)?;
    let in_database = |needle: &str| controlled.found.iter().any(|it| it.place == database && it.needle == needle);
    assert!(in_database("label") && in_database("log name"), "{:?}", controlled.found);
    Ok(())
}

/// One second after the last connection closed.
async fn memory(house: &House, secrets: &[Needle], controls: &[Needle]) -> Result<()> {
    for client in [house.app.client(), house.neighbour.app.client(), house.operator.client()] {
        client.hang_up();
    }
    the_promised_second().await;
    let mut left = Vec::new();
    for role in [Role::Supervisor, Role::Front, Role::Keeper] {
        let pid = house.server.pid(role)?;
        let searched = search_memory(pid, secrets)?;
        left.extend(searched.found.iter().map(|found| format!("{role:?}: {found}")));
        let control: Searched = search_memory(pid, controls)?;
        assert!(control.has("log name"), "{role:?}: the search is blind");
        assert!(role != Role::Front || control.has("label"), "{role:?}: the search is blind");
    }
    assert_eq!(left, [""; 0], "in memory");
    Ok(())
}

impl Heard {
    fn keeps(&self, reply: Reply) -> Reply {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in &reply.headers {
            all.extend_from_slice(format!("{name}: ").as_bytes());
            all.extend_from_slice(value.as_bytes());
        }
        all.extend_from_slice(&reply.body);
        reply
    }

    fn searched(&self, place: &str, secrets: &[Needle], controls: &[Needle], control: &str) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(found(secrets, &all, place), [""; 0]);
        let seen = found(controls, &all, place);
        assert!(seen.iter().any(|found| found.starts_with(control)), "{place}: the search is blind: {seen:?}");
    }
}

fn found(needles: &[Needle], bytes: &[u8], place: &str) -> Vec<String> {
    needles.iter().flat_map(|needle| needle.found_in(bytes, place)).map(|found| found.to_string()).collect()
}
