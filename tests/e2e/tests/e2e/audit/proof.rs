//! What the API proves, checked with another implementation of RFC 6962 than the service's own, and receipts that are
//! checked with nothing but the key.

#[path = "../../../../../core/tests/audit/rfc6962.rs"]
mod rfc6962;

use std::fs;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use claviger_e2e::{Call, House, Key, Output, Setup, until};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::Bench;
use crate::unknown::{Lost, becomes};

#[tokio::test(flavor = "multi_thread")]
async fn every_proof_checks_with_another_implementation_of_rfc_6962() -> Result<()> {
    let bench = Bench::set_up().await?;
    let operator = &bench.house.operator;
    let (sizes, export) = bench.checkpoints().await?;
    let hashes = leaf_hashes(&export);
    let ask = async |query: &str| operator.get(&format!("/api/v1/audit/proof?{query}")).await;

    for (seq, hash) in hashes.iter().enumerate() {
        let proof = ask(&format!("seq={seq}")).await?.ok()?.json();
        ensure!(rfc6962::leaf(proof["entry"]["leaf"].as_str().unwrap().as_bytes()) == *hash, "another leaf: {proof}");
        bench.leads_to_its_checkpoint(&proof)?;
    }
    for size in &sizes {
        for seq in [0, size / 2, size - 1] {
            let proof = ask(&format!("seq={seq}&size={size}")).await?.ok()?.json();
            assert_eq!(bench.leads_to_its_checkpoint(&proof)?, *size);
            let path = rfc6962::path(usize::try_from(seq)?, &hashes[..usize::try_from(*size)?]);
            assert_eq!(all(&proof["entry"]["proof"]), path, "{seq} of {size}");
        }
        for from in sizes.iter().filter(|from| *from <= size) {
            let proof = ask(&format!("from={from}&to={size}&seq=0&size={size}")).await?.ok()?.json();
            let grown = &proof["consistency"];
            let (old, new) = (bytes(&grown["from_root"]), bytes(&grown["to_root"]));
            let (from, size) = (usize::try_from(*from)?, usize::try_from(*size)?);
            assert_eq!((old, new), (rfc6962::root(&hashes[..from]), rfc6962::root(&hashes[..size])));
            assert_eq!(signed(&proof["checkpoint"], &bench.key)?, (u64::try_from(size)?, new));
            assert_eq!(all(&grown["proof"]), rfc6962::proof(from, &hashes[..size]));
            assert!(rfc6962::begins_with(from, size, &all(&grown["proof"]), &old, &new), "{grown}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proven_is_told_apart() -> Result<()> {
    let bench = Bench::set_up().await?;
    let operator = &bench.house.operator;
    let ask = async |query: &str| operator.get(&format!("/api/v1/audit/proof{query}")).await;
    let size = bench.checkpoints().await?.0[0];

    ask("?seq=1000000").await?.problem(404, "not_found")?;
    ask(&format!("?seq=0&size={}", 1_000_000)).await?.problem(404, "not_found")?;
    ask(&format!("?seq={size}&size={size}")).await?.problem(400, "proof_invalid")?;
    ask("?from=3&to=2").await?.problem(400, "proof_invalid")?;
    ask("?from=3&to=1000000").await?.problem(400, "proof_invalid")?;
    for query in ["", "?size=3", "?from=3", "?to=3", "?seq=0&from=3"] {
        ask(query).await?.problem(400, "proof_invalid").context(query)?;
    }
    for query in ["?seq=x", "?seq=-1", "?colour=red", "?seq=1&seq=2"] {
        ask(query).await?.problem(400, "query_invalid").context(query)?;
    }
    let read = ask("?seq=2").await?.ok()?;
    let (export, _) = operator.export().await?;
    let entry = entry_of_request(&export, read.header("x-request-id"));
    let entry = entry.context("a proof leaves no entry")?;
    assert_eq!((&entry["action"], &entry["resource_id"]), (&json!("audit-proof.read"), &json!("2")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_checkpoint_covers_is_proven_once_the_token_is_back() -> Result<()> {
    let house = Setup::default().faulty().open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let execution = house.app.acked(&Call::limit_order(&credential, "binance")).await?.text_at("/id")?;
    house.home.fault("C_Sign return=0x30")?;
    // Each question leaves entries that no checkpoint covers.
    let newest = until("entries without a checkpoint", async || {
        let entries = house.operator.audit(&house.tenant).await?;
        let seq = entries.last().context("no entry")?["seq"].clone();
        let refused = house.operator.get(&format!("/api/v1/audit/proof?seq={seq}")).await?;
        let refused = refused.problem(409, "not_signed_yet")?;
        ensure!(!refused.header("retry-after").is_empty(), "it does not say when to ask again");
        Ok(seq)
    })
    .await?;
    // What was signed before is proven without the token.
    house.operator.get("/api/v1/audit/proof?seq=0").await?.ok()?;
    house.app.get(&format!("/api/v1/executions/{execution}")).await?.ok()?;

    house.home.fault("")?;

    until("a proof", async || house.operator.get(&format!("/api/v1/audit/proof?seq={newest}")).await?.ok()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_checked_with_the_key_alone() -> Result<()> {
    let bench = Bench::set_up().await?;
    let house = &bench.house;
    let execution = house.app.acked(&bench.order()).await?;
    let id = execution.text_at("/id")?;
    let path = format!("/api/v1/executions/{id}/receipt");

    let receipt = house.app.get(&path).await?.ok()?.json();

    for entry in std::iter::once(&receipt["intent"]).chain(receipt["outcomes"].as_array().unwrap()) {
        bench.leads_to_its_checkpoint(&json!({ "entry": entry, "checkpoint": receipt["checkpoint"] }))?;
    }
    assert_eq!(receipt["intent"]["leaf_hash"], execution.json()["receipt"]["leaf_hash"]);
    let told = bench.check(&receipt).await?.ok()?;
    for words in [
        format!("{id} is in its first "),
        format!("before anything was signed: app {}", house.app.id),
        format!("order.place at binance with {}", bench.credential),
        "the outcome was recorded as acked, the venue's status 200".to_owned(),
        "not proven: the order's figures".to_owned(),
    ] {
        assert!(told.stdout.contains(&words), "{words} is not in {}", told.stdout);
    }

    let other = house.app.acked(&bench.order()).await?.text_at("/id")?;
    let other = house.app.get(&format!("/api/v1/executions/{other}/receipt")).await?.ok()?.json();
    let edited = receipt["intent"]["leaf"].as_str().unwrap().replacen("order.place", "order.Place", 1);
    let cases = [
        ("/intent/leaf", json!(edited), "not-included"),
        ("/outcomes", other["outcomes"].clone(), "not-included"),
        ("/execution", other["execution"].clone(), "misplaced"),
        ("/intent/proof", json!([]), "not-included"),
        (
            "/checkpoint",
            json!(receipt["checkpoint"].as_str().unwrap().replacen("\ntime 2", "\ntime 3", 1)),
            "bad-checkpoint",
        ),
        ("/format", json!("claviger-receipt/v2"), "malformed"),
    ];
    for (place, value, code) in cases {
        let mut changed = receipt.clone();
        *changed.pointer_mut(place).unwrap() = value;
        let found = bench.check(&changed).await?.exits(1).context(place)?;
        assert!(found.stdout.starts_with("the receipt does not verify: "), "{place}: {}", found.stdout);
        let same = changed == receipt;
        assert!(!same && found.stdout.trim_end().ends_with(&format!("({code})")), "{place}: {}", found.stdout);
    }
    // Against an export, both its entries and its checkpoint count.
    let file = bench.file("receipt.json", &receipt.to_string())?;
    let cut = bench.verify(&bench.export, &["--receipt", super::path(&file)?]).await?.exits(1)?;
    assert!(super::is_broken(&cut, "cut-tail"), "{}", cut.stdout);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_its_tenants_alone_and_reading_it_is_in_the_log() -> Result<()> {
    let house = House::open().await?;
    let path = format!("/api/v1/executions/{}/receipt", house.neighbour.execution);

    house.app.get(&path).await?.problem(404, "not_found")?;
    house.app.get("/api/v1/executions/exec_nonsense/receipt").await?.problem(404, "not_found")?;
    let read = house.neighbour.app.get(&path).await?.ok()?;

    let entries = house.operator.audit(&house.neighbour.tenant).await?;
    let entry = entries.iter().find(|entry| entry["request_id"] == read.header("x-request-id"));
    let entry = entry.context("a receipt leaves no entry")?;
    assert_eq!((&entry["action"], &entry["user_kind"]), (&json!("receipt.read"), &json!("app")));
    assert_eq!(entry["resource_id"], json!(house.neighbour.execution));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_order_that_was_found_has_both_outcomes_in_its_receipt() -> Result<()> {
    let bench = Bench::set_up().await?;
    let house = &bench.house;
    let id = Lost::by(house, "binance", "cut_mid_answer").await?.id;
    becomes(house, &id, "acked").await?;

    let receipt = house.app.get(&format!("/api/v1/executions/{id}/receipt")).await?.ok()?.json();

    let told = bench.check(&receipt).await?.ok()?;
    let (unknown, acked) = (told.stdout.find("recorded as unknown"), told.stdout.find("recorded as acked"));
    assert!(unknown.is_some() && unknown < acked, "{}", told.stdout);
    // The verifier of an export knows as well that the intent is settled.
    let verdict = bench.verify(&house.operator.export().await?.0, &[]).await?.ok()?;
    assert!(!verdict.stdout.contains("no outcome and are unknown"), "{}", verdict.stdout);
    Ok(())
}

impl Bench {
    /// Checks that an entry's proof leads to the root that its checkpoint signs, and says of how many entries that is.
    fn leads_to_its_checkpoint(&self, proof: &Value) -> Result<u64> {
        let (size, root) = signed(&proof["checkpoint"], &self.key)?;
        let entry = &proof["entry"];
        let leaf = rfc6962::leaf(entry["leaf"].as_str().context("no leaf")?.as_bytes());
        assert_eq!(bytes(&entry["leaf_hash"]), leaf);
        let seq = usize::try_from(entry["seq"].as_u64().context("no number")?)?;
        let found = rfc6962::root_by_path(&leaf, seq, usize::try_from(size)?, &all(&entry["proof"]));
        ensure!(found == Some(root), "entry {seq} is not in the tree of {size}");
        Ok(size)
    }

    /// Has some checkpoints signed, each over more entries: their sizes, and an export of as many entries as the last.
    async fn checkpoints(&self) -> Result<(Vec<u64>, String)> {
        let (mut sizes, mut newest) = (Vec::new(), String::new());
        while sizes.len() < 4 {
            newest = self.house.operator.export().await?.0;
            sizes.push(super::checkpointed(&newest)?);
            sizes.dedup();
        }
        Ok((sizes, newest))
    }

    /// `claviger audit receipt`, where nothing but the receipt is.
    async fn check(&self, receipt: &Value) -> Result<Output> {
        let folder = self.house.scratch.path().join("empty");
        fs::write(folder.join("receipt"), receipt.to_string())?;
        let check = self.house.home.claviger(["audit", "receipt", "receipt", "--key", &self.key])?;
        check.env("CLAVIGER_HOME", "/nonexistent").current_dir(&folder).output().await
    }
}

/// The entry of a request in an export.
fn entry_of_request(export: &str, request: &str) -> Option<Value> {
    let rows = export.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let entries = rows.filter_map(|row| serde_json::from_str::<Value>(row["leaf"].as_str()?).ok());
    entries.into_iter().find(|entry| entry["request_id"] == request)
}

/// Size and root of a checkpoint (C2SP tlog-checkpoint), if the key has signed it: Ed25519 over the text, which ends before
/// the empty line.
fn signed(checkpoint: &Value, key: &str) -> Result<(u64, rfc6962::Hash)> {
    let note = checkpoint.as_str().context("no checkpoint")?;
    let (text, signatures) = note.split_once("\n\n").context("no signature")?;
    let signature = signatures.trim_end().rsplit(' ').next().context("no signature")?;
    let key = BASE64.decode(key.splitn(3, '+').nth(2).context("no key")?.as_bytes())?;
    let signature = BASE64.decode(signature.as_bytes())?;
    let verified = UnparsedPublicKey::new(&ED25519, &key[1..]).verify(format!("{text}\n").as_bytes(), &signature[4..]);
    ensure!(verified.is_ok(), "the checkpoint is not signed by the key");
    let mut lines = text.lines().skip(1);
    let size = lines.next().context("no size")?.parse()?;
    let root = BASE64.decode(lines.next().context("no root")?.as_bytes())?;
    Ok((size, root.try_into().ok().context("no root")?))
}

/// The leaves of an export, hashed.
fn leaf_hashes(export: &str) -> Vec<rfc6962::Hash> {
    let rows = export.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    rows.filter_map(|row| Some(rfc6962::leaf(row["leaf"].as_str()?.as_bytes()))).collect()
}

fn bytes(hash: &Value) -> rfc6962::Hash {
    let hash = HEXLOWER.decode(hash.as_str().unwrap_or_default().as_bytes()).unwrap_or_default();
    hash.try_into().expect("a hash of 32 bytes")
}

fn all(proof: &Value) -> Vec<rfc6962::Hash> {
    proof.as_array().into_iter().flatten().map(bytes).collect()
}
