//! `claviger credential`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Failure;
use super::client::{Call, Here, field, table};

#[derive(Debug, Subcommand)]
pub(super) enum Credential {
    /// Lists a tenant's credentials.
    List {
        /// The tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Where to go on: `next_cursor` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Shows one.
    Show(One),
    /// Gives a key that was made in the token its key id, proves it and takes it into use.
    Activate(Activate),
    /// Freezes one.
    Freeze(Act),
    /// Lets only cancels, closing orders and reads through.
    ReduceOnly(Act),
    /// Revokes one, for ever.
    Revoke(Act),
    /// Makes a frozen one active again.
    Unfreeze(Act),
    /// Replaces its key.
    Rotate(Rotate),
    /// Deletes one: nothing of it is kept.
    Delete(Act),
    /// Asks the venue again what the key may do.
    Probe(One),
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The credential.
    id: String,
    /// The tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
}

#[derive(Debug, Args)]
pub(super) struct Act {
    #[command(flatten)]
    one: One,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    reason: String,
    /// For what cannot be undone: the credential's id again, instead of being asked for it.
    #[arg(long)]
    confirm: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    one: One,
    /// The new key id.
    #[arg(long)]
    key_id: String,
    /// A file with the new secret; else standard input.
    #[arg(long)]
    secret_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Activate {
    #[command(flatten)]
    one: One,
    /// The key id that the venue gave for the public key.
    #[arg(long)]
    key_id: String,
}

impl One {
    fn path(&self, act: &str) -> String {
        format!("/api/v1/tenants/{}/credentials/{}{act}", self.tenant, self.id)
    }

    /// The version that is acted on.
    fn tag(&self, here: &Here) -> Result<Option<String>, Failure> {
        Ok(here.call(Call::get(&self.path("")))?.etag)
    }
}

impl Act {
    fn confirmed(&self) -> Result<(), Failure> {
        let typed = if let Some(typed) = &self.confirm {
            typed.clone()
        } else {
            eprintln!("this cannot be undone. Type the credential's id to go on:");
            let mut line = String::new();
            let _ = std::io::stdin().read_line(&mut line);
            line.trim().to_owned()
        };
        if typed == self.one.id {
            Ok(())
        } else {
            Err(Failure::new(2, "that is not its id; nothing was done (--confirm ID answers without being asked)"))
        }
    }

    fn post(&self, here: &Here, act: &str, if_match: Option<String>) -> Result<Value, Failure> {
        let path = self.one.path(act);
        let call = Call { if_match, ..Call::post(&path, &json!({ "reason": self.reason })) };
        Ok(here.call(call)?.json())
    }
}

impl Credential {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::List { tenant, cursor } => {
                let cursor = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
                let path = format!("/api/v1/tenants/{tenant}/credentials?limit=200{cursor}");
                let list = here.call(Call::get(&path))?.json();
                let fields =
                    ["id", "label", "owner", "venue", "mode", "state", "health", "version", "hint", "created_at"];
                here.print(&list, |list| table(list, &fields));
            }
            Self::Show(one) => here.print(&here.call(Call::get(&one.path("")))?.json(), shown),
            Self::Probe(one) => here.print(&here.call(Call::post(&one.path("/probe"), &json!({})))?.json(), shown),
            Self::Activate(Activate { one, key_id }) => {
                let (path, body) = (one.path("/activate"), json!({ "key_id": key_id }));
                here.print(&here.call(Call::post(&path, &body))?.json(), shown);
            }
            Self::Freeze(act) => here.print(&act.post(here, "/freeze", None)?, stopped),
            Self::ReduceOnly(act) => here.print(&act.post(here, "/reduce-only", None)?, stopped),
            Self::Revoke(act) => {
                act.confirmed()?;
                here.print(&act.post(here, "/revoke", None)?, stopped);
            }
            Self::Unfreeze(act) => {
                let tag = act.one.tag(here)?;
                here.print(&act.post(here, "/unfreeze", tag)?, shown);
            }
            Self::Rotate(rotate) => {
                let path = rotate.one.path("/rotate");
                let body = json!({ "key_id": rotate.key_id });
                let body: Zeroizing<Vec<u8>> = super::enroll::with_secret(&body, rotate.secret_file.as_deref())?;
                let call =
                    Call { body: Some(body), if_match: rotate.one.tag(here)?, ..Call::post(&path, &Value::Null) };
                here.print(&here.call(call)?.json(), shown);
            }
            Self::Delete(act) => {
                act.confirmed()?;
                let path = act.one.path("");
                let call = Call {
                    method: Method::DELETE,
                    if_match: act.one.tag(here)?,
                    ..Call::post(&path, &json!({ "reason": act.reason }))
                };
                here.print(&here.call(call)?.json(), stopped);
            }
        }
        Ok(())
    }
}

fn shown(value: &Value) -> String {
    let Some(fields) = value.as_object() else { return String::new() };
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name:<14} {text}"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            format!("{name:<14} {value}")
        }
    };
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a stop did.
pub(super) fn stopped(value: &Value) -> String {
    let flying = value.get("in_flight").and_then(Value::as_array).map_or(0, Vec::len);
    let done = format!("{} is {}; {flying} requests are on their way", field(value, "scope"), field(value, "state"));
    match field(value, "at_venue") {
        "" => done,
        at_venue => format!("{done}\n{at_venue}"),
    }
}
