//! One-time codes, backup codes and break-glass codes: how they are set up. What is shown is shown once.

use zeroize::Zeroizing;

use super::super::accounts::no_random;
use super::super::{Part, Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::identity::{
    LoginKind, NoRandom, Operator, OperatorPrincipal, Totp, backup_codes, break_glass_codes, totp, written_hash,
};
use crate::keeper::KeeperError;
use crate::keeper::message::{Refused, Seal, VerifyCode};
use crate::secret::Plaintext;
use crate::store::{Change, Key, Row};

/// Codes, to be shown once.
type Shown = Vec<Zeroizing<String>>;

impl Service {
    /// Begins with one-time codes: makes a seed, and says the address that a phone reads it from. The codes count once
    /// one of them was confirmed; until then those that were set up before do.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn begin_totp(
        &self,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Zeroizing<String>, ServiceError> {
        let (mut operator, version) = self.own(principal).await?;
        let kek = self.own_kek(origin).await?;
        let (address, sealing) = {
            let mut seed = Zeroizing::new([0_u8; totp::SEED_BYTES]);
            aws_lc_rs::rand::fill(seed.as_mut()).map_err(|_| no_random(NoRandom))?;
            let address = totp::address(seed.as_ref(), &operator.name);
            let secret = Plaintext::copy_of(seed.as_ref())
                .map_err(|error| ServiceError::unavailable(Part::Load, error.to_string()))?;
            let seal = Seal { binding: totp::binding(operator.id), key_id: String::new(), kek };
            (address, self.keeper.seal(seal, secret))
        };
        let address = address.ok_or_else(|| ServiceError::invalid("name_invalid", "no address names this operator"))?;
        operator.factors.totp_pending = Some(sealing.await?);
        self.keep(operator, version, "totp.begin", origin).await?;
        Ok(address)
    }

    /// Takes one-time codes into use, by one of them, with ten new backup codes. The login has shown a code by that; if
    /// it is the operator's first second factor, all their other logins end.
    ///
    /// # Errors
    /// [`ServiceError`]; what was set up before goes on.
    pub async fn confirm_totp(
        &self,
        principal: &OperatorPrincipal,
        code: impl FnOnce() -> Option<Plaintext> + Send,
        origin: &Origin,
    ) -> Result<Shown, ServiceError> {
        let (mut operator, version) = self.own(principal).await?;
        let Some(sealed) = operator.factors.totp_pending.take() else {
            return Err(ServiceError::conflict("totp_not_begun", "begin first: POST /api/v1/me/totp"));
        };
        let kek = self.kek_of(&sealed).await?;
        let asked = {
            let Some(code) = code() else { return Err(ServiceError::CodeMissing) };
            self.keeper.verify_code(VerifyCode { operator: operator.id, sealed: sealed.clone(), kek }, code)
        };
        let last_step = match asked.await {
            Err(KeeperError::Refused(Refused::Code)) => {
                let text = "the code is not of the seed that was shown last: look at both clocks, and try the next one";
                return Err(ServiceError::invalid("code_wrong", text));
            }
            step => step?,
        };
        let (mut login, login_version) = self.login_of(principal).await?;
        login.kind = login.kind.after(LoginKind::PasswordAndCode);
        let mut logins = self.logins_of(operator.id).await?;
        logins.before_second(&mut operator, principal);
        let mut changes = logins.into_changes();
        changes.push(Change::replace(Key::Login(principal.guard.0), login_version, Row::Login(login)));
        operator.factors.totp = Some(Totp { sealed, last_step });
        let shown = backup_codes().map_err(no_random)?;
        operator.factors.backup_codes = hashes(&shown);
        self.factors_changed(&mut operator);
        self.keep_with(changes, operator, version, "totp.create", origin).await?;
        Ok(shown)
    }

    /// Ends one-time codes and their backup codes.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn remove_totp(&self, principal: &OperatorPrincipal, origin: &Origin) -> Result<(), ServiceError> {
        let (mut operator, version) = self.with_totp(principal).await?;
        operator.factors.totp = None;
        operator.factors.totp_pending = None;
        operator.factors.backup_codes.clear();
        self.factors_changed(&mut operator);
        self.keep(operator, version, "totp.delete", origin).await
    }

    /// Ten new backup codes; older ones are good no more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn new_backup_codes(
        &self,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Shown, ServiceError> {
        let (mut operator, version) = self.with_totp(principal).await?;
        let shown = backup_codes().map_err(no_random)?;
        operator.factors.backup_codes = hashes(&shown);
        self.factors_changed(&mut operator);
        self.keep(operator, version, "backup-codes.create", origin).await?;
        Ok(shown)
    }

    /// Five new break-glass codes; older ones are good no more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn new_break_glass_codes(
        &self,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Shown, ServiceError> {
        let (mut operator, version) = self.own(principal).await?;
        let shown = break_glass_codes().map_err(no_random)?;
        operator.factors.break_glass = hashes(&shown);
        self.factors_changed(&mut operator);
        self.keep(operator, version, "break-glass.create", origin).await?;
        Ok(shown)
    }

    async fn with_totp(&self, principal: &OperatorPrincipal) -> Result<(Operator, u64), ServiceError> {
        let (operator, version) = self.own(principal).await?;
        if operator.factors.totp.is_none() {
            return Err(ServiceError::conflict("totp_missing", "no one-time codes are set up; nothing was changed"));
        }
        Ok((operator, version))
    }

    async fn keep(
        &self,
        operator: Operator,
        version: u64,
        action: &'static str,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        self.keep_with(Vec::new(), operator, version, action, origin).await
    }

    async fn keep_with(
        &self,
        mut changes: Vec<Change>,
        operator: Operator,
        version: u64,
        action: &'static str,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let entry = origin.draft(action, EntryOutcome::Allowed).on("operator", operator.id.to_string());
        changes.push(Change::replace(Key::Operator(operator.id), version, Row::Operator(operator)));
        self.store.put_cas(changes, vec![entry]).await?;
        Ok(())
    }
}

fn hashes(codes: &Shown) -> Vec<[u8; 32]> {
    codes.iter().map(|code| written_hash(code)).collect()
}
