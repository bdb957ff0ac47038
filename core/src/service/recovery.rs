//! The recovery key, and that everything sealed has a wrap for it.

use std::sync::{Mutex, PoisonError};

use super::incidents::Sighting;
use super::{Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::envelope::Envelope;
use crate::execution::Origin;
use crate::incident::Detector;
use crate::keeper::KeeperError;
use crate::keeper::message::{Refused, WrapDek};
use crate::recovery::file::{Contents, RecoveryFile};
use crate::recovery::{RecoveryKey, is_of, wrap_id};
use crate::store::{Change, Key, Row, StoreError, Versioned};

/// Rows that one step looks at.
const LOOKED_AT: usize = 256;

/// Rows without a wrap that are named; of more only the number is known.
const NAMED: usize = 1_000;

/// A look at all sealed rows, step by step.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    after: Option<Vec<u8>>,
    /// Rows of the next page that are done with.
    skip: usize,
    /// Whether the row after these failed when it was looked at last.
    has_failed: bool,
    found: Wrapped,
}

/// What the last look at all sealed rows found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapped {
    /// How many there were.
    pub rows: u64,
    /// How many of them have no wrap and cannot get one.
    pub lacking: u64,
    /// These, and why, in words.
    pub named: Vec<(String, String)>,
    /// When it ended, milliseconds since the Unix epoch; 0 while there was none.
    pub at_ms: u64,
}

/// What is known of wraps and their file.
#[derive(Debug, Default)]
pub(super) struct Recovery(Mutex<(Wrapped, Option<Contents>)>);

impl Service {
    /// The public half of the recovery key, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recovery_key(&self) -> Result<Option<RecoveryKey>, StoreError> {
        Ok(match self.store.get(Key::RecoveryKey).await? {
            Some(Versioned { row: Row::RecoveryKey(key), .. }) => Some(*key),
            _ => None,
        })
    }

    /// Stores a recovery key, in place of one that there was. What is wrapped to that one is wrapped anew, but for what is in
    /// the token: these wraps still open with the shares of then.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub async fn set_recovery_key(&self, key: RecoveryKey, origin: &Origin) -> Result<(), StoreError> {
        let set = data_encoding::HEXLOWER.encode(&key.set);
        let entry = origin.draft("recovery.setup", EntryOutcome::Allowed).on("recovery", set);
        let entry = entry
            .detail("shares", key.commitments.len().to_string())
            .detail("threshold", key.threshold.to_string())
            .detail("public_key", data_encoding::HEXLOWER.encode(&key.public));
        let change = Change::set(Key::RecoveryKey, Row::RecoveryKey(Box::new(key)));
        self.store.put_cas(vec![change], vec![entry]).await?;
        Ok(())
    }

    /// Looks at the next rows, and has the keeper make the wraps that are missing. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`]; the next look begins with the row that failed. One that fails twice with a keeper there is passed
    /// over: it may be what keepers end at, and holds up no other.
    pub async fn wrap_more(&self, key: &RecoveryKey, pass: &mut Pass) -> Result<bool, ServiceError> {
        let found = self.store.sealed(pass.after.clone(), LOOKED_AT).await?;
        for (row_key, row) in found.rows.into_iter().skip(pass.skip) {
            let is_keeper_there = self.keeper.is_in_use();
            let why = match self.wrap_row(row_key.clone(), row, key).await {
                Ok(why) => why,
                Err(error) if is_keeper_there && pass.has_failed => Some(error.to_string()),
                Err(error) => {
                    pass.has_failed |= is_keeper_there;
                    return Err(error);
                }
            };
            (pass.skip, pass.has_failed) = (pass.skip.saturating_add(1), false);
            pass.found.rows = pass.found.rows.saturating_add(1);
            if let Some(why) = why {
                pass.found.lacking = pass.found.lacking.saturating_add(1);
                if pass.found.named.len() < NAMED {
                    pass.found.named.push((resource(&row_key), why));
                }
            }
        }
        (pass.after, pass.skip) = (found.next, 0);
        if pass.after.is_none() {
            let ended = Wrapped { at_ms: self.clock.unix_ms(), ..std::mem::take(&mut pass.found) };
            self.recovery.0.lock().unwrap_or_else(PoisonError::into_inner).0 = ended;
        }
        Ok(pass.after.is_some())
    }

    /// Stores the wraps that a row lacks; or says why one cannot be made.
    async fn wrap_row(
        &self,
        row_key: Key,
        Versioned { version, row }: Versioned,
        key: &RecoveryKey,
    ) -> Result<Option<String>, ServiceError> {
        let row = match self.with_wraps(row, key).await? {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(None),
            Err(why) => return Ok(Some(why)),
        };
        match self.store.put_cas(vec![Change::replace(row_key, version, row)], Vec::new()).await {
            // Whoever changed it meanwhile had it wrapped, or it is gone.
            Ok(_) | Err(StoreError::Conflict(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The row with the wraps that it lacks, if it lacks any; or why one cannot be made.
    async fn with_wraps(&self, mut row: Row, key: &RecoveryKey) -> Result<Result<Option<Row>, String>, ServiceError> {
        let mut is_new = false;
        for sealed in row.sealed_mut() {
            let Ok(envelope) = Envelope::from_bytes(sealed) else { return Ok(Err("it is damaged".to_owned())) };
            let Some(id) = wrap_id(&envelope) else { continue };
            if self.store.wrap(id).await?.is_some_and(|wrap| is_of(&wrap, &key.set)) {
                continue;
            }
            let tenant = envelope.binding.tenant;
            let kek = self.directory.kek(self.store(), tenant, envelope.kek_version).await?;
            let Some(kek) = kek.filter(|kek| !kek.is_withdrawn()) else {
                return Ok(Err("its KEK was taken away".to_owned()));
            };
            let wrap = WrapDek { sealed: sealed.clone(), kek: kek.as_ref().clone() };
            let wrapped = match self.keeper.wrap_dek(wrap).await {
                Ok(wrapped) => wrapped,
                Err(KeeperError::Refused(why)) if !matches!(why, Refused::Busy) => return Ok(Err(why.to_string())),
                Err(error) => return Err(error.into()),
            };
            // A keeper that was told of no recovery key makes none.
            is_new |= wrapped != *sealed;
            *sealed = wrapped;
        }
        Ok(Ok(is_new.then_some(row)))
    }

    /// Has the keeper sign a recovery file that was written.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn sign_recovery_file(&self, file: RecoveryFile) -> Result<String, ServiceError> {
        Ok(self.keeper.sign_recovery_file(file).await?)
    }

    /// Remembers which recovery file was written last.
    pub fn recovery_file_written(&self, contents: Contents) {
        self.recovery.0.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(contents);
    }

    /// What the last look at all sealed rows found, and which recovery file was written last, since the start.
    pub fn recovery_state(&self) -> (Wrapped, Option<Contents>) {
        self.recovery.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says that the recovery file is not what the store is: an alarm and an incident.
    pub async fn recovery_stale(&self, why: &str) {
        tracing::error!(alarm = "backup", %why, "the recovery file is not to be relied on");
        self.alarmed(Sighting::within(Detector::Backup, None, format!("the recovery file: {why}"))).await;
    }
}

/// What a row with sealed bytes is, in words.
pub(super) fn resource(key: &Key) -> String {
    let (kind, id) = key.resource();
    if let Key::Token(_) = key {
        format!("token of {kind} {id}")
    } else if let Key::Contact(_) = key {
        format!("contact address of {kind} {id}")
    } else {
        format!("{kind} {id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CredentialId;

    #[test]
    fn what_hangs_on_a_credential_is_told_in_words() {
        let id = CredentialId::from_bytes([1; 16]);
        let told = [Key::Sealed(id), Key::Token(id), Key::Contact(id)].map(|key| resource(&key));
        let credential = format!("credential {id}");
        assert_eq!(told, ["", "token of ", "contact address of "].map(|part| format!("{part}{credential}")));
    }
}
