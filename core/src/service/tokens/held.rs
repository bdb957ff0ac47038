//! Tokens in use: sealed, by credential and version, with what must be known to renew them in time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::NoToken;
use crate::clock::BootTime;
use crate::credential::Credential;
use crate::execution::Material;
use crate::id::{CredentialId, TenantId};
use crate::store::VenueToken;

/// A token this close to its end is not used any more, milliseconds; of one that lives shorter, a sixteenth of its life.
const MARGIN_MS: u64 = 1_000;

/// A token as it is used.
#[derive(Debug)]
pub(in super::super) struct Held {
    /// Its sealed bytes and KEK.
    pub(super) material: Material,
    issued_ms: u64,
    expires_ms: u64,
    /// Whether anything was signed with it: one that serves nobody is left to expire.
    used: AtomicBool,
    /// Whether the venue has taken it; one that it never took is not replaced, or logins would follow each other for ever.
    worked: AtomicBool,
    /// When it was kept alive last, milliseconds since the Unix epoch.
    kept_ms: AtomicU64,
}

impl Held {
    pub(super) fn new(material: Material, issued_ms: u64, expires_ms: u64) -> Self {
        let (used, worked) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { material, issued_ms, expires_ms, used, worked, kept_ms: AtomicU64::new(issued_ms) }
    }

    pub(super) fn row(&self) -> VenueToken {
        let (sealed, issued_ms, expires_ms) = (self.material.sealed.clone(), self.issued_ms, self.expires_ms);
        VenueToken { sealed, issued_ms, expires_ms }
    }

    fn life_ms(&self) -> u64 {
        self.expires_ms.saturating_sub(self.issued_ms)
    }

    pub(super) fn lives(&self, now_ms: u64) -> bool {
        now_ms.saturating_add(MARGIN_MS.min(self.life_ms() / 16)) < self.expires_ms
    }

    /// Whether three quarters of its life are over.
    pub(super) fn is_aging(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_ms.saturating_sub(self.life_ms() / 4)
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn use_it(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_worked(&self) -> bool {
        self.worked.load(Ordering::Relaxed)
    }

    /// The venue took it.
    pub(in super::super) fn worked(&self) {
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Whether it is `every` ago that it was kept alive; from then on it is not.
    pub(super) fn wants_keeping(&self, every: Duration, now_ms: u64) -> bool {
        let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        let kept_ms = self.kept_ms.load(Ordering::Relaxed);
        now_ms.saturating_sub(kept_ms) >= every_ms && {
            self.kept_ms.store(now_ms, Ordering::Relaxed);
            true
        }
    }
}

/// One credential version's token.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Held while a token is fetched, so that one login serves all who wait for it.
    pub(super) turn: tokio::sync::Mutex<()>,
    held: Mutex<Option<Arc<Held>>>,
    /// Until when no login is tried, and why.
    refused: Mutex<Option<(BootTime, NoToken)>>,
}

impl Slot {
    pub(super) fn held(&self) -> Option<Arc<Held>> {
        lock(&self.held).clone()
    }

    pub(super) fn living(&self, now_ms: u64) -> Option<Arc<Held>> {
        self.held().filter(|held| held.lives(now_ms))
    }

    pub(super) fn hold(&self, held: &Arc<Held>) {
        *lock(&self.refused) = None;
        *lock(&self.held) = Some(held.clone());
    }

    pub(super) fn pause(&self, until: BootTime, why: NoToken) {
        *lock(&self.refused) = Some((until, why));
    }

    /// Whether a login may be tried.
    pub(super) fn may_try(&self, now: BootTime) -> Result<(), NoToken> {
        match &*lock(&self.refused) {
            Some((until, why)) if now < *until => Err(why.clone()),
            _ => Ok(()),
        }
    }
}

/// Whose token it is, and of which version of the credential.
type Owner = (TenantId, CredentialId, u32);

/// The tokens in use.
#[derive(Debug, Default)]
pub(in super::super) struct Tokens(Mutex<HashMap<Owner, Arc<Slot>>>);

impl Tokens {
    pub(super) fn slot(&self, row: &Credential) -> Arc<Slot> {
        lock(&self.0).entry((row.tenant, row.id, row.version)).or_default().clone()
    }

    pub(super) fn each(&self) -> Vec<(Owner, Arc<Slot>)> {
        lock(&self.0).iter().map(|(owner, slot)| (*owner, slot.clone())).collect()
    }

    /// Forgets a credential's tokens of all versions but `kept`.
    pub(in super::super) fn forget(&self, id: CredentialId, kept: Option<u32>) {
        lock(&self.0).retain(|(_, credential, version), _| *credential != id || Some(*version) == kept);
    }

    /// Forgets a tenant's tokens.
    pub(in super::super) fn forget_tenant(&self, tenant: TenantId) {
        lock(&self.0).retain(|(whose, _, _), _| *whose != tenant);
    }

    /// Forgets a credential's tokens of which three quarters are over.
    pub(super) fn forget_aging(&self, id: CredentialId, now_ms: u64) {
        let is_aging = |slot: &Slot| slot.held().is_some_and(|held| held.is_aging(now_ms));
        lock(&self.0).retain(|(_, credential, _), slot| *credential != id || !is_aging(slot));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TenantId;
    use crate::keeper::{KekOrigin, KekRow};
    use crate::token::KekBlob;

    fn held(issued_ms: u64, expires_ms: u64) -> Held {
        let blob = KekBlob { root: 1, wrapped: Vec::new(), canary: Vec::new() };
        let kek = KekRow { tenant: TenantId::MIN, version: 1, origin: KekOrigin::Generated, blob, mac: [0; 32] };
        Held::new(Material { sealed: Vec::new(), kek }, issued_ms, expires_ms)
    }

    #[test]
    fn a_token_ages_before_it_ends() {
        let day = held(1_000, 101_000);
        assert!(!day.is_aging(75_999) && day.is_aging(76_000));
        assert!(day.lives(99_999) && !day.lives(100_000));
        let short = held(0, 1_600);
        assert!(short.lives(1_499) && !short.lives(1_500));
    }

    #[test]
    fn what_has_no_credential_is_forgotten_once_it_ages() {
        let tokens = Tokens::default();
        let id = CredentialId::from_bytes([1; 16]);
        let slot = Arc::new(Slot::default());
        slot.hold(&Arc::new(held(0, 4_000)));
        lock(&tokens.0).insert((TenantId::MIN, id, 1), slot);
        tokens.forget_aging(id, 2_999);
        assert_eq!(tokens.each().len(), 1, "it may be being enrolled");
        tokens.forget_aging(CredentialId::MIN, 3_000);
        assert_eq!(tokens.each().len(), 1);
        tokens.forget_aging(id, 3_000);
        assert!(tokens.each().is_empty());
    }

    #[test]
    fn a_refused_login_is_not_tried_again_at_once() {
        let slot = Slot::default();
        assert!(slot.may_try(BootTime(5)).is_ok());
        slot.pause(BootTime(10), NoToken::unreadable());
        assert!(slot.may_try(BootTime(9)).is_err() && slot.may_try(BootTime(10)).is_ok());
        slot.pause(BootTime(99), NoToken::unreadable());
        slot.hold(&Arc::new(held(0, 1)));
        assert!(slot.may_try(BootTime(11)).is_ok() && slot.living(0).is_some() && slot.living(1).is_none());
    }
}
