//! Operators' passkeys: kept, used, removed. Their ceremonies are verified where `WebAuthn` is spoken; what it keeps of
//! one is opaque here.

use super::factors::Proven;
use super::incidents::Sighting;
use super::logins::Logins;
use super::{Part, Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::{OperatorId, PasskeyId};
use crate::identity::{Operator, OperatorPrincipal, Passkey};
use crate::incident::Detector;
use crate::store::{Change, Key, Row, StoreError};

/// Passkeys that an operator has at most.
const PASSKEYS_MAX: usize = 16;

/// The longest label, characters.
const LABEL_CHARS: usize = 64;

/// How often a change is tried again when the operator was changed at the same time, by a login for example.
const ROUNDS: usize = 100;

/// A passkey whose registration was verified.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// A name for people.
    pub label: String,
    /// What is kept of it; see [`Passkey::credential`].
    pub credential: String,
    /// Where the browser is that made it.
    pub address: String,
}

/// A passkey that was shown, verified against what was kept of it.
#[derive(Clone, Debug)]
pub struct ShownPasskey {
    /// Whose it is.
    pub operator: OperatorId,
    /// Which.
    pub id: PasskeyId,
    /// What was kept of it when it was verified.
    pub was: String,
    /// What is to be kept of it: the counter has moved.
    pub becomes: String,
}

impl Service {
    /// An operator's own passkeys.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_passkeys(&self, principal: &OperatorPrincipal) -> Result<Vec<Passkey>, ServiceError> {
        Ok(self.own(principal).await?.0.factors.passkeys)
    }

    /// Adds a passkey to an operator who is logged in. If it is their first second factor, all their other logins end.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed.
    pub async fn add_passkey(
        &self,
        principal: &OperatorPrincipal,
        new: &NewPasskey,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        self.rewrite(principal.operator, |operator, logins| {
            logins.before_second(operator, principal);
            let id = self.keep_passkey(operator, new)?;
            self.factors_changed(operator);
            Ok(about("passkey.create", id, &new.label, origin).detail("browser", &new.address))
        })
        .await
    }

    /// Adds the first passkey of an operator, by an invitation, which is spent in the same commit.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed, and the invitation is as good as before.
    pub async fn accept_by_passkey(
        &self,
        invitation: &[u8; 32],
        new: &NewPasskey,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let (mut operator, version) = self.invited_by(invitation).await?;
        let origin = Origin { id: operator.name.clone(), ..origin.clone() };
        let id = self.keep_passkey(&mut operator, new)?;
        self.accepted(&mut operator);
        operator.factors.invitation = None;
        let entries = vec![
            origin.draft("operator.accept", EntryOutcome::Allowed).on("operator", operator.id.to_string()),
            about("passkey.create", id, &new.label, &origin).detail("browser", &new.address),
        ];
        let changes = vec![
            Change::remove(Key::Invitation(*invitation)),
            Change::replace(Key::Operator(operator.id), version, Row::Operator(operator)),
        ];
        self.store.put_cas(changes, entries).await?;
        Ok(())
    }

    /// Proof by a passkey, which needs no token. That it was used is kept before anything rests on it, so that of a
    /// passkey and its copy only one gets through.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] if the passkey was removed or used since it was verified, with an audit entry.
    pub async fn prove_by_passkey(&self, shown: &ShownPasskey, origin: &Origin) -> Result<Proven, ServiceError> {
        let now = self.clock.unix_ms();
        let used = self.rewrite(shown.operator, |operator, _| {
            let own = operator.factors.passkeys.iter_mut().find(|own| own.id == shown.id);
            let own = own.filter(|own| own.credential == shown.was).ok_or(NOT_SHOWN)?;
            own.credential.clone_from(&shown.becomes);
            own.used_ms = now;
            Ok(about("passkey.use", shown.id, &own.label, origin))
        });
        match used.await {
            Ok(()) => Ok(Proven::by_passkey(shown.operator, shown.id, now)),
            Err(ServiceError::Unauthenticated(_)) => Err(self.refuse_passkey(&origin.id, None, origin).await?),
            Err(error) => Err(error),
        }
    }

    /// Writes down that a passkey was not shown as it must be. `cloned` names one whose counter went back: there is
    /// another that is used with the same key.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub async fn refuse_passkey(
        &self,
        name: &str,
        cloned: Option<PasskeyId>,
        origin: &Origin,
    ) -> Result<ServiceError, ServiceError> {
        let origin = Origin { id: name.to_owned(), ..origin.clone() };
        let mut entries = vec![origin.draft("login.create", EntryOutcome::Denied).rule("login.passkey")];
        entries.extend(cloned.map(|id| {
            let alarm = origin.draft("alarm.passkey-cloned", EntryOutcome::Denied).on("passkey", id.to_string());
            alarm.detail("operator", name)
        }));
        self.store.append(entries).await?;
        self.count_failed_login().await;
        if let Some(id) = cloned {
            let text = format!("the counter of {id} went back: somebody has a copy of it");
            self.detected(Sighting::within(Detector::PasskeyCloned, None, text), Vec::new()).await;
        }
        Ok(NOT_SHOWN)
    }

    /// Removes a passkey.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] if the operator could not log in without it.
    pub async fn remove_passkey(
        &self,
        principal: &OperatorPrincipal,
        id: PasskeyId,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        self.rewrite(principal.operator, |operator, _| {
            let own = &mut operator.factors.passkeys;
            let at = own.iter().position(|own| own.id == id).ok_or(ServiceError::NotFound("passkey"))?;
            let removed = own.remove(at);
            if own.is_empty() && operator.factors.password.is_none() {
                let text = "you could not log in without this passkey: add another first, by `claviger passkey add`; \
                    nothing was changed";
                return Err(ServiceError::conflict("last_factor", text));
            }
            self.factors_changed(operator);
            Ok(about("passkey.delete", id, &removed.label, origin))
        })
        .await
    }

    fn keep_passkey(&self, operator: &mut Operator, new: &NewPasskey) -> Result<PasskeyId, ServiceError> {
        let own = &mut operator.factors.passkeys;
        if own.len() >= PASSKEYS_MAX {
            let text = format!("{PASSKEYS_MAX} passkeys are the most: remove one first; nothing was changed");
            return Err(ServiceError::conflict("passkeys_full", text));
        }
        let id = PasskeyId::new(self.clock());
        let label = new.label.chars().filter(|c| !c.is_control()).take(LABEL_CHARS).collect();
        let created_ms = self.clock.unix_ms();
        own.push(Passkey { id, label, credential: new.credential.clone(), created_ms, used_ms: 0 });
        Ok(id)
    }

    /// Changes an operator and their logins, whatever else changes them at the same time.
    async fn rewrite(
        &self,
        id: OperatorId,
        change: impl Fn(&mut Operator, &mut Logins) -> Result<Draft, ServiceError> + Send + Sync,
    ) -> Result<(), ServiceError> {
        for _ in 0..ROUNDS {
            let Some((mut operator, version)) = self.operator_by_id(id).await? else {
                return Err(ServiceError::Unauthenticated("the operator is not known any more"));
            };
            let mut logins = self.logins_of(id).await?;
            let entry = change(&mut operator, &mut logins)?;
            let mut changes = logins.into_changes();
            changes.push(Change::replace(Key::Operator(id), version, Row::Operator(operator)));
            match self.store.put_cas(changes, vec![entry]).await {
                Err(StoreError::Conflict(_)) => {}
                done => return Ok(done.map(drop)?),
            }
        }
        Err(ServiceError::unavailable(
            Part::Load,
            "the operator is changed all the time: try again; nothing was changed",
        ))
    }
}

const NOT_SHOWN: ServiceError =
    ServiceError::Unauthenticated("no passkey of this operator was shown as it must be; nothing was done");

fn about(action: &'static str, id: PasskeyId, label: &str, origin: &Origin) -> Draft {
    origin.draft(action, EntryOutcome::Allowed).on("passkey", id.to_string()).detail("label", label)
}
