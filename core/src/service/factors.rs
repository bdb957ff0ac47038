//! How an operator proves who they are.
//!
//! A [`Proven`] is made here, and of passkeys in [`super::passkeys`], by checking; a login is made from nothing else. It says what it was proven by, and a
//! code that it used counts as used in the commit that makes the login: of many that show the same code one gets in.

mod change;
mod set;

use zeroize::Zeroizing;

use super::{Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::id::{OperatorId, PasskeyId, TenantId};
use crate::identity::{Code, LoginKind, Operator, PasswordHash, Totp, read_code, same_hash, written_hash};
use crate::keeper::message::{Refused, VerifyCode};
use crate::keeper::{KeeperError, KekRow};
use crate::secret::Plaintext;
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};

pub use change::NewPassword;

/// An operator who has proven who they are.
#[derive(Debug)]
#[must_use]
pub struct Proven {
    operator: OperatorId,
    by: By,
    at_ms: u64,
}

#[derive(Debug)]
enum By {
    /// The password, and what stood for the second factor if there is one.
    Password(PasswordHash, Option<Second>),
    /// A break-glass code, by its hash.
    BreakGlass([u8; 32]),
    /// A passkey; that it was used is kept already.
    Passkey(PasskeyId),
}

#[derive(Debug)]
enum Second {
    /// A one-time code of this step.
    Step(u64),
    /// A backup code, by its hash.
    Backup([u8; 32]),
}

impl Proven {
    /// For [`super::passkeys`], which has seen to it that the passkey was shown.
    pub(super) fn by_passkey(operator: OperatorId, id: PasskeyId, at_ms: u64) -> Self {
        Self { operator, by: By::Passkey(id), at_ms }
    }

    /// When it was shown, milliseconds since the Unix epoch: what is made of the proof later is no younger.
    pub(super) fn at_ms(&self) -> u64 {
        self.at_ms
    }

    pub(super) fn operator(&self) -> OperatorId {
        self.operator
    }

    pub(super) fn kind(&self) -> LoginKind {
        match self.by {
            By::Password(_, None) => LoginKind::Password,
            By::Password(_, Some(_)) => LoginKind::PasswordAndCode,
            By::BreakGlass(_) => LoginKind::BreakGlass,
            By::Passkey(_) => LoginKind::Passkey,
        }
    }

    /// Uses up what the proof used, if it still holds for the operator as they are stored.
    pub(super) fn take_from(&self, operator: &mut Operator) -> bool {
        let factors = &mut operator.factors;
        match &self.by {
            By::Passkey(id) => factors.passkeys.iter().any(|own| own.id == *id),
            By::BreakGlass(hash) => take(&mut factors.break_glass, hash),
            By::Password(password, second) => {
                factors.password.as_ref() == Some(password)
                    && match (second, &mut factors.totp) {
                        (None, None) => true,
                        (Some(Second::Step(step)), Some(totp)) if totp.last_step < *step => {
                            totp.last_step = *step;
                            true
                        }
                        (Some(Second::Backup(hash)), Some(_)) => take(&mut factors.backup_codes, hash),
                        _ => false,
                    }
            }
        }
    }
}

/// Takes a hash out of a list; each is compared in constant time.
fn take(codes: &mut Vec<[u8; 32]>, hash: &[u8; 32]) -> bool {
    let before = codes.len();
    codes.retain(|code| !same_hash(code, hash));
    codes.len() < before
}

impl Service {
    /// The operator of a name, for a login: an unknown name costs as much as a known one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn operator_to_prove(&self, name: &str) -> Result<Option<Operator>, ServiceError> {
        let found = self.store.get(Key::OperatorName(name.to_owned())).await?;
        let id = if let Some(Versioned { row: Row::OperatorRef(id), .. }) = found { id } else { OperatorId::MIN };
        Ok(self.operator_by_id(id).await?.map(|(operator, _)| operator))
    }

    /// Proof by password, whose argon2id output is `argon2`, and by `code` where the operator has a second factor.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] if one of them is not right, [`ServiceError::CodeMissing`] if only the code is
    /// missing; either has its audit entry, under `name`.
    pub async fn prove_by_password(
        &self,
        operator: Option<&Operator>,
        name: &str,
        argon2: &Zeroizing<[u8; 32]>,
        code: impl FnOnce() -> Option<Plaintext> + Send,
        origin: &Origin,
    ) -> Result<Proven, ServiceError> {
        let peppered = self.keeper.pepper(argon2).await?;
        let stored = operator.and_then(|operator| operator.factors.password.as_ref().map(|stored| (operator, stored)));
        let Some((operator, password)) = stored.filter(|(_, stored)| same_hash(&stored.hash, &peppered)) else {
            return Err(self.refuse_proof(name, "login.password", origin).await?);
        };
        let second = match &operator.factors.totp {
            None => None,
            Some(totp) => match self.second(operator, totp, code).await {
                Ok(Some(second)) => Some(second),
                Ok(None) => return Err(self.refuse_proof(name, "login.code", origin).await?),
                Err(ServiceError::CodeMissing) => {
                    self.refuse_proof(name, "login.code_missing", origin).await?;
                    return Err(ServiceError::CodeMissing);
                }
                Err(error) => return Err(error),
            },
        };
        Ok(Proven { operator: operator.id, by: By::Password(password.clone(), second), at_ms: self.clock.unix_ms() })
    }

    /// Proof by a code; none if it is not right.
    async fn second(
        &self,
        operator: &Operator,
        totp: &Totp,
        code: impl FnOnce() -> Option<Plaintext> + Send,
    ) -> Result<Option<Second>, ServiceError> {
        let kek = self.kek_of(&totp.sealed).await?;
        let asked = {
            let Some(code) = code() else { return Err(ServiceError::CodeMissing) };
            match read_code(&code) {
                Code::Written(hash) => {
                    let known = operator.factors.backup_codes.iter().any(|own| same_hash(own, &hash));
                    return Ok(known.then_some(Second::Backup(hash)));
                }
                Code::OneTime => {
                    let verify = VerifyCode { operator: operator.id, sealed: totp.sealed.clone(), kek };
                    self.keeper.verify_code(verify, code)
                }
            }
        };
        match asked.await {
            Ok(step) if step > totp.last_step => Ok(Some(Second::Step(step))),
            Ok(_) | Err(KeeperError::Refused(Refused::Code)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Proof by break-glass code, which needs no token.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`], with its audit entry under `name`.
    pub async fn prove_by_break_glass(
        &self,
        operator: Option<&Operator>,
        name: &str,
        code: &str,
        origin: &Origin,
    ) -> Result<Proven, ServiceError> {
        let hash = written_hash(code);
        match operator {
            Some(operator) if operator.factors.break_glass.iter().any(|own| same_hash(own, &hash)) => {
                Ok(Proven { operator: operator.id, by: By::BreakGlass(hash), at_ms: self.clock.unix_ms() })
            }
            _ => Err(self.refuse_proof(name, "login.break-glass", origin).await?),
        }
    }

    /// Writes down that a proof failed. The answer does not say of what.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) async fn refuse_proof(
        &self,
        name: &str,
        rule: &'static str,
        origin: &Origin,
    ) -> Result<ServiceError, ServiceError> {
        let origin = Origin { id: name.to_owned(), ..origin.clone() };
        self.store.append(vec![origin.draft("login.create", EntryOutcome::Denied).rule(rule)]).await?;
        self.count_failed_login().await;
        Ok(ServiceError::Unauthenticated(match rule {
            "login.password" => "the name or the password is not right",
            "login.break-glass" => "the name or the code is not right; every code is good once",
            _ => "the code is not right, or was used: every code is good once",
        }))
    }

    /// An operator as stored, with the row's version.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn operator_by_id(&self, id: OperatorId) -> Result<Option<(Operator, u64)>, ServiceError> {
        Ok(match self.store.get(Key::Operator(id)).await? {
            Some(Versioned { version, row: Row::Operator(operator) }) => Some((operator, version)),
            _ => None,
        })
    }

    /// The KEK that a sealed seed's DEK is wrapped by.
    async fn kek_of(&self, sealed: &[u8]) -> Result<KekRow, ServiceError> {
        let version = crate::envelope::Envelope::from_bytes(sealed).map_err(|_| ServiceError::Tampered)?.kek_version;
        let kek = self.directory.kek(self.store(), TenantId::OWN, version).await?;
        kek.map(|kek| kek.as_ref().clone()).ok_or(ServiceError::Tampered)
    }

    /// The newest KEK of Claviger's own tenant; it is made if there is none.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_kek(&self, origin: &Origin) -> Result<KekRow, ServiceError> {
        loop {
            let newest = self.store.last(Range::Keks(TenantId::OWN)).await?;
            if let Some(Versioned { row: Row::Kek(kek), .. }) = newest {
                return Ok(kek);
            }
            let kek = self.keeper.new_kek(TenantId::OWN, 1).await?;
            let entry = origin.draft("kek.create", EntryOutcome::Allowed).on("kek", "claviger/1");
            let change = Change::create(Key::Kek(TenantId::OWN, 1), Row::Kek(kek));
            match self.store.put_cas(vec![change], vec![entry]).await {
                // Another request was faster, so there is one to be read.
                Ok(_) | Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
