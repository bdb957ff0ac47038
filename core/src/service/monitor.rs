//! Asking venues about keys by and by: each once in a cycle, the longest overdue first.
//!
//! What is due is read from the store as it comes, so nothing here grows with the number of credentials, and a restart
//! goes on where the last run ended. A venue that cannot be asked says nothing about its keys: their health stays, and
//! the time without answers is recorded from its begin to its end.

mod findings;
mod gaps;
mod refusals;

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_venues::{Meaning, Params, Per, VenueId};

use super::agenda::{Planned, replanned};
use super::directory::KnownCredential;
use super::probe::{self, PROBE, Probed};
use super::{Service, ServiceError};
use crate::agenda::{Agenda, Due, Errand, Gap, next_probe_ms};
use crate::credential::{Health, State};
use crate::execution::Origin;
use crate::execution::budget::Share;
use crate::id::CredentialId;
use crate::policy::{Resolved, Stored};
use crate::store::{Change, Key, Range, Row, StoreError};

pub(super) use findings::Learned;
pub(super) use refusals::Refusals;

/// How long a probe waits for room in its venue's rate budget.
const PATIENCE: Duration = Duration::from_mins(1);

/// A key that no answer came for is asked about again after one part in so many of a cycle.
const AGAIN: u64 = 10;

/// Rows that are counted in one read.
const PAGE: usize = 500;

/// What became of a look at a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The venue said how the key is.
    Told(Health),
    /// The key may do more than is allowed, which is new: it is frozen, and an alarm was raised.
    Gained,
    /// The venue could not be asked, or says nothing about anybody's key.
    Gap,
    /// The venue refused this question, and said nothing about the key by that.
    Refused,
    /// There is nothing to ask: the credential is gone, revoked, or another one by now.
    Nothing,
}

impl Look {
    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Told(health) => health.as_str(),
            Self::Gained => "gained",
            Self::Gap => "gap",
            Self::Refused => "refused",
            Self::Nothing => "nothing",
        }
    }
}

impl Service {
    /// The looks at credentials of a venue that come next, the longest overdue first, at most `limit`.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn next_probes(&self, venue: VenueId, limit: usize) -> Result<Vec<Due>, ServiceError> {
        self.next_due(Errand::Probe(venue), limit).await
    }

    pub(super) async fn next_due(&self, errand: Errand, limit: usize) -> Result<Vec<Due>, ServiceError> {
        let page = self.store.scan(Range::Due(errand), None, limit).await?;
        let due = page.rows.into_iter().filter_map(|row| if let Row::Due(due) = row.row { Some(due) } else { None });
        Ok(due.collect())
    }

    /// Venues that cannot be asked about keys, since when.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn gaps(&self) -> Result<Vec<Gap>, ServiceError> {
        let page = self.store.scan(Range::Gaps, None, PAGE).await?;
        let gaps = page.rows.into_iter().filter_map(|row| if let Row::Gap(gap) = row.row { Some(gap) } else { None });
        Ok(gaps.collect())
    }

    /// Credentials by venue and health, revoked ones left out.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn census(&self) -> Result<BTreeMap<(VenueId, &'static str), u64>, ServiceError> {
        let mut counts = BTreeMap::new();
        let mut tenants = None;
        loop {
            let page = self.store.scan(Range::Tenants, tenants, PAGE).await?;
            for found in page.rows {
                let Row::Tenant(tenant) = found.row else { continue };
                let mut after = None;
                loop {
                    let page = self.credential_rows(tenant.id, after, PAGE).await?;
                    for (_, row) in page.rows.iter().filter(|(_, row)| row.state != State::Revoked) {
                        let count: &mut u64 = counts.entry((row.venue, row.health.as_str())).or_default();
                        *count = count.saturating_add(1);
                    }
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            tenants = page.next;
            if tenants.is_none() {
                return Ok(counts);
            }
        }
    }

    /// Asks a venue about a key that is due, and stores what it says.
    ///
    /// # Errors
    /// [`ServiceError`] when the store fails; the look stays due.
    pub async fn look_after(&self, venue: VenueId, due: &Due) -> Result<Look, ServiceError> {
        let (tenant, id) = (due.tenant, due.credential);
        let known = self.directory.credential_unheld(self.store(), tenant, id).await?;
        let planned = self.agenda(id).await?.filter(|(_, agenda)| agenda.probe_ms == due.at_ms);
        let gone = known.is_none();
        let (Some(known), Some(planned)) = (known, planned) else {
            self.struck_out(Errand::Probe(venue), due, gone).await?;
            return Ok(Look::Nothing);
        };
        if known.row.state == State::Revoked {
            let changes = self.unplanned(&known.row).await?;
            self.store.put_cas(changes, Vec::new()).await?;
            return Ok(Look::Nothing);
        }
        let origin = Origin::system(self.clock());
        match self.answer_about(&known, &origin).await {
            Ok(probed) => {
                self.refusals.end(venue);
                self.gap_ends(venue, &origin).await?;
                let learned = match self.learned(known, Some(planned), &probed, false, &origin).await {
                    Ok(learned) => learned,
                    // Somebody else changed it meanwhile: it stays due.
                    Err(ServiceError::Changed | ServiceError::NotFound(_)) => return Ok(Look::Nothing),
                    Err(error) => return Err(error),
                };
                Ok(if learned.alarmed { Look::Gained } else { Look::Told(learned.row.health) })
            }
            Err(Unasked::Venue(why)) => {
                self.gap_begins(venue, &why, &origin).await?;
                self.put_off(&known, planned, self.cycle_ms() / AGAIN).await?;
                Ok(Look::Gap)
            }
            Err(Unasked::Refused(why)) => {
                tracing::info!(%why, credential.id = %id, "the venue says nothing about a key: it is asked in the next cycle");
                if self.refusals.of_others(&known.row) {
                    self.gap_begins(venue, &why, &origin).await?;
                }
                self.put_off(&known, planned, self.cycle_ms()).await?;
                Ok(Look::Refused)
            }
            Err(Unasked::Credential(error)) => {
                if let ServiceError::Tampered = error {
                    self.tampered(&known).await;
                }
                tracing::info!(%error, credential.id = %id, "a key cannot be asked about");
                let (busy, cycle) = (matches!(error, ServiceError::Limited { .. }), self.cycle_ms());
                self.put_off(&known, planned, if busy { cycle / AGAIN } else { cycle }).await?;
                Ok(Look::Nothing)
            }
        }
    }

    async fn answer_about(&self, known: &KnownCredential, origin: &Origin) -> Result<Probed, Unasked> {
        let row = &known.row;
        let resolved = Resolved::new(row.venue, PROBE, Params::new())
            .map_err(|error| Unasked::Credential(ServiceError::invalid("probe_missing", error.to_string())))?;
        let share = Share::of(&resolved, Some(row.id)).in_background();
        if let Err(used_up) = self.budgets.take(share, self.clock(), PATIENCE).await {
            return Err(if counts_by_address(row.venue) {
                Unasked::Venue("rate_budget".to_owned())
            } else {
                Unasked::Credential(used_up.into())
            });
        }
        match self.probe(row, Stored::Yes, &known.material, origin).await {
            Ok(Probed::Refused(meaning)) if probe::health_of(&meaning).is_none() => {
                let why = word(&meaning);
                Err(if is_own(row.venue, &meaning) { Unasked::Refused(why) } else { Unasked::Venue(why) })
            }
            Ok(probed) => Ok(probed),
            Err(error @ ServiceError::Unavailable { .. }) => Err(Unasked::Venue(error.tag())),
            Err(error) => Err(Unasked::Credential(error)),
        }
    }

    /// Has a look come later.
    async fn put_off(&self, known: &KnownCredential, planned: Planned, wait_ms: u64) -> Result<(), ServiceError> {
        let probe_ms = self.clock.unix_ms().saturating_add(wait_ms);
        let (_, agenda) = planned;
        let mut changes = replanned(&known.row, planned, Agenda { probe_ms, ..agenda });
        changes.push(still(known));
        match self.store.put_cas(changes, Vec::new()).await {
            // Whoever changed it has planned it anew.
            Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The agenda after an answer.
    fn answered(&self, id: CredentialId, agenda: Agenda) -> Agenda {
        let now = self.clock.unix_ms();
        let used_ms = agenda.used_ms.max(self.uses.of_credential(id));
        Agenda { probed_ms: now, probe_ms: next_probe_ms(id, now, self.cycle_ms()), used_ms, ..agenda }
    }
}

/// Why there is no answer about a key.
enum Unasked {
    /// Nobody would get one at the moment.
    Venue(String),
    /// The venue answers, and others may well get one.
    Refused(String),
    /// This one does not.
    Credential(ServiceError),
}

/// The credential must be as it was read.
fn still(known: &KnownCredential) -> Change {
    Change::still(Key::Credential(known.row.tenant, known.row.id), known.version)
}

/// Whether what a venue says in place of an answer comes from how this key is used: its owner can bring that about, so it
/// must hold up nobody else's.
fn is_own(venue: VenueId, meaning: &Meaning) -> bool {
    match meaning {
        Meaning::BadNonce | Meaning::Rejected { .. } => true,
        Meaning::RateLimited { .. } => !counts_by_address(venue),
        Meaning::Accepted
        | Meaning::DeadKey
        | Meaning::SuspectKey
        | Meaning::BadSignature
        | Meaning::MissingPermission
        | Meaning::AddressNotAllowed
        | Meaning::ClockSkew
        | Meaning::Unavailable
        | Meaning::Unknown => false,
    }
}

/// Whether all keys share one of the venue's limits.
fn counts_by_address(venue: VenueId) -> bool {
    claviger_venues::budgets(venue).iter().any(|budget| budget.per == Per::Address)
}

fn word(meaning: &Meaning) -> String {
    match meaning {
        Meaning::RateLimited { .. } => "rate_limited".to_owned(),
        Meaning::ClockSkew | Meaning::BadNonce => "clock_or_nonce".to_owned(),
        Meaning::Rejected { code } => format!("rejected {code}"),
        Meaning::Accepted
        | Meaning::DeadKey
        | Meaning::SuspectKey
        | Meaning::BadSignature
        | Meaning::MissingPermission
        | Meaning::AddressNotAllowed
        | Meaning::Unavailable
        | Meaning::Unknown => "unavailable".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_key_can_bring_about_is_its_own() {
        let limited = Meaning::RateLimited { retry_after_ms: None };
        let rejected = Meaning::Rejected { code: "EGeneral:Internal".to_owned() };
        for (meaning, kraken, binance) in [
            (&Meaning::BadNonce, true, true),
            (&rejected, true, true),
            (&limited, true, false),
            (&Meaning::ClockSkew, false, false),
            (&Meaning::Unavailable, false, false),
        ] {
            let own = [VenueId::Kraken, VenueId::Binance].map(|venue| is_own(venue, meaning));
            assert_eq!(own, [kraken, binance], "{meaning:?}");
        }
    }
}
