//! The keepers: each is started with the PIN as it is by then, relieved when it asks for that, and replaced when it ends.

use std::path::PathBuf;

use claviger_core::secret::Plaintext;

use super::children::Child;
use super::marker::{PinDigest, is_marked, mark};
use super::{BACKOFF_MAX, End, Supervisor, after, next_backoff, refused};
use crate::boot::{KeeperBoot, ToFront};
use crate::keeper;

impl Supervisor {
    pub(super) fn pin_file(&self) -> PathBuf {
        self.home.join(&self.config.hsm.pin_file)
    }

    pub(super) fn start_keeper(&mut self) -> Result<(), End> {
        match self.another_keeper() {
            Ok(child) => {
                self.keeper = Some(child);
                Ok(())
            }
            Err((code, why)) => self.no_keeper(code, why),
        }
    }

    /// Starts a keeper beside the one that asks for it, which goes on until the front has taken the other into use.
    pub(super) fn start_relief(&mut self) {
        let wanted = self.next.is_none() && self.keeper.is_some();
        if !wanted {
            return;
        }
        if let Some(mut old) = self.old.take() {
            old.kill();
        }
        match self.another_keeper() {
            Ok(child) => self.next = Some(child),
            Err((_, why)) => tracing::error!(%why, "the keeper cannot be relieved, and goes on"),
        }
    }

    /// Reads the PIN anew and starts a keeper with it, unless this PIN was refused before.
    fn another_keeper(&mut self) -> Result<Child, (u8, String)> {
        let pin = self.read_pin().map_err(|why| (64, why))?;
        let digest = PinDigest::of(&pin);
        if self.refused.as_ref() == Some(&digest) || is_marked(&self.home, &pin) {
            let file = self.pin_file();
            let why = format!(
                "the token refused this PIN before: put the right one into {} (or, when it was the token's fault, run \
                 `claviger doctor --retry-pin`)",
                file.display()
            );
            return Err((64, why));
        }
        let boot = KeeperBoot {
            home: self.home.clone(),
            config: self.config.clone(),
            foreign_file: self.home.join("claviger.redb"),
        };
        self.generation = self.generation.wrapping_add(1);
        let hsm = &self.config.hsm;
        let conf = hsm.softhsm_conf.as_ref().map(|file| self.home.join(file));
        let started =
            Child::start_keeper(self.generation, &boot, &pin, conf.as_deref(), &hsm.environment, &self.sender);
        drop(pin);
        self.tried = Some(digest);
        match started {
            Ok((child, link)) => {
                let told = self.front.as_ref().map(|front| front.tell(&ToFront::Keeper, Some(&link)));
                if let Some(Err(error)) = told {
                    tracing::warn!(%error, "the front did not take the keeper's socket");
                }
                Ok(child)
            }
            Err(error) => Err((1, format!("the keeper cannot be started: {error}"))),
        }
    }

    fn read_pin(&self) -> Result<Plaintext, String> {
        let file = self.pin_file();
        let told = |e: &dyn std::fmt::Display| {
            format!("the PIN cannot be read from {}: {e}; put it there, readable by the service alone", file.display())
        };
        let mut open = std::fs::File::open(&file).map_err(|e| told(&e))?;
        let len = open.metadata().map_err(|e| told(&e))?.len();
        let len = usize::try_from(len)
            .ok()
            .filter(|len| (1..=256).contains(len))
            .ok_or_else(|| told(&"it is empty or too long"))?;
        Plaintext::read_from(&mut open, len).map_err(|e| told(&e))
    }

    /// Without a keeper the service goes on, red, if it was ready once; else it ends.
    fn no_keeper(&mut self, code: u8, why: String) -> Result<(), End> {
        if !self.was_ready {
            return Err(refused(code, why));
        }
        tracing::error!(%why, "there is no keeper");
        if let Some(front) = &self.front {
            let _ = front.tell(&ToFront::NoKeeper(why), None);
        }
        self.keeper_due = Some(after(BACKOFF_MAX));
        Ok(())
    }

    /// The keeper that asked for another goes on, and asks again.
    pub(super) fn relief_ended(&mut self, code: Option<i32>) {
        self.next = None;
        tracing::error!(?code, "the keeper that was to relieve another ended");
        if code == Some(i32::from(keeper::exit::PIN_REFUSED)) {
            self.pin_was_refused();
        }
    }

    pub(super) fn keeper_ended(&mut self, code: Option<i32>) -> Option<End> {
        // The front has its successor already, or is about to have it.
        if let Some(next) = self.next.take() {
            tracing::warn!(?code, "the keeper ended before it was relieved");
            self.keeper = Some(next);
            return None;
        }
        let lived = self.keeper.take().map(|keeper| keeper.started.elapsed()).unwrap_or_default();
        let code = code.and_then(|code| u8::try_from(code).ok());
        let why = match code {
            Some(keeper::exit::PIN_REFUSED) => {
                self.pin_was_refused();
                Some((
                    64,
                    format!("the token refuses the PIN in {}: put the right one there", self.pin_file().display()),
                ))
            }
            Some(keeper::exit::NO_TOKEN) => {
                Some((69, "the token, its module or one of its keys is not there (see above)".to_owned()))
            }
            Some(keeper::exit::TOKEN_REFUSED) => {
                Some((69, "the token must not be used: an attack on it works (see above)".to_owned()))
            }
            Some(keeper::exit::NOT_SHUT) => Some((1, "the keeper could not be shut in (see above)".to_owned())),
            _ => None,
        };
        if let Some((code, why)) = why {
            return self.no_keeper(code, why).err();
        }
        tracing::warn!(?code, "the keeper ended and is started again");
        self.keeper_backoff = next_backoff(self.keeper_backoff, lived);
        self.keeper_due = Some(after(self.keeper_backoff));
        None
    }

    /// Marks the PIN that was tried. The file may hold another one by now, which nobody has tried.
    fn pin_was_refused(&mut self) {
        let tried = self.tried.take();
        let pin = self.read_pin().ok().filter(|pin| tried == Some(PinDigest::of(pin)));
        let marked = pin.is_some_and(|pin| mark(&self.home, &pin));
        self.refused = tried.filter(|_| !marked);
    }
}
