//! `claviger operator`: what has to do with operators as such.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Failure;
use super::acts::{Consent, Route, perform};
use super::client::{Call, Here, api_path, field, table};
use super::login::{asked, logged_in};
use super::passkey::in_browser;

#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Sets your first password, by the invitation that you were given, and logs you in; or registers your first passkey.
    Accept {
        /// A file with the invitation, as text or as `init --invitations` wrote it; else it is asked for.
        #[arg(long)]
        invitation_file: Option<PathBuf>,
        /// Your name, where the file has invitations of more than one.
        #[arg(long, env = "CLAVIGER_OPERATOR")]
        operator: Option<String>,
        /// A file with the password; else it is asked for.
        #[arg(long)]
        password_file: Option<PathBuf>,
        /// Registers a passkey, in a browser, instead of a password.
        #[arg(long, conflicts_with = "password_file")]
        passkey: bool,
    },
    /// Lists operators.
    List,
    /// Has an operator made; you and whoever approves it are shown half of the invitation each.
    Add {
        /// The login name.
        name: String,
        /// The name of the role.
        #[arg(long)]
        role: String,
        /// The tenant that they are bound to; else all.
        #[arg(long)]
        tenant: Option<String>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Gives an operator another role; one that allows more waits for a second operator.
    Role {
        /// The operator's id.
        operator: String,
        /// The name of the role.
        role: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Has an operator set password and codes anew; you and whoever approves it are shown half of the invitation each.
    Reset {
        /// The operator's id.
        operator: String,
        #[command(flatten)]
        consent: Consent,
    },
    /// Removes an operator: all their logins end.
    Remove {
        /// The operator's id.
        operator: String,
    },
}

impl Operator {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Accept { invitation_file, operator, passkey: true, .. } => {
                accept_by_passkey(here, &invitation(invitation_file.as_deref(), operator.as_deref())?)
            }
            Self::Accept { invitation_file, operator, password_file, .. } => {
                accept(here, &invitation(invitation_file.as_deref(), operator.as_deref())?, password_file.as_deref())
            }
            Self::List => {
                let list = here.call(Call::get("/api/v1/operators?limit=200"))?.json();
                here.print(&list, |list| table(list, &["id", "name", "role", "tenant", "second_factor"]));
                Ok(())
            }
            Self::Add { name, role, tenant, consent } => {
                let body = json!({ "name": name, "role": role, "tenant": tenant });
                let path = "/api/v1/operators";
                perform(here, Route { method: Method::POST, path, body, if_match: None, irreversible: false }, consent)
            }
            Self::Role { operator, role, consent } => {
                let (path, body) = (api_path(&["operators", operator]), json!({ "role": role }));
                let method = Method::PATCH;
                perform(here, Route { method, path: &path, body, if_match: None, irreversible: false }, consent)
            }
            Self::Reset { operator, consent } => {
                let (path, body) = (api_path(&["operators", operator, "reset"]), json!({}));
                let method = Method::POST;
                perform(here, Route { method, path: &path, body, if_match: None, irreversible: false }, consent)
            }
            Self::Remove { operator } => {
                let path = api_path(&["operators", operator]);
                here.call(Call { method: Method::DELETE, ..Call::get(&path) })?;
                println!("removed {operator}");
                Ok(())
            }
        }
    }
}

fn accept(here: &Here, invitation: &str, password_file: Option<&Path>) -> Result<(), Failure> {
    let password = match password_file {
        Some(file) => asked(Some(file), "")?,
        None => new_password()?,
    };
    let secrets = [("invitation", invitation), ("password", password.as_str())];
    let call = Call::with_secrets(Method::POST, "/api/v1/factors", &json!({}), &secrets);
    logged_in(here, &here.send(call, None)?.json())
}

fn accept_by_passkey(here: &Here, invitation: &str) -> Result<(), Failure> {
    let (path, label) = ("/api/v1/login/browser", json!({ "label": "first" }));
    let begin = Call::with_secrets(Method::POST, path, &label, &[("invitation", invitation)]);
    in_browser(here, &here.send(begin, None)?)?;
    println!("registered; log in by it: claviger login --passkey");
    Ok(())
}

/// A new password, typed twice.
pub(super) fn new_password() -> Result<Zeroizing<String>, Failure> {
    let password = asked(None, "new password: ")?;
    if *asked(None, "once more: ")? == *password {
        Ok(password)
    } else {
        Err(Failure::new(2, "the two are not the same; nothing was changed"))
    }
}

/// The invitation, from its file or from the terminal.
fn invitation(file: Option<&Path>, operator: Option<&str>) -> Result<Zeroizing<String>, Failure> {
    picked(&asked(file, "invitation: ")?, operator)
}

/// The invitation itself, or the one of this operator in a list.
fn picked(text: &str, operator: Option<&str>) -> Result<Zeroizing<String>, Failure> {
    let Ok(Value::Array(rows)) = serde_json::from_str(text) else { return Ok(Zeroizing::new(text.to_owned())) };
    let wanted = |row: &&Value| operator.is_none_or(|name| field(row, "operator") == name);
    let mut found = rows.iter().filter(wanted).map(|row| Zeroizing::new(field(row, "invitation").to_owned()));
    match (found.next(), found.next()) {
        (Some(invitation), None) => Ok(invitation),
        _ => Err(Failure::new(2, "the file has no invitation for you, or several: say who you are with --operator")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_found_in_text_and_list() {
        let list =
            r#"[{"operator": "ada", "invitation": "clv_invite_a"}, {"operator": "bob", "invitation": "clv_invite_b"}]"#;
        assert_eq!(*picked("clv_invite_x", None).unwrap(), "clv_invite_x");
        assert_eq!(*picked(list, Some("bob")).unwrap(), "clv_invite_b");
        assert_eq!(picked(list, None).unwrap_err().code, 2);
        assert_eq!(picked(list, Some("eve")).unwrap_err().code, 2);
    }
}
