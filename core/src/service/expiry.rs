//! Keys that expire: when, the notices before, and the end.

use super::agenda::{Planned, replanned};
use super::stops::credential_draft;
use super::{Service, ServiceError, birth};
use crate::agenda::{Agenda, DAY_MS, Due, Errand, NOTICE_DAYS, first_expiry_ms, notice};
use crate::audit::timestamp;
use crate::credential::{Credential, Lapsed, State, Upkeep};
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::notice::{About, Topic};
use crate::store::{Change, Changed, Expect, Key, Range, Row, Scope, Stop, StoreError, Versioned, tightened};

/// What is due that is looked at in one go.
const AT_ONCE: usize = 200;

/// Credentials of which it is shown that they expire soon.
const SHOWN: usize = 1_000;

/// Rows of what is due that are read at once, and how often: of one tenant's they are looked for among those of all.
const PAGE: usize = 1_000;
const PAGES_MAX: usize = 20;

/// Credentials that expire soon.
#[derive(Debug, Default)]
pub struct Expiring {
    /// They, the first one first.
    pub credentials: Vec<Credential>,
    /// Whether there may be more of them.
    pub more: bool,
}

impl Service {
    /// Sets when a key is not to be used any more, or that it may be used as long as the venue takes it.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed. One that has expired waits for another key.
    pub async fn set_expiry(
        &self,
        tenant: TenantId,
        id: CredentialId,
        if_match: u64,
        expires_ms: Option<u64>,
        origin: &Origin,
    ) -> Result<(u64, Credential), ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let old = &known.row;
        if known.version != if_match {
            return Err(ServiceError::Changed);
        }
        if old.state == State::Revoked {
            return Err(ServiceError::conflict("revoked", "a revoked credential does not expire; nothing was changed"));
        }
        if old.is_unnamed() {
            return Err(birth::not_activated());
        }
        self.has_not_expired(old)?;
        if let Some(expires_ms) = expires_ms {
            self.lies_ahead(expires_ms)?;
        }
        let upkeep = Upkeep { expires_ms, ..old.upkeep.clone() };
        let row = Credential { upkeep, changed_ms: self.clock.unix_ms(), ..old.clone() };
        let expiry_ms = row.expires_ms().map(|expires_ms| first_expiry_ms(expires_ms, self.clock.unix_ms()));
        let plan = |planned: Option<Planned>| {
            let planned = planned.ok_or_else(|| StoreError::Corrupt(format!("nothing is planned for {id}")))?;
            let (_, agenda) = planned;
            Ok(replanned(&row, planned, Agenda { expiry_ms, ..agenda }))
        };
        let change = Change::replace(Key::Credential(tenant, id), known.version, Row::Credential(row.clone()));
        let told = expires_ms.map_or_else(|| "never".to_owned(), timestamp);
        let entry = origin.stamp(credential_draft("credential.expiry", old)).detail("expires_at", told);
        self.put_planned(id, vec![change], entry, plan).await?;
        let known = self.fresh_credential(tenant, id).await?;
        Ok((known.version, known.row.clone()))
    }

    /// Gives the notices that are due, and freezes what has expired. Each is one commit with its entry.
    ///
    /// # Errors
    /// [`ServiceError`] when they cannot be read; what fails by itself waits for the next call.
    pub async fn tend_expiries(&self) -> Result<(), ServiceError> {
        let now = self.clock.unix_ms();
        for due in self.next_due(Errand::Expiry, AT_ONCE).await?.into_iter().take_while(|due| due.at_ms <= now) {
            if let Err(error) = self.tend_expiry(&due, now).await {
                tracing::warn!(%error, credential.id = %due.credential, "the notice or the end of a key waits");
            }
        }
        Ok(())
    }

    async fn tend_expiry(&self, due: &Due, now: u64) -> Result<(), ServiceError> {
        let (tenant, id) = (due.tenant, due.credential);
        let about = About::Credential(tenant, id);
        let key = Key::Credential(tenant, id);
        let found = self.store.get(key.clone()).await?;
        let gone = found.is_none();
        let planned = self.agenda(id).await?.filter(|(_, agenda)| agenda.expiry_ms == Some(due.at_ms));
        let (Some(Versioned { version, row: Row::Credential(row) }), Some(planned)) = (found, planned) else {
            return self.struck_out(Errand::Expiry, due, gone).await;
        };
        let Some(expires_ms) = row.expires_ms().filter(|_| row.state != State::Revoked) else {
            return self.struck_out(Errand::Expiry, due, false).await;
        };
        let origin = Origin::system(self.clock());
        let (_, agenda) = planned;
        let plan = |expiry_ms| replanned(&row, planned, Agenda { expiry_ms, ..agenda });
        let entry = |action| {
            let entry = origin.stamp(credential_draft(action, &row));
            entry.detail("venue", row.venue.as_str()).detail("expires_at", timestamp(expires_ms))
        };
        if now < expires_ms {
            let still = Change { key, expect: Expect::Still(version), row: None };
            let (changes, entries) = match notice(expires_ms, now) {
                Some((days, next)) => {
                    tracing::warn!(credential.id = %id, days, "a key expires soon");
                    let details = vec![("days", days.to_string()), ("expires_at", timestamp(expires_ms))];
                    let (_, notice) = self.noticed(Topic::CredentialExpiring, about, details);
                    let entry = entry("credential.expiring").detail("days", days.to_string());
                    ([plan(Some(next)), notice].concat(), vec![entry])
                }
                None => (plan(Some(first_expiry_ms(expires_ms, now))), Vec::new()),
            };
            self.store.put_cas([changes, vec![still]].concat(), entries).await?;
            return Ok(());
        }
        let frozen = lapsed(&row, now);
        let change = Change::replace(key, version, Row::Credential(frozen));
        let details = vec![("expires_at", timestamp(expires_ms))];
        let (_, notice) = self.noticed(Topic::CredentialExpired, about, details);
        let changes = [plan(None), notice, vec![change]].concat();
        let stored = self.store.put_cas(changes, vec![entry("credential.expire")]).await;
        // Also after an error: it may be stored all the same.
        self.forget(Some(tenant), &Scope::Credential(id));
        let Changed { up_to, .. } = stored?;
        tracing::warn!(credential.id = %id, "a key has expired: its credential is frozen");
        self.bar(Scope::Credential(id), up_to).await
    }

    /// Credentials of all tenants, or of one, that expire within the time of the first notice.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn expiring(&self, tenant: Option<TenantId>) -> Result<Expiring, ServiceError> {
        let [first, ..] = NOTICE_DAYS;
        let horizon = self.clock.unix_ms().saturating_add(first.saturating_mul(DAY_MS));
        let (mut found, mut after) = (Expiring { credentials: Vec::new(), more: true }, None);
        'pages: for _ in 0..PAGES_MAX {
            let page = self.store.scan(Range::Due(Errand::Expiry), after, PAGE).await?;
            let rows = page.rows.len();
            let due =
                page.rows.into_iter().filter_map(|row| if let Row::Due(due) = row.row { Some(due) } else { None });
            let soon: Vec<Due> = due.take_while(|due| due.at_ms <= horizon).collect();
            let is_last = page.next.is_none() || soon.len() < rows;
            for due in soon.into_iter().filter(|due| tenant.is_none_or(|tenant| due.tenant == tenant)) {
                if found.credentials.len() == SHOWN {
                    break 'pages;
                }
                let key = Key::Credential(due.tenant, due.credential);
                let Some(Versioned { row: Row::Credential(row), .. }) = self.store.get(key).await? else { continue };
                if row.expires_ms().is_some_and(|expires_ms| expires_ms <= horizon) {
                    found.credentials.push(row);
                }
            }
            if is_last {
                found.more = false;
                break;
            }
            after = page.next;
        }
        found.credentials.sort_by_key(Credential::expires_ms);
        Ok(found)
    }

    /// A key that has expired is not given more time.
    pub(super) fn has_not_expired(&self, row: &Credential) -> Result<(), ServiceError> {
        let expired = row.expires_ms().is_some_and(|expires_ms| expires_ms <= self.clock.unix_ms());
        if row.upkeep.lapsed.is_some() || expired {
            let text = "its key has expired: rotate it first; nothing was changed";
            return Err(ServiceError::conflict("expired", text));
        }
        Ok(())
    }

    pub(super) fn lies_ahead(&self, expires_ms: u64) -> Result<(), ServiceError> {
        if expires_ms > self.clock.unix_ms() {
            return Ok(());
        }
        Err(ServiceError::invalid("expires_at_past", "expires_at is a time in the future; nothing was done"))
    }
}

/// The credential once its key has expired. One that somebody else has stopped is not his to start by another key.
fn lapsed(row: &Credential, now_ms: u64) -> Credential {
    let state = tightened(row.state, Stop::Frozen);
    if state == row.state {
        return row.clone();
    }
    let epoch = row.epoch.saturating_add(1);
    let lapsed = Some(Lapsed { was: row.state, epoch });
    Credential { state, epoch, changed_ms: now_ms, upkeep: Upkeep { lapsed, ..row.upkeep.clone() }, ..row.clone() }
}
