//! Entries that left the store: their segments, made of a real log, and what the service says of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_core::audit::VerifierKey;
use claviger_core::audit::segment::file_name;
use claviger_core::clock::{BootTime, Clock, SystemClock};
use claviger_core::service::{Folder, Retention};
use claviger_core::store::redb::RedbStore;
use claviger_e2e::{House, Output, Scratch, Server, Setup, until};

use super::{Bench, is_broken};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A year and more from now.
#[derive(Debug)]
struct Later;

impl Clock for Later {
    fn unix_ns(&self) -> u64 {
        SystemClock.unix_ns().saturating_add(402 * DAY_MS * 1_000_000)
    }

    fn boot(&self) -> BootTime {
        SystemClock.boot()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_left_the_store_verifies_with_what_follows_and_the_api_names_its_segment() -> Result<()> {
    let mut bench = Bench::set_up().await?;
    bench.house.server.stop().await?;
    let segments = retained(&bench.house.home.file(""), &bench.key).await?;
    ensure!(segments.len() > 1, "{segments:?}");
    bench.house.server = Server::start(&bench.house.home).await?;
    let House { operator, .. } = &bench.house;

    let page = operator.get("/api/v1/audit?from=0").await?.ok()?.json();
    let oldest = page["oldest"].as_u64().context("a number")?;
    assert!(oldest > 0);
    assert_eq!(page["data"][0]["seq"], oldest);
    let gone = operator.get("/api/v1/audit/proof?seq=0").await?.json();
    assert_eq!(gone["code"], "archived", "{gone}");
    let first = segments[0].file_name().and_then(|name| name.to_str()).context("a name")?;
    assert!(gone.to_string().contains(first), "{gone}");
    operator.get(&format!("/api/v1/audit/proof?seq={oldest}&from=1&to={oldest}")).await?.ok()?;

    let (export, _) = operator.export().await?;
    let export = bench.file("export", &export)?;
    let all: Vec<PathBuf> = segments.iter().cloned().chain([export.clone()]).collect();
    let whole = bench.verdict(&all).await?.ok()?;
    assert!(!whole.stdout.contains("not given"), "{}", whole.stdout);
    let alone = bench.verdict(&[export]).await?.ok()?;
    assert!(alone.stdout.contains(&format!("the first {oldest} entries are in segments")), "{}", alone.stdout);

    let missing = bench.verdict(&all[1..]).await?.ok()?;
    assert!(missing.stdout.contains("entries are in segments that were not given"), "{}", missing.stdout);
    let swapped: Vec<PathBuf> = [1, 0].map(|at: usize| segments[at].clone()).to_vec();
    let found = bench.verdict(&swapped).await?.exits(1)?;
    assert!(is_broken(&found, "missing-segment"), "{}", found.stdout);
    let changed =
        fs::read_to_string(&segments[0])?.replacen("\\\"outcome\\\":\\\"allowed", "\\\"outcome\\\":\\\"denied", 1);
    let changed = bench.file("changed", &changed)?;
    let found = bench.verdict(&[changed]).await?.exits(1)?;
    assert!(is_broken(&found, "edited"), "{}", found.stdout);
    Ok(())
}

/// In its sandbox, and by itself: what was written when the home was made is older than the server keeps.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_moves_old_entries_to_segments() -> Result<()> {
    let lib = Scratch::new()?;
    let earlier = lib.path().join("earlier.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/audit/earlier.c");
    let compile = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&earlier, &source]).status()?;
    ensure!(compile.success(), "cc: {compile}");
    let setup = Setup::default().config("audit.keep_days", 1).env("LD_PRELOAD", &earlier);
    let (mut home, sim, scratch) = setup.init().await?;
    home.set_env("LD_PRELOAD", "");
    let server = Server::start(&home).await?;
    let house = Setup::furnish(home, sim, scratch, server).await?;

    let oldest = until("old entries to leave the store", async || {
        let page = house.operator.get("/api/v1/audit?from=0").await?.ok()?.json();
        page["oldest"].as_u64().filter(|oldest| *oldest > 0).context("nothing has left")
    })
    .await?;

    let segment = house.home.file(&format!("audit/segments/{}", file_name(0, oldest - 1)));
    let (export, key) = house.operator.export().await?;
    assert!(export.contains("audit.archive"), "{export}");
    let file = house.scratch.path().join("export");
    fs::write(&file, &export)?;
    let verify = house.home.claviger(["audit", "verify", "--key", key.trim()])?.args([&segment, &file]);
    let whole = verify.output().await?.ok()?;
    assert!(!whole.stdout.contains("not given"), "{}", whole.stdout);
    let first = r#"{"seq":0,"leaf""#;
    assert!(fs::read_to_string(&segment)?.contains(first) && !export.contains(first), "{export}");
    Ok(())
}

/// What a service does that has run for more than a year, to a home that nobody works on.
async fn retained(home: &Path, key: &str) -> Result<Vec<PathBuf>> {
    let key: VerifierKey = key.parse().map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let clock = Arc::new(Later);
    let store = RedbStore::open(&home.join("claviger.redb"), key.name(), clock.clone())?;
    let folder = home.join("audit/segments");
    let shelf = Folder::open(folder.clone())?;
    let retention = Retention { store: &store, clock: clock.as_ref(), key: &key, shelf: &shelf, entries_max: 10 };
    retention.run(Duration::from_hours(400 * 24)).await?;
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

impl Bench {
    async fn verdict(&self, files: &[PathBuf]) -> Result<Output> {
        let verify = self.house.home.claviger(["audit", "verify", "--key", &self.key])?.args(files);
        verify.env("CLAVIGER_HOME", "/nonexistent").output().await
    }
}
