//! `claviger doctor`: every check is made, none stops the others, each says what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use claviger_core::secret;
use serde_json::{Value, json};

use super::client::{Call, Here};
use super::{Failure, backup, recovery};
use crate::config::Config;
use crate::recovery::notes;
use crate::{keeper, supervisor};

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Lets the PIN that the token refused be tried again.
    #[arg(long)]
    retry_pin: bool,
    /// Makes the keys that the modes `resident` and `hsm_born` need, in a token that an earlier version made. Nothing may
    /// serve meanwhile.
    #[arg(long)]
    add_keys: bool,
}

struct Check {
    what: &'static str,
    result: Result<String, String>,
}

impl Doctor {
    pub(super) fn run(&self, here: &Here) -> Result<ExitCode, Failure> {
        if self.retry_pin {
            let cleared = supervisor::clear_marker(&here.home).map_err(|e| Failure::new(1, e.to_string()))?;
            let text = if cleared { "the PIN will be tried again" } else { "no PIN was marked as refused" };
            here.print(&json!({ "retry_pin": cleared }), |_| text.to_owned());
            return Ok(ExitCode::SUCCESS);
        }
        if self.add_keys {
            add_keys(&here.home)?;
            here.print(&json!({ "add_keys": true }), |_| "the token has all keys".to_owned());
            return Ok(ExitCode::SUCCESS);
        }
        let checks = checks(here);
        let bad = checks.iter().any(|check| check.result.is_err());
        let value: Vec<Value> = checks
            .iter()
            .map(|check| json!({ "check": check.what, "ok": check.result.is_ok(), "text": text(check) }))
            .collect();
        here.print(&Value::Array(value), |_| {
            let line = |check: &Check| {
                format!("{} {:<14} {}", if check.result.is_ok() { "ok  " } else { "FAIL" }, check.what, text(check))
            };
            checks.iter().map(line).collect::<Vec<_>>().join("\n")
        });
        Ok(ExitCode::from(u8::from(bad)))
    }
}

fn text(check: &Check) -> &str {
    match &check.result {
        Ok(text) | Err(text) => text,
    }
}

fn checks(here: &Here) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut note = |what, result| checks.push(Check { what, result });
    let config = match Config::load(&here.home) {
        Ok(config) => config,
        Err(error) => {
            note("configuration", Err(error.to_string()));
            return checks;
        }
    };
    note("configuration", Ok(format!("{}", here.home.join(crate::config::FILE).display())));
    note("module", exists(&config.hsm.module, "install it, or set hsm.module"));
    note("pin file", private(&here.home.join(&config.hsm.pin_file)));
    note("tls key", private(&here.home.join(&config.tls.key)));
    note("store", exists(&here.home.join("claviger.redb"), "make a home with `claviger init`"));
    note("leftovers", leftovers(&here.home, &config));
    note(
        "memory",
        match secret::backing() {
            Some(secret::Backing::Secret) => Ok("secrets are in memfd_secret memory".to_owned()),
            Some(secret::Backing::Locked) => Ok("secrets are in locked memory".to_owned()),
            _ => Err("memory cannot be locked: raise RLIMIT_MEMLOCK".to_owned()),
        },
    );
    let running = super::home::is_locked(&here.home);
    let answers = here.send(Call::get("/readyz"), None);
    note(
        "service",
        match (running, answers) {
            (_, Ok(reply)) => Ok(with_warnings("it serves", &warnings(&reply.json()))),
            (true, Err(failure)) => Err(failure.text),
            (false, Err(_)) => token(&here.home, &config),
        },
    );
    checks
}

fn exists(path: &Path, hint: &str) -> Result<String, String> {
    if path.exists() { Ok(path.display().to_string()) } else { Err(format!("{} is not there: {hint}", path.display())) }
}

/// What lies open since a command was killed: nothing else removes it but the same command, given again.
fn leftovers(home: &Path, config: &Config) -> Result<String, String> {
    let drafts =
        [backup::DRAFT, recovery::DRY_RUN].map(|name| home.join(name)).into_iter().filter(|path| path.exists());
    let scratch = backup::left(&home.join(&config.backup.folder)).into_iter().map(|(_, path)| path);
    let left: Vec<String> = drafts.chain(scratch).map(|path| path.display().to_string()).collect();
    let recovering = home.join(notes::DRAFT);
    let mut told = Vec::new();
    if !left.is_empty() {
        told.push(format!("left by a command that was killed, unless one is at work: remove {}", left.join(", ")));
    }
    if recovering.exists() {
        let text = format!(
            "{} is of a recovery that was cut off, unless one is at work: give `claviger recovery restore` again",
            recovering.display()
        );
        told.push(text);
    }
    if told.is_empty() {
        return Ok("no command that was killed has left a store behind".to_owned());
    }
    Err(told.join("; "))
}

fn private(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?;
    if metadata.permissions().mode().trailing_zeros() >= 6 {
        Ok(path.display().to_string())
    } else {
        Err(format!("{} can be read by others: chmod 600 it", path.display()))
    }
}

fn warnings(ready: &Value) -> Vec<String> {
    let warnings = ready.get("warnings").and_then(Value::as_array).into_iter().flatten();
    warnings.filter_map(|warning| warning.as_str().map(str::to_owned)).collect()
}

fn with_warnings(text: &str, warnings: &[String]) -> String {
    std::iter::once(text).chain(warnings.iter().map(String::as_str)).collect::<Vec<_>>().join("; ")
}

fn add_keys(home: &Path) -> Result<(), Failure> {
    let config = Config::load(home).map_err(|e| Failure::new(64, e.to_string()))?;
    let home = std::fs::canonicalize(home).map_err(|e| Failure::new(64, e.to_string()))?;
    let _lock = super::home::lock(&home)?;
    let pin = pin(&home, &config).map_err(|text| Failure::new(64, text))?;
    let failing = "the token did not get all keys; what it has already, it keeps";
    super::init::provision_child(&home, &config, &pin, "add-keys", failing)
}

/// The PIN, unless the token refused it before.
pub(super) fn pin(home: &Path, config: &Config) -> Result<secret::Plaintext, String> {
    let file = home.join(&config.hsm.pin_file);
    let pin = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let pin = secret::Plaintext::copy_of(&pin).map_err(|e| e.to_string())?;
    if supervisor::is_marked(home, &pin) {
        return Err(format!(
            "the token refused the PIN in {}: put the right one there, or --retry-pin",
            file.display()
        ));
    }
    Ok(pin)
}

/// Marks the PIN that is in its file, if a process with this exit code ended because the token refused it. Says whether
/// that was why.
pub(super) fn mark_refused(home: &Path, config: &Config, code: Option<i32>) -> bool {
    let is_refused = code == Some(i32::from(keeper::exit::PIN_REFUSED));
    if is_refused && let Ok(pin) = pin(home, config) {
        supervisor::mark(home, &pin);
    }
    is_refused
}

/// With no service running, a keeper of our own tries the token.
fn token(home: &Path, config: &Config) -> Result<String, String> {
    let home = std::fs::canonicalize(home).map_err(|e| e.to_string())?;
    let _lock = super::home::lock(&home).map_err(|(_, text)| text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        // Gone before anything is waited for.
        let keeper = {
            let pin = pin(&home, config)?;
            supervisor::start_keeper_for(&home, config, &pin).map_err(|e| e.to_string())?
        };
        let client = claviger_core::keeper::KeeperClient::default();
        let hello =
            claviger_core::keeper::message::Hello { highest_intent: u64::MAX, checkpoint: None, recovery: None };
        let greeted = client.attach(keeper.link, hello).await;
        let healthy = match greeted {
            Ok(greeting) => match client.use_it() {
                Ok(relief) => {
                    relief.done().await;
                    client.health().await.map(|_worn| greeting.missing)
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        client.detach();
        let code = keeper.ended.await.ok().flatten();
        healthy.map(|missing| with_warnings("nothing serves; the token works", &missing)).map_err(|_| {
            let is_refused = mark_refused(&home, config, code);
            let why =
                if is_refused { "; the token refuses the PIN" } else { ", and the token does not work (see above)" };
            format!("nothing serves{why}")
        })
    })
}
