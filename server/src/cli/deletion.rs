//! `claviger deletion`.

use clap::Subcommand;
use serde_json::Value;

use super::Failure;
use super::client::{Call, Here, field};

#[derive(Debug, Subcommand)]
pub(super) enum Deletion {
    /// Says what was deleted and opens from backups yet, and until when.
    Status,
}

impl Deletion {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Status => {
                let now = here.call(Call::get("/api/v1/deletions"))?.json();
                here.print(&now, told);
                Ok(())
            }
        }
    }
}

fn told(now: &Value) -> String {
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    let rows = |name: &str| now.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let state = if field(now, "state") == "open" { "" } else { "; all tenants move under a new root key" };
    let late = if is_late(now) { ", late: see `root watch`" } else { "" };
    let mut lines = vec![format!("epoch {} ends {}{state}{late}", number(now, "epoch"), field(now, "ends_at"))];
    for mark in rows("unerased") {
        let (count, tenant) = (number(&mark, "rows"), field(&mark, "tenant"));
        lines.push(format!("{tenant}: {count} deleted rows, unrecoverable from backups after {}", after(now)));
    }
    for epoch in rows("waiting") {
        let late = if is_late(&epoch) { ", late: see `root list`" } else { "" };
        let number = number(&epoch, "epoch");
        lines.push(format!("deleted in epoch {number}: unrecoverable from backups after {}{late}", after(&epoch)));
        for tenant in epoch.get("held_by").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            lines.push(format!("  held up by {tenant}: see `kek list` and `kek watch`"));
        }
    }
    for root in rows("destroying") {
        lines.push(format!("root/{root} is being destroyed in the token"));
    }
    lines.join("\n")
}

fn is_late(value: &Value) -> bool {
    value.get("late").and_then(Value::as_bool).unwrap_or(false)
}

fn after(value: &Value) -> &str {
    match field(value, "unrecoverable_after") {
        "" => "no time: backup.keep_days is 0",
        time => time,
    }
}
