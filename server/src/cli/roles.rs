//! `claviger role`.

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, field};

#[derive(Debug, Subcommand)]
pub(super) enum Role {
    /// Lists all roles.
    List,
    /// Shows what a role allows.
    Show {
        /// Its name.
        name: String,
    },
    /// Makes or changes a role; what allows more waits for a second operator.
    Set {
        /// Its name.
        name: String,
        /// What it allows, such as `credential.read`; may be given again.
        #[arg(long = "allow")]
        permissions: Vec<String>,
        /// Shows only credentials and executions that need a look.
        #[arg(long)]
        flagged_only: bool,
        #[command(flatten)]
        consent: Consent,
    },
    /// Removes a role that no operator has.
    Remove {
        /// Its name.
        name: String,
    },
}

impl Role {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::List => {
                let list = here.call(Call::get("/api/v1/roles"))?.json();
                here.print(&list, |list| {
                    let rows = list.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
                    rows.iter().map(|row| field(row, "name").to_owned()).collect::<Vec<_>>().join("\n")
                });
            }
            Self::Show { name } => {
                let role = here.call(Call::get(&api_path(&["roles", name])))?.json();
                here.print(&role, |role| {
                    let permissions = role.get("permissions").and_then(Value::as_array).cloned().unwrap_or_default();
                    permissions.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
                });
            }
            Self::Set { name, permissions, flagged_only, consent } => {
                let body = json!({ "permissions": permissions, "flagged_only": flagged_only });
                let path = api_path(&["roles", name]);
                let route = Route { method: Method::PUT, path: &path, body, if_match: None, irreversible: false };
                perform(here, route, consent)?;
            }
            Self::Remove { name } => {
                here.call(Call { method: Method::DELETE, ..Call::get(&api_path(&["roles", name])) })?;
                println!("removed {name}");
            }
        }
        Ok(())
    }
}
