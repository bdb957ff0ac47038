//! `claviger login`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Failure;
use super::client::{Call, Here, field};

#[derive(Debug, Args)]
pub(super) struct LogIn {
    /// The operator's name.
    #[arg(long, env = "CLAVIGER_OPERATOR", default_value = "admin")]
    operator: String,
    /// A file with the password; else it is asked for.
    #[arg(long)]
    password_file: Option<PathBuf>,
}

impl LogIn {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let password = match &self.password_file {
            Some(file) => std::fs::read_to_string(file).map(|text| text.trim().to_owned()),
            None => rpassword::prompt_password(format!("password of {}: ", self.operator)),
        };
        let password = Zeroizing::new(password.map_err(|e| Failure::new(2, format!("no password: {e}")))?);
        let name = Value::String(self.operator.clone());
        let mut body = Zeroizing::new(json!({ "operator": name }).to_string());
        // Put together by hand, so that no JSON value holds the password.
        body.pop();
        body.push_str(",\"password\":");
        body.push_str(&Zeroizing::new(serde_json::to_string(password.as_str()).unwrap_or_default()));
        body.push('}');
        let mut call = Call::post("/api/v1/login", &Value::Null);
        call.body = Some(Zeroizing::new(body.as_bytes().to_vec()));
        let answer = here.send(call, None)?.json();
        let file = here.login_file();
        let written = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut file| file.write_all(field(&answer, "bearer").as_bytes()));
        written.map_err(|e| Failure::new(1, format!("{}: {e}", file.display())))?;
        let login = answer.get("login").cloned().unwrap_or(Value::Null);
        here.print(&login, |login| format!("logged in as {} until {}", self.operator, field(login, "expires_at")));
        Ok(())
    }
}
