//! `claviger me`: an operator's own password, codes and logins.

use std::path::PathBuf;

use clap::Subcommand;
use hyper::Method;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::{Value, json};

use super::Failure;
use super::client::{Answer, Call, Here, api_path, field, table};
use super::login::{asked, logged_in, with_code};
use super::operator::new_password;
use super::passkey::in_browser;

#[derive(Debug, Subcommand)]
pub(super) enum Me {
    /// Changes your password. All your logins end, and a new one is made.
    Password {
        /// A file with the password until now; else it is asked for.
        #[arg(long)]
        old_password_file: Option<PathBuf>,
        /// A file with the new one; else it is asked for.
        #[arg(long)]
        new_password_file: Option<PathBuf>,
    },
    /// Proves again who you are: sensitive acts ask for a proof of the last five minutes.
    Proof {
        /// By passkey, in a browser.
        #[arg(long, conflicts_with_all = ["password_file", "code_file"])]
        passkey: bool,
        /// A file with the password; else it is asked for.
        #[arg(long)]
        password_file: Option<PathBuf>,
        /// A file with a code; else it is asked for where there is a second factor.
        #[arg(long)]
        code_file: Option<PathBuf>,
    },
    /// Sets up one-time codes as the second factor: shows a QR code for your phone, and takes a code of it.
    Totp {
        /// Ends them instead.
        #[arg(long)]
        remove: bool,
    },
    /// Shows ten new backup codes, each good for one login without the phone. Older ones are good no more.
    BackupCodes,
    /// Shows five new break-glass codes, each good for one login with nothing else, also while the token is away. Older
    /// ones are good no more.
    BreakGlass,
    /// Lists your logins by device, or ends one.
    Logins {
        /// The login to end.
        #[arg(long)]
        end: Option<String>,
    },
}

impl Me {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Password { old_password_file, new_password_file } => {
                let old = asked(old_password_file.as_deref(), "password until now: ")?;
                let new = match new_password_file {
                    Some(file) => asked(Some(file), "")?,
                    None => new_password()?,
                };
                let secrets = [("old", old.as_str()), ("new", new.as_str())];
                let call = Call::with_secrets(Method::PUT, "/api/v1/me/password", &json!({}), &secrets);
                logged_in(here, &here.call(call)?.json())
            }
            Self::Proof { passkey: true, .. } => {
                in_browser(here, &post(here, "/api/v1/me/proof/browser")?)?;
                println!("proven for five minutes");
                Ok(())
            }
            Self::Proof { password_file, code_file, .. } => {
                let password = asked(password_file.as_deref(), "password: ")?;
                with_code(code_file.as_deref(), |code| {
                    let mut secrets = vec![("password", password.as_str())];
                    secrets.extend(code.map(|code| ("code", code)));
                    here.call(Call::with_secrets(Method::POST, "/api/v1/me/proof", &json!({}), &secrets))
                })?;
                println!("proven for five minutes");
                Ok(())
            }
            Self::Totp { remove: true } => {
                here.call(Call { method: Method::DELETE, body: None, ..Call::get("/api/v1/me/totp") })?;
                println!("one-time codes and backup codes are good no more");
                Ok(())
            }
            Self::Totp { remove: false } => set_up_totp(here),
            Self::BackupCodes => {
                show_codes(here, &post(here, "/api/v1/me/backup-codes")?);
                Ok(())
            }
            Self::BreakGlass => {
                show_codes(here, &post(here, "/api/v1/me/break-glass")?);
                Ok(())
            }
            Self::Logins { end: Some(id) } => {
                let path = api_path(&["me", "logins", id]);
                here.call(Call { method: Method::DELETE, ..Call::get(&path) })?;
                println!("ended {id}");
                Ok(())
            }
            Self::Logins { end: None } => {
                let logins = here.call(Call::get("/api/v1/me/logins"))?.json();
                here.print(&logins, |logins| {
                    table(logins, &["id", "device", "address", "kind", "created_at", "expires_at"])
                });
                Ok(())
            }
        }
    }
}

fn post(here: &Here, path: &str) -> Result<Answer, Failure> {
    here.call(Call { method: Method::POST, ..Call::get(path) })
}

/// The seed goes from the answer to the terminal and nowhere else.
fn set_up_totp(here: &Here) -> Result<(), Failure> {
    let answer = post(here, "/api/v1/me/totp")?.json();
    let url = field(&answer, "url");
    println!("{}\n{url}\nscan this with your authenticator, or type the address into it", drawn(url)?);
    let code = asked(None, "the code that it shows: ")?;
    let secrets = [("code", code.as_str())];
    let call = Call::with_secrets(Method::POST, "/api/v1/me/totp/confirm", &json!({}), &secrets);
    show_codes(here, &here.call(call)?);
    Ok(())
}

/// An address as a QR code.
pub(super) fn drawn(url: &str) -> Result<String, Failure> {
    let code = QrCode::new(url).map_err(|e| Failure::new(1, format!("no QR code: {e}")))?;
    // What is light is drawn: terminals are dark more often than not, and phones want the rest to be darker.
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

fn show_codes(here: &Here, answer: &Answer) {
    here.print(&answer.json(), |answer| {
        let codes = answer.get("codes").and_then(Value::as_array).cloned().unwrap_or_default();
        let lines: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
        format!("{}\nshown once, each good once: write them down, or print them", lines.join("\n"))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_drawn_for_a_terminal() {
        let drawn = drawn("otpauth://totp/Claviger:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines.len() > 15 && lines.iter().all(|line| line.chars().count() == lines[0].chars().count()));
        assert!(drawn.chars().all(|c| " ▀▄█\n".contains(c)));
    }
}
