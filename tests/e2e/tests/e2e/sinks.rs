//! Sinks of the audit log: they get every entry as it is stored, and nothing waits for them.

pub(crate) mod collector;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Home, House, Key, Namespace, Server, Setup, until};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use collector::{Collector, Manner};

#[tokio::test(flavor = "multi_thread")]
async fn every_sink_gets_every_entry_as_it_is_stored() -> Result<()> {
    let bench = Bench::open(Path::new("audit/sink.ndjson")).await?;
    for _ in 0..3 {
        bench.acked().await?;
    }

    let (export, key) = bench.house.operator.export().await?;
    let leaves = leaves_of(&export)?;

    assert!(leaves.len() > 20, "{export}");
    let file = bench.file.clone();
    the_same("file", &leaves, || Ok(fs::read_to_string(&file)?)).await?;
    the_same("https", &leaves, || Ok(bench.collector.text())).await?;
    assert!(
        bench.collector.requests().iter().all(|head| head.contains("authorization: Bearer s3cret-of-the-collector"))
    );
    // Both are witnesses: a log whose tail was cut off does not pass beside what they have.
    let folder = bench.house.scratch.path();
    let checkpoint = export.lines().find(|line| line.starts_with("{\"checkpoint\"")).context("a checkpoint")?;
    fs::write(folder.join("whole"), &export)?;
    fs::write(folder.join("cut"), export.lines().take(15).collect::<Vec<_>>().join("\n"))?;
    for sink in ["file", "https"] {
        let text = until("the checkpoint at the sink", async || {
            let text = if sink == "file" { fs::read_to_string(&bench.file)? } else { bench.collector.text() };
            let end = text.find(checkpoint).context("not yet")?;
            Ok(text[..end + checkpoint.len()].to_owned())
        })
        .await?;
        fs::write(folder.join(sink), text)?;
        let verify = async |name: &str| {
            let verify = bench.house.home.claviger(["audit", "verify", "--key", key.trim()])?.args([folder.join(name)]);
            verify.args(["--checkpoint".as_ref(), folder.join(sink).as_os_str()]).output().await
        };
        verify("whole").await?.ok()?;
        let cut = verify("cut").await?.exits(1)?;
        assert!(cut.stdout.contains("(cut-tail)"), "{sink}: {}", cut.stdout);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_or_full_sink_costs_executions_nothing_and_catches_up() -> Result<()> {
    if Namespace::to_mount()? != Namespace::Here {
        return Ok(());
    }
    let scratch = claviger_e2e::Scratch::new()?;
    let small = scratch.path().join("small");
    fs::create_dir(&small)?;
    let folder = small.to_string_lossy().into_owned();
    Namespace::run("mount", &["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", &folder])?;
    let bench = Bench::open(&small.join("sink.ndjson")).await?;
    bench.acked().await?;
    bench.collector.becomes(Manner::Silent);
    let filler = small.join("filler");
    fill(&filler)?;

    for _ in 0..40 {
        bench.acked().await?;
    }
    until("both sinks to be complained about", async || {
        let status = bench.house.operator.get("/api/v1/status").await?.ok()?.json();
        let warnings = status["warnings"].to_string();
        for sink in ["the audit sink file is", "the audit sink https is"] {
            ensure!(warnings.contains(sink), "{warnings}");
        }
        Ok(())
    })
    .await?;
    let ready = bench.house.server.readyz().await?;
    assert_eq!((ready.status, &ready.json()["warnings"]), (200, &json!(["sink_behind"])), "{}", ready.text());
    let metrics = bench.house.server.metrics().await?;
    for sink in ["file", "https"] {
        let lag = metrics.lines().find_map(|line| {
            line.strip_prefix(&format!("claviger_sink_lag_entries{{sink=\"{sink}\"}} "))?.parse::<u64>().ok()
        });
        assert!(lag.context("a lag")? > 0, "{metrics}");
    }
    bench.acked().await?;

    fs::remove_file(&filler)?;
    bench.collector.becomes(Manner::Takes);
    let (export, _) = bench.house.operator.export().await?;
    let leaves = leaves_of(&export)?;
    the_same("file", &leaves, || Ok(fs::read_to_string(&bench.file)?)).await?;
    the_same("https", &leaves, || Ok(bench.collector.text())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_loses_no_entry_at_a_sink() -> Result<()> {
    let mut bench = Bench::open(Path::new("audit/sink.ndjson")).await?;
    for _ in 0..3 {
        // What was given to it and not taken is given again after the kill.
        bench.collector.becomes(Manner::Silent);
        for _ in 0..5 {
            bench.acked().await?;
        }
        bench.collector.is_given_something().await?;
        bench.house = bench.house.crash().await?;
        bench.collector.becomes(Manner::Takes);
    }
    bench.acked().await?;

    let (export, _) = bench.house.operator.export().await?;
    let leaves = leaves_of(&export)?;
    the_same("file", &leaves, || Ok(fs::read_to_string(&bench.file)?)).await?;
    the_same("https", &leaves, || Ok(bench.collector.text())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_syslog_receiver_gets_messages() -> Result<()> {
    let (home, sim, scratch) = Setup::default().init().await?;
    let receiver = UdpSocket::bind("127.0.0.1:0").await?;
    configure(&home, &[&[("name", "log"), ("syslog", &format!("udp:{}", receiver.local_addr()?))]])?;
    let server = Server::start(&home).await?;
    let _house = Setup::furnish(home, sim, scratch, server).await?;

    let mut buffer = vec![0; 65_536];
    let mut entries = 0;
    while entries < 5 {
        let length = tokio::time::timeout(claviger_e2e::DEADLINE, receiver.recv(&mut buffer)).await??;
        let message = String::from_utf8(buffer[..length].to_vec())?;
        assert!(message.starts_with("<110>1 20"), "{message}");
        let Some((_, json)) = message.split_once(" - claviger - entry - ") else {
            assert!(message.contains(" - claviger - checkpoint - {\"checkpoint\":"), "{message}");
            continue;
        };
        assert_eq!(serde_json::from_str::<Value>(json)?["seq"], entries);
        entries += 1;
    }
    Ok(())
}

/// A house with a file sink and a collector.
struct Bench {
    house: House,
    credential: String,
    file: PathBuf,
    collector: Collector,
}

impl Bench {
    async fn open(file: &Path) -> Result<Self> {
        let (home, sim, scratch) = Setup::default().init().await?;
        let collector = Collector::start(&home.file("tls/server.pem"), &home.file("tls/server.key")).await?;
        let token = home.beside("collector-token");
        fs::write(&token, "s3cret-of-the-collector\n")?;
        Namespace::run("chmod", &["600", &token.to_string_lossy()])?;
        let (path, token) = (file.to_string_lossy(), token.to_string_lossy());
        configure(
            &home,
            &[
                &[("name", "file"), ("file", &path)],
                &[("name", "https"), ("https", &collector.url()), ("ca_file", "tls/ca.pem"), ("token_file", &token)],
            ],
        )?;
        let file = home.file(&path);
        let server = Server::start(&home).await?;
        let house = Setup::furnish(home, sim, scratch, server).await?;
        let key = house.sim.knows(Key::binance()).await?;
        let credential = house.app.enrolled(&key).await?;
        Ok(Self { house, credential, file, collector })
    }

    async fn acked(&self) -> Result<()> {
        self.house.app.acked(&Call::limit_order(&self.credential, "binance")).await.map(drop)
    }
}

fn configure(home: &Home, sinks: &[&[(&str, &str)]]) -> Result<()> {
    let table = |sink: &&[(&str, &str)]| {
        let entries = sink.iter().map(|(name, value)| ((*name).to_owned(), toml::Value::from(*value)));
        toml::Value::Table(entries.collect())
    };
    home.configure("audit.sinks", toml::Value::Array(sinks.iter().map(table).collect()))
}

fn leaves_of(export: &str) -> Result<Vec<String>> {
    let values = export.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    Ok(values.iter().filter_map(|line| Some(line.get("leaf")?.as_str()?.to_owned())).collect())
}

/// Waits until a sink has these entries, and checks that it has them in order and byte for byte. What it was sent again
/// after a crash is passed over.
async fn the_same(sink: &str, leaves: &[String], read: impl Fn() -> Result<String>) -> Result<()> {
    let text = until("the sink to catch up", async || {
        let text = read()?;
        ensure!(leaves.last().is_some_and(|last| text.contains(last)), "{sink} has {} lines", text.lines().count());
        Ok(text)
    })
    .await?;
    let mut seen: Vec<&str> = Vec::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).with_context(|| format!("{sink}: {line}"))?;
        let Some(seq) = value["seq"].as_u64() else {
            ensure!(value["checkpoint"].is_string(), "{sink}: {line}");
            continue;
        };
        let place = usize::try_from(seq)?;
        ensure!(place <= seen.len(), "{sink} lacks entry {}", seen.len());
        if place == seen.len() {
            seen.push(line);
        }
        ensure!(seen[place] == line, "{sink} has two entries {seq}");
    }
    for (place, leaf) in leaves.iter().enumerate() {
        ensure!(seen[place] == leaf, "{sink}: {} is not {leaf}", seen[place]);
    }
    Ok(())
}

/// Writes until nothing more fits.
fn fill(file: &Path) -> Result<()> {
    let mut filler = File::create(file)?;
    while filler.write_all(&[0; 512]).is_ok() {}
    Ok(())
}
