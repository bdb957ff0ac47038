//! Tokens that venues hand out for a login: fetched when one is needed, renewed before they expire, replaced once when
//! the venue takes them no longer.
//!
//! A login, a renewal and what keeps a session alive are signed and recorded as every call is. The answer passes through
//! the front as opaque bytes: the keeper takes the token out of it and gives it back sealed.

mod held;

use std::sync::Arc;
use std::time::Duration;

use claviger_venues::{Meaning, Params, SecretKind, TokenRule};

use super::{Part, Service, ServiceError, TRIES, probe};
use crate::audit::EntryOutcome;
use crate::credential::{Credential, State};
use crate::envelope::{Binding, Envelope, Mode, Purpose};
use crate::execution::{Material, Origin, Settled};
use crate::id::{CredentialId, TenantId};
use crate::keeper::KeeperError;
use crate::keeper::message::{Refused, TakeToken};
use crate::policy::{Own, Resolved, Stored, check_own};
use crate::secret::Plaintext;
use crate::store::{Change, Key, Row, StoreError, Versioned};
use held::Slot;
pub(super) use held::{Held, Tokens};

/// How long no login is tried after the venue refused one, and after one that came to nothing.
const REFUSED_PAUSE: Duration = Duration::from_mins(1);
const FAILED_PAUSE: Duration = Duration::from_secs(1);

/// What signs for a credential.
pub(super) enum Using<'a> {
    /// Its own secret.
    Secret(&'a Material),
    /// The token that was handed out for it.
    Token(Arc<Held>),
}

impl Using<'_> {
    pub(super) fn material(&self) -> &Material {
        match self {
            Self::Secret(material) => material,
            Self::Token(held) => &held.material,
        }
    }

    /// The token, if the venue's answer means that it takes it no longer. Any other answer shows that it takes it.
    pub(super) fn dead(&self, meaning: Option<&Meaning>) -> Option<&Arc<Held>> {
        let (Self::Token(held), Some(meaning)) = (self, meaning) else { return None };
        if matches!(meaning, Meaning::SuspectKey | Meaning::DeadKey | Meaning::BadSignature) {
            return Some(held);
        }
        if *meaning != Meaning::Unknown {
            held.worked();
        }
        None
    }
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub(super) struct NoToken {
    /// What the venue said, where it said something.
    pub(super) meaning: Option<Meaning>,
    error: ServiceError,
}

impl NoToken {
    fn unreadable() -> Self {
        ServiceError::unavailable(Part::Venue, "the venue's answer to the login holds no token; try again").into()
    }
}

impl From<ServiceError> for NoToken {
    fn from(error: ServiceError) -> Self {
        Self { meaning: None, error }
    }
}

impl From<StoreError> for NoToken {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<KeeperError> for NoToken {
    fn from(error: KeeperError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<NoToken> for ServiceError {
    fn from(no: NoToken) -> Self {
        no.error
    }
}

impl Service {
    /// What signs for a credential: where it is a login, a token that lives, fetched if there is none.
    ///
    /// A credential that is stopped gets no token; the deciding commit says why.
    pub(super) async fn using<'a>(
        &self,
        row: &Credential,
        stored: Stored,
        secret: &'a Material,
    ) -> Result<Using<'a>, NoToken> {
        if row.kind != SecretKind::Login || !may_log_in(row.state) {
            return Ok(Using::Secret(secret));
        }
        let slot = self.tokens.slot(row);
        let held = match slot.living(self.clock.unix_ms()) {
            Some(held) => held,
            None => self.token_for(&slot, row, stored, secret, None).await?,
        };
        held.use_it();
        Ok(Using::Token(held))
    }

    /// Replaces a token that the venue takes no longer; whoever comes second finds the new one.
    pub(super) async fn token_anew(
        &self,
        row: &Credential,
        stored: Stored,
        secret: &Material,
        dead: &Arc<Held>,
    ) -> Result<(), NoToken> {
        let slot = self.tokens.slot(row);
        self.token_for(&slot, row, stored, secret, Some(dead)).await.map(drop)
    }

    /// The row that a token is stored under, for the commit that stores its credential.
    pub(super) fn token_row(&self, row: &Credential) -> Option<Change> {
        let slot = (row.kind == SecretKind::Login).then(|| self.tokens.slot(row))?;
        Some(Change::set(Key::Token(row.id), Row::Token(slot.held()?.row())))
    }

    async fn token_for(
        &self,
        slot: &Slot,
        row: &Credential,
        stored: Stored,
        secret: &Material,
        dead: Option<&Arc<Held>>,
    ) -> Result<Arc<Held>, NoToken> {
        let _turn = slot.turn.lock().await;
        let other = |held: &Arc<Held>| dead.is_none_or(|dead| !Arc::ptr_eq(dead, held));
        if let Some(held) = slot.living(self.clock.unix_ms()).filter(other) {
            return Ok(held);
        }
        match dead {
            Some(dead) if !dead.has_worked() => {
                return Err(refused(row, Meaning::SuspectKey));
            }
            Some(_) => {}
            None => {
                if let Some(held) = self.stored_token(row).await? {
                    slot.hold(&held);
                    return Ok(held);
                }
            }
        }
        slot.may_try(self.clock.boot())?;
        self.fetched(slot, row, stored, secret, None).await
    }

    /// Logs in, or renews `old`; the caller has the slot's turn.
    async fn fetched(
        &self,
        slot: &Slot,
        row: &Credential,
        stored: Stored,
        secret: &Material,
        old: Option<&Held>,
    ) -> Result<Arc<Held>, NoToken> {
        let held = match self.fetch(row, stored, secret, old).await {
            Ok(held) => Arc::new(held),
            Err(no) => {
                let pause = match &no.meaning {
                    Some(Meaning::RateLimited { retry_after_ms: Some(ms) }) => Duration::from_millis(*ms),
                    Some(Meaning::Unknown | Meaning::Unavailable) | None => FAILED_PAUSE,
                    Some(_) => REFUSED_PAUSE,
                };
                slot.pause(self.clock.boot().after(pause), no.clone());
                return Err(no);
            }
        };
        self.store_token(row, &held).await?;
        slot.hold(&held);
        Ok(held)
    }

    async fn fetch(
        &self,
        row: &Credential,
        stored: Stored,
        secret: &Material,
        old: Option<&Held>,
    ) -> Result<Held, NoToken> {
        let rule = rule(row)?;
        if let (Some(name), Some(old)) = (rule.renewal, old) {
            match self.handed_out(name, row, stored, &old.material, secret).await {
                Ok(held) => return Ok(held),
                Err(no) => tracing::info!(credential.id = %row.id, error = %no.error, "not renewed: logging in"),
            }
        }
        let held = self.handed_out(rule.login, row, stored, secret, secret).await?;
        for name in rule.opening {
            self.session_call(name, row, stored, &held.material).await?;
        }
        Ok(held)
    }

    /// Has a token handed out by a call that `with` signs, and sealed where the login's secret belongs.
    async fn handed_out(
        &self,
        name: &'static str,
        row: &Credential,
        stored: Stored,
        with: &Material,
        secret: &Material,
    ) -> Result<Held, NoToken> {
        let issued_ms = self.clock.unix_ms();
        let (settled, exchange) = self.session_call(name, row, stored, with).await?;
        let answer = settled.answer.ok_or_else(NoToken::unreadable)?;
        let body = Plaintext::copy_of(&answer.body).map_err(|_| NoToken::unreadable())?;
        drop(answer);
        let take = TakeToken { login: secret.sealed.clone(), exchange, kek: secret.kek.clone() };
        let taken = self.keeper.take_token(take, body);
        let taken = taken.await.map_err(|error| match error {
            KeeperError::Refused(Refused::Token) => NoToken::unreadable(),
            KeeperError::Gone | KeeperError::Token(_) | KeeperError::Refused(_) => error.into(),
        })?;
        let material = Material { sealed: taken.sealed, kek: secret.kek.clone() };
        Ok(Held::new(material, issued_ms, taken.expires_ms))
    }

    /// One call of Claviger's own about a session, which the venue must accept.
    async fn session_call(
        &self,
        name: &str,
        row: &Credential,
        stored: Stored,
        with: &Material,
    ) -> Result<(Settled, Vec<u8>), NoToken> {
        let resolved = Resolved::new(row.venue, name, Params::new())
            .map_err(|error| ServiceError::invalid("login_missing", error.to_string()))?;
        let enabled = self.venues.enabled.contains(&row.venue);
        let checked = check_own(Own::Probe, enabled, (row, stored), resolved).map_err(ServiceError::from)?;
        let origin = Origin::system(self.clock());
        let (settled, exchange) = self.asked_and_kept(checked, with, &row.hint, &origin).await?;
        match &settled.meaning {
            Some(Meaning::Accepted) => Ok((settled, exchange)),
            Some(meaning) => Err(refused(row, meaning.clone())),
            None => Err(ServiceError::unavailable(Part::Venue, format!("{} could not be reached", row.venue)).into()),
        }
    }

    /// The token that is stored for this version of the credential, if it lives.
    async fn stored_token(&self, row: &Credential) -> Result<Option<Arc<Held>>, StoreError> {
        let Some(Versioned { row: Row::Token(token), .. }) = self.store.get(Key::Token(row.id)).await? else {
            return Ok(None);
        };
        let Some(envelope) = Envelope::from_bytes(&token.sealed).ok().filter(|found| found.binding == binding(row))
        else {
            return Ok(None);
        };
        let kek = self.directory.kek(self.store(), row.tenant, envelope.kek_version).await?;
        let held = kek.map(|kek| {
            let material = Material { sealed: token.sealed, kek: kek.as_ref().clone() };
            Held::new(material, token.issued_ms, token.expires_ms)
        });
        Ok(held.filter(|held| held.lives(self.clock.unix_ms())).map(|held| {
            // It served before this start.
            held.worked();
            Arc::new(held)
        }))
    }

    /// Stores the token, if its credential is stored in this version; else the commit that stores that does it. What is
    /// revoked, rotated or deleted meanwhile gets none.
    async fn store_token(&self, row: &Credential, held: &Held) -> Result<(), StoreError> {
        let key = Key::Credential(row.tenant, row.id);
        let entry = Origin::system(self.clock()).draft("token.store", EntryOutcome::Allowed);
        let entry = entry
            .tenant(row.tenant.to_string())
            .on("credential", row.id.to_string())
            .detail("venue", row.venue.as_str());
        let mut tries = 1..TRIES;
        loop {
            let version = match self.store.get(key.clone()).await? {
                Some(Versioned { version, row: Row::Credential(stored) })
                    if stored.version == row.version && stored.state != State::Revoked =>
                {
                    version
                }
                _ => return Ok(()),
            };
            let token = Change::set(Key::Token(row.id), Row::Token(held.row()));
            let changes = vec![Change::still(key.clone(), version), token];
            match self.store.put_cas(changes, vec![entry.clone()]).await {
                Err(StoreError::Conflict(_)) if tries.next().is_some() => {}
                done => return done.map(drop),
            }
        }
    }

    /// The credentials whose tokens want to be renewed, kept alive or forgotten.
    pub fn aging_tokens(&self) -> Vec<(TenantId, CredentialId)> {
        let now_ms = self.clock.unix_ms();
        let wants = |slot: &Slot| slot.held().is_some_and(|held| held.is_aging(now_ms) || held.is_used());
        let aging = self.tokens.each().into_iter().filter(|(_, slot)| slot.turn.try_lock().is_ok() && wants(slot));
        aging.map(|((tenant, id, _), _)| (tenant, id)).collect()
    }

    /// Renews a token of which three quarters are over, and keeps a session alive, while they are used. What is in use
    /// stays so until the new one is stored.
    ///
    /// # Errors
    /// [`ServiceError`]; the old token is used as long as it lives.
    pub async fn tend_token(&self, tenant: TenantId, id: CredentialId) -> Result<(), ServiceError> {
        let now_ms = self.clock.unix_ms();
        let Some(known) = self.directory.credential(self.store(), tenant, id).await? else {
            // One that is being enrolled has no row yet; what is left of one that is gone grows old.
            self.tokens.forget_aging(id, now_ms);
            return Ok(());
        };
        let row = &known.row;
        if !may_log_in(row.state) {
            self.tokens.forget(id, None);
            return Ok(());
        }
        let slot = self.tokens.slot(row);
        let (Ok(_turn), Some(held)) = (slot.turn.try_lock(), slot.held()) else { return Ok(()) };
        if held.is_aging(now_ms) {
            if !held.is_used() {
                if !held.lives(now_ms) {
                    self.tokens.forget(id, None);
                }
                return Ok(());
            }
            if slot.may_try(self.clock.boot()).is_ok() {
                self.fetched(&slot, row, Stored::Yes, &known.material, Some(&held)).await?;
            }
        } else if let Some((name, every_s)) = rule(row)?.keep_alive
            && held.wants_keeping(Duration::from_secs(every_s.into()), now_ms)
        {
            self.session_call(name, row, Stored::Yes, &held.material).await?;
        }
        Ok(())
    }
}

const fn may_log_in(state: State) -> bool {
    match state {
        State::Pending | State::Active | State::ReduceOnly => true,
        State::Frozen | State::Revoked => false,
    }
}

fn rule(row: &Credential) -> Result<&'static TokenRule, ServiceError> {
    let rule = claviger_venues::tokens(row.venue);
    rule.ok_or_else(|| ServiceError::invalid("login_missing", format!("{} has no logins", row.venue)))
}

/// Where a credential's token belongs.
fn binding(row: &Credential) -> Binding {
    Binding { purpose: Purpose::VenueToken, kind: SecretKind::Token, mode: Mode::Sealed, ..row.binding() }
}

fn refused(row: &Credential, meaning: Meaning) -> NoToken {
    NoToken { error: probe::refusal(row, &meaning), meaning: Some(meaning) }
}
