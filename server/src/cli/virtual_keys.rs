//! `claviger virtual-key`.

use std::path::PathBuf;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Call, Here, api_path, field, listed, table};

#[derive(Debug, Subcommand)]
pub(super) enum VirtualKey {
    /// Makes a virtual key for an app; its secret is shown once.
    Create {
        /// The app whose grants it uses.
        app: String,
        /// The credential that really signs.
        credential: String,
        /// A name for people.
        #[arg(long, default_value = "")]
        label: String,
        /// A file with the client's own public key in PEM, where the venue's clients can sign with one.
        #[arg(long)]
        public_key: Option<PathBuf>,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Lists a tenant's virtual keys.
    List {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Revokes a virtual key, at once and for good.
    Revoke {
        /// The virtual key.
        id: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
}

impl VirtualKey {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Create { app, credential, label, public_key, tenant } => {
                let mut body = json!({ "app": app, "credential": credential, "label": label });
                if let (Some(file), Some(body)) = (public_key, body.as_object_mut()) {
                    let pem = std::fs::read_to_string(file)
                        .map_err(|error| Failure::new(2, format!("{} cannot be read: {error}", file.display())))?;
                    body.insert("public_key".to_owned(), pem.into());
                }
                let made = here.call(Call::post(&api_path(&["tenants", tenant, "virtual-keys"]), &body))?.json();
                here.print(&made, |made| {
                    let first = format!("made {}", field(made, "id"));
                    std::iter::once(first).chain(key_lines(made)).collect::<Vec<_>>().join("\n")
                });
            }
            Self::List { tenant } => {
                let list = here.call(Call::get(&listed(&["tenants", tenant, "virtual-keys"], None)))?.json();
                here.print(&list, |list| table(list, &["id", "app", "credential", "venue", "proof", "label"]));
            }
            Self::Revoke { id, tenant } => {
                let path = api_path(&["tenants", tenant, "virtual-keys", id]);
                here.call(Call { method: Method::DELETE, ..Call::get(&path) })?;
                here.print(&json!({ "id": id, "state": "revoked" }), |_| format!("revoked {id}"));
            }
        }
        Ok(())
    }
}

/// What a client is configured with, a line each.
pub(super) fn key_lines(made: &Value) -> Vec<String> {
    let lines = [
        ("base_path", "base path"),
        ("key_id", "key"),
        ("secret", "secret (shown once)"),
        ("passphrase", "passphrase (shown once)"),
    ];
    let there = lines.iter().filter(|(name, _)| made.get(*name).is_some_and(|value| value != ""));
    there.map(|(name, what)| format!("{what}: {}", field(made, name))).collect()
}
