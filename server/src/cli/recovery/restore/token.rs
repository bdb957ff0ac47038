//! The process that makes the token that a restore brings everything to.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use claviger_core::secret::Plaintext;
use claviger_hsm::provision::{self, ProvisionError};
use claviger_hsm::{Module, OpenError, SlotSelector};

use super::super::super::init;
use crate::boot::KeeperBoot;
use crate::keeper;

pub(in crate::cli) fn new_token() -> ExitCode {
    init::provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module)?;
        let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
        match provision::finish_keys(&module, &selector, &keeper::pin_of(pin)) {
            Ok(true) => init::planted(&module, boot, pin),
            Ok(false) => Ok(()),
            Err(ProvisionError::Open(OpenError::NoToken(_))) => match &boot.config.hsm.token_dir {
                Some(tokens) => Ok(beside(boot, pin, &boot.home.join(tokens))?),
                None => init::make_token(&module, boot, pin),
            },
            Err(error) => Err(error.into()),
        }
    })
}

/// Makes a soft token in a folder of its own, and moves it to the others when all its keys are there: `SoftHSM` that is
/// cut off leaves halves of tokens and objects behind which nothing finds again.
fn beside(boot: &KeeperBoot, pin: &Plaintext, tokens: &Path) -> Result<(), String> {
    let named = |e: io::Error| format!("{}: {e}", tokens.display());
    let draft = tokens.with_extension("new");
    match fs::remove_dir_all(&draft) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(named(e)),
        _ => {}
    }
    init::private_directory(&draft).map_err(named)?;
    let mut config = boot.config.clone();
    config.hsm.token_dir = Some(draft.clone());
    if let Some(conf) = &boot.config.hsm.softhsm_conf {
        let text = fs::read_to_string(boot.home.join(conf)).map_err(named)?;
        let others = text.lines().filter(|line| !line.trim_start().starts_with("directories.tokendir"));
        let line = format!("directories.tokendir = {}", draft.display());
        let lines: Vec<&str> = others.chain([line.as_str()]).collect();
        let conf = draft.join("softhsm2.conf");
        init::write(&conf, lines.join("\n").as_bytes()).map_err(named)?;
        config.hsm.softhsm_conf = Some(conf);
    }
    init::provision_child(&boot.home, &config, pin, "provision", init::NO_TOKEN).map_err(|failure| failure.text)?;
    let moved = || {
        for entry in fs::read_dir(&draft)? {
            let made = entry?;
            if made.file_type()?.is_dir() {
                fs::rename(made.path(), tokens.join(made.file_name()))?;
            }
        }
        File::open(tokens)?.sync_all()?;
        fs::remove_dir_all(&draft)
    };
    moved().map_err(named)
}
