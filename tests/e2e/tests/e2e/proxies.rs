//! Where a request came from, behind a proxy and without one.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{App, Call, House, Key, Reply, Setup};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::json;

/// The network that the grant is for, and where else requests come from.
const OFFICE: &str = "203.0.113.0/24";
const INSIDE: &str = "203.0.113.9";
const OUTSIDE: &str = "198.51.100.1";

/// An app that may trade from one network only.
struct Desk {
    house: House,
    app: App,
    key: Key,
    credential: String,
    orders: u32,
}

impl Desk {
    async fn open(setup: Setup) -> Result<Self> {
        let house = setup.open().await?;
        let key = house.sim.knows(Key::binance()).await?;
        let credential = house.app.enrolled(&key).await?;
        let path = format!("/api/v1/tenants/{}/apps", house.tenant);
        let app = house.operator.post(&path, &json!({ "name": "office" })).await?.ok()?;
        let (id, secret) = (app.text_at("/id")?, app.text_at("/secret")?);
        house.operator.grant(&house.tenant, &id, &json!({ "operations": ["trade"], "networks": [OFFICE] })).await?;
        let app = App::log_in(&house.home.ready_file(), &id, &secret).await?;
        Ok(Self { house, app, key, credential, orders: 0 })
    }

    /// An order with these headers.
    async fn order(&mut self, forwarded_for: &[&str]) -> Result<Reply> {
        self.orders += 1;
        let mut request = Request::post("/api/v1/executions")
            .header("authorization", format!("Bearer {}", self.app.token))
            .header("content-type", "application/json")
            .header("idempotency-key", format!("order-{}", self.orders));
        for value in forwarded_for {
            request = request.header("x-forwarded-for", *value);
        }
        let body = Call::limit_order(&self.credential, "binance").body().to_string();
        self.app.client().send(request.body(Full::from(body))?).await
    }

    async fn denied(&mut self, forwarded_for: &[&str]) -> Result<()> {
        let reply = self.order(forwarded_for).await?.problem(403, "policy_denied");
        let reply = reply.with_context(|| format!("{forwarded_for:?}"))?;
        assert_eq!(reply.json()["rule"], "grant.network", "{forwarded_for:?}");
        Ok(())
    }

    /// The addresses of the app's entries in the audit log.
    async fn addresses(&self) -> Result<Vec<String>> {
        let entries = self.house.operator.audit(&self.house.tenant).await?;
        let own = entries.iter().filter(|entry| entry["user_id"] == self.app.id.as_str());
        let mut addresses: Vec<String> =
            own.filter_map(|entry| Some(entry["ip_address"].as_str()?.to_owned())).collect();
        addresses.sort();
        addresses.dedup();
        Ok(addresses)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grants_network_is_that_of_a_trusted_proxys_client() -> Result<()> {
    let trusted = vec!["127.0.0.0/8", "10.0.0.0/8"];
    let mut desk = Desk::open(Setup::default().config("listen.trusted_proxies", trusted)).await?;

    for inside in [&[INSIDE][..], &["203.0.113.9:4711, 10.1.2.3"], &[OUTSIDE, INSIDE], &["rubbish, 203.0.113.9"]] {
        desk.order(inside).await?.ok().with_context(|| format!("{inside:?}"))?;
    }
    for outside in [&[][..], &[OUTSIDE], &["203.0.113.9, 198.51.100.1"], &[INSIDE, OUTSIDE], &["10.1.2.3"]] {
        desk.denied(outside).await?;
    }
    for malformed in [&["unknown"][..], &["203.0.113.9,"], &[INSIDE, "rubbish"]] {
        desk.order(malformed).await?.problem(400, "forwarded_for_invalid")?;
    }

    assert_eq!(desk.house.sim.orders(&desk.key).await?.len(), 4);
    assert_eq!(desk.addresses().await?, ["10.1.2.3", "127.0.0.1", OUTSIDE, INSIDE]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_a_trusted_proxy_is_believed() -> Result<()> {
    for setup in [Setup::default(), Setup::default().config("listen.trusted_proxies", vec!["192.0.2.0/24"])] {
        let mut desk = Desk::open(setup).await?;
        for spoofed in [&[][..], &[INSIDE], &["203.0.113.9, 192.0.2.1"], &["rubbish"]] {
            desk.denied(spoofed).await?;
        }
        assert_eq!(desk.addresses().await?, ["127.0.0.1"]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_of_a_proxy_has_its_own_throttle() -> Result<()> {
    let house = Setup::default().config("listen.trusted_proxies", vec!["127.0.0.1"]).open().await?;
    let wrong = async |from: &str, who: &str| -> Result<Reply> {
        let body = Bytes::from(json!({ "operator": who, "password": "a guess of many" }).to_string());
        let request = Request::post("/api/v1/login").header("content-type", "application/json");
        house.operator.client().send(request.header("x-forwarded-for", from).body(Full::new(body))?).await
    };

    let mut last = wrong(OUTSIDE, "nobody").await?;
    for _ in 0..10 {
        last = wrong(OUTSIDE, "nobody").await?;
    }

    last.problem(429, "login_throttled")?;
    // Of another name: tries at one account slow it for strangers from everywhere.
    let elsewhere = wrong(INSIDE, "somebody").await?;
    ensure!(elsewhere.status == 401, "{}", elsewhere.text());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_everybody_is_refused() -> Result<()> {
    let (home, _sim, _scratch) = Setup::default().init().await?;
    for network in ["0.0.0.0/0", "::/0", "10.0.0.0/33", "proxy.example"] {
        home.configure("listen.trusted_proxies", vec![network])?;
        let refused = claviger_e2e::Server::refused(&home).await?.exits(64)?;
        ensure!(refused.stderr.contains("listen.trusted_proxies"), "{}", refused.stderr);
    }
    Ok(())
}
