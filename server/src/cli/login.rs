//! `claviger login`.

use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Failure;
use super::client::{Answer, Call, Here, field};
use super::passkey::in_browser;

#[derive(Debug, Args)]
pub(super) struct LogIn {
    /// The operator's name.
    #[arg(long, env = "CLAVIGER_OPERATOR", default_value = "admin")]
    operator: String,
    /// A file with the password; else it is asked for.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// A file with a code of the second factor; else it is asked for where there is one.
    #[arg(long)]
    code_file: Option<PathBuf>,
    /// Asks for a break-glass code instead of a password. It lasts an hour, raises an alarm, and is reviewed by another
    /// operator.
    #[arg(long, conflicts_with_all = ["password_file", "code_file"])]
    break_glass: bool,
    /// By passkey, in a browser: needs no password, and no token.
    #[arg(long, conflicts_with_all = ["password_file", "code_file", "break_glass"])]
    passkey: bool,
}

impl LogIn {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let body = json!({ "operator": self.operator });
        let answer = if self.passkey {
            let begin = Call { device: true, ..Call::post("/api/v1/login/browser", &body) };
            in_browser(here, &here.send(begin, None)?)?
        } else if self.break_glass {
            let code = asked(None, "break-glass code: ")?;
            here.send(Call::with_secrets(Method::POST, "/api/v1/login", &body, &[("break_glass", &code)]), None)?
        } else {
            let password = asked(self.password_file.as_deref(), &format!("password of {}: ", self.operator))?;
            with_code(self.code_file.as_deref(), |code| {
                let mut secrets = vec![("password", password.as_str())];
                secrets.extend(code.map(|code| ("code", code)));
                here.send(Call::with_secrets(Method::POST, "/api/v1/login", &body, &secrets), None)
            })?
        };
        logged_in(here, &answer.json())
    }
}

/// Keeps a login and says how long it lasts.
pub(super) fn logged_in(here: &Here, answer: &Value) -> Result<(), Failure> {
    here.keep_login(answer)?;
    let login = answer.get("login").cloned().unwrap_or(Value::Null);
    here.print(&login, |login| {
        format!("logged in as {} until {}", field(login, "operator"), field(login, "expires_at"))
    });
    Ok(())
}

/// Makes a call, and again with a code where the service asks for one.
pub(super) fn with_code(
    file: Option<&Path>,
    call: impl Fn(Option<&str>) -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    if file.is_none() {
        match call(None) {
            Err(failure) if failure.problem == "code_missing" => {}
            done => return done,
        }
    }
    let code = asked(file, "code (six digits, or a backup code): ")?;
    call(Some(&code))
}

/// A secret from its file, or from the terminal.
pub(super) fn asked(file: Option<&Path>, prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).map(Zeroizing::new),
        None => rpassword::prompt_password(prompt).map(Zeroizing::new),
    };
    let text = text.map_err(|e| {
        let what = file.map_or_else(|| prompt.trim_end_matches(": ").to_owned(), |file| file.display().to_string());
        Failure::new(2, format!("{what}: {e}"))
    })?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}
