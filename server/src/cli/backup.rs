//! `claviger backup`: `make` and `list` ask the service; `verify` and `restore` need the backup and its identity.

mod opened;
mod restore;
mod scratch;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::Failure;
use super::client::{Call, Here, field, table};

pub(super) use opened::{Attached, Home, open_of, service_over};
pub(super) use restore::{DRAFT, REPLACED, accept_restored, spares, subjects, take_place};
pub(super) use scratch::{Removal, left};

#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Makes a backup, and returns when it is durable.
    Make,
    /// Lists the backups that are kept, and what the last look at each found.
    List,
    /// Opens a backup elsewhere, and says whether it is whole and its keys open.
    Verify(verify::Verify),
    /// Puts a backup in the place of a home's store, while nothing serves.
    Restore(restore::Restore),
}

impl Backup {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        match self {
            Self::Make => {
                let made = here.call(Call::post("/api/v1/backups", &json!({})))?.json();
                here.print(&made, |made| {
                    let [name, sha256] = ["name", "sha256"].map(|name| field(made, name));
                    format!("made {name}\nSHA-256 {sha256}")
                });
            }
            Self::List => {
                let list = here.call(Call::get("/api/v1/backups"))?.json();
                here.print(&list, |list| table(list, &["name", "at", "entries", "bytes", "verdict"]));
            }
            Self::Verify(verify) => return verify.run(here),
            Self::Restore(restore) => restore.run(here)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
