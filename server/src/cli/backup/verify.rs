//! `claviger backup verify`: everything that a restore rests on, tried in scratch.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use claviger_core::audit::{VerifierKey, timestamp};
use claviger_core::backup::Snapshot;
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::service::{Service, Tried};
use data_encoding::HEXLOWER;
use serde_json::json;

use super::super::client::Here;
use super::super::{Failure, home};
use super::opened::{Home, open_into, service_over};
use super::scratch::Scratch;
use crate::config::Config;

#[derive(Debug, Args)]
pub(in super::super) struct Verify {
    /// The backup.
    file: PathBuf,
    /// The file with an age identity that it was encrypted to.
    #[arg(long)]
    identity: PathBuf,
    /// The log's verifier key, as you have noted it; without, the log is verified by the key inside the backup.
    #[arg(long)]
    key: Option<VerifierKey>,
}

/// What was found of the keys.
struct Keys {
    text: String,
    is_good: bool,
}

impl Verify {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        let scratch = Scratch::beside(&self.file).map_err(|e| Failure::new(1, e.to_string()))?;
        let store = scratch.file("store.redb");
        let (snapshot, sha256) = open_into(&store, &self.file, &self.identity)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Failure::new(1, e.to_string()))?;
        runtime.block_on(async {
            let service = service_over(&store, &snapshot.origin)?;
            let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("the backup is damaged: {e}"));
            let own = service.log_key().await.map_err(|e| failed(&e))?;
            if self.key.as_ref().is_some_and(|key| *key != own) {
                return Err(Failure::new(1, "the backup's log has another verifier key: it is not of this service"));
            }
            let (by, key) = (if self.key.is_some() { "the given key" } else { "the backup's own key" }, own);
            let log = service.verify_log(&key).await.map_err(|e| failed(&e))?;
            let count = service.stored_keks().await.map_err(|e| failed(&e))?.len();
            let keys = keys(here, &service, &key).await?;
            let age = SystemClock.unix_ms().saturating_sub(snapshot.at_ms) / 1_000;
            let found = json!({
                "verdict": if keys.is_good { "good" } else { "keys do not open" },
                "sha256": HEXLOWER.encode(&sha256),
                "origin": snapshot.origin, "at": timestamp(snapshot.at_ms), "age_seconds": age,
                "entries": log.entries, "checkpoints": log.checkpoints, "commits": snapshot.commits, "keks": count,
                "verified_by": by, "keys": keys.text,
            });
            here.print(&found, |_| told(&snapshot, age, &found, &keys.text));
            Ok(ExitCode::from(u8::from(!keys.is_good)))
        })
    }
}

/// Tries the KEKs against the home's token, where there is one that nothing serves.
async fn keys(here: &Here, service: &Service, key: &VerifierKey) -> Result<Keys, Failure> {
    let untried = |why: &str| Ok(Keys { text: format!("no key was tried: {why}"), is_good: true });
    let Ok(config) = Config::load(&here.home) else { return untried("there is no home here") };
    if config.audit.log != key.name() {
        return untried("the home is another one's");
    }
    let path = std::fs::canonicalize(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
    let Ok(_lock) = home::lock(&path) else { return untried("the home's token is in use by a service") };
    let home = Home { path: &path, config: &config };
    let mut attached = home.attach(service).await?;
    if attached.greeting.keys.audit != *key.public_key() {
        attached.detach(service).await;
        return Ok(Keys { text: "the home's token is not the one that signed this log".to_owned(), is_good: false });
    }
    let (mut good, mut bad) = (0_u64, Vec::new());
    for kek in service.stored_keks().await.map_err(|e| Failure::new(1, e.to_string()))? {
        match home.tried(&kek, service, &mut attached).await? {
            Tried::Opens => good = good.saturating_add(1),
            Tried::Unused => {}
            Tried::Fails | Tried::Rootless => bad.push(format!("{}/{}", kek.tenant, kek.version)),
        }
    }
    attached.detach(service).await;
    let text = if bad.is_empty() {
        format!("something under each of {good} KEKs was opened in the token")
    } else {
        format!("what is under these KEKs does not open: {}; a restore leaves it out", bad.join(", "))
    };
    Ok(Keys { text, is_good: bad.is_empty() })
}

fn told(snapshot: &Snapshot, age_seconds: u64, found: &serde_json::Value, keys: &str) -> String {
    let number = |name: &str| found.get(name).map(ToString::to_string).unwrap_or_default();
    let words = |name: &str| found.get(name).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
    let (verdict, by, sha256) = (words("verdict"), words("verified_by"), words("sha256"));
    format!(
        "{verdict}: a backup of {}, taken {}, {} hours old\nSHA-256 {sha256}: compare it with the audit entry \
         `backup.make`\nthe log verifies by {by}: {} entries, {} checkpoints\n{keys}",
        snapshot.origin,
        timestamp(snapshot.at_ms),
        age_seconds / 3_600,
        number("entries"),
        number("checkpoints"),
    )
}
