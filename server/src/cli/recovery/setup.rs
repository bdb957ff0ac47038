//! `claviger recovery setup`: the ceremony in which the recovery key is made and its shares are handed out.
//!
//! The private half is in this process's locked memory until the shares are out, and nowhere after. The token vouches for
//! the public half last, so a ceremony that is broken off changes nothing.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::execution::Origin;
use claviger_core::recovery::{PrivateKey, RecoveryKey, Share, join, split};
use claviger_core::secret::Plaintext;
use claviger_hsm::{Module, SlotSelector};
use data_encoding::HEXLOWER;
use serde_json::json;

use super::super::acts::heard;
use super::super::backup::{Home, service_over};
use super::super::client::Here;
use super::super::init::{self, Undone};
use super::super::{Failure, doctor, home};
use crate::config::Config;
use crate::{keeper, sandbox};

/// The public half, on its way to the process that has the token vouch for it.
const DRAFT: &str = "recovery.new";

#[derive(Debug, Args)]
pub(in super::super) struct Setup {
    #[command(flatten)]
    cut: Cut,
    /// Makes a new key in place of one that there is. What is wrapped already is wrapped anew.
    #[arg(long)]
    replace: bool,
}

/// How a recovery key is cut.
#[derive(Debug, Args)]
pub(in super::super) struct Cut {
    /// How many people get a share, 2 to 32.
    #[arg(long)]
    pub(in super::super) shares: u8,
    /// How many of them are needed.
    #[arg(long)]
    pub(in super::super) threshold: u8,
    /// For scripts: a folder, made for them, that the shares are written to, a file each for its owner only.
    #[arg(long)]
    pub(in super::super) out: Option<PathBuf>,
}

impl Setup {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        sandbox::harden_common().map_err(|e| Failure::new(1, e.to_string()))?;
        let config = Config::load(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let path = fs::canonicalize(&here.home).map_err(|e| Failure::new(64, e.to_string()))?;
        let _lock = home::lock(&path)?;
        let store = path.join("claviger.redb");
        if !store.exists() {
            return Err(Failure::new(4, format!("{} is not there: make a home with `claviger init`", store.display())));
        }
        if !self.replace && kept(&store, &config)?.is_some() {
            let text = "there is a recovery key already; nothing was changed. Give --replace to make another: the shares of \
                        this one are good no more then, but for keys that are resident in the token";
            return Err(Failure::new(5, text));
        }
        let key = make(&path, &config, &self.cut)?;
        let set = HEXLOWER.encode(&key.set);
        let value = json!({ "set": set, "shares": key.commitments.len(), "threshold": key.threshold });
        here.print(&value, |_| {
            format!("the recovery key {set} is set up; start the service, and it wraps what there is within a minute")
        });
        Ok(())
    }
}

/// The key that the store keeps.
fn kept(store: &Path, config: &Config) -> Result<Option<RecoveryKey>, Failure> {
    let runtime = runtime()?;
    let service = service_over(store, &config.audit.log)?;
    runtime.block_on(service.recovery_key()).map_err(|e| Failure::new(1, e.to_string()))
}

/// Makes a key, hands its shares out, and has the token vouch for it. Nothing serves the home meanwhile.
pub(in super::super) fn make(home: &Path, config: &Config, cut: &Cut) -> Result<RecoveryKey, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::new(1, format!("{e}; nothing was changed"));
    try_token(home, config)?;
    let key = {
        let private = PrivateKey::generate().map_err(|e| failed(&e))?;
        let cut_key = split(&private, (cut.shares, cut.threshold), SystemClock.unix_ms());
        let (key, shares) = cut_key.map_err(|e| Failure::new(2, format!("{e}; nothing was changed")))?;
        // Before anybody goes home with them.
        drop(join(&shares, &key).map_err(|e| failed(&e))?);
        hand_out(&config.audit.log, &key, &shares, cut.out.as_deref())?;
        key
    };
    certified(home, config, &key)
        .or_else(|failure| in_doubt(&failure, kept(&home.join("claviger.redb"), config), &key))?;
    Ok(key)
}

/// What the holders of a new key's shares do when the process that had the store keep it has failed: it may have done that
/// before.
fn in_doubt(failure: &Failure, kept: Result<Option<RecoveryKey>, Failure>, new: &RecoveryKey) -> Result<(), Failure> {
    let set = HEXLOWER.encode(&new.set);
    let what_now = match kept {
        Ok(Some(kept)) if kept.set == new.set => return Ok(()),
        Ok(_) => format!("nothing was changed. Destroy the shares of set {set}: they are good for nothing"),
        Err(unknown) => format!(
            "whether the store keeps set {set} is not known ({}): keep the shares, and look with `claviger recovery status`",
            unknown.text
        ),
    };
    Err(Failure::new(failure.code, format!("{}; {what_now}", failure.text)))
}

/// Before anybody is called: a PIN that is missing, or a token that is gone, would show when everybody has noted a share.
fn try_token(home: &Path, config: &Config) -> Result<(), Failure> {
    let service = service_over(&home.join("claviger.redb"), &config.audit.log)?;
    runtime()?.block_on(async {
        let attached = Home { path: home, config }.attach(&service).await?;
        attached.detach(&service).await;
        Ok(())
    })
}

/// Has the token vouch for a key, and the store keep it.
fn certified(home: &Path, config: &Config, key: &RecoveryKey) -> Result<(), Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::new(1, e.to_string());
    let pin = doctor::pin(home, config).map_err(|text| Failure::new(64, text))?;
    let draft = home.join(DRAFT);
    fs::write(&draft, serde_json::to_vec(key).map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
    let failing = "the token did not vouch for the recovery key";
    let certified = init::provision_child(home, config, &pin, "certify-recovery", failing);
    drop(pin);
    let _ = fs::remove_file(&draft);
    certified
}

fn hand_out(log: &str, key: &RecoveryKey, shares: &[Share], out: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = out else { return shares.iter().try_for_each(|share| show(log, key, share)) };
    let failed = |e: std::io::Error| Failure::new(1, format!("{}: {e}; nothing was changed", folder.display()));
    init::private_directory(folder).map_err(failed)?;
    for share in shares {
        let name = format!("share-{}-of-{}", share.number(), shares.len());
        init::write(&folder.join(name), share.sheet(log, key).as_bytes()).map_err(failed)?;
    }
    Ok(())
}

/// Shows a share to its holder, until it was noted.
fn show(log: &str, key: &RecoveryKey, share: &Share) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        let text =
            "shares are shown at a terminal, one holder after the other; nothing was changed. For scripts: --out DIR";
        return Err(Failure::new(2, text));
    }
    let number = share.number();
    let gone = || Failure::new(4, "nobody is at the terminal any more; nothing was changed");
    let call = format!("holder {number} of {}: come alone to the screen, and press Enter", key.commitments.len());
    heard(&call).ok_or_else(gone)?;
    let (sheet, text) = (share.sheet(log, key), share.text());
    let last = text.rsplit('-').next().unwrap_or_default();
    println!("{}", sheet.as_str());
    let noted = loop {
        match heard("note it; then type its last group:") {
            Some(typed) if typed.eq_ignore_ascii_case(last) => break Ok(()),
            Some(_) => eprintln!("claviger: that is not the last group of this share"),
            None => break Err(gone()),
        }
    };
    // Off the screen, and out of its history, before anybody else is called.
    print!("\x1b[2J\x1b[3J\x1b[H");
    std::io::stdout().flush().map_err(|e| Failure::new(1, format!("the screen still shows a share: {e}")))?;
    noted
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::new(1, format!("no runtime: {e}")))
}

/// The process that has the token vouch for a recovery key: only one with the PIN can ask for that.
pub(in super::super) fn certify() -> ExitCode {
    init::provisioned(|boot, pin| {
        let read = fs::read(boot.home.join(DRAFT)).map_err(|e| e.to_string())?;
        let key: RecoveryKey = serde_json::from_slice(&read).map_err(|e| e.to_string())?;
        let key = vouched(&boot.config, pin, key)?;
        let runtime = runtime().map_err(|e| e.text)?;
        let service = service_over(&boot.home.join("claviger.redb"), &boot.config.audit.log).map_err(|e| e.text)?;
        let origin = Origin::system(service.clock());
        runtime.block_on(service.set_recovery_key(key, &origin)).map_err(|e| e.to_string().into())
    })
}

fn vouched(config: &Config, pin: &Plaintext, key: RecoveryKey) -> Result<RecoveryKey, Undone> {
    let module = Module::load(&config.hsm.module)?;
    let selector = SlotSelector::Label(config.hsm.token_label.clone());
    let hsm = module.open(&selector, keeper::pin_of(pin))?;
    let mut token = hsm.session().map_err(|e| e.to_string())?;
    key.certified(&mut token).map_err(|e| e.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_good_for_nothing_only_where_the_store_is_known_to_keep_another_key() {
        let cut = || split(&PrivateKey::generate().unwrap(), (3, 2), 0).unwrap().0;
        let (new, other) = (cut(), cut());
        let told = |kept| in_doubt(&Failure::new(69, "it died"), kept, &new).map_err(|failure| failure.text);

        assert_eq!(told(Ok(Some(new.clone()))), Ok(()), "it died when the store had the key");
        for kept in [None, Some(other)] {
            assert!(told(Ok(kept)).unwrap_err().contains("Destroy"));
        }
        let unknown = told(Err(Failure::new(1, "the store is in use"))).unwrap_err();
        assert!(unknown.contains("keep the shares") && !unknown.contains("Destroy"), "{unknown}");
    }
}
