//! What needs no service: segments, an export or a receipt, the log's key, and any directory.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use claviger_core::audit::note::SIGNATURE;
use claviger_core::audit::segment::is_segment;
use claviger_core::audit::{Archive, Break, Evidence, ProvenReceipt, Receipt, Report, SignedCheckpoint, VerifierKey};
use serde::{Deserialize, Serialize};

use super::super::Failure;
use super::super::client::Here;

/// Segments, an export, or both, and what is held against them.
#[derive(Debug, Args)]
pub(in super::super) struct Verify {
    /// Segments in the order of the log, and an export behind them; or one of both.
    #[arg(required = true)]
    files: Vec<std::path::PathBuf>,
    /// The verifier key, as text or as a file.
    #[arg(long)]
    key: String,
    /// A file with signed checkpoints from elsewhere: a witness's or a sink's; more than one may be given.
    #[arg(long)]
    checkpoint: Vec<std::path::PathBuf>,
    /// A receipt: from an execution's answer, or a proven one; more than one may be given.
    #[arg(long)]
    receipt: Vec<std::path::PathBuf>,
}

/// A receipt of an execution.
#[derive(Debug, Args)]
pub(in super::super) struct Check {
    /// The receipt, as `GET /api/v1/executions/{id}/receipt` gives it.
    receipt: std::path::PathBuf,
    /// The verifier key, as text or as a file.
    #[arg(long)]
    key: String,
}

impl Verify {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        let key = key_of(&self.key)?;
        let mut evidence = Evidence::default();
        for file in &self.checkpoint {
            let text = read(file)?;
            evidence.checkpoints.extend(if text.starts_with('{') { of_sink(&text) } else { notes(&text) });
        }
        for file in &self.receipt {
            let text = read(file)?;
            match ProvenReceipt::parse(text.as_bytes()) {
                Ok(proven) => {
                    evidence.receipts.extend(proven.receipts());
                    evidence.checkpoints.push(proven.checkpoint);
                }
                Err(_) => evidence.receipts.push(answered(file, &text)?),
            }
        }
        let mut archive = Archive::new(&key, &evidence);
        let mut files = self.files.iter().peekable();
        while let Some(path) = files.next() {
            let unread = |e: io::Error| Failure::new(2, format!("{}: {e}", path.display()));
            let mut file = BufReader::new(File::open(path).map_err(unread)?);
            if is_segment(file.fill_buf().map_err(unread)?) {
                if let Err(broken) = archive.add(file) {
                    return Ok(refuted(&format!("{}: {broken}", path.display()), broken.code()));
                }
            } else if files.peek().is_some() {
                return Err(Failure::new(2, format!("{}: not a segment; an export comes last", path.display())));
            } else {
                return Ok(judged(here, archive.verify(file)));
            }
        }
        Ok(judged(here, archive.report()))
    }
}

impl Check {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        let key = key_of(&self.key)?;
        let text = read(&self.receipt)?;
        match ProvenReceipt::parse(text.as_bytes()).and_then(|receipt| receipt.verify(&key)) {
            Ok(report) => Ok(told(here, &report, &report.verdict())),
            Err(unproven) => {
                println!("the receipt does not verify: {unproven} ({})", unproven.code());
                Ok(ExitCode::from(1))
            }
        }
    }
}

fn judged(here: &Here, verified: Result<Report, Break>) -> ExitCode {
    match verified {
        Ok(report) => told(here, &report, &report.verdict()),
        Err(broken) => refuted(&broken.to_string(), broken.code()),
    }
}

fn refuted(why: &str, code: &str) -> ExitCode {
    println!("the log does not verify: {why} ({code})");
    ExitCode::from(1)
}

fn told(here: &Here, report: &impl Serialize, verdict: &[String]) -> ExitCode {
    if here.json {
        println!("{}", serde_json::to_string_pretty(report).unwrap_or_default());
    } else {
        for line in verdict {
            println!("{line}");
        }
    }
    ExitCode::SUCCESS
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| Failure::new(2, format!("{}: {e}", file.display())))
}

fn key_of(key: &str) -> Result<VerifierKey, Failure> {
    let text = std::fs::read_to_string(key).unwrap_or_else(|_| key.to_owned());
    text.trim().parse().map_err(|e| Failure::new(2, format!("--key: {e}; `claviger audit key` prints it")))
}

/// The receipt in an execution's answer.
fn answered(file: &Path, text: &str) -> Result<Receipt, Failure> {
    serde_json::from_str(text).map_err(|e| Failure::new(2, format!("{}: not a receipt: {e}", file.display())))
}

/// The checkpoints among the lines of a sink.
fn of_sink(text: &str) -> Vec<SignedCheckpoint> {
    #[derive(Deserialize)]
    struct Line {
        checkpoint: SignedCheckpoint,
    }
    text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()).map(|line| line.checkpoint).collect()
}

/// The checkpoints of a witness file, one after the other with an empty line after each; each ends with its signature
/// lines.
fn notes(text: &str) -> Vec<SignedCheckpoint> {
    let mut notes = Vec::new();
    let mut note = String::new();
    let mut signed = false;
    for line in text.lines() {
        if line.is_empty() && signed {
            notes.push(SignedCheckpoint::unverified(std::mem::take(&mut note)));
            signed = false;
            continue;
        }
        signed |= line.starts_with(SIGNATURE);
        note.push_str(line);
        note.push('\n');
    }
    if signed {
        notes.push(SignedCheckpoint::unverified(note));
    }
    notes
}
