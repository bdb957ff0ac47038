//! Passwords: the first one, another one; and the proof that an operator gives again.

use zeroize::Zeroizing;

use super::super::logins::{FromDevice, NewLogin, Showing};
use super::super::{Service, ServiceError};
use super::Proven;
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::identity::{Login, LoginKind, Operator, OperatorPrincipal, PasswordHash, hash_invitation, same_hash};
use crate::store::{Change, Key, Row, Versioned};

/// A password that was found good enough, on its way to the pepper.
#[derive(Debug)]
pub struct NewPassword {
    /// Salt of the hash.
    pub salt: [u8; 16],
    /// The argon2id output.
    pub argon2: Zeroizing<[u8; 32]>,
}

impl Service {
    /// Puts the token's pepper over a new password.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn peppered(&self, new: &NewPassword) -> Result<PasswordHash, ServiceError> {
        Ok(PasswordHash { salt: new.salt, hash: self.keeper.pepper(&new.argon2).await? })
    }

    /// Whom an invitation is for.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] if it was used, replaced, or is too old.
    pub async fn whom_invites(&self, invitation: &str) -> Result<Operator, ServiceError> {
        self.invited_by(&hash_invitation(invitation)).await.map(|(operator, _)| operator)
    }

    pub(in super::super) async fn invited_by(&self, hash: &[u8; 32]) -> Result<(Operator, u64), ServiceError> {
        let unknown = ServiceError::Unauthenticated(
            "the invitation was used, or is older than two days: ask for another; nothing was changed",
        );
        let Some(Versioned { row: Row::OperatorRef(id), .. }) = self.store.get(Key::Invitation(*hash)).await? else {
            return Err(unknown);
        };
        let found = self.operator_by_id(id).await?;
        let now = self.clock.unix_ms();
        let open = |operator: &Operator| {
            let own = operator.factors.invitation.as_ref();
            own.is_some_and(|own| same_hash(&own.hash, hash) && own.expires_ms > now)
        };
        found.filter(|(operator, _)| open(operator)).ok_or(unknown)
    }

    /// Sets an operator's first password. The invitation is spent, and the operator logged in, in the same commit.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed, and the invitation is as good as before.
    pub async fn accept_invitation(
        &self,
        invitation: &str,
        new: &NewPassword,
        device: &FromDevice,
        origin: &Origin,
    ) -> Result<NewLogin, ServiceError> {
        let password = self.peppered(new).await?;
        let hash = hash_invitation(invitation);
        let (mut operator, version) = self.invited_by(&hash).await?;
        self.accepted(&mut operator);
        operator.factors.password = Some(password);
        operator.factors.invitation = None;
        let origin = Origin { id: operator.name.clone(), ..origin.clone() };
        let mut logins = self.logins_of(operator.id).await?;
        let shown = Showing { kind: LoginKind::Password, at_ms: self.clock.unix_ms() };
        let (login, mut entries) = self.another_login(&mut operator, &mut logins, shown, device, &origin)?;
        let entry = origin.draft("operator.accept", EntryOutcome::Allowed).on("operator", operator.id.to_string());
        entries.insert(0, entry);
        let mut changes = logins.into_changes();
        changes.push(Change::remove(Key::Invitation(hash)));
        changes.push(Change::replace(Key::Operator(operator.id), version, Row::Operator(operator)));
        self.store.put_cas(changes, entries).await?;
        Ok(login)
    }

    /// Changes an operator's password. All their logins end, all their devices are forgotten, and a new login is made.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] if the old one is not right. Nothing was changed after any error.
    pub async fn change_password(
        &self,
        principal: &OperatorPrincipal,
        old_argon2: &Zeroizing<[u8; 32]>,
        new: &NewPassword,
        device: &FromDevice,
        origin: &Origin,
    ) -> Result<NewLogin, ServiceError> {
        let (mut operator, version) = self.own(principal).await?;
        let peppered = self.keeper.pepper(old_argon2).await?;
        if !operator.factors.password.as_ref().is_some_and(|stored| same_hash(&stored.hash, &peppered)) {
            return Err(self.refuse_proof(&operator.name, "login.password", origin).await?);
        }
        operator.factors.password = Some(self.peppered(new).await?);
        operator.factors.devices.clear();
        self.factors_changed(&mut operator);
        let mut logins = self.logins_of(operator.id).await?;
        logins.end(|_| true);
        // The old password alone is no fresh proof of whoever showed more.
        let shown = Showing { kind: principal.kind, at_ms: principal.proven_ms };
        let (login, mut entries) = self.another_login(&mut operator, &mut logins, shown, device, origin)?;
        let entry = origin.draft("password.change", EntryOutcome::Allowed).on("operator", operator.id.to_string());
        entries.insert(0, entry);
        let mut changes = logins.into_changes();
        changes.push(Change::replace(Key::Operator(operator.id), version, Row::Operator(operator)));
        self.store.put_cas(changes, entries).await?;
        Ok(login)
    }

    /// Notes that the operator of a login has proven once more who they are, at the time of the proof.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] if the proof shows less than it must; a code that was used meanwhile is
    /// [`ServiceError::Unauthenticated`].
    pub async fn renew_proof(
        &self,
        principal: &OperatorPrincipal,
        proven: &Proven,
        origin: &Origin,
    ) -> Result<Login, ServiceError> {
        let (mut operator, version) = self.own(principal).await?;
        let (mut login, login_version) = self.login_of(principal).await?;
        if !login.kind.renewed_by(proven.kind(), operator.factors.has_second()) {
            self.refuse_proof(&operator.name, "login.weaker", origin).await?;
            let text = "show a second factor as well, and by passkey where the login was made by one (`claviger me proof \
                --passkey`); nothing was done";
            return Err(ServiceError::forbidden("second_factor_missing", text));
        }
        if proven.operator() != operator.id || !proven.take_from(&mut operator) {
            return Err(self.refuse_proof(&operator.name, "login.used", origin).await?);
        }
        login.proven_ms = login.proven_ms.max(proven.at_ms());
        login.kind = login.kind.after(proven.kind());
        let changes = vec![
            Change::replace(Key::Login(principal.guard.0), login_version, Row::Login(login.clone())),
            Change::replace(Key::Operator(operator.id), version, Row::Operator(operator)),
        ];
        let entry = origin.draft("login.prove", EntryOutcome::Allowed).on("login", login.id.to_string());
        self.store.put_cas(changes, vec![entry]).await?;
        Ok(login)
    }

    /// Who acts, as stored.
    pub(in super::super) async fn own(&self, principal: &OperatorPrincipal) -> Result<(Operator, u64), ServiceError> {
        let own = self.operator_by_id(principal.operator).await?;
        own.ok_or(ServiceError::Unauthenticated("the operator is not known any more"))
    }

    /// The login of who acts, as stored, with the row's version.
    pub(super) async fn login_of(&self, principal: &OperatorPrincipal) -> Result<(Login, u64), ServiceError> {
        match self.store.get(Key::Login(principal.guard.0)).await? {
            Some(Versioned { version, row: Row::Login(login) }) => Ok((login, version)),
            _ => Err(ServiceError::Unauthenticated("the login has ended: log in again; nothing was done")),
        }
    }

    /// Moves the time of the last change.
    pub(in super::super) fn factors_changed(&self, operator: &mut Operator) {
        operator.factors_ms = self.clock.unix_ms();
    }

    /// The same, when an invitation is accepted. The one that `init` gave does not count: who has it is as old as the
    /// service.
    pub(in super::super) fn accepted(&self, operator: &mut Operator) {
        if operator.created_ms != 0 || operator.factors_ms != 0 {
            self.factors_changed(operator);
        }
    }
}
