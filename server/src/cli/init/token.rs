//! What is done with the token at the home's own wish, each in a process that has the PIN.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{fs, io};

use claviger_core::clock::{Clock, SystemClock};
use claviger_core::keeper::checkpoints::plant;
use claviger_core::secret::Plaintext;
use claviger_core::token::TokenError;
use claviger_hsm::provision::{self, ProvisionError};
use claviger_hsm::{Module, OpenError, SlotSelector};
use data_encoding::BASE64URL_NOPAD;

use super::super::{Failure, doctor};
use crate::boot::{self, KeeperBoot};
use crate::config::Config;
use crate::{keeper, telemetry};

/// What it says when the token was not made.
pub(in crate::cli) const NO_TOKEN: &str = "the token could not be made";

/// Why something was not done with the token.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Undone {
    #[error(transparent)]
    Token(#[from] ProvisionError),
    #[error("{0}")]
    Other(String),
}

impl From<OpenError> for Undone {
    fn from(error: OpenError) -> Self {
        Self::Token(error.into())
    }
}

impl From<String> for Undone {
    fn from(text: String) -> Self {
        Self::Other(text)
    }
}

impl Undone {
    fn code(&self) -> ExitCode {
        if let Self::Token(ProvisionError::Open(OpenError::Token(TokenError::PinRefused(_)))) = self {
            ExitCode::from(keeper::exit::PIN_REFUSED)
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Has a process of its own, named by `role`, do something with the token: a module's configuration is its environment.
/// A PIN that the token refuses is marked.
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
    // What ends it at the terminal is for its parent to hear: half of its work is worse than all or nothing of it.
    command.process_group(0);
    if let Some(conf) = &config.hsm.softhsm_conf {
        command.env("SOFTHSM2_CONF", home.join(conf));
    }
    let mut child = command.spawn().map_err(failed)?;
    let boot = KeeperBoot { home: home.to_owned(), config: config.clone(), foreign_file: home.join("claviger.redb") };
    if let Some(mut pipe) = child.stdin.take() {
        boot::hand_over(&mut pipe, &boot, pin).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    doctor::mark_refused(home, config, status.code());
    Err(Failure::new(69, format!("{failing} (see above)")))
}

/// The process that [`provision_child`] starts.
pub(in crate::cli) fn provision() -> ExitCode {
    provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module)?;
        make_token(&module, boot, pin)
    })
}

/// The same, for the keys that a token of an earlier version lacks.
pub(in crate::cli) fn add_keys() -> ExitCode {
    provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module)?;
        let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
        Ok(provision::add_caller_keys(&module, &selector, &keeper::pin_of(pin))?)
    })
}

pub(in crate::cli) fn provisioned(work: impl FnOnce(&KeeperBoot, &Plaintext) -> Result<(), Undone>) -> ExitCode {
    telemetry::init("warn");
    let done = boot::stdin().map_err(|e| e.to_string().into()).and_then(|fd| {
        let (boot, pin) = boot::take_over(&mut fs::File::from(fd)).map_err(|e| e.to_string())?;
        work(&boot, &pin)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("claviger: {error}");
            error.code()
        }
    }
}

/// Makes a token that is in use.
pub(in crate::cli) fn make_token(module: &Module, boot: &KeeperBoot, user_pin: &Plaintext) -> Result<(), Undone> {
    let mut random = [0; 18];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| "no random numbers".to_owned())?;
    // A soft token's security officer can do nothing that its files do not allow anyway: nobody keeps this PIN.
    let so_pin = claviger_hsm::Pin::from(BASE64URL_NOPAD.encode(&random));
    let label = &boot.config.hsm.token_label;
    let pin = keeper::pin_of(user_pin);
    provision::init_token(module, label, &so_pin, &pin)?;
    let selector = SlotSelector::Label(label.clone());
    provision::create_keys(module, &selector, &pin)?;
    planted(module, boot, user_pin)
}

/// Gives a token its first checkpoint: from then on it is in use.
pub(in crate::cli) fn planted(module: &Module, boot: &KeeperBoot, pin: &Plaintext) -> Result<(), Undone> {
    let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
    let hsm = module.open(&selector, keeper::pin_of(pin))?;
    let mut session = hsm.session().map_err(|e| e.to_string())?;
    let planted = plant(&mut session, &boot.config.audit.log, SystemClock.unix_ms());
    planted.map(drop).map_err(|e| e.to_string().into())
}
