//! `claviger audit`: `export` asks the service; `verify` needs nothing but an export and the key.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use claviger_core::audit::verify::{Evidence, Receipt, verify};
use claviger_core::audit::{SignedCheckpoint, VerifierKey};

use super::Failure;
use super::client::{Call, Here};

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Writes the log, or a tenant's part of it, as NDJSON.
    Export {
        /// Where to; else standard output.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Only this tenant's entries, and the hashes of all others.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Prints the newest entries' page as CSV.
    Csv {
        /// The first entry.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Prints the log's verifier key.
    Key,
    /// Verifies an export, anywhere.
    Verify {
        /// The export.
        export: PathBuf,
        /// The verifier key, as text or as a file.
        #[arg(long)]
        key: String,
        /// A signed checkpoint from elsewhere, such as a witness's; more than one may be given.
        #[arg(long)]
        checkpoint: Vec<PathBuf>,
        /// A receipt from an execution's answer, JSON.
        #[arg(long)]
        receipt: Vec<PathBuf>,
    },
}

impl Audit {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        match self {
            Self::Export { out, tenant } => {
                let query = tenant.as_ref().map(|tenant| format!("?tenant={tenant}")).unwrap_or_default();
                let answer = here.call(Call::get(&format!("/api/v1/audit/export{query}")))?;
                let written = match out {
                    Some(file) => std::fs::write(file, &answer.body),
                    None => std::io::stdout().write_all(&answer.body),
                };
                written.map_err(|e| Failure::new(1, e.to_string()))?;
            }
            Self::Csv { from } => {
                let path = format!("/api/v1/audit?limit=10000&from={from}");
                let answer = here.call(Call { accept: Some("text/csv"), ..Call::get(&path) })?;
                std::io::stdout().write_all(&answer.body).map_err(|e| Failure::new(1, e.to_string()))?;
            }
            Self::Key => {
                let answer = here.call(Call::get("/api/v1/audit/key"))?;
                print!("{}", String::from_utf8_lossy(&answer.body));
            }
            Self::Verify { export, key, checkpoint, receipt } => {
                return verified(here, export, key, checkpoint, receipt);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn verified(
    here: &Here,
    export: &PathBuf,
    key: &str,
    checkpoints: &[PathBuf],
    receipts: &[PathBuf],
) -> Result<ExitCode, Failure> {
    let read =
        |file: &PathBuf| std::fs::read_to_string(file).map_err(|e| Failure::new(2, format!("{}: {e}", file.display())));
    let text = std::fs::read_to_string(key).unwrap_or_else(|_| key.to_owned());
    let key: VerifierKey =
        text.trim().parse().map_err(|e| Failure::new(2, format!("--key: {e}; `claviger audit key` prints it")))?;
    let mut evidence = Evidence::default();
    for file in checkpoints {
        // A witness file holds one checkpoint after the other, with an empty line after each.
        let text = read(file)?;
        evidence.checkpoints.extend(notes(&text));
    }
    for file in receipts {
        let receipt: Receipt = serde_json::from_str(&read(file)?)
            .map_err(|e| Failure::new(2, format!("{}: not a receipt: {e}", file.display())))?;
        evidence.receipts.push(receipt);
    }
    let file = File::open(export).map_err(|e| Failure::new(2, format!("{}: {e}", export.display())))?;
    match verify(BufReader::new(file), &key, &evidence) {
        Ok(report) => {
            if here.json {
                println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
            } else {
                for line in report.verdict() {
                    println!("{line}");
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            println!("the log does not verify: {broken} ({})", broken.code());
            Ok(ExitCode::from(1))
        }
    }
}

/// The checkpoints of a file: each ends with its signature lines.
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
        signed |= line.starts_with("\u{2014} ");
        note.push_str(line);
        note.push('\n');
    }
    if signed {
        notes.push(SignedCheckpoint::unverified(note));
    }
    notes
}
