//! `claviger kek`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::json;

use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, table};
use super::rotation::{Begin, How, Rotation};
use super::{Failure, own_kek};

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
        #[command(flatten)]
        begin: Begin,
    },
    /// Prints the key that a tenant wraps its own KEK to, and the command that does it.
    ImportKey {
        #[command(flatten)]
        of: Tenant,
    },
    /// Brings the tenant's own KEK, wrapped to the import key: a new one, or the one that was taken away.
    Import {
        /// The wrapped KEK.
        file: PathBuf,
        #[command(flatten)]
        of: Tenant,
        #[command(flatten)]
        how: How,
    },
    /// Takes the tenant's own KEK away: nothing of the tenant is signed until it is brought again.
    Withdraw {
        /// Why, for the audit log.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        of: Tenant,
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
        rows_per_second: Option<NonZeroU32>,
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
                here.print(&list, |list| {
                    table(list, &["version", "rows", "newest", "root", "origin", "withdrawn", "wraps_left"])
                });
                Ok(())
            }
            Self::Rotate { of, begin } => of.rotation().begin(here, begin),
            Self::ImportKey { of } => own_kek::import_key(here, &of.path(&["import-key"])),
            Self::Import { file, of, how } => own_kek::import(here, &of.path(&["import"]), file, how, &of.rotation()),
            Self::Withdraw { reason, of } => own_kek::withdraw(here, &of.path(&["withdraw"]), reason),
            Self::Watch { of } => of.rotation().watch(here),
            Self::Pause { of } => of.rotation().pause(here),
            Self::Resume { of } => of.rotation().resume(here),
            Self::Pace { of, rows_per_second } => of.rotation().pace(here, *rows_per_second),
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

    fn rotation(&self) -> Rotation {
        Rotation { begin: self.path(&["rotate"]), newest: self.path(&["rotation"]), makes: "version " }
    }
}
