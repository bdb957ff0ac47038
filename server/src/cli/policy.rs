//! `claviger policy`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use claviger_core::policy::{Document, Policy as Rules, Request};
use claviger_core::service::{Difference, differences};
use claviger_core::view::{DifferenceView, TrialView};
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, field, listed, table};
use crate::api::RecordHeader;

#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Lists a tenant's policies.
    List {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Prints a version's document.
    Show {
        /// The version.
        version: u32,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Stores a document as a new version; it decides nothing until it is activated.
    Put {
        /// The document, TOML.
        file: PathBuf,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Puts a version into force; a looser one waits for a second operator.
    Activate {
        /// The version.
        version: u32,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Writes what was asked lately to stdout, for `test`.
    Requests {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Shows which decisions a document would change. It needs no server.
    Test {
        /// The proposed document, TOML.
        file: PathBuf,
        /// What `claviger policy requests` wrote.
        #[arg(long)]
        against: PathBuf,
    },
}

impl Policy {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::List { tenant } => {
                let list = here.call(Call::get(&listed(&["tenants", tenant, "policies"], None)))?.json();
                here.print(&list, |list| table(list, &["version", "in_force", "rules", "by", "created_at"]));
            }
            Self::Show { version, tenant } => {
                let shown =
                    here.call(Call::get(&api_path(&["tenants", tenant, "policies", &version.to_string()])))?.json();
                here.print(&shown, |shown| field(shown, "text").trim_end().to_owned());
            }
            Self::Put { file, tenant } => {
                let body = json!({ "text": read(file)? });
                let stored = here.call(Call::post(&api_path(&["tenants", tenant, "policies"]), &body))?.json();
                here.print(&stored, |stored| {
                    let version = stored.get("version").map(Value::to_string).unwrap_or_default();
                    format!("stored as version {version}; put it into force with `claviger policy activate {version}`")
                });
            }
            Self::Activate { version, tenant, consent } => {
                let path = api_path(&["tenants", tenant, "policies", &version.to_string(), "activate"]);
                let (method, body) = (Method::POST, json!({}));
                perform(here, Route { method, path: &path, body, if_match: None, irreversible: false }, consent)?;
            }
            Self::Requests { tenant } => {
                let lines = here.call(Call::get(&api_path(&["tenants", tenant, "policies", "requests"])))?;
                print!("{}", String::from_utf8_lossy(&lines.body));
            }
            Self::Test { file, against } => {
                let trial = tried(&read(file)?, &read(against)?)?;
                let value = serde_json::to_value(&trial).unwrap_or(Value::Null);
                here.print(&value, |_| told(&trial));
            }
        }
        Ok(())
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::new(2, format!("{} cannot be read: {error}", file.display())))
}

/// Decides recorded requests by the policy that stands in their first line, and by the proposed one.
fn tried(proposed: &str, record: &str) -> Result<TrialView, Failure> {
    let bad = |why: String| Failure::new(2, why);
    let mut lines = record.lines();
    let header = lines.next().unwrap_or_default();
    let header: RecordHeader = serde_json::from_str(header)
        .map_err(|error| bad(format!("the first line is not one of `claviger policy requests`: {error}")))?;
    let requests: Vec<Request> = lines
        .enumerate()
        .map(|(n, line)| {
            let number = n.saturating_add(2);
            serde_json::from_str(line).map_err(|error| bad(format!("line {number} is no recorded request: {error}")))
        })
        .collect::<Result<_, _>>()?;
    let document = |text: &str| Document::parse(text).map_err(|error| bad(error.to_string()));
    let (now, then) = (Rules::of(header.version, 0, document(&header.text)?), Rules::of(0, 0, document(proposed)?));
    let found: Vec<Difference> = differences(&requests, &now, &then);
    Ok(TrialView { requests: requests.len(), differences: found.iter().map(DifferenceView::from).collect() })
}

fn told(trial: &TrialView) -> String {
    let line = |one: &DifferenceView| {
        let params: Vec<String> = one.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let what = format!("{} {} {}", one.venue, one.operation, params.join(" "));
        format!("{} {}\n    {what}\n    now:  {}\n    then: {}", one.at, one.app, one.now, one.then)
    };
    let mut lines: Vec<String> = trial.differences.iter().map(line).collect();
    lines.push(format!("{} of {} decisions would change", trial.differences.len(), trial.requests));
    lines.join("\n")
}
