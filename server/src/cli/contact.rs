//! `claviger contact`: where owners are told what happens to their keys.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::json;
use zeroize::Zeroizing;

use super::Failure;
use super::client::{Call, Here, api_path, field};
use super::enroll::read_file_or_input;

#[derive(Debug, Subcommand)]
pub(super) enum Contact {
    /// Sets an e-mail address, in place of what was set before, which is told so; it is never shown again.
    Set {
        #[command(flatten)]
        one: One,
        /// A file with the address; else standard input.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Shows since when there is one.
    Show(One),
    /// Removes it, and tells it so.
    Remove(One),
}

/// One credential's.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The credential.
    id: String,
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
}

impl One {
    fn path(&self) -> String {
        api_path(&["tenants", &self.tenant, "credentials", &self.id, "contact"])
    }
}

impl Contact {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Set { one, file } => {
                let (path, address) = (one.path(), address(file.as_deref())?);
                let call = Call::with_secrets(Method::PUT, &path, &json!({}), &[("contact", &address)]);
                here.print(&here.call(call)?.json(), |set| format!("set at {}", field(set, "set_at")));
            }
            Self::Show(one) => {
                let contact = here.call(Call::get(&one.path()))?.json();
                here.print(&contact, |contact| format!("set at {}", field(contact, "set_at")));
            }
            Self::Remove(one) => {
                here.call(Call { method: Method::DELETE, ..Call::get(&one.path()) })?;
                here.print(&json!({ "id": one.id, "state": "removed" }), |_| "removed".to_owned());
            }
        }
        Ok(())
    }
}

/// An address that stands in a file, or comes by standard input.
pub(super) fn address(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let text = read_file_or_input(file);
    let text = text.map_err(|e| Failure::new(2, format!("no address: {e}; name a file with it")))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}
