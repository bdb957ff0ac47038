//! What a venue's answer about a key changes: its health, what is known of its powers, and when it has gained some that
//! it must not have, its state.

use claviger_venues::objections;

use super::super::agenda::{Planned, replanned};
use super::super::directory::KnownCredential;
use super::super::enroll::with_facts;
use super::super::probe::{self, Probed};
use super::super::stops::credential_draft;
use super::super::{Service, ServiceError, Sighting};
use super::still;
use crate::agenda::{Agenda, first_expiry_ms};
use crate::audit::Draft;
use crate::credential::{Credential, Health, Powers, Reenroll, State, Upkeep};
use crate::execution::Origin;
use crate::incident::Detector;
use crate::notice::{About, Topic};
use crate::store::{Change, Key, Row, Scope, Stop};

/// The reason that the stop of a key with gained powers gives.
const GAINED: &str = "the key gained a permission that no key here may have";

/// What was stored of an answer.
#[derive(Debug)]
pub(in super::super) struct Learned {
    /// The credential from then on.
    pub(in super::super) row: Credential,
    /// Whether an alarm was raised.
    pub(in super::super) alarmed: bool,
}

/// A credential by a venue's answer.
struct Judged {
    row: Credential,
    /// What speaks against holding the key, beyond its being able to do too little.
    excess: Vec<&'static str>,
}

impl Service {
    /// Stores what a venue says about a key. `told` says whether an entry is wanted although nothing is new.
    pub(in super::super) async fn learned(
        &self,
        mut known: KnownCredential,
        planned: Option<Planned>,
        probed: &Probed,
        told: bool,
        origin: &Origin,
    ) -> Result<Learned, ServiceError> {
        let now = self.clock.unix_ms();
        let mut judged = judge(&known.row, probed, now);
        let (tenant, id) = (known.row.tenant, known.row.id);
        let excessive = !judged.excess.is_empty();
        let freezes = excessive && !matches!(known.row.state, State::Frozen | State::Revoked);
        if freezes {
            // First of all: the rest can be stored again if it fails.
            self.stop(Some(tenant), Scope::Credential(id), Stop::Frozen, GAINED, origin).await?;
            let stopped = self.directory.credential_unheld(self.store(), tenant, id).await?;
            let stopped = stopped.ok_or(ServiceError::NotFound("credential"))?;
            if stopped.row.version != known.row.version {
                // What is known of the old key is not written down of the new one, which is frozen all the same.
                return Err(ServiceError::Changed);
            }
            known = stopped;
            judged = judge(&known.row, probed, now);
        }
        let Judged { row, excess } = judged;
        let drift = drift(&known.row, &row, origin);
        let news = Credential { probed_ms: known.row.probed_ms, ..row.clone() } != known.row;
        let alarmed = freezes || (excessive && news);
        let mut entries: Vec<Draft> = drift.into_iter().collect();
        if told || row.health != known.row.health {
            let entry = origin.stamp(credential_draft("credential.probe", &row));
            let entry = entry.detail("health", row.health.as_str()).detail("was", known.row.health.as_str());
            entries.push(entry);
        }
        if alarmed {
            // Before the news is stored: then it would be none any more.
            let alarm = origin.stamp(credential_draft("alarm.scope-gained", &row));
            let alarm = alarm.rule(excess.join(",")).detail("venue", row.venue.as_str());
            let text = format!("{} says of the key of {id}: {}; it is frozen", row.venue, excess.join(", "));
            let (detector, scope) = (Detector::ScopeGained, Scope::Credential(id));
            self.detected(Sighting { detector, tenant: Some(tenant), scope, text }, vec![alarm]).await;
        }
        let mut changes = match planned {
            Some(planned) => replanned(&row, planned, self.answered(id, with_expiry(planned.1, &known.row, &row, now))),
            None => Vec::new(),
        };
        let used_ms = self.uses.of_credential(id).filter(|_| planned.is_some());
        changes.extend(self.told_of(&known.row, &row, alarmed.then(|| excess.join(", "))));
        changes.push(if news {
            Change::replace(Key::Credential(tenant, id), known.version, Row::Credential(row.clone()))
        } else {
            still(&known)
        });
        let stored = self.store.put_cas(changes, entries).await;
        if news {
            self.directory.forget_credential(tenant, id);
        }
        stored?;
        self.uses.credential_stored(id, used_ms);
        Ok(Learned { row: Credential { probed_ms: now, ..row }, alarmed })
    }
}

impl Service {
    /// The notice of what its owner has to do about a key: it can do too much, as `excess` says, or nothing any more.
    fn told_of(&self, before: &Credential, after: &Credential, excess: Option<String>) -> Vec<Change> {
        let about = About::Credential(after.tenant, after.id);
        let wanted = before.upkeep.reenroll.is_none() && after.upkeep.reenroll.is_some();
        match excess {
            Some(found) => self.noticed(Topic::CredentialOverscoped, about, vec![("found", found)]).1,
            None if wanted => self.noticed(Topic::CredentialReenroll, about, Vec::new()).1,
            None => Vec::new(),
        }
    }
}

fn judge(row: &Credential, probed: &Probed, now_ms: u64) -> Judged {
    let meaning = match probed {
        Probed::Facts(facts) => {
            let against = objections(row.venue, facts, row.ceiling);
            let excess = against.iter().filter(|objection| objection.is_excess()).map(|objection| objection.code);
            let mut seen = with_facts(row.clone(), facts, now_ms);
            if against.is_empty() {
                // A key that works after all needs no successor, unless somebody asked for one.
                seen.upkeep.reenroll = seen.upkeep.reenroll.filter(|why| *why == Reenroll::Required);
            } else {
                seen.health = Health::Suspect;
            }
            return Judged { row: seen, excess: excess.collect() };
        }
        Probed::Refused(meaning) => meaning,
    };
    let health = probe::health_of(meaning).unwrap_or(row.health);
    let reenroll =
        if health == Health::Dead { row.upkeep.reenroll.or(Some(Reenroll::Wanted)) } else { row.upkeep.reenroll };
    let upkeep = Upkeep { reenroll, ..row.upkeep.clone() };
    Judged { row: Credential { health, probed_ms: now_ms, upkeep, ..row.clone() }, excess: Vec::new() }
}

/// The entry about what the key may do more or less than before, if it is not the same.
fn drift(before: &Credential, after: &Credential, origin: &Origin) -> Option<Draft> {
    let (before, now): (&Powers, &Powers) = (before.upkeep.powers.as_ref()?, after.upkeep.powers.as_ref()?);
    let entry = || origin.stamp(credential_draft("credential.drift", after));
    (before != now)
        .then(|| entry().detail("gained", now.beyond(before).join(", ")).detail("lost", before.beyond(now).join(", ")))
}

/// The agenda, with the notices of another end where the venue says another.
fn with_expiry(agenda: Agenda, before: &Credential, after: &Credential, now_ms: u64) -> Agenda {
    if before.expires_ms() == after.expires_ms() {
        return agenda;
    }
    Agenda { expiry_ms: after.expires_ms().map(|expires_ms| first_expiry_ms(expires_ms, now_ms)), ..agenda }
}
