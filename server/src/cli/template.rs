//! `claviger template`: the words of notices to owners.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Call, Here, api_path, field};

#[derive(Debug, Subcommand)]
pub(super) enum Template {
    /// Shows all of a tenant's, with what they can name.
    List {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Gives a notice words of the tenant's own.
    Set {
        #[command(flatten)]
        one: One,
        /// One line.
        #[arg(long)]
        subject: String,
        /// A file with the plain text.
        #[arg(long)]
        text_file: PathBuf,
    },
    /// Lets a notice have the words again that are built in.
    Reset(One),
}

/// One notice's.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The notice, such as `credential.expiring`.
    notice: String,
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
}

impl One {
    fn path(&self) -> String {
        api_path(&["tenants", &self.tenant, "templates", &self.notice])
    }
}

impl Template {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::List { tenant } => {
                let list = here.call(Call::get(&api_path(&["tenants", tenant, "templates"])))?.json();
                here.print(&list, |list| {
                    let all = list.get("data").and_then(Value::as_array).into_iter().flatten();
                    all.map(shown).collect::<Vec<_>>().join("\n\n")
                });
            }
            Self::Set { one, subject, text_file } => {
                let text = std::fs::read_to_string(text_file)
                    .map_err(|e| Failure::new(2, format!("{}: {e}", text_file.display())))?;
                let (path, body) = (one.path(), json!({ "subject": subject, "text": text }));
                let call = Call { method: Method::PUT, ..Call::post(&path, &body) };
                here.print(&here.call(call)?.json(), shown);
            }
            Self::Reset(one) => {
                let path = one.path();
                let call = Call { method: Method::DELETE, ..Call::get(&path) };
                here.print(&here.call(call)?.json(), shown);
            }
        }
        Ok(())
    }
}

fn shown(words: &Value) -> String {
    let own = if words.get("own") == Some(&Value::Bool(true)) { "the tenant's own" } else { "built in" };
    let names = words.get("placeholders").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<_> = names.map(|name| format!("{{{name}}}")).collect();
    let [topic, subject, text] = ["topic", "subject", "text"].map(|name| field(words, name));
    format!("{topic} ({own}); {}\nSubject: {subject}\n\n{}", names.join(" "), text.trim_end())
}
