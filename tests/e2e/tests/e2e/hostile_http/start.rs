//! Places that the service cannot have: a port, a home that it may not write to, a disk that is full.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Home, House, Key, Namespace, Output, Server, Setup, until};
use serde_json::Value;

/// So many in a row are no accident.
const REFUSALS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_error_that_names_it() -> Result<()> {
    let (home, _sim, _scratch) = Setup::default().init().await?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    home.configure("listen.api", address.clone())?;

    let refused = Server::refused(&home).await?.exits(1)?;

    says_once(&refused, &["listen.api", &address, "CLAVIGER__LISTEN__API"])?;
    drop(taken);
    Server::start(&home).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_is_read_only_is_one_error_and_loses_nothing() -> Result<()> {
    if Namespace::to_mount()? != Namespace::Here {
        return Ok(());
    }
    let house = House::open().await?;
    let (key, credential) = enrolled(&house).await?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    let House { server, home, app, sim, operator, tenant, scratch: _scratch, .. } = house;
    server.stop().await?;
    let folder = home.path().to_string_lossy().into_owned();
    Namespace::run("mount", &["--bind", &folder, &folder])?;
    Namespace::run("mount", &["-o", "remount,bind,ro", &folder])?;

    let refused = Server::refused(&home).await?;
    let doctor = home.claviger(["doctor"])?.output().await?;

    ensure!(refused.code.is_some_and(|code| code != 0), "{refused:?}");
    says_once(&refused, &[&folder, "Read-only file system", "writable"])?;
    ensure!(doctor.code == Some(1), "{doctor:?}");
    Namespace::run("umount", &[&folder])?;
    let _server = Server::start(&home).await?;
    app.acked(&Call::limit_order(&credential, "binance")).await?;
    assert_eq!(sim.orders(&key).await?.len(), 2);
    assert_eq!(operator.credential(&tenant, &credential).await?.ok()?.text_at("/state")?, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_stops_signing_until_there_is_room() -> Result<()> {
    if Namespace::to_mount()? != Namespace::Here {
        return Ok(());
    }
    let (home, sim, scratch) = Setup::default().init().await?;
    // The store itself is to say that nothing more fits.
    on_a_small_disk(&home, "16m", [0, 0])?;
    let server = Server::start(&home).await?;
    let house = Setup::furnish(home, sim, scratch, server).await?;
    let (key, credential) = enrolled(&house).await?;
    let order = Call::limit_order(&credential, "binance");
    let mut acked = vec![house.app.acked(&order).await?.text_at("/id")?];

    let filler = house.home.file("filler");
    fill(&filler)?;
    // What the store has already set aside is used up first; then one refusal follows the other.
    let (mut refusals, mut open) = (0_usize, 0_usize);
    until("the store to be full, and to say so", async || {
        let reply = house.app.execute(&order).await?;
        match reply.status {
            200 => acked.push(reply.text_at("/id")?),
            // There was room for the intent, and none for the outcome: it was sent, and the answer says so.
            202 => open = open.saturating_add(1),
            _ => drop(reply.clone().problem(503, "store_unavailable")?),
        }
        refusals = if reply.status == 503 { refusals.saturating_add(1) } else { 0 };
        ensure!(refusals >= REFUSALS, "{refusals} refusals in a row");
        let red = house.server.readyz().await?;
        ensure!(red.status == 503, "it is ready: {}", red.text());
        ensure!(red.json().pointer("/parts/store") == Some(&Value::from("down")), "{}", red.text());
        Ok(())
    })
    .await?;
    let sent = acked.len().saturating_add(open);
    assert_eq!(house.sim.orders(&key).await?.len(), sent, "something was signed that nobody was told of");

    fs::remove_file(&filler)?;
    let again = until("an order", async || house.app.acked(&order).await).await?;
    acked.push(again.text_at("/id")?);
    until("the service to be ready", async || {
        let reply = house.server.readyz().await?;
        ensure!(reply.status == 200, "{}", reply.text());
        Ok(())
    })
    .await?;
    everything_is_there(&house, &acked).await?;
    assert_eq!(house.sim.orders(&key).await?.len(), sent.saturating_add(1));
    let house = house.restart().await?;
    everything_is_there(&house, &acked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_at_the_start_loses_nothing() -> Result<()> {
    if Namespace::to_mount()? != Namespace::Here {
        return Ok(());
    }
    let (home, sim, scratch) = Setup::default().init().await?;
    // The store itself is to say that nothing more fits.
    on_a_small_disk(&home, "16m", [0, 0])?;
    let server = Server::start(&home).await?;
    let house = Setup::furnish(home, sim, scratch, server).await?;
    let (_, credential) = enrolled(&house).await?;
    let order = Call::limit_order(&credential, "binance");
    let acked = [house.app.acked(&order).await?.text_at("/id")?];
    let House { server, home, app, operator, sim, tenant, neighbour, scratch } = house;
    server.stop().await?;
    let filler = home.file("filler");
    fill(&filler)?;

    // The start needs no room beyond what the store has set aside; whoever needs more is told.
    let starting = Server::start_unready(&home)?;
    until("the full disk to be told", async || {
        let reply = app.execute(&order).await?;
        reply.problem(503, "store_unavailable").map(drop)
    })
    .await?;
    starting.stop().await?;

    fs::remove_file(&filler)?;
    let server = Server::start(&home).await?;
    let house = House { server, home, app, operator, sim, tenant, neighbour, scratch };
    house.app.acked(&order).await?;
    everything_is_there(&house, &acked).await
}

/// Moves a home to a file system of its own, where there is little room; below so many bytes free health is red, and
/// reads are refused.
pub(super) fn on_a_small_disk(home: &Home, size: &str, [low, least]: [u64; 2]) -> Result<()> {
    let (folder, kept) =
        (home.path().to_string_lossy().into_owned(), home.beside("kept").to_string_lossy().into_owned());
    home.configure("store.free_bytes_low", i64::try_from(low)?)?;
    home.configure("store.free_bytes_least", i64::try_from(least)?)?;
    Namespace::run("cp", &["-a", &folder, &kept])?;
    Namespace::run("mount", &["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs", &folder])?;
    Namespace::run("cp", &["-a", &format!("{kept}/."), &folder])
}

/// Writes until nothing more fits.
pub(super) fn fill(file: &Path) -> Result<()> {
    let mut filler = File::create(file)?;
    let block = [0; 4096];
    loop {
        match filler.write_all(&block) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error).context("the disk is not full, but"),
        }
    }
}

/// Every acknowledged execution is listed, and the log verifies.
pub(super) async fn everything_is_there(house: &House, acked: &[String]) -> Result<()> {
    for id in acked {
        house.app.get(&format!("/api/v1/executions/{id}")).await?.ok().context("what was acknowledged is lost")?;
    }
    let (export, key) = house.operator.export().await?;
    let (export_file, key_file) = (house.home.beside("export.ndjson"), house.home.beside("key.txt"));
    fs::write(&export_file, export)?;
    fs::write(&key_file, key)?;
    let verify = house.home.claviger(["audit", "verify"])?.args([&export_file]).args(["--key"]).args([&key_file]);
    verify.output().await?.ok()?;
    Ok(())
}

pub(super) async fn enrolled(house: &House) -> Result<(Key, String)> {
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    Ok((key, credential))
}

/// The last word of a command is one line that says all of this.
fn says_once(output: &Output, words: &[&str]) -> Result<()> {
    let mut said = output.stderr.lines().filter(|line| line.starts_with("claviger: "));
    let (Some(line), None) = (said.next(), said.next()) else {
        anyhow::bail!("not one error: {}", output.stderr);
    };
    for word in words {
        ensure!(line.contains(word), "{word:?} is not said: {line}");
    }
    Ok(())
}
