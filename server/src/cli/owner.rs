//! `claviger owner`.

use clap::Subcommand;
use hyper::Method;
use serde_json::json;

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Here, api_path};

#[derive(Debug, Subcommand)]
pub(super) enum Owner {
    /// Erases an owner, some time after a second operator has approved it: stopped at once, then deleted for good.
    Erase {
        /// The tenant's own id for the owner.
        owner: String,
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        #[command(flatten)]
        consent: Consent,
    },
}

impl Owner {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let Self::Erase { owner, tenant, consent } = self;
        let path = api_path(&["tenants", tenant, "owners", owner]);
        let route = Route { method: Method::DELETE, path: &path, body: json!({}), if_match: None, irreversible: true };
        perform(here, route, consent)
    }
}
