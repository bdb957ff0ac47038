//! Rotations as they are begun, drawn and steered: those of tenants' KEKs and of the token's root key alike.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use hyper::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Failure;
use super::client::{Call, Here, field};

/// The bar looks this often how far the rotation is.
const EVERY: Duration = Duration::from_secs(2);

/// How a rotation begins.
#[derive(Debug, Args)]
pub(super) struct Begin {
    #[command(flatten)]
    how: How,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// How a rotation goes, and why.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Why, in 10 to 200 characters.
    #[arg(long, default_value = "")]
    reason: String,
    /// Seal every payload anew under a fresh DEK, too.
    #[arg(long)]
    rekey: bool,
    /// Rows a second at most; else as many as the token can.
    #[arg(long)]
    rows_per_second: Option<NonZeroU32>,
    /// Do not wait for the end.
    #[arg(long)]
    no_wait: bool,
}

impl How {
    /// What the API takes.
    pub(super) fn body(&self) -> Value {
        json!({ "rekey": self.rekey, "rows_per_second": self.rows_per_second, "reason": self.reason })
    }
}

/// A rotation that the API has.
#[derive(Debug)]
pub(super) struct Rotation {
    /// Where one is begun.
    pub(super) begin: String,
    /// Where the newest is.
    pub(super) newest: String,
    /// What is before the number of what it makes.
    pub(super) makes: &'static str,
}

impl Rotation {
    pub(super) fn begin(&self, here: &Here, how: &Begin) -> Result<(), Failure> {
        let body = how.how.body();
        let path = self.begin.clone() + if how.dry_run { "?dry_run=true" } else { "" };
        let answer = here.call(Call::post(&path, &body))?.json();
        if how.dry_run {
            here.print(&answer, |plan| self.planned(plan));
            return Ok(());
        }
        self.begun(here, &answer, &how.how)
    }

    /// Shows one that has begun, to its end if that is waited for.
    pub(super) fn begun(&self, here: &Here, answer: &Value, how: &How) -> Result<(), Failure> {
        if how.no_wait { self.shown(here, answer) } else { self.watch(here) }
    }

    /// Draws how far the rotation is; where nobody looks, only its end is printed.
    pub(super) fn watch(&self, here: &Here) -> Result<(), Failure> {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows  {msg}");
        let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        loop {
            let now = here.call(Call::get(&self.newest))?.json();
            let (done, left) = (number(&now, "done"), number(&now, "left"));
            bar.set_length(done.saturating_add(left));
            bar.set_position(done);
            bar.set_message(tenants(&now).into_iter().chain(speed(&now)).collect::<Vec<_>>().join(", "));
            if field(&now, "state") != "running" {
                bar.finish_and_clear();
                return self.shown(here, &now);
            }
            std::thread::sleep(EVERY);
        }
    }

    pub(super) fn pause(&self, here: &Here) -> Result<(), Failure> {
        self.steer(here, &json!({ "state": "paused" }))
    }

    pub(super) fn resume(&self, here: &Here) -> Result<(), Failure> {
        self.steer(here, &json!({ "state": "running" }))
    }

    pub(super) fn pace(&self, here: &Here, rows_per_second: Option<NonZeroU32>) -> Result<(), Failure> {
        self.steer(here, &json!({ "rows_per_second": rows_per_second }))
    }

    fn steer(&self, here: &Here, body: &Value) -> Result<(), Failure> {
        let answer = here.call(Call { method: Method::PATCH, ..Call::post(&self.newest, body) })?.json();
        self.shown(here, &answer)
    }

    fn shown(&self, here: &Here, rotation: &Value) -> Result<(), Failure> {
        here.print(rotation, |rotation| {
            let (done, left) = (number(rotation, "done"), number(rotation, "left"));
            let (made, state) = (number(rotation, "to"), field(rotation, "state"));
            let head = format!("{}{made}: {state}, {done} rows moved, {left} left", self.makes);
            let rest = tenants(rotation).into_iter().chain(speed(rotation)).collect::<Vec<_>>();
            format!("{head}  {}", rest.join(", ")).trim_end().to_owned()
        });
        let blocked = field(rotation, "state") == "blocked";
        let text = "rows do not open: the audit log names them (alarm.tamper); delete or enroll them anew, then resume";
        if blocked { Err(Failure::new(1, text)) } else { Ok(()) }
    }

    fn planned(&self, plan: &Value) -> String {
        let eta = plan.get("eta_seconds").and_then(Value::as_u64).map(|left| format!(", about {left} s"));
        let tenants = plan.get("tenants").and_then(Value::as_u64).map(|count| format!(" of {count} tenants"));
        let (eta, tenants) = (eta.unwrap_or_default(), tenants.unwrap_or_default());
        let (to, rows) = (number(plan, "to"), number(plan, "rows"));
        format!("{}{to} would be made, and {rows} rows{tenants} would move under it{eta}", self.makes)
    }
}

/// How many tenants are done, where there are several.
fn tenants(rotation: &Value) -> Option<String> {
    let done = rotation.get("tenants_done").and_then(Value::as_u64)?;
    Some(format!("{done} of {} tenants", done.saturating_add(number(rotation, "tenants_left"))))
}

fn speed(rotation: &Value) -> Option<String> {
    let rate = rotation.get("rows_per_second").and_then(Value::as_u64).map(|rate| format!("{rate} rows/s"));
    let eta = rotation.get("eta_seconds").and_then(Value::as_u64).map(|left| format!("{left} s left"));
    rate.map(|rate| rate + &eta.map(|eta| format!(", {eta}")).unwrap_or_default())
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}
