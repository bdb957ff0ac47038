//! `claviger audit verify`, in an empty directory with nothing but an export and the key.

mod csv;
mod proof;
mod segments;
mod trail;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use claviger_core::audit::leaf_hash;
use claviger_e2e::{Call, House, Key, Output, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_a_log_is_found() -> Result<()> {
    let bench = Bench::set_up().await?;
    let lines: Vec<String> = bench.export.lines().map(ToOwned::to_owned).collect();
    let intents: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains("execution.intent")).collect();
    let (first, last) = (intents[0], intents[intents.len() - 1]);
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        changed.join("\n") + "\n"
    };
    let cases = [
        ("edited", "edited", with(&|lines| lines[first] = lines[first].replacen("order.place", "order.Place", 1))),
        ("no longer JSON", "malformed", with(&|lines| lines[first] = lines[first].replacen(':', ";", 1))),
        ("deleted", "deleted", with(&|lines| drop(lines.remove(first)))),
        ("reordered", "reordered", with(&|lines| lines.swap(first, last))),
        ("doubled", "duplicated", with(&|lines| lines.insert(first, lines[first].clone()))),
        ("cut in a line", "malformed", bench.export[..bench.export.len() - 20].to_owned()),
    ];

    let whole = bench.verify(&bench.export, &[]).await?.ok()?;
    assert!(whole.stdout.contains("nothing proves what came after"), "{}", whole.stdout);

    for (case, code, export) in cases {
        let found = bench.verify(&export, &[]).await?.exits(1).with_context(|| case)?;
        assert!(is_broken(&found, code), "{case}: {}", found.stdout);
    }
    let foreign = Bench::set_up().await?;
    bench.verify_with(&bench.export, &foreign.key, &[]).await?.exits(1)?;
    bench.verify_with(&bench.export, "no key", &[]).await?.exits(2)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_tail_shows_in_the_light_of_a_newer_checkpoint_or_receipt() -> Result<()> {
    let bench = Bench::set_up().await?;
    let before = bench.export.clone();
    let executed = bench.house.app.acked(&bench.order()).await?;
    let witness = bench.witness_of_more_than(checkpointed(&before)?).await?;
    let after = bench.checkpointed_after(&executed.json()["receipt"]["seq"]).await?;
    let checkpoint = bench.file("checkpoint", &newest_checkpoint(&after)?)?;
    let receipt = bench.file("receipt", &executed.json()["receipt"].to_string())?;

    // The older export is a log whose tail was cut off: by itself it is in order, and says how far that reaches.
    bench.verify(&before, &[]).await?.ok()?;
    for evidence in
        [["--checkpoint", path(&checkpoint)?], ["--checkpoint", path(&witness)?], ["--receipt", path(&receipt)?]]
    {
        let cut = bench.verify(&before, &evidence).await?.exits(1).with_context(|| evidence.join(" "))?;
        assert!(is_broken(&cut, "cut-tail"), "{evidence:?}: {}", cut.stdout);
    }
    let whole =
        bench.verify(&after, &["--checkpoint", path(&checkpoint)?, "--receipt", path(&receipt)?]).await?.ok()?;

    assert!(whole.stdout.contains("entries are what was signed"), "{}", whole.stdout);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_histories_of_one_log_are_a_fork() -> Result<()> {
    let bench = Bench::set_up().await?;
    let House { server, home, scratch, .. } = bench.house;
    server.stop().await?;
    // The same home twice, each going on by itself: both have the log's key, and both sign.
    let copy = scratch.path().join("copy");
    claviger_e2e::Namespace::run("cp", &["-a", path(home.path())?, path(&copy)?])?;
    let one = continued(&home).await?;
    fs::remove_dir_all(home.path())?;
    fs::rename(&copy, home.path())?;
    let other = continued(&home).await?;

    // The shorter one's checkpoint speaks of entries that the longer one has, too.
    let (longer, shorter) = if checkpointed(&one)? > checkpointed(&other)? { (one, other) } else { (other, one) };
    let folder = scratch.path().join("empty");
    fs::write(folder.join("checkpoint"), newest_checkpoint(&shorter)?)?;
    fs::write(folder.join("export"), &longer)?;
    let verify = home.claviger(["audit", "verify", "export", "--key", &bench.key, "--checkpoint", "checkpoint"])?;
    let found = verify.current_dir(&folder).output().await?.exits(1)?;

    assert!(is_broken(&found, "fork"), "{}", found.stdout);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_export_verifies_without_the_rows_of_others() -> Result<()> {
    let bench = Bench::set_up().await?;
    let (operator, neighbour) = (&bench.house.operator, &bench.house.neighbour);
    let path = format!("/api/v1/audit/export?tenant={}", bench.house.tenant);

    let export = operator.get(&path).await?.ok()?.text();

    bench.verify(&export, &[]).await?.ok()?;
    for foreign in [&neighbour.tenant, &neighbour.credential, &neighbour.execution, &neighbour.app.id] {
        assert!(!export.contains(foreign.as_str()), "{foreign} is in another tenant's export");
    }
    let lines: Vec<&str> = export.lines().collect();
    let shown = lines.iter().position(|line| line.contains("execution.intent")).context("an intent")?;
    // Left out, and shown as if it were another tenant's: the hash is right, and the tenant's own count tells.
    let row: Value = serde_json::from_str(lines[shown])?;
    let hash = leaf_hash(row["leaf"].as_str().context("a leaf")?.as_bytes());
    let hidden = format!(r#"{{"seq":{},"hash":"{hash}"}}"#, row["seq"]);
    for (code, instead) in [("deleted", None), ("tenant-gap", Some(hidden.as_str()))] {
        let mut withheld = lines.clone();
        withheld.splice(shown..=shown, instead);
        let found = bench.verify(&(withheld.join("\n") + "\n"), &[]).await?.exits(1).context(code)?;
        assert!(is_broken(&found, code), "{}", found.stdout);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_as_json_and_csv_and_reading_it_is_in_it() -> Result<()> {
    let bench = Bench::set_up().await?;
    let house = &bench.house;
    // What an act was for is the operator's choice, and comes into a cell; whom it was about does not.
    let formula = "\"\n=cmd|'/C calc'!A0";
    let scope = json!({ "kind": "owner", "tenant": house.tenant, "id": "somebody-in-person" });
    let stop = json!({ "scope": scope, "state": "frozen", "reason": formula });
    house.operator.post("/api/v1/stops", &stop).await?.ok()?;

    let entries = house.operator.audit(&house.tenant).await?;
    let again = house.operator.audit(&house.tenant).await?;
    let csv = house.operator.csv(&house.tenant).await?.ok()?;

    let reads = |entries: &[Value]| entries.iter().filter(|entry| entry["action"] == "audit.read").count();
    assert_eq!(reads(&again), reads(&entries) + 1);
    assert!(csv.header("content-type").starts_with("text/csv"));
    let text = csv.text();
    let head = text.lines().next().unwrap_or_default();
    let wanted = "\"user_id\",\"action\",\"resource_type\",\"resource_id\",\"ip_address\",\"timestamp\"";
    assert!(head.starts_with(wanted), "{head}");
    // No cell ends its row or its neighbour: quotes are doubled, and control characters are shown as such.
    assert_eq!(text.lines().count(), again.len() + 2, "the head, and reading it as CSV: {text}");
    assert!(!text.contains("somebody-in-person"), "an owner in the clear: {text}");
    let cell = "reason=\"\"\u{fffd}'=cmd|'/C calc'!A0\"";
    assert!(text.contains(cell), "{cell} is not in {text}");
    assert!(!text.contains("\"="), "a cell that a spreadsheet would run: {text}");
    for name in ["user_id", "action", "resource_type", "resource_id", "ip_address", "at"] {
        assert!(again.iter().all(|entry| entry[name].is_string()), "{name}");
    }
    Ok(())
}

/// A house with some history, its export and its key.
struct Bench {
    house: House,
    credential: String,
    export: String,
    key: String,
}

impl Bench {
    async fn set_up() -> Result<Self> {
        let house = House::open().await?;
        let key = house.sim.knows(Key::binance()).await?;
        let credential = house.app.enrolled(&key).await?;
        fs::create_dir(house.scratch.path().join("empty"))?;
        let mut bench = Self { house, credential, export: String::new(), key: String::new() };
        let mut last = Value::Null;
        for _ in 0..3 {
            last = bench.house.app.acked(&bench.order()).await?.json()["receipt"]["seq"].clone();
        }
        bench.export = bench.checkpointed_after(&last).await?;
        let (_, key) = bench.house.operator.export().await?;
        key.trim().clone_into(&mut bench.key);
        Ok(bench)
    }

    fn order(&self) -> Call {
        Call::limit_order(&self.credential, "binance")
    }

    /// An export with a checkpoint that covers an entry.
    async fn checkpointed_after(&self, seq: &Value) -> Result<String> {
        let seq = seq.as_u64().context("a number")?;
        until("a checkpoint", async || {
            let (export, _) = self.house.operator.export().await?;
            let size = checkpointed(&export)?;
            ensure!(size > seq, "the newest checkpoint is of {size} entries");
            Ok(export)
        })
        .await
    }

    /// The file that checkpoints are copied to, once it has one of more entries than that.
    async fn witness_of_more_than(&self, entries: u64) -> Result<PathBuf> {
        let file = self.house.home.file("audit/checkpoints");
        until("a checkpoint of the witness's", async || {
            let text = fs::read_to_string(&file)?;
            let origin = text.lines().next().context("an empty file")?;
            let sizes = text.lines().zip(text.lines().skip(1)).filter(|(line, _)| *line == origin);
            let newest: u64 = sizes.last().context("no checkpoint")?.1.parse()?;
            ensure!(newest > entries, "the newest is of {newest} entries");
            Ok(())
        })
        .await?;
        Ok(file)
    }

    fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.house.scratch.path().join(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    async fn verify(&self, export: &str, more: &[&str]) -> Result<Output> {
        self.verify_with(export, &self.key, more).await
    }

    /// In an empty directory: nothing but the export is there, and no home.
    async fn verify_with(&self, export: &str, key: &str, more: &[&str]) -> Result<Output> {
        let folder = self.house.scratch.path().join("empty");
        fs::write(folder.join("export"), export)?;
        let verify = self.house.home.claviger(["audit", "verify", "export", "--key", key])?.args(more);
        verify.env("CLAVIGER_HOME", "/nonexistent").current_dir(&folder).output().await
    }
}

/// Starts a server, has it write some entries, and stops it.
async fn continued(home: &claviger_e2e::Home) -> Result<String> {
    let server = claviger_e2e::Server::start(home).await?;
    let ready_file = home.ready_file();
    let operator = claviger_e2e::Operator::log_in(&ready_file, claviger_e2e::OPERATOR, claviger_e2e::PASSWORD).await?;
    let (before, _) = operator.export().await?;
    let entries = checkpointed(&before)?;
    let export = until("a checkpoint", async || {
        let (export, _) = operator.export().await?;
        ensure!(checkpointed(&export)? > entries.saturating_add(2), "no newer one");
        Ok(export)
    })
    .await?;
    server.stop().await?;
    Ok(export)
}

/// Whether the verdict is that the log is broken, and in that way.
fn is_broken(verdict: &Output, code: &str) -> bool {
    verdict.stdout.starts_with("the log does not verify") && verdict.stdout.trim_end().ends_with(&format!("({code})"))
}

/// The checkpoint lines of an export, as the signed notes that they hold.
fn checkpoints(export: &str) -> impl Iterator<Item = String> {
    let values = export.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter_map(|value| Some(value.get("checkpoint")?.as_str()?.to_owned()))
}

/// The note of the newest checkpoint.
fn newest_checkpoint(export: &str) -> Result<String> {
    checkpoints(export).last().context("no checkpoint")
}

/// How many entries the newest checkpoint covers: the second line of the note (C2SP tlog-checkpoint).
fn checkpointed(export: &str) -> Result<u64> {
    newest_checkpoint(export)?.lines().nth(1).and_then(|size| size.parse().ok()).context("no size")
}

fn path(path: &std::path::Path) -> Result<&str> {
    path.to_str().context("a path that is text")
}
