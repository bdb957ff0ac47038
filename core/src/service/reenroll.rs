//! Asking an owner for a new key.

use super::stops::{credential_draft, revoked};
use super::{Service, ServiceError, birth};
use crate::credential::{Credential, Reenroll, State, Upkeep};
use crate::envelope::Mode;
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::notice::{About, Topic};
use crate::store::{Change, Key, Revoked, Row, Scope, Stop, StoreError};

/// How often a credential is read again that changes meanwhile.
const TRIES: usize = 5;

impl Service {
    /// Freezes a credential until another key is proven for it: nobody unfreezes it before.
    ///
    /// # Errors
    /// [`ServiceError`]; it may be frozen already. Repeating it is harmless.
    pub async fn ask_for_new_key(
        &self,
        tenant: TenantId,
        id: CredentialId,
        reason: &str,
        origin: &Origin,
    ) -> Result<Revoked, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        match (known.row.state, known.row.mode) {
            (State::Revoked, _) => return Err(revoked()),
            (_, Mode::HsmBorn) => return Err(birth::not_rotated()),
            (_, Mode::Sealed | Mode::Resident) => {}
        }
        let stopped = self.stop(Some(tenant), Scope::Credential(id), Stop::Frozen, reason, origin).await?;
        let mut tries = 1..TRIES;
        loop {
            let known = self.fresh_credential(tenant, id).await?;
            let upkeep = Upkeep { reenroll: Some(Reenroll::Required), ..known.row.upkeep.clone() };
            let row = Credential { upkeep, ..known.row.clone() };
            let entry = origin.stamp(credential_draft("credential.reenroll", &row)).detail("reason", reason);
            let (_, mut changes) = self.noticed(Topic::CredentialReenroll, About::Credential(tenant, id), Vec::new());
            changes.push(Change::replace(Key::Credential(tenant, id), known.version, Row::Credential(row)));
            let stored = self.store.put_cas(changes, vec![entry]).await;
            self.directory.forget_credential(tenant, id);
            match stored {
                Err(StoreError::Conflict(_)) if tries.next().is_some() => {}
                stored => return stored.map(|_| stopped).map_err(Into::into),
            }
        }
    }

    /// Whether a credential may go on with the key that it has.
    pub(super) fn wants_no_new_key(&self, row: &Credential) -> Result<(), ServiceError> {
        if row.upkeep.reenroll == Some(Reenroll::Required) {
            let text = "a new key was asked for: rotate it first; nothing was changed";
            return Err(ServiceError::conflict("reenroll_required", text));
        }
        self.has_not_expired(row)
    }
}
