//! Requests that a rule of the policy holds until an operator approves them.
//!
//! A request that needs approval is refused with `approval.needed`. An operator who approves it lets the same app make
//! the same request once more, within a quarter of an hour: the approval is used up in the commit that records the
//! intent.

use data_encoding::HEXLOWER;

use super::{Service, ServiceError};
use crate::audit::{EntryOutcome, Personal};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::policy::Request;
use crate::store::{Change, Key, Row, Versioned};

/// How long an approval is good, milliseconds.
const GOOD_FOR_MS: u64 = 15 * 60 * 1_000;

/// How long a request is held, milliseconds: whoever asked for it has asked again by then, or does not want it any more.
const HELD_FOR_MS: u64 = 24 * 60 * 60 * 1_000;

/// A request that was refused because an operator has to approve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it is called: its digest in hex.
    pub id: String,
    /// The request, as it was made last.
    pub request: Request,
}

impl Service {
    /// The requests that were held in the last 24 hours, oldest first, each once. They are kept in memory: after a restart the app
    /// makes its request again.
    pub fn held(&self, tenant: TenantId) -> Vec<Held> {
        let now = self.clock.unix_ms();
        let is_held = |held: &Request| held.at_ms.saturating_add(HELD_FOR_MS) > now;
        let held = self.recorder.held(tenant).into_iter().filter(|(_, request)| is_held(request));
        let mut held: Vec<_> = held.map(|(digest, request)| Held { id: HEXLOWER.encode(&digest), request }).collect();
        held.sort_by_key(|held| held.request.at_ms);
        held
    }

    /// Lets the app make a held request once.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for one that is not held.
    pub async fn approve_held(
        &self,
        tenant: TenantId,
        id: &str,
        reason: &str,
        origin: &Origin,
    ) -> Result<Held, ServiceError> {
        let found = self.held(tenant).into_iter().find(|held| held.id == id);
        let held = found.ok_or(ServiceError::NotFound("held request"))?;
        let request = &held.request;
        let mut entry = origin
            .draft("execution.approve", EntryOutcome::Allowed)
            .tenant(tenant.to_string())
            .detail("app", request.app.to_string())
            .detail("operation", &request.operation)
            .detail("digest", &held.id)
            .detail("reason", reason);
        if let Some(credential) = request.credential {
            entry = entry.on("credential", credential.to_string());
        }
        if let Some(owner) = &request.owner {
            entry = entry.personal(Personal { owner: owner.clone() });
        }
        let expires_ms = self.clock.unix_ms().saturating_add(GOOD_FOR_MS);
        let change = Change::set(Key::Approved(tenant, request.digest()), Row::Approved { expires_ms });
        self.store.put_cas(vec![change], vec![entry]).await?;
        Ok(held)
    }

    /// The approval of a request that is good at the moment.
    pub(super) async fn approved(
        &self,
        tenant: TenantId,
        request: &Request,
    ) -> Result<Option<(Key, u64)>, ServiceError> {
        let key = Key::Approved(tenant, request.digest());
        Ok(match self.store.get(key.clone()).await? {
            Some(Versioned { version, row: Row::Approved { expires_ms } }) if expires_ms > self.clock.unix_ms() => {
                Some((key, version))
            }
            _ => None,
        })
    }
}
