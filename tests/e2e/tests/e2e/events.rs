//! What changes is told to operators as it happens, to nobody else, and to no one whose login has ended.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Client, DEADLINE, House, Key, OPERATOR, Operator, PASSWORD, REASON, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const EVENTS: &str = "/api/v1/events";

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_heard_and_a_look_is_not() -> Result<()> {
    let house = House::open().await?;
    let credential = enrolled(&house).await?;
    let mut listener = Listener::of(&house.operator, None).await?;

    house.operator.get(&format!("/api/v1/tenants/{}/credentials", house.tenant)).await?.ok()?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;

    let named = format!(r#"data: {{"tenant":"{}","id":"{credential}"}}"#, house.tenant);
    let before = listener.heard_before("event: credential").await?;
    assert!(!before.contains("event: audit"), "{before}");
    listener.heard_before(&named).await?;
    listener.heard_before("event: audit").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_is_heard() -> Result<()> {
    let house = House::open().await?;
    let credential = enrolled(&house).await?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    let mut listener = Listener::of(&house.operator, None).await?;

    house.app.execute(&Call::limit_order(&credential, "binance")).await?.problem(403, "policy_denied")?;

    listener.heard_before("event: denial").await?;
    listener.heard_before(&format!(r#"data: {{"tenant":"{}"}}"#, house.tenant)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_login() -> Result<()> {
    let house = House::open().await?;
    let other = Operator::log_in(&house.home.ready_file(), OPERATOR, PASSWORD).await?;
    let mut listener = Listener::of(&other, None).await?;

    other.call("DELETE", "/api/v1/login", None).await?.ok()?;

    listener.heard_before("\r\n0\r\n\r\n").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_what_the_role_allows_by_then_and_ends_with_it() -> Result<()> {
    let house = House::open().await?;
    let credential = enrolled(&house).await?;
    let desk = "/api/v1/roles/desk";
    let allows = |permissions: &[&str]| json!({ "permissions": permissions, "reason": "the desk changes" });
    let all = allows(&["status.read", "credential.read", "app.read"]);
    house.operator.two_do("PUT", desk, &all, &[]).await?.ok()?;
    let mut listener = Listener::of(&somebody(&house, &json!({ "role": "desk" })).await?, None).await?;
    house.operator.act(&house.tenant, &credential, "reduce-only").await?.ok()?;
    listener.heard_before(&credential).await?;

    house.operator.ask_for("PUT", desk, &allows(&["status.read", "app.read"]), &[]).await?.ok()?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    house.operator.ask_for("PUT", desk, &allows(&["app.read"]), &[]).await?.ok()?;

    let heard = listener.heard_before("\r\n0\r\n\r\n").await?;
    assert!(!heard.contains("event: credential"), "{heard}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotations_stream_ends_with_the_role() -> Result<()> {
    let house = House::open().await?;
    for _ in 0..30 {
        enrolled(&house).await?;
    }
    let desk = "/api/v1/roles/desk";
    let allows = |permissions: &[&str]| json!({ "permissions": permissions, "reason": "the desk changes" });
    house.operator.two_do("PUT", desk, &allows(&["kek.read", "app.read"]), &[]).await?.ok()?;
    let watcher = somebody(&house, &json!({ "role": "desk" })).await?;
    let keks = format!("/api/v1/tenants/{}/keks", house.tenant);
    let slowly = json!({ "rows_per_second": 1, "reason": REASON });
    house.operator.post(&format!("{keks}/rotate"), &slowly).await?.ok()?;
    let accept = "accept: text/event-stream\r\n";
    let mut listener = Listener::at(&watcher, &format!("{keks}/rotation"), accept).await?;
    listener.heard_before("event: rotation").await?;

    house.operator.ask_for("PUT", desk, &allows(&["app.read"]), &[]).await?.ok()?;

    let heard = listener.heard_before("\r\n0\r\n\r\n").await?;
    assert!(!heard.contains(r#""state":"done""#), "it was told to the end: {heard}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stream_is_heard_to_be_alive() -> Result<()> {
    let house = House::open().await?;
    let credential = enrolled(&house).await?;
    let mut listener = Listener::of(&house.operator, None).await?;

    listener.heard_before("\n: alive\n").await?;

    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    listener.heard_before(&credential).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_one_tenant_hears_nothing_of_another() -> Result<()> {
    let house = House::open().await?;
    let own = enrolled(&house).await?;
    // Whoever sees credentials and how the service is.
    let bound = somebody(&house, &json!({ "role": "viewer", "tenant": house.tenant })).await?;
    let mut listener = Listener::of(&bound, None).await?;

    house.operator.act(&house.neighbour.tenant, &house.neighbour.credential, "freeze").await?.ok()?;
    house.operator.make_tenant("third").await?;
    house.operator.act(&house.tenant, &own, "freeze").await?.ok()?;

    // What is told together comes in an order of its own, and ends with an id.
    let heard = listener.heard_before(&own).await? + &listener.heard_before("\nid: ").await?;
    for foreign in [house.neighbour.tenant.as_str(), &house.neighbour.credential, "event: tenant"] {
        assert!(!heard.contains(foreign), "{foreign} in {heard}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_where_it_was_cut_off_or_reads_everything_again() -> Result<()> {
    let house = House::open().await?;
    let credential = enrolled(&house).await?;
    let mut listener = Listener::of(&house.operator, None).await?;
    house.operator.act(&house.tenant, &credential, "reduce-only").await?.ok()?;
    listener.heard_before("\nid: ").await?;
    let id = listener.heard_before("\n").await?.trim().to_owned();
    drop(listener);

    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    let mut listener = Listener::of(&house.operator, Some(&id)).await?;
    listener.heard_before(&credential).await?;

    // As after a restore: the log is shorter than the client knew it.
    let mut listener = Listener::of(&house.operator, Some("999999999")).await?;
    listener.heard_before("event: reset").await?;
    let headers = [("last-event-id", "yesterday")];
    let bearer = Some(house.operator.bearer.as_str());
    let refused = house.operator.client().call_with("GET", EVENTS, bearer, None, &headers).await?;
    refused.problem(400, "event_id_invalid")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_has_so_many_streams() -> Result<()> {
    let house = House::open().await?;
    let mut listeners = Vec::new();
    for _ in 0..4 {
        listeners.push(Listener::of(&house.operator, None).await?);
    }
    house.operator.get(EVENTS).await?.problem(429, "too_many_streams")?;
    // A rotation's stream is one of them; to ask once how far it is takes no place.
    let keks = format!("/api/v1/tenants/{}/keks", house.tenant);
    house.operator.post(&format!("{keks}/rotate"), &json!({ "reason": REASON })).await?;
    let (rotation, headers) = (format!("{keks}/rotation"), [("accept", "text/event-stream")]);
    house.operator.send("GET", &rotation, &Value::Null, &headers).await?.problem(429, "too_many_streams")?;
    house.operator.get(&rotation).await?.ok()?;
    let log = house.operator.get("/api/v1/audit?limit=1000").await?.ok()?.json();
    let opened = log["data"].as_array().into_iter().flatten().filter(|entry| entry["action"] == "events.read").count();
    assert_eq!(opened, listeners.len(), "each stream that was opened is in the log: {log}");
    listeners.pop();
    let again = until("a free place", async || Listener::of(&house.operator, None).await).await?;
    drop((again, listeners));
    Ok(())
}

async fn enrolled(house: &House) -> Result<String> {
    house.app.enrolled(&house.sim.knows(Key::binance()).await?).await
}

/// Another operator, with a role and perhaps a tenant.
async fn somebody(house: &House, who: &Value) -> Result<Operator> {
    let (name, reason) = ("somebody", "somebody has to watch");
    let new = json!({ "name": name, "role": who["role"], "tenant": who["tenant"], "reason": reason });
    let asked = house.operator.ask_for("POST", "/api/v1/operators", &new, &[]).await?.ok()?;
    let approve = format!("/api/v1/approvals/{}/approve", asked.text_at("/id")?);
    let approved = house.operator.second()?.post(&approve, &json!({ "reason": reason })).await?.ok()?;
    let invitation = format!("{}.{}", asked.text_at("/invitation")?, approved.text_at("/invitation")?);
    let accept = json!({ "invitation": invitation, "password": PASSWORD });
    house.operator.client().call("POST", "/api/v1/factors", None, Some(&accept)).await?.ok()?;
    Operator::log_in(&house.home.ready_file(), name, PASSWORD).await
}

/// A stream, as it comes over the connection.
struct Listener {
    stream: TlsStream<TcpStream>,
    heard: String,
}

impl Listener {
    /// Opens a stream, which may go on after an event.
    async fn of(operator: &Operator, last: Option<&str>) -> Result<Self> {
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        Self::at(operator, EVENTS, &last).await
    }

    /// Opens a stream, with one more header.
    async fn at(operator: &Operator, path: &str, header: &str) -> Result<Self> {
        let client: &Client = operator.client();
        let (host, bearer) = (client.address()?, &operator.bearer);
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {bearer}\r\n{header}\r\n");
        let mut stream = client.connect().await?;
        stream.write_all(head.as_bytes()).await?;
        let mut listener = Self { stream, heard: String::new() };
        let head = listener.heard_before("\r\n\r\n").await?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
        Ok(listener)
    }

    /// What is heard before a text comes, which is passed over.
    async fn heard_before(&mut self, text: &str) -> Result<String> {
        let listening = async {
            loop {
                if let Some(at) = self.heard.find(text) {
                    let rest = self.heard.split_off(at + text.len());
                    let mut before = std::mem::replace(&mut self.heard, rest);
                    before.truncate(at);
                    return anyhow::Ok(before);
                }
                let mut bytes = [0; 4_096];
                let count = self.stream.read(&mut bytes).await?;
                ensure!(count > 0, "the connection ended");
                self.heard.push_str(std::str::from_utf8(&bytes[..count])?);
            }
        };
        let heard = tokio::time::timeout(DEADLINE, listening).await;
        heard.with_context(|| format!("waited for {text:?}"))?
    }
}
