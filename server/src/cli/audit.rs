//! `claviger audit`: `export`, `csv` and `key` ask the service; `verify` and `receipt` need nothing but a file and the
//! key.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use claviger_venues::encoding::form;

use super::Failure;
use super::client::{Call, Here};

mod offline;

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
    /// Writes entries as CSV, for a spreadsheet.
    Csv(Csv),
    /// Prints the log's verifier key.
    Key,
    /// Verifies segments, an export, or both, anywhere.
    Verify(offline::Verify),
    /// Verifies the receipt of an execution, anywhere, and says what it proves.
    Receipt(offline::Check),
}

/// Which entries.
#[derive(Debug, Args)]
pub(super) struct Csv {
    /// Where to, with the byte order mark that spreadsheets know UTF-8 by; else standard output, without.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Only this tenant's entries.
    #[arg(long)]
    tenant: Option<String>,
    /// The first entry, by its number.
    #[arg(long)]
    from: Option<u64>,
    /// The first entry that is not wanted any more.
    #[arg(long)]
    to: Option<u64>,
    /// Only what this user did.
    #[arg(long)]
    user: Option<String>,
    /// Only this action; `execution.*` for all of a kind.
    #[arg(long)]
    action: Option<String>,
    /// Only entries written then or later, RFC 3339.
    #[arg(long)]
    since: Option<String>,
    /// Only entries written before, RFC 3339.
    #[arg(long)]
    until: Option<String>,
}

impl Audit {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        match self {
            Self::Export { out, tenant } => {
                let query = form(tenant.as_deref().map(|tenant| ("tenant", tenant)));
                let answer = here.call(Call::get(&format!("/api/v1/audit/export?{query}")))?;
                let written = match out {
                    Some(file) => std::fs::write(file, &answer.body),
                    None => std::io::stdout().write_all(&answer.body),
                };
                written.map_err(|e| Failure::new(1, e.to_string()))?;
            }
            Self::Csv(csv) => csv.write(here)?,
            Self::Key => {
                let answer = here.call(Call::get("/api/v1/audit/key"))?;
                print!("{}", String::from_utf8_lossy(&answer.body));
            }
            Self::Verify(verify) => return verify.run(here),
            Self::Receipt(check) => return check.run(here),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Csv {
    /// Writes page after page, under one head.
    fn write(&self, here: &Here) -> Result<(), Failure> {
        let failed = |e: std::io::Error| Failure::new(1, e.to_string());
        let mut out: Box<dyn Write> = match &self.out {
            Some(file) => {
                let mut file = File::create(file).map_err(failed)?;
                file.write_all("\u{feff}".as_bytes()).map_err(failed)?;
                Box::new(file)
            }
            None => Box::new(std::io::stdout()),
        };
        let (mut next, mut has_head) = (Some(self.path()), false);
        while let Some(path) = next {
            let answer = here.call(Call { accept: Some("text/csv"), ..Call::get(&path) })?;
            // No cell has a line break in it: the head is the first line.
            let head = answer.body.iter().position(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1));
            let from = if has_head { head } else { 0 };
            out.write_all(answer.body.get(from..).unwrap_or_default()).map_err(failed)?;
            (next, has_head) = (answer.next, true);
        }
        Ok(())
    }

    fn path(&self) -> String {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let asked = [
            ("tenant", self.tenant.clone()),
            ("from", number(self.from)),
            ("to", number(self.to)),
            ("user", self.user.clone()),
            ("action", self.action.clone()),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
        ];
        let given = asked.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        format!("/api/v1/audit?{}", form([("limit", "10000")].into_iter().chain(given)))
    }
}
