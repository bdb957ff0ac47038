//! `claviger stop` and `claviger resume`.

use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here};

#[derive(Debug, Args)]
pub(super) struct Scope {
    /// Everything: the kill switch.
    #[arg(long, group = "scope")]
    all: bool,
    /// A venue.
    #[arg(long, group = "scope")]
    venue: Option<String>,
    /// An app.
    #[arg(long, group = "scope")]
    app: Option<String>,
    /// A tenant; with --owner, one owner of it.
    #[arg(long)]
    tenant: Option<String>,
    /// An owner of the tenant.
    #[arg(long, group = "scope", requires = "tenant")]
    owner: Option<String>,
}

impl Scope {
    pub(super) fn body(&self) -> Result<Value, Failure> {
        Ok(match (self.all, &self.venue, &self.app, &self.tenant, &self.owner) {
            (true, ..) => json!({ "kind": "all" }),
            (_, Some(venue), ..) => json!({ "kind": "venue", "id": venue }),
            (_, _, Some(app), ..) => json!({ "kind": "app", "id": app }),
            (_, _, _, Some(tenant), Some(owner)) => json!({ "kind": "owner", "tenant": tenant, "id": owner }),
            (_, _, _, Some(tenant), None) => json!({ "kind": "tenant", "tenant": tenant }),
            _ => return Err(Failure::new(2, "say what: --all, --venue, --app, --tenant, or --tenant and --owner")),
        })
    }

    /// One credential of the tenant that it names.
    pub(super) fn of_credential(&self, id: &str) -> Value {
        json!({ "kind": "credential", "tenant": self.tenant, "id": id })
    }
}

#[derive(Debug, Args)]
pub(super) struct Stop {
    #[command(flatten)]
    scope: Scope,
    /// Let cancels, closing orders and reads through.
    #[arg(long)]
    reduce_only: bool,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    reason: String,
}

impl Stop {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let state = if self.reduce_only { "reduce-only" } else { "frozen" };
        let body = json!({ "scope": self.scope.body()?, "state": state, "reason": self.reason });
        let done = here.call(Call::post("/api/v1/stops", &body))?.json();
        here.print(&done, super::credentials::stopped);
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Resume {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    consent: Consent,
}

impl Resume {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let body = json!({ "scope": self.scope.body()? });
        let (method, path) = (Method::POST, "/api/v1/stops/resume");
        perform(here, Route { method, path, body, if_match: None, irreversible: false }, &self.consent)
    }
}
