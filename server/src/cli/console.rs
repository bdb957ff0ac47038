//! `claviger console`.

use std::sync::Arc;

use clap::Args;
use claviger_admin_tui::{Because, Options, run};

use super::Failure;
use super::client::Here;
use crate::config::{self, Terminal};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Console {
    /// The tenant whose things are shown.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// The operator to log in as, if there is no login yet.
    #[arg(long)]
    operator: Option<String>,
    /// What to show first: `credentials`, `incidents`, or any other name that `:` knows in the console.
    #[arg(long)]
    screen: Option<String>,
    /// Look only.
    #[arg(long)]
    readonly: bool,
    /// Line by line, for screen readers and pipes. Also by `CLAVIGER_PLAIN=1`, and where `TERM` is `dumb`.
    #[arg(long)]
    plain: bool,
    /// Plain characters only.
    #[arg(long)]
    ascii: bool,
    /// No colours. Also by `NO_COLOR`, whatever it is set to.
    #[arg(long)]
    no_color: bool,
}

impl Console {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let keeper = here.clone();
        let keep = move |bearer: &str| match keeper.keep_bearer(bearer) {
            Ok(path) => Ok(path.display().to_string()),
            Err(failure) => Err(failure.text),
        };
        let terminal = config::terminal();
        let options = Options {
            admin: here.admin()?,
            ca_file: here.ca_file()?,
            operator: self.operator.clone(),
            bearer: here.bearer(),
            read_only: self.readonly,
            no_color: self.no_color || terminal.no_color,
            plain: self.plain(terminal),
            ascii: self.ascii,
            tenant: self.tenant.clone(),
            screen: self.screen.clone(),
            keep: Arc::new(keep),
        };
        run(options).map_err(|e| Failure::new(1, format!("{:#}", anyhow::Error::from(e))))
    }

    fn plain(&self, terminal: Terminal) -> Option<Because> {
        match (self.plain, terminal.plain, terminal.is_dumb) {
            (true, ..) => Some(Because::Flag),
            (false, true, _) => Some(Because::Environment),
            (false, false, true) => Some(Because::Terminal),
            (false, false, false) => None,
        }
    }
}
