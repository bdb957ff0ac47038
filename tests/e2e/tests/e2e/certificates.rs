//! The certificate is replaced under a server that runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Client, Door, House, Role, Server, Setup, Signal, now_ms, until};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_hours(24);

/// A certificate that vouches for itself, and its key.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    /// Valid from an hour ago for so long.
    fn for_the_next(valid: Duration) -> Result<Self> {
        let now = date_time_ymd(1970, 1, 1) + Duration::from_millis(now_ms());
        let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        (params.not_before, params.not_after) = (now - Duration::from_hours(1), now + valid);
        let key = KeyPair::generate()?;
        Ok(Self { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
    }

    /// Puts both in place as an ACME client does: each is written beside its place, and renamed.
    fn put(&self, folder: &Path) -> Result<()> {
        put(folder, "server.key", &self.key)?;
        put(folder, "server.pem", &self.certificate)
    }

    /// A client of a listener that trusts this certificate and no other.
    fn client(&self, house: &House, door: Door) -> Result<Client> {
        let ca = house.home.beside(&format!("{}.pem", self.key.len() + self.certificate.len()));
        fs::write(&ca, &self.certificate)?;
        Client::of_address(house.server.ready()?.address(door), &ca)
    }
}

fn put(folder: &Path, name: &str, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let draft = folder.join(format!("{name}.draft"));
    fs::write(&draft, text)?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o600))?;
    Ok(fs::rename(&draft, folder.join(name))?)
}

fn tls(house: &House) -> PathBuf {
    house.home.file("tls")
}

/// A warning of `/readyz` on the public listener, through a client that works.
async fn warns(client: &Client, code: &str, wanted: bool) -> Result<()> {
    until("the warning to be right", async || {
        let reply = client.get("/readyz").await?;
        ensure!(reply.status == 200, "{}", reply.text());
        let has = reply.json()["warnings"].as_array().is_some_and(|all| all.contains(&Value::from(code)));
        ensure!(has == wanted, "{}", reply.text());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_without_a_restart_and_kept_connections_go_on() -> Result<()> {
    let house = House::open().await?;
    let front = house.server.pid(Role::Front)?;
    let old = Client::of_server(&house.home.ready_file(), Door::Public)?;
    old.get("/livez").await?.ok()?;
    let new = Pair::for_the_next(DAY * 90)?;

    new.put(&tls(&house))?;

    for door in [Door::Public, Door::Admin, Door::Api] {
        let client = new.client(&house, door)?;
        until("the new certificate", async || client.get("/livez").await?.ok()).await?;
    }
    // The same connection: the old certificate is shown to nobody who comes anew.
    old.get("/livez").await?.ok().context("a connection that was open broke")?;
    old.hang_up();
    ensure!(old.get("/livez").await.is_err(), "the old certificate is still served");
    assert_eq!(house.server.pid(Role::Front)?, front);
    let metrics = house.server.metrics().await?;
    let left =
        metrics.lines().find_map(|line| line.strip_prefix("claviger_tls_expiry_seconds ")).context("no metric")?;
    let days = left.parse::<f64>()? / DAY.as_secs_f64();
    ensure!((89.0..=90.0).contains(&days), "{days} days are left");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_pair_changes_nothing_and_is_said_once() -> Result<()> {
    let house = House::open().await?;
    let client = Client::of_server(&house.home.ready_file(), Door::Public)?;
    let (one, other) = (Pair::for_the_next(DAY * 90)?, Pair::for_the_next(DAY * 90)?);
    let half = &one.certificate[..one.certificate.len() / 2];
    let serves = async || {
        client.hang_up();
        client.get("/livez").await?.ok().context("what was served is served no more")
    };

    for (certificate, key) in [(one.certificate.as_str(), other.key.as_str()), (half, &one.key), ("", "")] {
        put(&tls(&house), "server.pem", certificate)?;
        put(&tls(&house), "server.key", key)?;
        house.server.signal(Role::Supervisor, Signal::HangUp)?;
        warns(&client, "certificate_unfit", true).await?;
        serves().await?;
    }
    fs::remove_file(tls(&house).join("server.pem"))?;
    let gone = "server.pem cannot be read";
    until("the missing file to be told", async || {
        ensure!(house.server.log()?.contains(gone), "it is not");
        Ok(())
    })
    .await?;
    serves().await?;
    let status = house.operator.get("/api/v1/status").await?.ok()?;
    ensure!(status.json()["warnings"].to_string().contains(gone), "{}", status.text());
    assert_eq!(house.server.log()?.matches(gone).count(), 1, "it is said again and again");

    one.put(&tls(&house))?;
    house.server.signal(Role::Supervisor, Signal::HangUp)?;
    let renewed = one.client(&house, Door::Public)?;
    until("the new certificate", async || renewed.get("/livez").await?.ok()).await?;
    warns(&renewed, "certificate_unfit", false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_certificate_is_announced_two_weeks_before() -> Result<()> {
    let house = House::open().await?;
    let (near, far) = (Pair::for_the_next(DAY * 13)?, Pair::for_the_next(DAY * 15)?);

    near.put(&tls(&house))?;
    let client = near.client(&house, Door::Public)?;
    until("the new certificate", async || client.get("/livez").await?.ok()).await?;
    warns(&client, "certificate_expires", true).await?;

    far.put(&tls(&house))?;
    let client = far.client(&house, Door::Public)?;
    until("the new certificate", async || client.get("/livez").await?.ok()).await?;
    warns(&client, "certificate_expires", false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outside_of_the_home_are_renewed_through_their_links() -> Result<()> {
    let (home, sim, scratch) = Setup::default().init().await?;
    let (live, archive) = (scratch.path().join("live"), scratch.path().join("archive"));
    fs::create_dir(&live)?;
    fs::create_dir(&archive)?;
    let link = |version: u8, pair: &Pair| -> Result<()> {
        for (name, text) in [("server.key", &pair.key), ("server.pem", &pair.certificate)] {
            put(&archive, &format!("{version}-{name}"), text)?;
            let draft = live.join("draft");
            std::os::unix::fs::symlink(archive.join(format!("{version}-{name}")), &draft)?;
            fs::rename(&draft, live.join(name))?;
        }
        Ok(())
    };
    let (one, two) = (Pair::for_the_next(DAY * 60)?, Pair::for_the_next(DAY * 90)?);
    link(1, &one)?;
    for (key, name) in [("tls.certificate", "server.pem"), ("tls.key", "server.key"), ("tls.ca", "server.pem")] {
        home.configure(key, live.join(name).to_string_lossy().into_owned())?;
    }
    let server = Server::start(&home).await?;
    let house = Setup::furnish(home, sim, scratch, server).await?;

    link(2, &two)?;

    let client = two.client(&house, Door::Api)?;
    until("the new certificate", async || client.get("/livez").await?.ok()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_beside_a_secret_is_refused_at_the_start() -> Result<()> {
    let (home, _sim, _scratch) = Setup::default().init().await?;
    for name in ["server.pem", "server.key"] {
        fs::copy(home.file("tls").join(name), home.token_file(name))?;
    }
    home.configure("tls.certificate", "token/server.pem")?;
    home.configure("tls.key", "token/server.key")?;

    let refused = Server::refused(&home).await?.exits(1)?;

    ensure!(refused.stderr.contains("a directory of their own"), "{}", refused.stderr);
    assert_eq!(json!(home.ready_file().exists()), json!(false));
    Ok(())
}
