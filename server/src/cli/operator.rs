//! `claviger operator`: what has to do with operators as such.

use std::path::PathBuf;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Failure;
use super::client::{Call, Here, field};
use super::login::{asked, logged_in};

#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Sets your first password, by the invitation that you were given, and logs you in.
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
    },
}

impl Operator {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let Self::Accept { invitation_file, operator, password_file } = self;
        let text = asked(invitation_file.as_deref(), "invitation: ")?;
        let invitation = invitation(&text, operator.as_deref())?;
        let password = match password_file {
            Some(file) => asked(Some(file), "")?,
            None => new_password()?,
        };
        let secrets = [("invitation", invitation.as_str()), ("password", password.as_str())];
        let call = Call::with_secrets(Method::POST, "/api/v1/factors", &json!({}), &secrets);
        logged_in(here, &here.send(call, None)?.json())
    }
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

/// The invitation itself, or the one of this operator in a list.
fn invitation(text: &str, operator: Option<&str>) -> Result<Zeroizing<String>, Failure> {
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
        assert_eq!(*invitation("clv_invite_x", None).unwrap(), "clv_invite_x");
        assert_eq!(*invitation(list, Some("bob")).unwrap(), "clv_invite_b");
        assert_eq!(invitation(list, None).unwrap_err().code, 2);
        assert_eq!(invitation(list, Some("eve")).unwrap_err().code, 2);
    }
}
