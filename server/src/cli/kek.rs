//! `claviger kek`.

use std::time::Duration;

use clap::{Args, Subcommand};
use hyper::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, field, table};

/// The bar looks this often how far the rotation is.
const EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct Tenant {
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Kek {
    /// Lists a tenant's KEKs, and how many rows are sealed under each.
    List {
        #[command(flatten)]
        of: Tenant,
    },
    /// Makes a new KEK and moves everything that is sealed under it, while it is used.
    Rotate {
        #[command(flatten)]
        of: Tenant,
        /// Seal every payload anew under a fresh DEK, too.
        #[arg(long)]
        rekey: bool,
        /// Rows a second at most; else as many as the token can.
        #[arg(long)]
        rows_per_second: Option<u32>,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not wait for the end.
        #[arg(long)]
        no_wait: bool,
    },
    /// Shows how far the newest rotation is, until it waits or has ended.
    Watch {
        #[command(flatten)]
        of: Tenant,
    },
    /// Has the rotation wait.
    Pause {
        #[command(flatten)]
        of: Tenant,
    },
    /// Has the rotation go on.
    Resume {
        #[command(flatten)]
        of: Tenant,
    },
    /// Has the rotation go on at another pace.
    Pace {
        #[command(flatten)]
        of: Tenant,
        /// Rows a second at most; else as many as the token can.
        rows_per_second: Option<u32>,
    },
    /// Destroys a version that nothing is sealed under, once a second operator approves it.
    Destroy {
        /// The version.
        version: u32,
        #[command(flatten)]
        of: Tenant,
        #[command(flatten)]
        consent: Consent,
    },
}

impl Kek {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::List { of } => {
                let list = here.call(Call::get(&of.path(&[])))?.json();
                let list = json!({ "data": list });
                here.print(&list, |list| table(list, &["version", "rows", "newest", "root"]));
                Ok(())
            }
            Self::Rotate { of, rekey, rows_per_second, dry_run, no_wait } => {
                let body = json!({ "rekey": rekey, "rows_per_second": rows_per_second });
                let path = of.path(&["rotate"]) + if *dry_run { "?dry_run=true" } else { "" };
                let answer = here.call(Call::post(&path, &body))?.json();
                if *dry_run {
                    here.print(&answer, planned);
                    return Ok(());
                }
                if *no_wait { shown(here, &answer) } else { of.watch(here) }
            }
            Self::Watch { of } => of.watch(here),
            Self::Pause { of } => of.steer(here, &json!({ "state": "paused" })),
            Self::Resume { of } => of.steer(here, &json!({ "state": "running" })),
            Self::Pace { of, rows_per_second } => of.steer(here, &json!({ "rows_per_second": rows_per_second })),
            Self::Destroy { version, of, consent } => {
                let path = of.path(&[&version.to_string()]);
                let (method, body) = (Method::DELETE, json!({}));
                perform(here, Route { method, path: &path, body, if_match: None, irreversible: true }, consent)
            }
        }
    }
}

impl Tenant {
    fn path(&self, rest: &[&str]) -> String {
        api_path(&[&["tenants", self.tenant.as_str(), "keks"], rest].concat())
    }

    fn steer(&self, here: &Here, body: &Value) -> Result<(), Failure> {
        let path = self.path(&["rotation"]);
        let answer = here.call(Call { method: Method::PATCH, ..Call::post(&path, body) })?.json();
        shown(here, &answer)
    }

    /// Draws how far the rotation is; where nobody looks, only its end is printed.
    fn watch(&self, here: &Here) -> Result<(), Failure> {
        let path = self.path(&["rotation"]);
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows  {msg}");
        let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        loop {
            let now = here.call(Call::get(&path))?.json();
            let (done, left) = (number(&now, "done"), number(&now, "left"));
            bar.set_length(done.saturating_add(left));
            bar.set_position(done);
            bar.set_message(speed(&now));
            if field(&now, "state") != "running" {
                bar.finish_and_clear();
                return shown(here, &now);
            }
            std::thread::sleep(EVERY);
        }
    }
}

fn shown(here: &Here, rotation: &Value) -> Result<(), Failure> {
    here.print(rotation, |rotation| {
        let (done, left) = (number(rotation, "done"), number(rotation, "left"));
        let head = format!("version {}: {}", number(rotation, "to"), field(rotation, "state"));
        format!("{head}, {done} rows moved, {left} left  {}", speed(rotation)).trim_end().to_owned()
    });
    let blocked = field(rotation, "state") == "blocked";
    let text = "rows do not open: the audit log names them (alarm.tamper); delete or enroll them anew, then resume";
    if blocked { Err(Failure::new(1, text)) } else { Ok(()) }
}

fn planned(plan: &Value) -> String {
    let eta = plan.get("eta_seconds").and_then(Value::as_u64).map(|left| format!(", about {left} s"));
    let (to, rows) = (number(plan, "to"), number(plan, "rows"));
    format!("version {to} would be made, and {rows} rows would move under it{}", eta.unwrap_or_default())
}

fn speed(rotation: &Value) -> String {
    let rate = rotation.get("rows_per_second").and_then(Value::as_u64).map(|rate| format!("{rate} rows/s"));
    let eta = rotation.get("eta_seconds").and_then(Value::as_u64).map(|left| format!("{left} s left"));
    rate.into_iter().chain(eta).collect::<Vec<_>>().join(", ")
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}
