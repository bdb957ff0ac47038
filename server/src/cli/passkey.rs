//! `claviger passkey`, and how a command waits for a browser.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Subcommand;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::Failure;
use super::client::{Answer, Call, Here, api_path, field, table};
use super::me::drawn;

/// How often the service is asked what became of it.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Subcommand)]
pub(super) enum Passkey {
    /// Registers one more passkey, in a browser.
    Add {
        /// A name for it.
        #[arg(long, default_value = "passkey")]
        label: String,
    },
    /// Lists your passkeys.
    List,
    /// Removes one. Logins that were made by it go on: end them with `claviger me logins --end`.
    Remove {
        /// Which, as listed.
        id: String,
    },
}

impl Passkey {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        match self {
            Self::Add { label } => {
                let begun = here.call(Call::post("/api/v1/me/passkeys", &json!({ "label": label })))?;
                in_browser(here, &begun)?;
                println!("registered; log in by it: claviger login --passkey");
            }
            Self::List => {
                let own = here.call(Call::get("/api/v1/me/passkeys"))?.json();
                here.print(&own, |own| table(own, &["id", "label", "created_at", "used_at"]));
            }
            Self::Remove { id } => {
                let path = api_path(&["me", "passkeys", id]);
                here.call(Call { method: Method::DELETE, ..Call::get(&path) })?;
                println!("removed {id}");
            }
        }
        Ok(())
    }
}

/// Says where to go on, and waits for it; of a passkey that was made it asks whether it is the person's. What is said goes
/// to the error stream: the answer is for others.
pub(super) fn in_browser(here: &Here, begun: &Answer) -> Result<Answer, Failure> {
    let begun = begun.json();
    let url = field(&begun, "url");
    if std::io::stderr().is_terminal() {
        eprintln!("{}", drawn(url)?);
    }
    let seconds = begun.get("expires_in").and_then(Value::as_u64).unwrap_or_default();
    eprintln!("open {url}\nand compare the code: {}\nwaiting for {seconds} seconds", field(&begun, "user_code"));
    let secrets = [("device_code", field(&begun, "device_code"))];
    let poll = |confirmed| {
        let body = json!({ "confirmed": confirmed });
        let poll = Call::with_secrets(Method::POST, "/api/v1/login/browser/poll", &body, &secrets);
        here.send(poll, here.bearer().filter(|_| confirmed).as_ref().map(|bearer| bearer.as_str()))
    };
    loop {
        let answer = poll(false)?;
        if answer.status == StatusCode::ACCEPTED {
            std::thread::sleep(EVERY);
            continue;
        }
        let made = answer.json();
        if field(&made, "check").is_empty() {
            return Ok(answer);
        }
        return if theirs(&made) { poll(true) } else { Err(Failure::new(2, "nothing was registered")) };
    }
}

/// Asks whether the browser that made a passkey is the person's own.
fn theirs(made: &Value) -> bool {
    let (address, check) = (field(made, "address"), field(made, "check"));
    super::acts::asked(&format!("a browser at {address} made a passkey. Does your page show {check}? [y/N]")) == "y"
}
