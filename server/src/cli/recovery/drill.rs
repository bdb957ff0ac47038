//! `claviger recovery drill`: what a recovery rests on, tried without changing anything.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use claviger_core::audit::{VerifierKey, timestamp};
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::recovery::opens;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::super::Failure;
use super::super::client::{Call, Here};
use super::shares::gathered;
use crate::config::Config;
use crate::recovery::{self, Place};
use crate::sandbox;

/// The file is at most so much older than the store, milliseconds.
const BEHIND_MS: u64 = 60_000;

#[derive(Debug, Args)]
pub(in super::super) struct Drill {
    /// The recovery file; else where the configuration says.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The log's verifier key; else the service is asked for it, and whether the file is as new as it should be.
    #[arg(long)]
    key: Option<String>,
    /// A file with a share; once for each. With enough of them every wrap is opened.
    #[arg(long)]
    share: Vec<PathBuf>,
}

impl Drill {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        sandbox::harden_common().map_err(|e| Failure::new(1, e.to_string()))?;
        let key = match &self.key {
            Some(key) => key.clone(),
            None => String::from_utf8_lossy(&here.call(Call::get("/api/v1/audit/key"))?.body).into_owned(),
        };
        let key: VerifierKey = key.trim().parse().map_err(|e| Failure::new(2, format!("--key: {e}")))?;
        let file = if let Some(file) = &self.file {
            file.clone()
        } else {
            let config = Config::load(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
            Place::of(&here.home, &config.recovery).newest()
        };
        let (contents, wraps) = recovery::read(&file, &key).map_err(|why| Failure::new(1, why))?;
        let mut faults = Vec::new();
        if self.key.is_none() {
            faults.extend(behind(&here.call(Call::get("/api/v1/recovery"))?.json(), contents.generation));
        }
        let mut opened = None;
        if !self.share.is_empty() {
            let private = gathered(&self.share, &contents.key)?;
            let bad: Vec<_> = wraps.iter().filter(|(id, wrap)| !opens(&private, id, wrap)).collect();
            faults.extend(bad.iter().map(|(id, _)| format!("the wrap {} does not open", HEXLOWER.encode(id))));
            opened = Some(wraps.len().saturating_sub(bad.len()));
        }
        let age = SystemClock.unix_ms().saturating_sub(contents.at_ms) / 1_000;
        let found = json!({
            "verdict": if faults.is_empty() { "good" } else { "not to be relied on" },
            "set": HEXLOWER.encode(&contents.key.set), "generation": contents.generation,
            "written": timestamp(contents.at_ms), "age_seconds": age, "wraps": wraps.len(), "opened": opened,
            "faults": faults,
        });
        here.print(&found, |found| {
            let verdict = found.get("verdict").and_then(Value::as_str).unwrap_or_default();
            let tried = match opened {
                Some(opened) => format!("{opened} of {} wraps were opened", wraps.len()),
                None => format!("{} wraps; none was opened, no share was given", wraps.len()),
            };
            let lines = [format!("{verdict}: signed, written {} ({age} s ago)", timestamp(contents.at_ms)), tried];
            lines.into_iter().chain(faults.iter().cloned()).collect::<Vec<_>>().join("\n")
        });
        Ok(ExitCode::from(u8::from(!faults.is_empty())))
    }
}

/// What the service says against the file: that wraps were written a while ago which it lacks, or that some are missing.
fn behind(status: &Value, generation: u64) -> Vec<String> {
    let number = |name: &str| status.get(name).and_then(Value::as_u64);
    let mut faults = Vec::new();
    if number("lacking").is_some_and(|lacking| lacking > 0) {
        faults.push("some rows have no wrap: `claviger recovery status` names them".to_owned());
    }
    let written = status.get("written_at").and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let is_late = written.is_none_or(|at| {
        let at_ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
        SystemClock.unix_ms().saturating_sub(at_ms) > BEHIND_MS
    });
    if number("generation").is_some_and(|now| now > generation) && is_late {
        faults.push("it lacks what was sealed more than a minute ago".to_owned());
    }
    faults
}
