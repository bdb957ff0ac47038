//! `claviger credential`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, field, listed, table};

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
        /// Only those that wait for a new key.
        #[arg(long)]
        needs_reenroll: bool,
    },
    /// Shows one.
    Show(One),
    /// Sets when its key is not to be used any more.
    Expire(Expire),
    /// Freezes one until another key was proven for it.
    Reenroll(Act),
    /// Gives a key that was made in the token its key id, proves it and takes it into use.
    Activate(Activate),
    /// Freezes one.
    Freeze(Act),
    /// Lets only cancels, closing orders and reads through.
    ReduceOnly(Act),
    /// Revokes one, for ever.
    Revoke(Act),
    /// Makes a frozen one active again, once a second operator has approved it.
    Unfreeze(Planned),
    /// Lets the next rotation enroll a key with a wider ceiling, once a second operator has approved it.
    Widen(Widen),
    /// Replaces its key.
    Rotate(Rotate),
    /// Deletes one, some time after a second operator has approved it: nothing of it is kept.
    Delete(Planned),
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
pub(super) struct Planned {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, Args)]
pub(super) struct Widen {
    #[command(flatten)]
    planned: Planned,
    /// `read` or `trade`.
    #[arg(long)]
    class: String,
    /// What may be traded: `spot`, `margin`, `derivatives`.
    #[arg(long, value_delimiter = ',')]
    products: Vec<String>,
}

impl Planned {
    fn run(&self, here: &Here, method: Method, act: &str, body: Value) -> Result<(), Failure> {
        let irreversible = method == Method::DELETE;
        let (path, if_match) = (self.one.path(act), self.one.tag(here)?);
        perform(here, Route { method, path: &path, body, if_match, irreversible }, &self.consent)
    }
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
    /// What the new key may be used for, `read` or `trade`, if not what the old one may: wider takes `widen` first.
    #[arg(long)]
    class: Option<String>,
    /// What may be traded: `spot`, `margin`, `derivatives`.
    #[arg(long, value_delimiter = ',', requires = "class")]
    products: Vec<String>,
    /// When the new key is not to be used any more, RFC 3339; without it, never.
    #[arg(long)]
    expires_at: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Expire {
    #[command(flatten)]
    one: One,
    /// When, RFC 3339; without it, never.
    #[arg(long)]
    at: Option<String>,
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
        let one = api_path(&["tenants", &self.tenant, "credentials", &self.id]);
        format!("{one}{act}")
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

    fn post(&self, here: &Here, act: &str) -> Result<Value, Failure> {
        let path = self.one.path(act);
        Ok(here.call(Call::post(&path, &json!({ "reason": self.reason })))?.json())
    }
}

impl Credential {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::List { tenant, cursor, needs_reenroll } => {
                let path = listed(&["tenants", tenant, "credentials"], cursor.as_deref());
                let path = if *needs_reenroll { format!("{path}&needs=reenroll") } else { path };
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
            Self::Expire(Expire { one, at }) => {
                let (path, body) = (one.path(""), json!({ "expires_at": at }));
                let call = Call { method: Method::PATCH, if_match: one.tag(here)?, ..Call::post(&path, &body) };
                here.print(&here.call(call)?.json(), shown);
            }
            Self::Reenroll(act) => here.print(&act.post(here, "/reenroll")?, stopped),
            Self::Freeze(act) => here.print(&act.post(here, "/freeze")?, stopped),
            Self::ReduceOnly(act) => here.print(&act.post(here, "/reduce-only")?, stopped),
            Self::Revoke(act) => {
                act.confirmed()?;
                here.print(&act.post(here, "/revoke")?, stopped);
            }
            Self::Unfreeze(planned) => planned.run(here, Method::POST, "/unfreeze", json!({}))?,
            Self::Widen(Widen { planned, class, products }) => {
                let body = json!({ "ceiling": { "class": class, "products": products } });
                planned.run(here, Method::POST, "/ceiling", body)?;
            }
            Self::Rotate(rotate) => {
                let path = rotate.one.path("/rotate");
                let mut body = json!({ "key_id": rotate.key_id, "expires_at": rotate.expires_at });
                if let (Some(class), Some(body)) = (&rotate.class, body.as_object_mut()) {
                    body.insert("ceiling".to_owned(), json!({ "class": class, "products": rotate.products }));
                }
                let body: Zeroizing<Vec<u8>> = super::enroll::with_secret(&body, rotate.secret_file.as_deref())?;
                let call =
                    Call { body: Some(body), if_match: rotate.one.tag(here)?, ..Call::post(&path, &Value::Null) };
                here.print(&here.call(call)?.json(), shown);
            }
            Self::Delete(planned) => planned.run(here, Method::DELETE, "", json!({}))?,
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
