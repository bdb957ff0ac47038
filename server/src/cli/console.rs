//! `claviger console`.

use std::sync::Arc;

use clap::Args;
use claviger_admin_tui::{Options, run};

use super::Failure;
use super::client::Here;

#[derive(Debug, Args)]
pub(super) struct Console {
    /// The tenant whose things are shown.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// The operator to log in as, if there is no login yet.
    #[arg(long)]
    operator: Option<String>,
    /// Look only.
    #[arg(long)]
    readonly: bool,
    /// Plain characters only.
    #[arg(long)]
    ascii: bool,
    /// No colours.
    #[arg(long, env = "NO_COLOR", value_parser = clap::builder::FalseyValueParser::new())]
    no_color: bool,
}

impl Console {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let keeper = here.clone();
        let keep = move |bearer: &str| match keeper.keep_bearer(bearer) {
            Ok(path) => Ok(path.display().to_string()),
            Err(failure) => Err(failure.text),
        };
        let options = Options {
            admin: here.admin()?,
            ca_file: here.ca_file()?,
            operator: self.operator.clone(),
            bearer: here.bearer(),
            read_only: self.readonly,
            no_color: self.no_color,
            ascii: self.ascii,
            tenant: self.tenant.clone(),
            keep: Arc::new(keep),
        };
        run(options).map_err(|e| Failure::new(1, format!("{:#}", anyhow::Error::from(e))))
    }
}
