//! What is done with the token at the home's own wish, each in a process that has the PIN.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{fs, io};

use claviger_core::clock::{Clock, SystemClock};
use claviger_core::keeper::checkpoints::plant;
use claviger_core::secret::Plaintext;
use claviger_hsm::{Module, SlotSelector, provision};
use data_encoding::BASE64URL_NOPAD;

use super::super::Failure;
use crate::boot::{self, KeeperBoot};
use crate::config::Config;
use crate::{keeper, telemetry};

/// What it says when the token was not made.
pub(in crate::cli) const NO_TOKEN: &str = "the token could not be made";

/// Has a process of its own, named by `role`, do something with the token: a module's configuration is its environment.
///
/// # Errors
/// `failing`, which says what was not done, and what to do.
pub(in crate::cli) fn provision_child(
    home: &Path,
    config: &Config,
    pin: &Plaintext,
    role: &str,
    failing: &str,
) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::new(1, format!("{failing} ({e})"));
    let exe = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(exe);
    command.args(["child", role]).env_clear().envs(&config.hsm.environment).stdin(Stdio::piped());
    if let Some(conf) = &config.hsm.softhsm_conf {
        command.env("SOFTHSM2_CONF", home.join(conf));
    }
    let mut child = command.spawn().map_err(failed)?;
    let boot = KeeperBoot { home: home.to_owned(), config: config.clone(), foreign_file: home.join("claviger.redb") };
    if let Some(mut pipe) = child.stdin.take() {
        boot::hand_over(&mut pipe, &boot, pin).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(Failure::new(69, format!("{failing} (see above)"))) }
}

/// The process that [`provision_child`] starts.
pub(in crate::cli) fn provision() -> ExitCode {
    provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module).map_err(|e| e.to_string())?;
        make_token(&module, boot, pin)
    })
}

/// The same, for the keys that a token of an earlier version lacks.
pub(in crate::cli) fn add_keys() -> ExitCode {
    provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module).map_err(|e| e.to_string())?;
        let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
        provision::add_caller_keys(&module, &selector, &keeper::pin_of(pin)).map_err(|e| e.to_string())
    })
}

pub(in crate::cli) fn provisioned(work: impl FnOnce(&KeeperBoot, &Plaintext) -> Result<(), String>) -> ExitCode {
    telemetry::init("warn");
    let done = boot::stdin().map_err(|e| e.to_string()).and_then(|fd| {
        let (boot, pin) = boot::take_over(&mut fs::File::from(fd)).map_err(|e| e.to_string())?;
        work(&boot, &pin)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("claviger: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes a token that is in use.
pub(in crate::cli) fn make_token(module: &Module, boot: &KeeperBoot, user_pin: &Plaintext) -> Result<(), String> {
    let mut random = [0; 18];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| "no random numbers")?;
    // A soft token's security officer can do nothing that its files do not allow anyway: nobody keeps this PIN.
    let so_pin = claviger_hsm::Pin::from(BASE64URL_NOPAD.encode(&random));
    let label = &boot.config.hsm.token_label;
    let pin = keeper::pin_of(user_pin);
    provision::init_token(module, label, &so_pin, &pin).map_err(|e| e.to_string())?;
    let selector = SlotSelector::Label(label.clone());
    provision::create_keys(module, &selector, &pin).map_err(|e| e.to_string())?;
    planted(module, boot, user_pin)
}

/// Gives a token its first checkpoint: from then on it is in use.
pub(in crate::cli) fn planted(module: &Module, boot: &KeeperBoot, pin: &Plaintext) -> Result<(), String> {
    let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
    let hsm = module.open(&selector, keeper::pin_of(pin)).map_err(|e| e.to_string())?;
    let mut session = hsm.session().map_err(|e| e.to_string())?;
    plant(&mut session, &boot.config.audit.log, SystemClock.unix_ms()).map(drop).map_err(|e| e.to_string())
}
