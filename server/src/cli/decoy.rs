//! `claviger decoy`.

use clap::Subcommand;
use hyper::Method;
use serde_json::json;

use super::Failure;
use super::client::{Call, Here, api_path, field, listed, table};

#[derive(Debug, Subcommand)]
pub(super) enum Decoy {
    /// Makes a decoy; what looks like its secret is shown once.
    Add {
        /// Where it will be planted: the alarm says so.
        label: String,
        /// The venue whose form it has.
        #[arg(long)]
        venue: String,
        /// `ed25519` for a private key in the place of the venue's usual secret.
        #[arg(long)]
        kind: Option<String>,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Lists a tenant's decoys, and how often each was tried.
    List {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Removes a decoy.
    Remove {
        /// The decoy.
        id: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
}

impl Decoy {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Add { label, venue, kind, tenant } => {
                let body = json!({ "label": label, "venue": venue, "kind": kind });
                let made = here.call(Call::post(&api_path(&["tenants", tenant, "decoys"]), &body))?.json();
                here.print(&made, |made| {
                    let first = format!("made {}; plant it: {}", field(made, "id"), field(made, "label"));
                    std::iter::once(first).chain(super::virtual_keys::key_lines(made)).collect::<Vec<_>>().join("\n")
                });
            }
            Self::List { tenant } => {
                let list = here.call(Call::get(&listed(&["tenants", tenant, "decoys"], None)))?.json();
                here.print(&list, |list| {
                    table(list, &["id", "venue", "label", "key_id", "uses", "first_used_at", "last_used_at"])
                });
            }
            Self::Remove { id, tenant } => {
                let path = api_path(&["tenants", tenant, "decoys", id]);
                here.call(Call { method: Method::DELETE, ..Call::get(&path) })?;
                here.print(&json!({ "id": id, "state": "removed" }), |_| format!("removed {id}"));
            }
        }
        Ok(())
    }
}
