//! `claviger app`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Call, Here, api_path, field, listed, table};

#[derive(Debug, Subcommand)]
pub(super) enum App {
    /// Makes an app; its secret is shown once.
    Create {
        /// Its name.
        name: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Lists a tenant's apps.
    List {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Shows what an app authenticates with, and when each was last used.
    Show(One),
    /// Secrets: two at most, so that one replaces the other without a gap.
    #[command(subcommand)]
    Secret(Secret),
    /// Public keys that the app signs assertions for (`private_key_jwt`): two at most.
    #[command(subcommand)]
    Key(Registered),
    /// Client certificates (mTLS): two at most.
    #[command(subcommand)]
    Certificate(Registered),
    /// Revokes an app.
    Revoke {
        /// The app.
        #[command(flatten)]
        app: One,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// One app.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The app.
    app: String,
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Secret {
    /// Makes another secret; it is shown once.
    Add(One),
    /// Ends a secret, and the access tokens that were given for it.
    Remove(Removed),
}

#[derive(Debug, Subcommand)]
pub(super) enum Registered {
    /// Registers one.
    Add {
        /// The app.
        #[command(flatten)]
        app: One,
        /// The file: PEM; of a public key also a JWK.
        #[arg(long)]
        file: PathBuf,
    },
    /// Ends one, and the access tokens that were given for it.
    Remove(Removed),
}

#[derive(Debug, Args)]
pub(super) struct Removed {
    /// The app.
    #[command(flatten)]
    app: One,
    /// Its id, `auth_…`, as `claviger app show` has it.
    id: String,
}

impl One {
    fn path(&self, rest: &[&str]) -> String {
        api_path(&[&["tenants", &self.tenant, "apps", &self.app], rest].concat())
    }
}

impl App {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Create { name, tenant } => {
                let path = api_path(&["tenants", tenant, "apps"]);
                let made = here.call(Call::post(&path, &json!({ "name": name })))?.json();
                here.print(&made, |made| {
                    format!("made {}\nsecret (shown once): {}", field(made, "id"), field(made, "secret"))
                });
            }
            Self::List { tenant } => {
                let list = here.call(Call::get(&listed(&["tenants", tenant, "apps"], None)))?.json();
                here.print(&list, |list| table(list, &["id", "name", "created_at", "last_used_at"]));
            }
            Self::Show(app) => {
                let shown = here.call(Call::get(&app.path(&[])))?.json();
                here.print(&shown, authenticators);
            }
            Self::Secret(Secret::Add(app)) => {
                let made = here.call(Call::post(&app.path(&["secrets"]), &json!({})))?.json();
                here.print(&made, |made| {
                    format!("made {}\nsecret (shown once): {}", field(made, "id"), field(made, "secret"))
                });
            }
            Self::Secret(Secret::Remove(removed)) => removed.run(here, "secrets")?,
            Self::Key(Registered::Add { app, file }) => {
                let text = read(file)?;
                let key = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text));
                register(here, &app.path(&["keys"]), &json!({ "public_key": key }))?;
            }
            Self::Key(Registered::Remove(removed)) => removed.run(here, "keys")?,
            Self::Certificate(Registered::Add { app, file }) => {
                register(here, &app.path(&["certificates"]), &json!({ "certificate": read(file)? }))?;
            }
            Self::Certificate(Registered::Remove(removed)) => removed.run(here, "certificates")?,
            Self::Revoke { app, reason } => {
                let done = here.call(Call::post(&app.path(&["revoke"]), &json!({ "reason": reason })))?.json();
                here.print(&done, super::credentials::stopped);
            }
        }
        Ok(())
    }
}

impl Removed {
    fn run(&self, here: &Here, kind: &str) -> Result<(), Failure> {
        let path = self.app.path(&[kind, &self.id]);
        here.call(Call { method: Method::DELETE, ..Call::get(&path) })?;
        println!("{} is ended, and its access tokens are refused", self.id);
        Ok(())
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| Failure::new(2, format!("{}: {e}", file.display())))
}

fn register(here: &Here, path: &str, body: &Value) -> Result<(), Failure> {
    let made = here.call(Call::post(path, body))?.json();
    here.print(&made, |made| format!("registered {}", field(made, "id")));
    Ok(())
}

/// The app's name and its authenticators, one a line.
fn authenticators(app: &Value) -> String {
    let rows = json!({ "data": app.get("authenticators") });
    let columns = ["id", "kind", "alg", "created_at", "last_used_at"];
    format!("{} ({})\n{}", field(app, "id"), field(app, "name"), table(&rows, &columns))
}
