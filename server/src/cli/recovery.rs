//! `claviger recovery`: `status` asks the service; `setup` and `restore` need the home and its token; `drill` needs the
//! file, and with shares shows that it opens.

mod drill;
mod restore;
mod setup;
mod shares;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::Failure;
use super::client::{Call, Here, field};

pub(super) use restore::{DRY_RUN, adopt, new_token};
pub(super) use setup::{Cut, certify, make};

#[derive(Debug, Subcommand)]
pub(super) enum Recovery {
    /// Makes the recovery key and its shares, while nothing serves.
    Setup(setup::Setup),
    /// Says whether everything could be recovered, and how old the recovery file is.
    Status,
    /// Tries the recovery file: its signature, its age, and with shares every wrap in it.
    Drill(drill::Drill),
    /// Brings everything back on a new token, by recovery file and shares, while nothing serves.
    Restore(restore::Restore),
}

impl Recovery {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        match self {
            Self::Setup(setup) => setup.run(here)?,
            Self::Status => {
                let status = here.call(Call::get("/api/v1/recovery"))?.json();
                here.print(&status, shown);
            }
            Self::Drill(drill) => return drill.run(here),
            Self::Restore(restore) => restore.run(here)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn shown(status: &Value) -> String {
    let text = |name: &str| field(status, name);
    let mut lines = vec![
        format!(
            "recovery key {}, made {}: {} of {} shares are needed",
            text("set"),
            text("made_at"),
            text("threshold"),
            text("shares")
        ),
        format!("{} rows were looked at {}; {} would not come back", text("rows"), text("looked_at"), text("lacking")),
    ];
    let named = status.get("named").and_then(Value::as_array).into_iter().flatten();
    lines.extend(named.map(|row| format!("  {}: {}", field(row, "what"), field(row, "why"))));
    lines.push(format!(
        "the recovery file was written {}: generation {} of {}",
        text("written_at"),
        text("file_generation"),
        text("generation")
    ));
    lines.join("\n")
}
