//! `claviger tenant`, `grant`.

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, field, table};

#[derive(Debug, Subcommand)]
pub(super) enum Tenant {
    /// Makes a tenant, with a KEK of its own.
    Create {
        /// Its name.
        name: String,
    },
    /// Lists all tenants.
    List,
    /// Deletes a tenant with everything that is its, some time after a second operator has approved it: frozen at once.
    Delete {
        /// Its id or name.
        tenant: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Shows how far a deletion is, and how many keys are left at which venue.
    Deletion {
        /// The tenant's id: its name is gone.
        tenant: String,
    },
}

impl Tenant {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Create { name } => {
                let made = here.call(Call::post("/api/v1/tenants", &json!({ "name": name })))?.json();
                here.print(&made, |made| format!("made {} ({})", field(made, "id"), field(made, "name")));
            }
            Self::List => {
                let list = here.call(Call::get("/api/v1/tenants?limit=200"))?.json();
                here.print(&list, |list| table(list, &["id", "name", "kek_version", "created_at"]));
            }
            Self::Delete { tenant, consent } => {
                let path = api_path(&["tenants", tenant]);
                let (method, body, if_match) = (Method::DELETE, json!({}), None);
                perform(here, Route { method, path: &path, body, if_match, irreversible: true }, consent)?;
            }
            Self::Deletion { tenant } => {
                let now = here.call(Call::get(&api_path(&["deletions", tenant])))?.json();
                here.print(&now, deletion);
            }
        }
        Ok(())
    }
}

/// How far a deletion is, and a line for each venue.
fn deletion(now: &Value) -> String {
    let count = |name: &str| now.get(name).and_then(Value::as_u64).unwrap_or(0);
    let first = format!(
        "{} is {}: {} credentials, {} virtual keys, {} apps and {} operators are gone",
        field(now, "tenant"),
        if field(now, "state") == "done" { "deleted" } else { "being deleted" },
        count("credentials"),
        count("virtual_keys"),
        count("apps"),
        count("operators"),
    );
    let venues = now.get("venues").and_then(Value::as_array).into_iter().flatten();
    let venues = venues.map(|venue| field(venue, "at_venue").to_owned());
    let after = Some(field(now, "unrecoverable_after")).filter(|after| !after.is_empty());
    let after = after.map(|after| format!("unrecoverable from backups after {after}"));
    std::iter::once(first).chain(after).chain(venues).collect::<Vec<_>>().join("\n")
}

#[derive(Debug, Subcommand)]
pub(super) enum Grant {
    /// Gives an app a grant.
    Create {
        /// The app.
        app: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Operations or classes: `order.place`, `market`, `read`, `trade`.
        #[arg(long, value_delimiter = ',')]
        operations: Vec<String>,
        /// Credentials; all of the tenant's if none is named.
        #[arg(long, value_delimiter = ',')]
        credentials: Vec<String>,
        /// Symbols that orders may name; any if none is named.
        #[arg(long, value_delimiter = ',')]
        symbols: Vec<String>,
        /// Networks that requests may come from; any if none is named.
        #[arg(long, value_delimiter = ',')]
        networks: Vec<String>,
        /// Whether the app may enroll credentials.
        #[arg(long)]
        enroll: bool,
    },
    /// Lists an app's grants.
    List {
        /// The app.
        app: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Takes a grant away.
    Revoke {
        /// The app.
        app: String,
        /// The grant.
        grant: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
}

impl Grant {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Create { app, tenant, operations, credentials, symbols, networks, enroll } => {
                let body = json!({
                    "operations": operations, "credentials": credentials, "symbols": symbols, "networks": networks,
                    "enroll": enroll,
                });
                let path = api_path(&["tenants", tenant, "apps", app, "grants"]);
                let made = here.call(Call::post(&path, &body))?.json();
                here.print(&made, |made| format!("made {}", field(made, "id")));
            }
            Self::List { app, tenant } => {
                let list = here.call(Call::get(&api_path(&["tenants", tenant, "apps", app, "grants"])))?.json();
                here.print(&list, |list| {
                    table(list, &["id", "operations", "credentials", "symbols", "networks", "enroll"])
                });
            }
            Self::Revoke { app, grant, tenant } => {
                let path = api_path(&["tenants", tenant, "apps", app, "grants", grant]);
                let call = Call { method: Method::DELETE, ..Call::get(&path) };
                here.call(call)?;
                println!("{grant} is taken away");
            }
        }
        Ok(())
    }
}
